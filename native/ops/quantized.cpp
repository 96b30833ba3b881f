// Quantized tensors, and the layers that models quantize. Products are made of the integers themselves, held in floats:
// in double, where every sum is exact and the result is rounded to integers again, as the engines of torch do it; in
// float32 where the result stays a float. All engines (fbgemm, x86, onednn, qnnpack) share this.
#include "ops/quantized.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "ops/families.h"
#include "ops/recurrent.h"
#include "ops/shapes.h"
#include "providers/blas.h"
#include "providers/gemm_dnn.h"
#include "threadwheel/error.h"
#include "threadwheel/parallel.h"

namespace threadwheel {
namespace {

using Ints = std::span<const std::int64_t>;
using OptionalTensor = std::optional<Tensor>;

struct Range {
  std::int64_t least, most;
};

Range range_of(const char* op, DType dtype) {
  switch (dtype) {
    case DType::kQInt8: return {-128, 127};
    case DType::kQUInt8: return {0, 255};
    case DType::kQInt32: return {INT32_MIN, INT32_MAX};
    default:
      throw Error(ErrorCode::kUnsupported, std::string(op) + ": unsupported dtype " + dtype_name(dtype) +
                                               "; supported are qint8, quint8, qint32");
  }
}

// Calls visitor.operator()<T>() for the integers of a quantized dtype.
template <class Visitor>
void visit_quantized(const char* op, DType dtype, const Visitor& visitor) {
  range_of(op, dtype);
  if (dtype == DType::kQInt8) return visitor.template operator()<std::int8_t>();
  if (dtype == DType::kQUInt8) return visitor.template operator()<std::uint8_t>();
  visitor.template operator()<std::int32_t>();
}

const Quantizer& quantizer_of(const char* op, const Tensor& x) {
  range_of(op, x.dtype());
  if (!x.quantizer())
    throw Error(
        ErrorCode::kUnsupported,
        std::string(op) + ": the tensor is a view of a tensor quantized per channel; " + "use the tensor itself");
  return *x.quantizer();
}

const Quantizer& per_tensor(const char* op, const Tensor& x) {
  const Quantizer& q = quantizer_of(op, x);
  if (q.per_channel()) fail_value(std::string(op) + ": the tensor is quantized per channel; expected per tensor");
  return q;
}

// What is rounded to nearest even: the sum with the zero point, or the number before it is added. Ties tell them apart
// where the zero point is odd. torch does the first where it quantizes, the second inside its layers.
enum class Rounded { kSum, kNumber };

// Clipped then; NaN gives the least, as a conversion on x86 does.
template <class T, Rounded What>
THREADWHEEL_INLINE T quantize_one(float x, float inverse_scale, std::int64_t zero_point, Range range) {
  const auto point = static_cast<double>(zero_point);
  // The sum is rounded to float32 once, as a fused multiplication and addition does it.
  const double q = What == Rounded::kSum
                       ? std::nearbyint(static_cast<float>(static_cast<double>(x) * inverse_scale + point))
                       : std::nearbyint(x * inverse_scale) + point;
  if (!(q > static_cast<double>(range.least))) return static_cast<T>(range.least);
  return q > static_cast<double>(range.most) ? static_cast<T>(range.most) : static_cast<T>(q);
}

template <Rounded What = Rounded::kSum>
Tensor quantize(const char* op, const Tensor& self, double scale, std::int64_t zero_point, DType dtype) {
  const Range range = range_of(op, dtype);
  if (self.dtype() != DType::kFloat32)
    throw Error(ErrorCode::kUnsupported,
                std::string(op) + ": unsupported dtype " + dtype_name(self.dtype()) + "; supported is float32");
  if (!(scale > 0) || zero_point < range.least || zero_point > range.most)
    fail_value(std::string(op) + ": scale is " + std::to_string(scale) + " and zero_point " +
               std::to_string(zero_point) + "; expected a positive number, and one that " + dtype_name(dtype) +
               " holds");
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

// Scale and zero point of element i of a contiguous tensor.
struct Parameters {
  const Quantizer& q;
  std::int64_t inner = 1, channels = 1;

  Parameters(const Quantizer& quantizer, const Tensor& x) : q(quantizer) {
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
  const Range range = range_of(kName, dtype);
  const auto quantizer = channel_quantizer(kName, self, scales, zero_points, axis);
  const Tensor x = convert(self, DType::kFloat32, kName).contiguous(), out = Tensor::empty(self.sizes(), dtype);
  const Parameters parameters(*quantizer, out);
  visit_quantized(kName, dtype, [&]<class T>() {
    for (std::int64_t i = 0; i < x.numel(); ++i)
      out.data<T>()[i] = quantize_one<T, Rounded::kSum>(
          x.data<const float>()[i], 1.0F / static_cast<float>(parameters.scale(i)), parameters.zero_point(i), range);
  });
  return out.with_quantizer(quantizer);
}

}  // namespace

Tensor dequantize(const Tensor& self) {
  if (dtype_info(self.dtype()).category != DTypeCategory::kQuantized)
    return convert(self, DType::kFloat32, "dequantize");
  const Quantizer& q = quantizer_of("dequantize", self);
  const Tensor x = self.contiguous(), out = Tensor::empty(self.sizes(), DType::kFloat32);
  const Parameters parameters(q, x);
  visit_quantized("dequantize", self.dtype(), [&]<class T>() {
    parallel_for(0, x.numel(), 32768, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i)
        out.data<float>()[i] = static_cast<float>(x.data<const T>()[i] - parameters.zero_point(i)) *
                               static_cast<float>(parameters.scale(i));
    });
  });
  return out;
}

Tensor quantize_like(const Tensor& values, const Tensor& other) {
  const Quantizer& q = per_tensor("quantize", other);
  return quantize("quantize", values, q.scale, q.zero_point, other.dtype());
}

Tensor quantize_result(const Tensor& values, double scale, std::int64_t zero_point, DType dtype) {
  return quantize<Rounded::kNumber>("quantize", values, scale, zero_point, dtype);
}

Tensor quantize_between(const Tensor& values, double least, const Tensor& other) {
  const Range range = range_of("quantize", other.dtype());
  const double scale = (1 - least) / 256;
  return quantize("quantize", values, scale, range.least - static_cast<std::int64_t>(least / scale), other.dtype());
}

namespace {

double q_scale(const Tensor& self) { return per_tensor("q_scale", self).scale; }

std::int64_t q_zero_point(const Tensor& self) { return per_tensor("q_zero_point", self).zero_point; }

const Quantizer& per_channel(const char* op, const Tensor& self) {
  const Quantizer& q = quantizer_of(op, self);
  if (!q.per_channel()) fail_value(std::string(op) + ": the tensor is quantized per tensor; expected per channel");
  return q;
}

Tensor q_per_channel_scales(const Tensor& self) { return per_channel("q_per_channel_scales", self).scales; }
Tensor q_per_channel_zero_points(const Tensor& self) {
  return per_channel("q_per_channel_zero_points", self).zero_points;
}
std::int64_t q_per_channel_axis(const Tensor& self) { return per_channel("q_per_channel_axis", self).axis; }

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

// The integers minus their zero points, as floating numbers.
template <class T>
Tensor centered(const char* op, const Tensor& self) {
  const Quantizer& q = quantizer_of(op, self);
  const Tensor x = self.contiguous(), out = Tensor::empty(self.sizes(), DTypeOf<T>::value);
  const Parameters parameters(q, x);
  visit_quantized(op, self.dtype(), [&]<class Q>() {
    for (std::int64_t i = 0; i < x.numel(); ++i)
      out.data<T>()[i] = static_cast<T>(x.data<const Q>()[i] - parameters.zero_point(i));
  });
  return out;
}

// Packed parameters: the positions of their slots.
enum Slot : std::size_t { kWeight, kBias, kIntegers, kStride, kPadding, kDilation, kGroups };

std::vector<ClassDefinition::Attribute> weight_attributes() {
  const TypePtr& tensor = Type::of(TypeKind::kTensor);
  return {{"weight", tensor}, {"bias", Type::optional(tensor)}, {"integers", tensor}};
}

const TypePtr& linear_class() {
  static const TypePtr type =
      Type::class_of("__torch__.torch.classes.quantized.LinearPackedParamsBase", weight_attributes());
  return type;
}

const TypePtr& conv2d_class() {
  static const TypePtr type = [] {
    auto attributes = weight_attributes();
    const TypePtr ints = Type::list(Type::of(TypeKind::kInt));
    for (const char* name : {"stride", "padding", "dilation"}) attributes.push_back({name, ints});
    attributes.push_back({"groups", Type::of(TypeKind::kInt)});
    return Type::class_of("__torch__.torch.classes.quantized.Conv2dPackedParamsBase", std::move(attributes));
  }();
  return type;
}

void fill_weight(const char* op, ObjectValue& object, const Tensor& weight, const OptionalTensor& bias) {
  const Quantizer& q = quantizer_of(op, weight);
  if (weight.dtype() != DType::kQInt8 || weight.dim() < 2 || (q.per_channel() && q.axis != 0))
    fail_value(std::string(op) + ": " + describe("weight", weight) + ", " + dtype_name(weight.dtype()) +
               "; expected qint8, quantized per tensor or along dimension 0");
  if (bias && (bias->dim() != 1 || bias->size(0) != weight.size(0) || bias->dtype() != DType::kFloat32))
    fail_value(std::string(op) + ": " + describe("bias", *bias) + ", " + dtype_name(bias->dtype()) + "; expected [" +
               std::to_string(weight.size(0)) + "], float32");
  object.slots[kWeight] = weight;
  if (bias) object.slots[kBias] = bias->contiguous();
  object.slots[kIntegers] = centered<float>(op, weight);
}

// A packed parameter of the right class, as kernels see it.
struct Packed {
  const Tensor& weight;
  const Tensor& integers;
  OptionalTensor bias;

