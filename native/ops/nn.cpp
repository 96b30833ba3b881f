// Neural network ops: checks and shapes here, arithmetic in the providers. float32 goes to the linked library,
// float64 to matrix products.
#include <algorithm>
#include <array>
#include <string>

#include "ops/families.h"
#include "providers/dnn.h"
#include "providers/gemm_dnn.h"
#include "threadwheel/error.h"

namespace threadwheel {
namespace {

[[noreturn]] void fail(const std::string& message) { throw Error(ErrorCode::kValue, message); }

std::string describe(const char* name, const Tensor& tensor) {
  return std::string(name) + " has sizes " + to_string(tensor.sizes());
}

void check_same_dtype(const char* op, const Tensor& input, const Tensor& weight, const std::optional<Tensor>& bias) {
  if (weight.dtype() != input.dtype() || (bias && bias->dtype() != input.dtype()))
    throw Error(ErrorCode::kValue, std::string(op) + ": input is " + dtype_name(input.dtype()) + ", weight is " +
                                      dtype_name(weight.dtype()) +
                                      (bias ? std::string(", bias is ") + dtype_name(bias->dtype()) : "") +
                                      "; they must have the same dtype");
}

void check_bias(const char* op, const std::optional<Tensor>& bias, std::int64_t size) {
  if (bias && (bias->dim() != 1 || bias->size(0) != size))
    fail(std::string(op) + ": " + describe("bias", *bias) + "; expected [" + std::to_string(size) + "]");
}

void fill_with_bias(const Tensor& output, const std::optional<Tensor>& bias, std::int64_t inner) {
  visit_dtype(FloatingTypes(), output.dtype(), "bias", [&]<class T>() {
    const Tensor values = bias ? bias->contiguous() : Tensor();
    for (std::int64_t i = 0; i < output.numel(); ++i)
      output.data<T>()[i] = bias ? values.data<const T>()[i / inner % values.numel()] : T(0);
  });
}

// input: [..., in], weight: [out, in], bias: [out] -> input weight^T + bias: [..., out].
Tensor linear(const Tensor& input, const Tensor& weight, const std::optional<Tensor>& bias) {
  check_same_dtype("linear", input, weight, bias);
  if (weight.dim() != 2) fail("linear: " + describe("weight", weight) + "; expected [out_features, in_features]");
  if (input.dim() < 1 || input.size(static_cast<std::size_t>(input.dim()) - 1) != weight.size(1))
    fail("linear: " + describe("input", input) + " and " + describe("weight", weight) +
         "; input's last size must be weight's second");
  check_bias("linear", bias, weight.size(0));
  Dims sizes = input.sizes();
  sizes[sizes.size() - 1] = weight.size(0);
  Tensor output = Tensor::empty(sizes, input.dtype());
  if (output.numel() == 0) return output;
  const dnn::LinearShape shape{output.numel() / weight.size(0), weight.size(1), weight.size(0)};
  visit_dtype(FloatingTypes(), input.dtype(), "linear", [&]<class T>() {
    if (shape.in_features == 0) return fill_with_bias(output, bias, 1);
    const Tensor x = input.contiguous(), w = weight.contiguous(), b = bias ? bias->contiguous() : Tensor();
    const T* bias_data = bias ? b.data<const T>() : nullptr;
    if constexpr (std::is_same_v<T, float>) {
      dnn::linear(shape, x.data<const T>(), w.data<const T>(), bias_data, output.data<T>());
    } else {
      gemm_dnn::linear(shape, x.data<const T>(), w.data<const T>(), bias_data, output.data<T>());
    }
  });
  return output;
}

using Pair = std::array<std::int64_t, 2>;

// An argument of height and width, where one number stands for both.
Pair read_pair(const char* name, std::span<const std::int64_t> values, std::int64_t least) {
  if (values.empty() || values.size() > 2)
    fail(std::string("conv2d: ") + name + " has " + std::to_string(values.size()) + " numbers; expected 1 or 2");
  const Pair pair{values.front(), values.back()};
  if (pair[0] < least || pair[1] < least)
    fail(std::string("conv2d: ") + name + " is " + to_string(values) + "; expected " + std::to_string(least) +
         " or more");
  return pair;
}

dnn::Conv2dShape conv2d_shape(const Tensor& input, const Tensor& weight, Pair stride, Pair padding, Pair dilation,
                              std::int64_t groups) {
  if (weight.dim() != 4)
    fail("conv2d: " + describe("weight", weight) + "; expected [out_channels, in_channels / groups, height, width]");
  if (groups < 1) fail("conv2d: groups is " + std::to_string(groups) + "; expected 1 or more");
  if (input.size(1) != weight.size(1) * groups || weight.size(0) % groups != 0)
    fail("conv2d: " + describe("input", input) + ", " + describe("weight", weight) + " and groups is " +
         std::to_string(groups) + "; input's channels must be weight's second size times groups, and weight's first " +
         "size a multiple of groups");
  dnn::Conv2dShape shape{};
  shape.batch = input.size(0);
  shape.in_channels = input.size(1);
  shape.out_channels = weight.size(0);
  shape.groups = groups;
  shape.stride = stride;
  shape.padding = padding;
  shape.dilation = dilation;
  for (std::size_t i = 0; i < 2; ++i) {
    shape.input[i] = input.size(i + 2);
    shape.kernel[i] = weight.size(i + 2);
    const std::int64_t reach = dilation[i] * (shape.kernel[i] - 1) + 1;
    const std::int64_t padded = shape.input[i] + 2 * padding[i];
    if (shape.kernel[i] < 1 || padded < reach)
      fail("conv2d: " + describe("weight", weight) + " and the padded input is " + std::to_string(padded) + " " +
           (i == 0 ? "high" : "wide") + "; the kernel must not be empty or larger than the padded input");
    shape.output[i] = (padded - reach) / stride[i] + 1;
  }
  return shape;
}

// input: [n, c, h, w] or [c, h, w], weight: [o, c / groups, kh, kw], bias: [o] -> [n, o, oh, ow] or [o, oh, ow].
Tensor conv2d(const Tensor& input, const Tensor& weight, const std::optional<Tensor>& bias,
              std::span<const std::int64_t> stride, std::span<const std::int64_t> padding,
              std::span<const std::int64_t> dilation, std::int64_t groups) {
  check_same_dtype("conv2d", input, weight, bias);
  if (input.dim() == 3) {
    const auto with_batch = [](const Tensor& t) {
      return t.as_strided({1, t.size(0), t.size(1), t.size(2)}, {0, t.stride(0), t.stride(1), t.stride(2)});
    };
    const Tensor out = conv2d(with_batch(input), weight, bias, stride, padding, dilation, groups);
    return out.as_strided({out.size(1), out.size(2), out.size(3)}, {out.stride(1), out.stride(2), out.stride(3)});
  }
  if (input.dim() != 4) fail("conv2d: " + describe("input", input) + "; expected [n, c, h, w] or [c, h, w]");
  const dnn::Conv2dShape shape =
      conv2d_shape(input, weight, read_pair("stride", stride, 1), read_pair("padding", padding, 0),
                   read_pair("dilation", dilation, 1), groups);
  check_bias("conv2d", bias, shape.out_channels);
  Tensor output = Tensor::empty(Dims{shape.batch, shape.out_channels, shape.output[0], shape.output[1]}, input.dtype());
  if (output.numel() == 0) return output;
  visit_dtype(FloatingTypes(), input.dtype(), "conv2d", [&]<class T>() {
    if (shape.in_channels == 0) return fill_with_bias(output, bias, shape.output[0] * shape.output[1]);
    const Tensor x = input.contiguous(), w = weight.contiguous(), b = bias ? bias->contiguous() : Tensor();
    const T* bias_data = bias ? b.data<const T>() : nullptr;
    if constexpr (std::is_same_v<T, float>) {
      dnn::conv2d(shape, x.data<const T>(), w.data<const T>(), bias_data, output.data<T>());
    } else {
      gemm_dnn::conv2d(shape, x.data<const T>(), w.data<const T>(), bias_data, output.data<T>());
    }
  });
  return output;
}

constexpr OpDefinition kOps[] = {
    define_op<linear>("aten::linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor"),
    define_op<conv2d>("aten::conv2d(Tensor input, Tensor weight, Tensor? bias=None, int[2] stride=1, "
                      "int[2] padding=0, int[2] dilation=1, int groups=1) -> Tensor"),
};

}  // namespace

std::span<const OpDefinition> nn_ops() { return kOps; }

}  // namespace threadwheel
