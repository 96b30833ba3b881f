// Tensors quantized as a whole or per channel, made and asked.
#include <memory>
#include <string>
#include <utility>

#include "ops/families.h"
#include "ops/shared/quantize.h"
#include "ops/shared/quantizer.h"
#include "ops/shared/shapes.h"
#include "threadwheel/error.h"

namespace threadwheel {
namespace {

Tensor quantize_per_tensor(const Tensor& self, double scale, std::int64_t zero_point, DType dtype) {
  return quantize("quantize_per_tensor", self, scale, zero_point, dtype);
}

// The number of a tensor of one element.
template <class T>
T only_element(const char* op, const Tensor& x, DType dtype) {
  if (x.numel() != 1)
    fail_value(std::string(op) + ": " + describe("scale or zero_point", x) + "; expected one element");
  return *convert(x, dtype, op).data<const T>();
}

Tensor quantize_tensor_params(const Tensor& self, const Tensor& scale, const Tensor& zero_point, DType dtype) {
  return quantize("quantize_per_tensor", self, only_element<double>("quantize_per_tensor", scale, DType::kFloat64),
                  only_element<std::int64_t>("quantize_per_tensor", zero_point, DType::kInt64), dtype);
}

std::shared_ptr<const Quantizer> channel_quantizer(const char* op, const Tensor& x, const Tensor& scales,
                                                   const Tensor& zero_points, std::int64_t axis) {
  const std::size_t dim = wrap_dim(op, axis, x.dim());
  if (x.dim() == 0 || scales.dim() != 1 || zero_points.dim() != 1 || scales.size(0) != x.size(dim) ||
      zero_points.size(0) != x.size(dim))
    fail_value(std::string(op) + ": " + describe("scales", scales) + " and " + describe("zero_points", zero_points) +
               "; expected vectors with an element for each index of dimension " + std::to_string(axis));
  Quantizer q;
  q.scales = copy_of(convert(scales, DType::kFloat64, op));
  q.zero_points = copy_of(convert(zero_points, DType::kInt64, op));
  q.axis = static_cast<std::int64_t>(dim);
  return std::make_shared<const Quantizer>(std::move(q));
}

Tensor quantize_per_channel(const Tensor& self, const Tensor& scales, const Tensor& zero_points, std::int64_t axis,
                            DType dtype) {
  constexpr const char* kName = "quantize_per_channel";
  const IntegerRange range = range_of(kName, dtype);
  const auto quantizer = channel_quantizer(kName, self, scales, zero_points, axis);
  const Tensor x = convert(self, DType::kFloat32, kName).contiguous(), out = Tensor::empty(self.sizes(), dtype);
  const ElementQuantizers elements(*quantizer, out);
  visit_quantized(kName, dtype, [&]<class T>() {
    for (std::int64_t i = 0; i < x.numel(); ++i)
      out.data<T>()[i] = quantize_one<T, Rounded::kSum>(
          x.data<const float>()[i], 1.0F / static_cast<float>(elements.scale(i)), elements.zero_point(i), range);
  });
  return out.with_quantizer(quantizer);
}

double q_scale(const Tensor& self) { return tensor_quantizer("q_scale", self).scale; }

std::int64_t q_zero_point(const Tensor& self) { return tensor_quantizer("q_zero_point", self).zero_point; }

const Quantizer& channel_quantizer_of(const char* op, const Tensor& self) {
  const Quantizer& q = quantizer_of(op, self);
  if (!q.per_channel()) fail_value(std::string(op) + ": the tensor is quantized per tensor; expected per channel");
  return q;
}

Tensor q_per_channel_scales(const Tensor& self) { return channel_quantizer_of("q_per_channel_scales", self).scales; }
Tensor q_per_channel_zero_points(const Tensor& self) {
  return channel_quantizer_of("q_per_channel_zero_points", self).zero_points;
}
std::int64_t q_per_channel_axis(const Tensor& self) { return channel_quantizer_of("q_per_channel_axis", self).axis; }

DType plain_dtype(DType quantized) {
  return quantized == DType::kQInt8 ? DType::kInt8 : quantized == DType::kQUInt8 ? DType::kUInt8 : DType::kInt32;
}

// The integers, as a tensor of its own.
Tensor int_repr(const Tensor& self) {
  range_of("int_repr", self.dtype());
  const Tensor view(self.storage(), plain_dtype(self.dtype()), self.offset(), self.sizes(), self.strides());
  return copy_of(view);
}

Tensor as_quantized(const char* op, const Tensor& self) {
  const DType dtype = self.dtype() == DType::kInt8    ? DType::kQInt8
                      : self.dtype() == DType::kUInt8 ? DType::kQUInt8
                      : self.dtype() == DType::kInt32 ? DType::kQInt32
                                                      : self.dtype();
  range_of(op, dtype);
  const Tensor copy = copy_of(self);
  return Tensor(copy.storage(), dtype, 0, copy.sizes(), copy.strides());
}

Tensor make_per_tensor(const Tensor& self, double scale, std::int64_t zero_point) {
  return as_quantized("_make_per_tensor_quantized_tensor", self)
      .with_quantizer(std::make_shared<const Quantizer>(Quantizer{scale, zero_point, {}, {}, 0}));
}

Tensor make_per_channel(const Tensor& self, const Tensor& scale, const Tensor& zero_point, std::int64_t axis) {
  constexpr const char* kName = "_make_per_channel_quantized_tensor";
  return as_quantized(kName, self).with_quantizer(channel_quantizer(kName, self, scale, zero_point, axis));
}

constexpr OpDefinition kOps[] = {
    define_op<quantize_per_tensor>(
        "aten::quantize_per_tensor(Tensor self, float scale, int zero_point, ScalarType dtype) -> Tensor"),
    define_op<quantize_tensor_params>(
        "aten::quantize_per_tensor.tensor_qparams(Tensor self, Tensor scale, Tensor zero_point, ScalarType dtype) -> "
        "Tensor"),
    define_op<quantize_per_channel>(
        "aten::quantize_per_channel(Tensor self, Tensor scales, Tensor zero_points, int axis, ScalarType dtype) -> "
        "Tensor"),
    define_op<dequantize>("aten::dequantize.self(Tensor self) -> Tensor"),
    define_op<q_scale>("aten::q_scale(Tensor self) -> float"),
    define_op<q_zero_point>("aten::q_zero_point(Tensor self) -> int"),
    define_op<q_per_channel_scales>("aten::q_per_channel_scales(Tensor self) -> Tensor"),
    define_op<q_per_channel_zero_points>("aten::q_per_channel_zero_points(Tensor self) -> Tensor"),
    define_op<q_per_channel_axis>("aten::q_per_channel_axis(Tensor self) -> int"),
    define_op<int_repr>("aten::int_repr(Tensor self) -> Tensor"),
    define_op<make_per_tensor>(
        "aten::_make_per_tensor_quantized_tensor(Tensor self, float scale, int zero_point) -> Tensor"),
    define_op<make_per_channel>(
        "aten::_make_per_channel_quantized_tensor(Tensor self, Tensor scale, Tensor zero_point, int axis) -> Tensor"),
};

}  // namespace

std::span<const OpDefinition> quantized_tensor_ops() { return kOps; }

}  // namespace threadwheel