  Packed(const char* op, const Value& value, const TypePtr& type)
      : weight(slot(op, value, type, kWeight).to_tensor()), integers(slot(op, value, type, kIntegers).to_tensor()) {
    if (const Value& given = slot(op, value, type, kBias); given.is_tensor()) bias = given.to_tensor();
  }

  static const Value& slot(const char* op, const Value& value, const TypePtr& type, std::size_t index) {
    if (!value.is_object() || value.to_object().type->definition()->name != type->definition()->name ||
        value.to_object().slots.size() <= index)
      fail_value(std::string(op) + ": the packed parameters are of another class; expected " + type->to_string());
    return value.to_object().slots[index];
  }

  double scale(std::int64_t channel) const {
    const Quantizer& q = *weight.quantizer();
    return q.per_channel() ? q.scales.data<const double>()[channel] : q.scale;
  }
  float bias_at(std::int64_t channel) const { return bias ? bias->data<const float>()[channel] : 0.0F; }
};

// The scale and zero point that spread [least, most], widened to hold 0, over [0, levels].
Quantizer choose_parameters(float least, float most, std::int64_t levels) {
  least = std::min(least, 0.0F);
  most = std::max(most, 0.0F);
  const auto steps = static_cast<double>(levels);
  auto scale = static_cast<float>((static_cast<double>(most) - least) / steps);
  if (scale == 0.0F || std::isinf(1.0F / scale)) scale = 0.1F;
  constexpr float kLeastScale = 6.1e-5F;  // smaller ones lose precision in the engines, which widen the range instead
  if (scale < kLeastScale) {
    const float old = scale;
    scale = kLeastScale;
    if (least == 0.0F) {
      most = kLeastScale * static_cast<float>(levels);
    } else if (most == 0.0F) {
      least = -kLeastScale * static_cast<float>(levels);
    } else {
      least *= kLeastScale / old;
      most *= kLeastScale / old;
    }
  }
  const double from_least = -least / static_cast<double>(scale), from_most = steps - most / static_cast<double>(scale);
  const double error_least = std::abs(least / static_cast<double>(scale));
  const double error_most = steps + std::abs(most / static_cast<double>(scale));
  const double zero_point = std::clamp(error_least < error_most ? from_least : from_most, 0.0, steps);
  return {scale, static_cast<std::int64_t>(std::nearbyint(zero_point)), {}, {}, 0};
}

// [rows, in] integers as numbers times the weight's: [rows, out].
template <class T>
Tensor integer_product(const Tensor& rows, const Tensor& integers) {
  const std::int64_t m = rows.size(0), n = integers.size(0), k = integers.size(1);
  const Tensor weight = convert(integers, DTypeOf<T>::value, "quantized::linear"),
               out = zeros(Dims{m, n}, DTypeOf<T>::value);
  if (k > 0)
    blas::gemm(m, n, k, blas::Matrix<const T>{rows.data<const T>(), k},
               blas::Matrix<const T>{weight.data<const T>(), k, true}, T(0),
               blas::Matrix<T>{out.data<T>(), std::max<std::int64_t>(n, 1)});
  return out;
}

std::int64_t check_linear(const char* op, const Tensor& x, const Packed& packed) {
  if (packed.weight.dim() != 2 || x.dim() < 1 ||
      x.size(static_cast<std::size_t>(x.dim()) - 1) != packed.weight.size(1))
    fail_value(std::string(op) + ": " + describe("input", x) + " and " + describe("weight", packed.weight) +
               "; input's last size must be weight's second");
  return packed.weight.size(1) == 0 ? 0 : x.numel() / packed.weight.size(1);
}

Dims linear_sizes(const Tensor& x, const Packed& packed) {
  Dims sizes = x.sizes();
  sizes[sizes.size() - 1] = packed.weight.size(0);
  return sizes;
}

// The input is quantized by its own range, each call anew; the result is a float.
Tensor dynamic_product(const Tensor& x, const Value& params, bool reduce_range, bool relu) {
  constexpr const char* kName = "quantized::linear_dynamic";
  const Packed packed(kName, params, linear_class());
  const std::int64_t rows = check_linear(kName, x, packed), features = packed.weight.size(1);
  if (x.dtype() != DType::kFloat32)
    throw Error(ErrorCode::kUnsupported,
                std::string(kName) + ": unsupported dtype " + dtype_name(x.dtype()) + "; supported is float32");
  const Tensor dense = x.contiguous(), out = Tensor::empty(linear_sizes(x, packed), DType::kFloat32);
  if (out.numel() == 0) return out;
  const float* const in = dense.data<const float>();
  const auto [least, most] = std::minmax_element(in, in + x.numel());
  const Quantizer q = choose_parameters(*least, *most, reduce_range ? 127 : 255);
  Tensor integers = Tensor::empty(Dims{rows, features}, DType::kFloat32);
  const float inverse = 1.0F / static_cast<float>(q.scale);
  const Range range{0, reduce_range ? 127 : 255};
  for (std::int64_t i = 0; i < x.numel(); ++i)
    integers.data<float>()[i] =
        static_cast<float>(quantize_one<std::uint8_t, Rounded::kNumber>(in[i], inverse, q.zero_point, range) - q.zero_point);
  const Tensor sums = integer_product<float>(integers, packed.integers);
  const std::int64_t columns = packed.weight.size(0);
  for (std::int64_t i = 0; i < out.numel(); ++i) {
    const float value = sums.data<const float>()[i] * static_cast<float>(q.scale * packed.scale(i % columns)) +
                        packed.bias_at(i % columns);
    out.data<float>()[i] = relu && value < 0.0F ? 0.0F : value;
  }
  return out;
}

Tensor linear_dynamic(const Tensor& x, const Value& params, bool reduce_range) {
  return dynamic_product(x, params, reduce_range, false);
}
Tensor linear_relu_dynamic(const Tensor& x, const Value& params, bool reduce_range) {
  return dynamic_product(x, params, reduce_range, true);
}

// Exact sums, [..., channels of `inner` elements each], to integers of the output's scale.
Tensor requantize(const Tensor& sums, const Packed& packed, const Quantizer& input, double scale,
                  std::int64_t zero_point, bool relu, std::int64_t inner, DType dtype, const Dims& sizes) {
  const Range range = range_of("quantized", dtype);
  const Tensor out = Tensor::empty(sizes, dtype);
  const std::int64_t channels = packed.weight.size(0);
  const double least = static_cast<double>(relu ? std::max(range.least, zero_point) : range.least);
  visit_quantized("quantized", dtype, [&]<class T>() {
    parallel_for(0, out.numel(), 16384, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t channel = i / inner % channels;
        const float product_scale = static_cast<float>(input.scale) * static_cast<float>(packed.scale(channel));
        const float value = static_cast<float>(sums.data<const double>()[i]) + packed.bias_at(channel) / product_scale;
        const double q =
            std::nearbyint(value * (product_scale / static_cast<float>(scale))) + static_cast<double>(zero_point);
        out.data<T>()[i] = static_cast<T>(std::clamp(q, least, static_cast<double>(range.most)));
      }
    });
  });
  return out.with_quantizer(std::make_shared<const Quantizer>(Quantizer{scale, zero_point, {}, {}, 0}));
}

