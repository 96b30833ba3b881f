// Floats as integers with a scale and a zero point, and back; and ops on floats made ops on quantized tensors.
#pragma once

#include <cstdint>
#include <type_traits>

#include "ops/shared/elementwise.h"
#include "tensor/tensor.h"

namespace threadwheel {

// The numbers of a quantized tensor, float32; of other tensors a conversion.
Tensor dequantize(const Tensor& self);

// float32 values, quantized as a whole; throws unless the dtype is quantized and fits the parameters.
Tensor quantize(const char* op, const Tensor& values, double scale, std::int64_t zero_point, DType dtype);

// float32 values, quantized with the parameters of a tensor that is quantized as a whole.
Tensor quantize_like(const Tensor& values, const Tensor& other);

// float32 values, quantized as layers quantize their results: rounded before the zero point is added.
Tensor quantize_result(const Tensor& values, double scale, std::int64_t zero_point, DType dtype);

// float32 values between `least` (0 or -1) and 1, quantized to the dtype of another tensor, of which they use the whole
// range: what torch gives for functions with such results.
Tensor quantize_between(const Tensor& values, double least, const Tensor& other);

inline bool is_quantized(DType dtype) { return dtype_info(dtype).category == DTypeCategory::kQuantized; }

namespace detail {

template <auto Kernel, class Signature = std::remove_const_t<decltype(Kernel)>>
struct OnQuantized;

template <auto Kernel, class... Others>
struct OnQuantized<Kernel, Tensor (*)(const Tensor&, Others...)> {
  static Tensor same(const Tensor& self, Others... others) {
    if (!is_quantized(self.dtype())) return Kernel(self, others...);
    return quantize_like(Kernel(dequantize(self), others...), self);
  }
  static Tensor same_in_place(const Tensor& self, Others... others) {
    if (!is_quantized(self.dtype())) return Kernel(self, others...);
    check_writable(self, "copy_");
    copy_elements(quantize_like(Kernel(dequantize(self), others...), self), self);
    return self;
  }
  template <int Least>
  static Tensor between(const Tensor& self, Others... others) {
    if (!is_quantized(self.dtype())) return Kernel(self, others...);
    return quantize_between(Kernel(dequantize(self), others...), Least, self);
  }
};

}  // namespace detail

// The kernel for quantized tensors too: the numbers they stand for are computed with, and the result has the same
// parameters, or those of quantize_between.
template <auto Kernel>
inline constexpr auto on_quantized = &detail::OnQuantized<Kernel>::same;
template <auto Kernel>
inline constexpr auto on_quantized_in_place = &detail::OnQuantized<Kernel>::same_in_place;
template <auto Kernel, int Least>
inline constexpr auto on_quantized_between = &detail::OnQuantized<Kernel>::template between<Least>;

}  // namespace threadwheel
