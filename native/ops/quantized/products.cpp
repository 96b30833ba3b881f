// Linear layers and convolutions of two dimensions on quantized weights. Products are made of the integers themselves,
// held in floats: in double, where every sum is exact and the result is rounded to integers again, as the engines of
// torch do it; in float32 where the result stays a float. All engines (fbgemm, x86, onednn, qnnpack) share this.
#include "ops/quantized/products.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "ops/families.h"
#include "ops/quantized/packed.h"
#include "ops/shared/quantizer.h"
#include "ops/shared/shapes.h"
#include "providers/blas.h"
#include "providers/gemm_dnn.h"
#include "threadwheel/error.h"
#include "threadwheel/parallel.h"

namespace threadwheel {
namespace {

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

std::int64_t check_linear(const char* op, const Tensor& x, const packed::Params& packed) {
  if (packed.weight.dim() != 2 || x.dim() < 1 ||
      x.size(static_cast<std::size_t>(x.dim()) - 1) != packed.weight.size(1))
    fail_value(std::string(op) + ": " + describe("input", x) + " and " + describe("weight", packed.weight) +
               "; input's last size must be weight's second");
  return packed.weight.size(1) == 0 ? 0 : x.numel() / packed.weight.size(1);
}

Dims linear_sizes(const Tensor& x, const packed::Params& packed) {
  Dims sizes = x.sizes();
  sizes[sizes.size() - 1] = packed.weight.size(0);
  return sizes;
}

}  // namespace

Tensor dynamic_product(const Tensor& x, const Value& params, bool reduce_range, bool relu) {
  constexpr const char* kName = "quantized::linear_dynamic";
  const packed::Params packed(kName, params, packed::linear_class());
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
  const IntegerRange range{0, reduce_range ? 127 : 255};
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

namespace {

Tensor linear_dynamic(const Tensor& x, const Value& params, bool reduce_range) {
  return dynamic_product(x, params, reduce_range, false);
}
Tensor linear_relu_dynamic(const Tensor& x, const Value& params, bool reduce_range) {
  return dynamic_product(x, params, reduce_range, true);
}

// Exact sums, [..., channels of `inner` elements each], to integers of the output's scale.
Tensor requantize(const Tensor& sums, const packed::Params& packed, const Quantizer& input, double scale,
                  std::int64_t zero_point, bool relu, std::int64_t inner, DType dtype, const Dims& sizes) {
  const IntegerRange range = range_of("quantized", dtype);
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

template <bool Relu>
Tensor quantized_linear(const Tensor& x, const Value& params, double scale, std::int64_t zero_point) {
  constexpr const char* kName = "quantized::linear";
  const packed::Params packed(kName, params, packed::linear_class());
  const Quantizer& q = tensor_quantizer(kName, x);
  check_parameters(kName, scale, zero_point, x.dtype());
  const std::int64_t rows = check_linear(kName, x, packed);
  const Tensor integers = reshaped(centered_integers<double>(kName, x), Dims{rows, packed.weight.size(1)});
  return requantize(integer_product<double>(integers, packed.integers), packed, q, scale, zero_point, Relu, 1,
                    x.dtype(), linear_sizes(x, packed));
}

dnn::ConvShape conv_shape(const Tensor& x, const Tensor& weight, const ObjectValue& object) {
  dnn::ConvShape shape{};
  shape.dims = 2;
  shape.groups = object.slots[packed::kGroups].to_int();
  if (x.dim() != 4 || x.size(1) != weight.size(1) * shape.groups)
    fail_value("quantized::conv2d: " + describe("input", x) + " and " + describe("weight", weight) + "; expected [n, " +
               std::to_string(weight.size(1) * shape.groups) + ", h, w]");
  shape.batch = x.size(0);
  shape.in_channels = x.size(1);
  shape.out_channels = weight.size(0);
  shape.input = shape.kernel = shape.output = shape.stride = shape.dilation = {1, 1, 1};
  for (std::size_t i = 1; i < 3; ++i) {
    const auto number = [&](packed::Slot slot) { return object.slots[slot].to_list()[i - 1].to_int(); };
    shape.input[i] = x.size(i + 1);
    shape.kernel[i] = weight.size(i + 1);
    shape.stride[i] = number(packed::kStride);
    shape.padding[i] = number(packed::kPadding);
    shape.dilation[i] = number(packed::kDilation);
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
  const packed::Params packed(kName, params, packed::conv2d_class());
  const Quantizer& q = tensor_quantizer(kName, x);
  check_parameters(kName, scale, zero_point, x.dtype());
  const dnn::ConvShape shape = conv_shape(x, packed.weight, params.to_object());
  const Dims sizes{shape.batch, shape.out_channels, shape.output[1], shape.output[2]};
  const Tensor in = centered_integers<double>(kName, x), sums = Tensor::empty(sizes, DType::kFloat64);
  const Tensor weight = convert(packed.integers, DType::kFloat64, kName);
  if (sums.numel() > 0)
    gemm_dnn::convolution<double>(shape, in.data<const double>(), weight.data<const double>(), nullptr,
                                  sums.data<double>());
  return requantize(sums, packed, q, scale, zero_point, Relu, shape.output[1] * shape.output[2], x.dtype(), sizes);
}

constexpr OpDefinition kOps[] = {
    define_op<linear_prepack>("quantized::linear_prepack(Tensor W, Tensor? B=None) -> " THREADWHEEL_LINEAR_PARAMS
                              " W_prepack"),
    define_op<linear_dynamic>("quantized::linear_dynamic(Tensor X, " THREADWHEEL_LINEAR_PARAMS
                              " W_prepack, bool reduce_range=False) -> Tensor Y"),
    define_op<linear_relu_dynamic>("quantized::linear_relu_dynamic(Tensor X, " THREADWHEEL_LINEAR_PARAMS
                                   " W_prepack, bool reduce_range=False) -> Tensor Y"),
    define_op<quantized_linear<false>>("quantized::linear(Tensor X, " THREADWHEEL_LINEAR_PARAMS
                                       " W_prepack, float Y_scale_i, int Y_zero_point_i) -> Tensor Y"),
    define_op<quantized_linear<true>>("quantized::linear_relu(Tensor X, " THREADWHEEL_LINEAR_PARAMS
                                      " W_prepack, float Y_scale_i, int Y_zero_point_i) -> Tensor Y"),
    define_op<conv2d_prepack>("quantized::conv2d_prepack(Tensor weight, Tensor? bias, int[] stride, int[] padding, "
                              "int[] dilation, int groups) -> " THREADWHEEL_CONV2D_PARAMS),
    define_op<quantized_conv2d<false>>("quantized::conv2d.new(Tensor qx, " THREADWHEEL_CONV2D_PARAMS
                                       " packed_weight, float output_scale, int output_zero_point) -> Tensor"),
    define_op<quantized_conv2d<true>>("quantized::conv2d_relu.new(Tensor qx, " THREADWHEEL_CONV2D_PARAMS
                                      " packed_weight, float output_scale, int output_zero_point) -> Tensor"),
};

}  // namespace

std::span<const OpDefinition> quantized_product_ops() { return kOps; }

}  // namespace threadwheel
