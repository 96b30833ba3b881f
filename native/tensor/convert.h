// Conversion between element types: of a value, of a run of elements, of tensors. The rules are those of C++ casts as
// x86 does them, which is what torch documents by its results: out of range floats become the least integer, complex
// numbers lose their imaginary part, anything but zero is true.
#pragma once

#include <complex>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "tensor/dtype.h"
#include "tensor/isa.h"
#include "tensor/tensor.h"

namespace threadwheel {

// float -> int, where C++ leaves values out of range undefined: the least integer, as the instruction gives it.
template <class To, class From>
THREADWHEEL_INLINE To truncate_to(From value) {
  constexpr From kLeast = static_cast<From>(std::numeric_limits<To>::min());  // a power of two: exact
  const bool fits = value >= kLeast && value < -kLeast;
  return fits ? static_cast<To>(fits ? value : From(0)) : std::numeric_limits<To>::min();
}

template <class To, class From>
THREADWHEEL_INLINE To convert_value(From value) {
  if constexpr (std::is_same_v<To, From>) {
    return value;
  } else if constexpr (std::is_same_v<From, Half> || std::is_same_v<From, BFloat16>) {
    return convert_value<To>(static_cast<float>(value));
  } else if constexpr (std::is_same_v<To, bool>) {
    return value != From(0);
  } else if constexpr (kIsComplex<From> && kIsComplex<To>) {
    return To(static_cast<typename To::value_type>(value.real()), static_cast<typename To::value_type>(value.imag()));
  } else if constexpr (kIsComplex<From>) {
    return convert_value<To>(value.real());
  } else if constexpr (kIsComplex<To>) {
    return To(static_cast<typename To::value_type>(value));
  } else if constexpr (std::is_same_v<To, Half> || std::is_same_v<To, BFloat16>) {
    return To(static_cast<float>(value));
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    using Wide = std::conditional_t<(sizeof(To) > 4 || std::is_unsigned_v<To>), std::int64_t, std::int32_t>;
    return static_cast<To>(truncate_to<Wide>(value));  // narrower integers take the low bits
  } else {
    return static_cast<To>(value);
  }
}

// Converts n elements, strides in bytes. The source and the target may be the same memory when they are the same type.
using RunConverter = void (*)(std::byte* to, std::int64_t to_stride, const std::byte* from, std::int64_t from_stride,
                              std::int64_t n);

// Exist: from any dtype into what it is computed in, from a compute dtype into any, from bool into any compute dtype.
RunConverter run_converter(DType from, DType to);

// Converts the elements of `from`, which broadcasts to `to`'s sizes, into `to`. The two must not overlap unless they
// are the same view. Throws Error(kUnsupported) naming `op` for quantized types.
void convert_into(const Tensor& to, const Tensor& from, const char* op);

// Converts each element. Returns `tensor` itself when it has the dtype already.
Tensor convert(const Tensor& tensor, DType dtype, const char* op);

}  // namespace threadwheel