void check_output(const char* op, double scale, std::int64_t zero_point, DType dtype) {
  const Range range = range_of(op, dtype);
  if (!(scale > 0) || zero_point < range.least || zero_point > range.most)
    fail_value(std::string(op) + ": the output's scale is " + std::to_string(scale) + " and zero point " +
               std::to_string(zero_point) + "; expected a positive number, and one that " + dtype_name(dtype) +
               " holds");
}

template <bool Relu>
Tensor quantized_linear(const Tensor& x, const Value& params, double scale, std::int64_t zero_point) {
  constexpr const char* kName = "quantized::linear";
  const Packed packed(kName, params, linear_class());
  const Quantizer& q = per_tensor(kName, x);
  check_output(kName, scale, zero_point, x.dtype());
  const std::int64_t rows = check_linear(kName, x, packed);
  const Tensor integers = reshaped(centered<double>(kName, x), Dims{rows, packed.weight.size(1)});
  return requantize(integer_product<double>(integers, packed.integers), packed, q, scale, zero_point, Relu, 1,
                    x.dtype(), linear_sizes(x, packed));
}

dnn::ConvShape conv_shape(const Tensor& x, const Tensor& weight, const ObjectValue& object) {
  dnn::ConvShape shape{};
  shape.dims = 2;
  shape.groups = object.slots[kGroups].to_int();
  if (x.dim() != 4 || x.size(1) != weight.size(1) * shape.groups)
    fail_value("quantized::conv2d: " + describe("input", x) + " and " + describe("weight", weight) + "; expected [n, " +
               std::to_string(weight.size(1) * shape.groups) + ", h, w]");
  shape.batch = x.size(0);
  shape.in_channels = x.size(1);
  shape.out_channels = weight.size(0);
  shape.input = shape.kernel = shape.output = shape.stride = shape.dilation = {1, 1, 1};
  for (std::size_t i = 1; i < 3; ++i) {
    const auto number = [&](Slot slot) { return object.slots[slot].to_list()[i - 1].to_int(); };
    shape.input[i] = x.size(i + 1);
    shape.kernel[i] = weight.size(i + 1);
    shape.stride[i] = number(kStride);
    shape.padding[i] = number(kPadding);
    shape.dilation[i] = number(kDilation);
    const std::int64_t room = shape.input[i] + 2 * shape.padding[i] - shape.dilation[i] * (shape.kernel[i] - 1) - 1;
    if (room < 0)
      fail_value("quantized::conv2d: " + describe("input", x) + " and " + describe("weight", weight) +
                 "; the kernel must not be larger than the padded input");
    shape.output[i] = room / shape.stride[i] + 1;
  }
  return shape;
}

