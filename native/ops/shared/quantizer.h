// How quantized tensors hold numbers: the integers of their dtypes, and each element's scale and zero point.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>

#include "tensor/convert.h"
#include "tensor/isa.h"
#include "tensor/tensor.h"

namespace threadwheel {

struct IntegerRange {
  std::int64_t least, most;
};

// Throws for dtypes that are not quantized.
IntegerRange range_of(const char* op, DType dtype);

// Calls visitor.operator()<T>() for the integers of a quantized dtype.
template <class Visitor>
void visit_quantized(const char* op, DType dtype, const Visitor& visitor) {
  range_of(op, dtype);
  if (dtype == DType::kQInt8) return visitor.template operator()<std::int8_t>();
  if (dtype == DType::kQUInt8) return visitor.template operator()<std::uint8_t>();
  visitor.template operator()<std::int32_t>();
}

// How a tensor is quantized; the second throws where that is per channel.
const Quantizer& quantizer_of(const char* op, const Tensor& x);
const Quantizer& tensor_quantizer(const char* op, const Tensor& x);

// Throws unless the scale is positive and the dtype holds the zero point.
void check_parameters(const char* op, double scale, std::int64_t zero_point, DType dtype);

// What is rounded to nearest even: the sum with the zero point, or the number before it is added. Ties tell them apart
// where the zero point is odd. torch does the first where it quantizes, the second inside its layers.
enum class Rounded { kSum, kNumber };

// Clipped then; NaN gives the least, as a conversion on x86 does.
template <class T, Rounded What>
THREADWHEEL_INLINE T quantize_one(float x, float inverse_scale, std::int64_t zero_point, IntegerRange range) {
  const auto point = static_cast<double>(zero_point);
  // The sum is rounded to float32 once, as a fused multiplication and addition does it.
  const double q = What == Rounded::kSum
                       ? std::nearbyint(static_cast<float>(static_cast<double>(x) * inverse_scale + point))
                       : std::nearbyint(x * inverse_scale) + point;
  if (!(q > static_cast<double>(range.least))) return static_cast<T>(range.least);
  return q > static_cast<double>(range.most) ? static_cast<T>(range.most) : static_cast<T>(q);
}

// Scale and zero point of element i of a contiguous tensor.
struct ElementQuantizers {
  const Quantizer& q;
  std::int64_t inner = 1, channels = 1;

  ElementQuantizers(const Quantizer& quantizer, const Tensor& x) : q(quantizer) {
    if (!q.per_channel()) return;
    channels = x.size(static_cast<std::size_t>(q.axis));
    inner = count_elements(std::span(x.sizes()).subspan(static_cast<std::size_t>(q.axis) + 1));
  }
  double scale(std::int64_t i) const {
    return q.per_channel() ? q.scales.data<const double>()[i / inner % channels] : q.scale;
  }
  std::int64_t zero_point(std::int64_t i) const {
    return q.per_channel() ? q.zero_points.data<const std::int64_t>()[i / inner % channels] : q.zero_point;
  }
};

// The integers minus their zero points, as floating numbers.
template <class T>
Tensor centered_integers(const char* op, const Tensor& self) {
  const Quantizer& q = quantizer_of(op, self);
  const Tensor x = self.contiguous(), out = Tensor::empty(self.sizes(), DTypeOf<T>::value);
  const ElementQuantizers elements(q, x);
  visit_quantized(op, self.dtype(), [&]<class Q>() {
    for (std::int64_t i = 0; i < x.numel(); ++i)
      out.data<T>()[i] = static_cast<T>(x.data<const Q>()[i] - elements.zero_point(i));
  });
  return out;
}

}  // namespace threadwheel
