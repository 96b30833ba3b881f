// What is known of element types: names, sizes, categories, promotion, the C++ types behind them.
#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "tensor/half.h"
#include "threadwheel/dtype.h"
#include "threadwheel/error.h"

namespace threadwheel {

// In the order of promotion: the result of mixing two categories is in the higher one.
enum class DTypeCategory : std::int8_t { kBool, kInteger, kFloating, kComplex, kQuantized, kNested };

struct DTypeInfo {
  DType dtype;
  const char* name;           // as numpy and torch write it
  std::size_t size_bytes;
  DTypeCategory category;
  const char* buffer_format;  // Python's struct notation; nullptr where it has none
};

const DTypeInfo& dtype_info(DType dtype);
std::optional<DType> find_dtype(std::int64_t scalar_type);
// Throws Error(kValue) for a number that is none: a program may pass any.
DType checked_dtype(std::int64_t scalar_type);
std::optional<DType> find_dtype(std::string_view name);

inline const char* dtype_name(DType dtype) { return dtype_info(dtype).name; }
inline std::size_t dtype_size(DType dtype) { return dtype_info(dtype).size_bytes; }

// The least dtype that both fit in, by torch's lattice. Quantized and nested types mix with themselves only.
DType promote_types(DType a, DType b);

template <>
struct DTypeOf<Half> : std::integral_constant<DType, DType::kFloat16> {};
template <>
struct DTypeOf<BFloat16> : std::integral_constant<DType, DType::kBFloat16> {};

template <class T>
inline constexpr bool kIsComplex = false;
template <class T>
inline constexpr bool kIsComplex<std::complex<T>> = true;

template <class T>
inline constexpr bool kIsHalf = std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>;

// float32 of complex64; a real dtype of itself.
DType real_dtype(DType dtype);
// complex64 of float32. Throws Error(kUnsupported) for float16: there is no complex32.
DType complex_dtype(DType dtype);

inline bool is_floating(DType dtype) { return dtype_info(dtype).category == DTypeCategory::kFloating; }
inline bool is_complex(DType dtype) { return dtype_info(dtype).category == DTypeCategory::kComplex; }
inline bool is_integral(DType dtype) { return dtype_info(dtype).category <= DTypeCategory::kInteger; }  // or bool

// What arithmetic on elements of `dtype` is done in: int64 for integers and bools, because its low bits are those of
// every narrower result; float32 for the 16-bit floats; the others in themselves.
DType compute_dtype(DType dtype);

template <class... Ts>
struct TypeList {};
using IntegerTypes = TypeList<std::uint8_t, std::int8_t, std::int16_t, std::int32_t, std::int64_t>;
using FloatingTypes = TypeList<float, double>;
using ComplexTypes = TypeList<std::complex<float>, std::complex<double>>;
using FloatingAndComplexTypes = TypeList<float, double, std::complex<float>, std::complex<double>>;
using RealTypes = TypeList<std::uint8_t, std::int8_t, std::int16_t, std::int32_t, std::int64_t, float, double>;
using NumberTypes = TypeList<std::uint8_t, std::int8_t, std::int16_t, std::int32_t, std::int64_t, float, double,
                             std::complex<float>, std::complex<double>>;
using RealAndBoolTypes =
    TypeList<bool, std::uint8_t, std::int8_t, std::int16_t, std::int32_t, std::int64_t, float, double>;
using RealHalfAndBoolTypes = TypeList<bool, std::uint8_t, std::int8_t, std::int16_t, std::int32_t, std::int64_t, Half,
                                      BFloat16, float, double>;

using AllTypes = TypeList<bool, std::uint8_t, std::int8_t, std::int16_t, std::int32_t, std::int64_t, Half, BFloat16,
                          float, double, std::complex<float>, std::complex<double>>;
// The values of compute_dtype(), and parts of them.
using ComputeTypes = TypeList<std::int64_t, float, double, std::complex<float>, std::complex<double>>;
using ComputeRealTypes = TypeList<std::int64_t, float, double>;
using ComputeFloatTypes = TypeList<float, double, std::complex<float>, std::complex<double>>;
using ComputeIntegerTypes = TypeList<std::int64_t>;
using ComputeComplexTypes = TypeList<std::complex<float>, std::complex<double>>;

// Calls visitor.operator()<T>() for the C++ type of `dtype`, or throws the error that names the op, the dtype and
// what the op takes. Visitors are generic lambdas, `[&]<class T>() {...}`.
template <class... Ts, class Visitor>
decltype(auto) visit_dtype(TypeList<Ts...>, DType dtype, const char* op, Visitor&& visitor) {
  using Result = std::common_type_t<decltype(visitor.template operator()<Ts>())...>;
  if constexpr (std::is_void_v<Result>) {
    if (((dtype == DTypeOf<Ts>::value && (visitor.template operator()<Ts>(), true)) || ...)) return;
  } else {
    std::optional<Result> result;
    if (((dtype == DTypeOf<Ts>::value && (result.emplace(visitor.template operator()<Ts>()), true)) || ...))
      return Result(std::move(*result));
  }
  std::string names;
  ((names += (names.empty() ? "" : ", ") + std::string(dtype_name(DTypeOf<Ts>::value))), ...);
  throw Error(ErrorCode::kUnsupported,
              std::string(op) + ": unsupported dtype " + dtype_name(dtype) + "; supported are " + names);
}

}  // namespace threadwheel