template <bool Relu>
Tensor quantized_conv2d(const Tensor& x, const Value& params, double scale, std::int64_t zero_point) {
  constexpr const char* kName = "quantized::conv2d";
  const Packed packed(kName, params, conv2d_class());
  const Quantizer& q = per_tensor(kName, x);
  check_output(kName, scale, zero_point, x.dtype());
  const dnn::ConvShape shape = conv_shape(x, packed.weight, params.to_object());
  const Dims sizes{shape.batch, shape.out_channels, shape.output[1], shape.output[2]};
  const Tensor in = centered<double>(kName, x), sums = Tensor::empty(sizes, DType::kFloat64);
  const Tensor weight = convert(packed.integers, DType::kFloat64, kName);
  if (sums.numel() > 0)
    gemm_dnn::convolution<double>(shape, in.data<const double>(), weight.data<const double>(), nullptr,
                                  sums.data<double>());
  return requantize(sums, packed, q, scale, zero_point, Relu, shape.output[1] * shape.output[2], x.dtype(), sizes);
}

// Both products quantize their input anew; biases are in the packed parameters.
class QuantizedCell final : public Cell {
 public:
  QuantizedCell(const char* op, const Value& params) {
    const bool fits = params.is_object() && params.to_object().slots.size() == 1 &&
                      params.to_object().slots[0].is_tuple() && params.to_object().slots[0].to_tuple().size() == 5;
    if (!fits) fail_value(std::string(op) + ": the cell's parameters are of another class; expected CellParamsBase");
    const std::vector<Value>& state = params.to_object().slots[0].to_tuple();
    if (!state[0].is_string() || state[0].to_string() != "quantized_dynamic" || state[4].to_list().size() != 2)
      throw Error(ErrorCode::kUnsupported,
                  std::string(op) + ": the cell's kind is not 'quantized_dynamic'; only that is supported");
    const std::vector<Value>& flags = state[3].to_list();
    reduce_range_ = !flags.empty() && flags[0].to_int() != 0;
    input_ = state[4].to_list()[0];
    hidden_ = state[4].to_list()[1];
    input_weight_ = Packed(op, input_, linear_class()).weight;
    hidden_weight_ = Packed(op, hidden_, linear_class()).weight;
  }

