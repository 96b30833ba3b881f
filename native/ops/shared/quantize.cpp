#include "ops/shared/quantize.h"

#include <memory>
#include <string>

#include "ops/shared/quantizer.h"
#include "threadwheel/error.h"
#include "threadwheel/parallel.h"

namespace threadwheel {
namespace {

template <Rounded What>
Tensor quantized_as(const char* op, const Tensor& self, double scale, std::int64_t zero_point, DType dtype) {
  const IntegerRange range = range_of(op, dtype);
  if (self.dtype() != DType::kFloat32)
    throw Error(ErrorCode::kUnsupported,
                std::string(op) + ": unsupported dtype " + dtype_name(self.dtype()) + "; supported is float32");
  check_parameters(op, scale, zero_point, dtype);
  const Tensor x = self.contiguous(), out = Tensor::empty(self.sizes(), dtype);
  const float inverse = 1.0F / static_cast<float>(scale);
  visit_quantized(op, dtype, [&]<class T>() {
    parallel_for(0, x.numel(), 32768, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i)
        out.data<T>()[i] = quantize_one<T, What>(x.data<const float>()[i], inverse, zero_point, range);
    });
  });
  return out.with_quantizer(std::make_shared<const Quantizer>(Quantizer{scale, zero_point, {}, {}, 0}));
}

}  // namespace

Tensor quantize(const char* op, const Tensor& values, double scale, std::int64_t zero_point, DType dtype) {
  return quantized_as<Rounded::kSum>(op, values, scale, zero_point, dtype);
}

Tensor dequantize(const Tensor& self) {
  if (dtype_info(self.dtype()).category != DTypeCategory::kQuantized)
    return convert(self, DType::kFloat32, "dequantize");
  const Quantizer& q = quantizer_of("dequantize", self);
  const Tensor x = self.contiguous(), out = Tensor::empty(self.sizes(), DType::kFloat32);
  const ElementQuantizers elements(q, x);
  visit_quantized("dequantize", self.dtype(), [&]<class T>() {
    parallel_for(0, x.numel(), 32768, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i)
        out.data<float>()[i] = static_cast<float>(x.data<const T>()[i] - elements.zero_point(i)) *
                               static_cast<float>(elements.scale(i));
    });
  });
  return out;
}

Tensor quantize_like(const Tensor& values, const Tensor& other) {
  const Quantizer& q = tensor_quantizer("quantize", other);
  return quantize("quantize", values, q.scale, q.zero_point, other.dtype());
}

Tensor quantize_result(const Tensor& values, double scale, std::int64_t zero_point, DType dtype) {
  return quantized_as<Rounded::kNumber>("quantize", values, scale, zero_point, dtype);
}

Tensor quantize_between(const Tensor& values, double least, const Tensor& other) {
  const IntegerRange range = range_of("quantize", other.dtype());
  const double scale = (1 - least) / 256;
  return quantize("quantize", values, scale, range.least - static_cast<std::int64_t>(least / scale), other.dtype());
}

}  // namespace threadwheel