  const Tensor& input_weight() const { return input_weight_; }
  const Tensor& hidden_weight() const { return hidden_weight_; }

  Tensor input_gates(const Tensor& data) const override { return dynamic_product(data, input_, reduce_range_, false); }

  void hidden_gates(const Tensor& state, bool add, const Tensor& out) const override {
    const Tensor product = dynamic_product(state, hidden_, reduce_range_, false);
    for (std::int64_t i = 0; i < product.numel(); ++i)
      out.data<float>()[i] = product.data<const float>()[i] + (add ? out.data<float>()[i] : 0.0F);
  }

 private:
  Value input_, hidden_;
  Tensor input_weight_, hidden_weight_;
  bool reduce_range_ = false;
};

using Triple = std::tuple<Tensor, Tensor, Tensor>;

using Cells = std::vector<std::unique_ptr<Cell>>;

// One cell for each layer and direction, with weights that go together.
Cells quantized_cells(const char* op, CellKind kind, const std::vector<Value>& given, std::int64_t input,
                      std::int64_t hidden, std::int64_t directions) {
  const std::int64_t rows = num_gates(kind) * hidden;
  Cells cells;
  for (const Value& params : given) {
    auto cell = std::make_unique<QuantizedCell>(op, params);
    const bool first = static_cast<std::int64_t>(cells.size()) < directions;
    const std::int64_t in[] = {rows, first ? input : hidden * directions}, own[] = {rows, hidden};
    if (!std::ranges::equal(cell->input_weight().sizes(), in) ||
        !std::ranges::equal(cell->hidden_weight().sizes(), own))
      fail_value(std::string(op) + ": " + describe("a weight", cell->input_weight()) + "; expected " + to_string(in));
    cells.push_back(std::move(cell));
  }
  return cells;
}

// input: [length, batch, features] or batch first; states: [layers * directions, batch, hidden], an LSTM's cell state
// as well. The result's data is padded.
RecurrentResult quantized_layers(const char* op, CellKind kind, const Tensor& input, std::span<const Tensor> states,
                                 const std::vector<Value>& params, std::int64_t num_layers, bool bidirectional,
                                 bool batch_first) {
  const std::int64_t directions = bidirectional ? 2 : 1;
  const std::size_t num_states = kind == CellKind::kLstm ? 2 : 1;
  if (input.dim() != 3 || states.size() != num_states || num_layers < 1 ||
      static_cast<std::int64_t>(params.size()) != num_layers * directions)
    fail_value(std::string(op) + ": " + describe("input", input) + ", " + std::to_string(states.size()) +
               " states and " + std::to_string(params.size()) + " cells; expected 3 dimensions, " +
               std::to_string(num_states) + ", and one for each layer and direction");
  const std::int64_t length = input.size(batch_first ? 1 : 0), batch = input.size(batch_first ? 0 : 1);
  const std::int64_t hidden = states[0].dim() == 3 ? states[0].size(2) : -1;
  const std::int64_t wanted[] = {num_layers * directions, batch, hidden};
  for (const Tensor& state : states)
    if (hidden < 1 || length < 1 || !std::ranges::equal(state.sizes(), wanted) || state.dtype() != DType::kFloat32)
      fail_value(std::string(op) + ": " + describe("a state", state) +
                 "; expected [layers * directions, batch, hidden], float32, and a step or more");
  const Cells cells = quantized_cells(op, kind, params, input.size(2), hidden, directions);
  RecurrentResult result = run_layers(kind, cells, bidirectional, from_padded(input, batch_first), states[0],
                                      num_states == 2 ? states[1] : Tensor());
  result.data = to_padded(result.data, length, batch, batch_first);
  return result;
}

void check_dropout(const char* op, double dropout, bool train) {
  if (train && dropout != 0)
    throw Error(ErrorCode::kUnsupported, std::string(op) + ": train is true and dropout is not 0; only 0 is supported");
}

Triple quantized_lstm(const Tensor& input, std::span<const Tensor> hx, const Value& params, bool /*has_biases*/,
                      std::int64_t num_layers, double dropout, bool train, bool bidirectional, bool batch_first,
                      std::optional<DType> /*dtype*/, bool /*use_dynamic*/) {
  check_dropout("quantized_lstm", dropout, train);
  const RecurrentResult result = quantized_layers("quantized_lstm", CellKind::kLstm, input, hx, params.to_list(),
                                                  num_layers, bidirectional, batch_first);
  return {result.data, result.state, result.cell_state};
}

std::tuple<Tensor, Tensor> quantized_gru(const Tensor& input, const Tensor& hx, const Value& params,
                                         bool /*has_biases*/, std::int64_t num_layers, double dropout, bool train,
                                         bool bidirectional, bool batch_first) {
  check_dropout("quantized_gru", dropout, train);
  const RecurrentResult result = quantized_layers("quantized_gru", CellKind::kGru, input, std::span(&hx, 1),
                                                  params.to_list(), num_layers, bidirectional, batch_first);
  return {result.data, result.state};
}

}  // namespace

Value linear_prepack(const Tensor& weight, const std::optional<Tensor>& bias) {
  auto object = make_ref<ObjectValue>(linear_class());
  fill_weight("quantized::linear_prepack", *object, weight, bias);
  return Value(Ref<ObjectValue>(object));
}

Value conv2d_prepack(const Tensor& weight, const std::optional<Tensor>& bias, Ints stride, Ints padding, Ints dilation,
                     std::int64_t groups) {
  constexpr const char* kName = "quantized::conv2d_prepack";
  const auto fits = [](Ints values, std::int64_t least) {
    return values.size() == 2 && std::ranges::all_of(values, [&](auto v) { return v >= least && v <= INT32_MAX; });
  };
  if (weight.dim() != 4 || groups < 1 || weight.size(0) % groups != 0 || !fits(stride, 1) || !fits(padding, 0) ||
      !fits(dilation, 1) || weight.size(2) < 1 || weight.size(3) < 1)
    fail_value(std::string(kName) + ": " + describe("weight", weight) + ", stride " + to_string(stride) + ", padding " +
               to_string(padding) + ", dilation " + to_string(dilation) + ", groups " + std::to_string(groups) +
               "; expected [out, in / groups, h, w] and two numbers each");
  auto object = make_ref<ObjectValue>(conv2d_class());
  fill_weight(kName, *object, weight, bias);
  object->slots[kStride] = IntList(stride.begin(), stride.end());
  object->slots[kPadding] = IntList(padding.begin(), padding.end());
  object->slots[kDilation] = IntList(dilation.begin(), dilation.end());
  object->slots[kGroups] = groups;
  return Value(Ref<ObjectValue>(object));
}

Value recurrent_cell_params(const Value& state) {
  static const TypePtr type =
      Type::class_of("__torch__.torch.classes.rnn.CellParamsBase", {{"state", Type::of(TypeKind::kAny)}});
  auto object = make_ref<ObjectValue>(type);
  object->slots[0] = state;
  return Value(Ref<ObjectValue>(object));
}

namespace {

#define THREADWHEEL_LINEAR "__torch__.torch.classes.quantized.LinearPackedParamsBase"
#define THREADWHEEL_CONV2D "__torch__.torch.classes.quantized.Conv2dPackedParamsBase"

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
    define_op<quantized_lstm>(
        "aten::quantized_lstm.input(Tensor input, Tensor[] hx, __torch__.torch.classes.rnn.CellParamsBase[] params, "
        "bool has_biases, int num_layers, float dropout, bool train, bool bidirectional, bool batch_first, *, "
        "ScalarType? dtype=None, bool use_dynamic=False) -> (Tensor, Tensor, Tensor)"),
    define_op<quantized_gru>(
        "aten::quantized_gru.input(Tensor input, Tensor hx, __torch__.torch.classes.rnn.CellParamsBase[] params, bool "
        "has_biases, int num_layers, float dropout, bool train, bool bidirectional, bool batch_first) -> (Tensor, "
        "Tensor)"),
    define_op<linear_prepack>("quantized::linear_prepack(Tensor W, Tensor? B=None) -> " THREADWHEEL_LINEAR
                              " W_prepack"),
    define_op<linear_dynamic>("quantized::linear_dynamic(Tensor X, " THREADWHEEL_LINEAR
                              " W_prepack, bool reduce_range=False) -> Tensor Y"),
    define_op<linear_relu_dynamic>("quantized::linear_relu_dynamic(Tensor X, " THREADWHEEL_LINEAR
                                   " W_prepack, bool reduce_range=False) -> Tensor Y"),
    define_op<quantized_linear<false>>("quantized::linear(Tensor X, " THREADWHEEL_LINEAR
                                       " W_prepack, float Y_scale_i, int Y_zero_point_i) -> Tensor Y"),
    define_op<quantized_linear<true>>("quantized::linear_relu(Tensor X, " THREADWHEEL_LINEAR
                                      " W_prepack, float Y_scale_i, int Y_zero_point_i) -> Tensor Y"),
    define_op<conv2d_prepack>("quantized::conv2d_prepack(Tensor weight, Tensor? bias, int[] stride, int[] padding, "
                              "int[] dilation, int groups) -> " THREADWHEEL_CONV2D),
    define_op<quantized_conv2d<false>>("quantized::conv2d.new(Tensor qx, " THREADWHEEL_CONV2D
                                       " packed_weight, float output_scale, int output_zero_point) -> Tensor"),
    define_op<quantized_conv2d<true>>("quantized::conv2d_relu.new(Tensor qx, " THREADWHEEL_CONV2D
                                      " packed_weight, float output_scale, int output_zero_point) -> Tensor"),
};

}  // namespace

std::span<const OpDefinition> quantized_ops() { return kOps; }

}  // namespace threadwheel
