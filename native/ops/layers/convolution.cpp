// linear and convolutions: checks and shapes here, arithmetic in the providers. float32 goes to the linked library,
// float64 to matrix products, as do integers and complex numbers where linear meets them.
#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "ops/compose.h"
#include "ops/families.h"
#include "ops/layers/convolution.h"
#include "ops/linalg/products.h"
#include "ops/shared/shapes.h"
#include "providers/dnn.h"
#include "providers/gemm_dnn.h"
#include "threadwheel/error.h"

namespace threadwheel {
namespace {

using Ints = std::span<const std::int64_t>;

void check_same_dtype(const char* op, const Tensor& input, const Tensor& weight, const std::optional<Tensor>& bias) {
  if (weight.dtype() != input.dtype() || (bias && bias->dtype() != input.dtype()))
    fail_value(std::string(op) + ": input is " + dtype_name(input.dtype()) + ", weight is " +
               dtype_name(weight.dtype()) + (bias ? std::string(", bias is ") + dtype_name(bias->dtype()) : "") +
               "; they must have the same dtype");
}

void check_bias(const char* op, const std::optional<Tensor>& bias, std::int64_t size) {
  if (bias && (bias->dim() != 1 || bias->size(0) != size))
    fail_value(std::string(op) + ": " + describe("bias", *bias) + "; expected [" + std::to_string(size) + "]");
}

void fill_with_bias(const Tensor& output, const std::optional<Tensor>& bias, std::int64_t inner) {
  visit_dtype(FloatingTypes(), output.dtype(), "bias", [&]<class T>() {
    const Tensor values = bias ? bias->contiguous() : Tensor();
    for (std::int64_t i = 0; i < output.numel(); ++i)
      output.data<T>()[i] = bias ? values.data<const T>()[i / inner % values.numel()] : T(0);
  });
}

}  // namespace

Tensor linear(const Tensor& input, const Tensor& weight, const std::optional<Tensor>& bias) {
  check_same_dtype("linear", input, weight, bias);
  if (weight.dim() == 1 && !bias) return matmul(input, weight);
  if (weight.dim() != 2) fail_value("linear: " + describe("weight", weight) + "; expected [out_features, in_features]");
  if (input.dim() < 1 || input.size(static_cast<std::size_t>(input.dim()) - 1) != weight.size(1))
    fail_value("linear: " + describe("input", input) + " and " + describe("weight", weight) +
               "; input's last size must be weight's second");
  check_bias("linear", bias, weight.size(0));
  if (!is_floating(input.dtype())) {
    const Tensor product = matmul(input, transpose_view(weight, 0, 1));
    return bias ? aten("add.Tensor", {product, *bias}) : product;
  }
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

namespace {

using Extent = std::array<std::int64_t, 3>;

// What a convolution is given beside its tensors, per spatial dimension; those not in use come first.
struct Settings {
  const char* op;
  std::size_t dims;  // 1 to 3
  Extent stride, padding, dilation, output_padding;
  bool transposed = false;
  bool same = false;  // padding = "same": as much as keeps the size
  std::int64_t groups;
};

// One number stands for all dimensions.
Extent read_extent(const Settings& settings, const char* name, Ints values, std::int64_t least, std::int64_t unused) {
  if (values.size() != 1 && values.size() != settings.dims)
    fail_value(std::string(settings.op) + ": " + name + " has " + std::to_string(values.size()) +
               " numbers; expected 1 or " + std::to_string(settings.dims));
  Extent extent{unused, unused, unused};
  for (std::size_t i = 0; i < settings.dims; ++i) {
    const std::int64_t value = values.size() == 1 ? values[0] : values[i];
    if (value < least || value > INT32_MAX)
      fail_value(std::string(settings.op) + ": " + name + " is " + to_string(values) + "; expected " +
                 std::to_string(least) + " or more");
    extent[3 - settings.dims + i] = value;
  }
  return extent;
}

void check_channels(const Settings& settings, const Tensor& input, const Dims& weight) {
  const auto& [op, dims, stride, padding, dilation, output_padding, transposed, same, groups] = settings;
  const auto rank = static_cast<std::int64_t>(dims) + 2;
  if (static_cast<std::int64_t>(weight.size()) != rank)
    fail_value(std::string(op) + ": " + describe("weight", weight) + "; expected " + std::to_string(rank) +
               " dimensions, " +
               (transposed ? "[in_channels, out_channels / groups" : "[out_channels, in_channels / groups") +
               ", and the kernel's]");
  if (input.dim() != rank)
    fail_value(std::string(op) + ": " + describe("input", input) + "; expected " + std::to_string(rank - 1) + " or " +
               std::to_string(rank) + " dimensions");
  if (groups < 1) fail_value(std::string(op) + ": groups is " + std::to_string(groups) + "; expected 1 or more");
  const std::int64_t in_channels = transposed ? weight[0] : weight[1] * groups;
  if (input.size(1) != in_channels || weight[0] % groups != 0)
    fail_value(std::string(op) + ": " + describe("input", input) + ", " + describe("weight", weight) +
               " and groups is " + std::to_string(groups) + "; input's channels must be weight's " +
               (transposed ? "first size, a multiple of groups"
                           : "second size times groups, and weight's first size a multiple of groups"));
}

// The output's size along one dimension, and for "same" the padding that leads to it.
void settle_axis(const Settings& settings, const Dims& weight, std::size_t i, dnn::ConvShape& shape) {
  const std::int64_t reach = shape.dilation[i] * (shape.kernel[i] - 1) + 1;
  if (settings.same) {
    shape.padding[i] = (reach - 1) / 2;
    shape.output[i] = shape.input[i];
    return;
  }
  const std::int64_t padded = shape.input[i] + 2 * shape.padding[i];
  static constexpr const char* kSides[] = {"deep", "high", "wide"};
  if (shape.kernel[i] < 1 || (!settings.transposed && padded < reach))
    fail_value(std::string(settings.op) + ": " + describe("weight", weight) + " and the padded input is " +
               std::to_string(padded) + " " + kSides[i] +
               "; the kernel must not be empty or larger than the padded input");
  if (!settings.transposed) {
    shape.output[i] = (padded - reach) / shape.stride[i] + 1;
    return;
  }
  const std::int64_t extra = settings.output_padding[i];
  if (extra >= std::max(shape.stride[i], shape.dilation[i]))
    fail_value(std::string(settings.op) + ": output_padding is " + std::to_string(extra) +
               "; it must be smaller than stride or dilation");
  shape.output[i] = (shape.input[i] - 1) * shape.stride[i] - 2 * shape.padding[i] + reach + extra;
  if (shape.output[i] < 0 || shape.input[i] < 1)
    fail_value(std::string(settings.op) + ": the output would be " + std::to_string(shape.output[i]) + " " + kSides[i] +
               "; the input must not be empty or the padding larger than the output");
}

dnn::ConvShape make_shape(const Settings& settings, const Tensor& input, const Dims& weight) {
  dnn::ConvShape shape{};
  shape.dims = static_cast<std::int64_t>(settings.dims);
  shape.batch = input.size(0);
  shape.in_channels = input.size(1);
  shape.out_channels = settings.transposed ? weight[1] * settings.groups : weight[0];
  shape.groups = settings.groups;
  shape.transposed = settings.transposed;
  shape.stride = settings.stride;
  shape.padding = settings.padding;
  shape.dilation = settings.dilation;
  shape.input = shape.kernel = shape.output = Extent{1, 1, 1};
  for (std::size_t i = 3 - settings.dims; i < 3; ++i) {
    const std::size_t axis = i + settings.dims - 1;  // of the tensors
    shape.input[i] = input.size(axis);
    shape.kernel[i] = weight[axis];
    settle_axis(settings, weight, i, shape);
  }
  return shape;
}

Tensor run(const dnn::ConvShape& shape, std::size_t dims, const Tensor& input, const Tensor& weight,
           const std::optional<Tensor>& bias, const char* op) {
  Dims sizes(dims + 2);
  sizes[0] = shape.batch;
  sizes[1] = shape.out_channels;
  std::copy(shape.output.end() - static_cast<std::ptrdiff_t>(dims), shape.output.end(), sizes.begin() + 2);
  Tensor output = Tensor::empty(sizes, input.dtype());
  if (output.numel() == 0) return output;
  visit_dtype(FloatingTypes(), input.dtype(), op, [&]<class T>() {
    if (shape.in_channels == 0)
      return fill_with_bias(output, bias, shape.output[0] * shape.output[1] * shape.output[2]);
    const Tensor x = input.contiguous(), w = weight.contiguous(), b = bias ? bias->contiguous() : Tensor();
    const T* bias_data = bias ? b.data<const T>() : nullptr;
    if constexpr (std::is_same_v<T, float>) {
      dnn::convolution(shape, x.data<const T>(), w.data<const T>(), bias_data, output.data<T>());
    } else {
      gemm_dnn::convolution(shape, x.data<const T>(), w.data<const T>(), bias_data, output.data<T>());
    }
  });
  return output;
}

// input: [batch, channels, spatial dimensions], or without the batch.
Tensor convolve(const Settings& settings, const Tensor& input, const Tensor& weight,
                const std::optional<Tensor>& bias) {
  check_same_dtype(settings.op, input, weight, bias);
  if (input.dim() == static_cast<std::int64_t>(settings.dims) + 1)
    return select_view(convolve(settings, unsqueeze_view(input, 0), weight, bias), 0, 0);
  check_channels(settings, input, weight.sizes());
  const dnn::ConvShape shape = make_shape(settings, input, weight.sizes());
  check_bias(settings.op, bias, shape.out_channels);
  return run(shape, settings.dims, input, weight, bias, settings.op);
}

Settings read_settings(const char* op, std::size_t dims, Ints stride, Ints padding, Ints dilation, std::int64_t groups,
                       bool transposed = false, Ints output_padding = {}) {
  constexpr std::int64_t kNone[] = {0};
  Settings settings{};
  settings.op = op;
  settings.dims = dims;
  settings.stride = read_extent(settings, "stride", stride, 1, 1);
  settings.padding = read_extent(settings, "padding", padding, 0, 0);
  settings.dilation = read_extent(settings, "dilation", dilation, 1, 1);
  settings.output_padding = read_extent(settings, "output_padding", transposed ? output_padding : Ints(kNone), 0, 0);
  settings.transposed = transposed;
  settings.groups = groups;
  return settings;
}

// padding: "same" or "valid".
Settings read_mode(const char* op, std::size_t dims, Ints stride, const std::string& padding, Ints dilation,
                   std::int64_t groups) {
  constexpr std::int64_t kNone[] = {0};
  Settings settings = read_settings(op, dims, stride, kNone, dilation, groups);
  if (padding != "same" && padding != "valid")
    fail_value(std::string(op) + ": padding is '" + padding + "'; expected 'same' or 'valid'");
  settings.same = padding == "same";
  if (settings.same && settings.stride != Extent{1, 1, 1})
    fail_value(std::string(op) + ": stride is " + to_string(stride) + " and padding is 'same'; that needs stride 1");
  return settings;
}

constexpr const char* kNames[] = {"", "conv1d", "conv2d", "conv3d"};
constexpr const char* kTransposedNames[] = {"", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"};

template <std::size_t Dims>
Tensor conv(const Tensor& input, const Tensor& weight, const std::optional<Tensor>& bias, Ints stride, Ints padding,
            Ints dilation, std::int64_t groups) {
  return convolve(read_settings(kNames[Dims], Dims, stride, padding, dilation, groups), input, weight, bias);
}

template <std::size_t Dims>
Tensor conv_padding(const Tensor& input, const Tensor& weight, const std::optional<Tensor>& bias, Ints stride,
                    const std::string& padding, Ints dilation, std::int64_t groups) {
  return convolve(read_mode(kNames[Dims], Dims, stride, padding, dilation, groups), input, weight, bias);
}

template <std::size_t Dims>
Tensor conv_transpose(const Tensor& input, const Tensor& weight, const std::optional<Tensor>& bias, Ints stride,
                      Ints padding, Ints output_padding, std::int64_t groups, Ints dilation) {
  return convolve(read_settings(kTransposedNames[Dims], Dims, stride, padding, dilation, groups, true, output_padding),
                  input, weight, bias);
}

std::size_t spatial_dims(const char* op, const Dims& weight) {
  if (weight.size() < 3 || weight.size() > 5)
    fail_value(std::string(op) + ": " + describe("weight", weight) + "; expected 3 to 5 dimensions");
  return weight.size() - 2;
}

}  // namespace

dnn::ConvShape convolution_shape(const Tensor& input, const Dims& weight, const std::optional<Tensor>& bias,
                                 Ints stride, Ints padding, Ints dilation, std::int64_t groups) {
  const Settings settings =
      read_settings("convolution", spatial_dims("convolution", weight), stride, padding, dilation, groups);
  check_channels(settings, input, weight);
  const dnn::ConvShape shape = make_shape(settings, input, weight);
  check_bias(settings.op, bias, shape.out_channels);
  return shape;
}

Tensor convolution(const Tensor& input, const Tensor& weight, const std::optional<Tensor>& bias, Ints stride,
                   Ints padding, Ints dilation, bool transposed, Ints output_padding, std::int64_t groups) {
  const std::size_t dims = spatial_dims("convolution", weight.sizes());
  return convolve(read_settings("convolution", dims, stride, padding, dilation, groups, transposed, output_padding),
                  input, weight, bias);
}

namespace {

Tensor convolution_with_flags(const Tensor& input, const Tensor& weight, const std::optional<Tensor>& bias, Ints stride,
                              Ints padding, Ints dilation, bool transposed, Ints output_padding, std::int64_t groups,
                              bool /*benchmark*/, bool /*deterministic*/, bool /*cudnn_enabled*/, bool /*allow_tf32*/) {
  return convolution(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups);
}

Tensor convolution_deprecated(const Tensor& input, const Tensor& weight, const std::optional<Tensor>& bias, Ints stride,
                              Ints padding, Ints dilation, bool transposed, Ints output_padding, std::int64_t groups,
                              bool /*benchmark*/, bool /*deterministic*/, bool /*cudnn_enabled*/) {
  return convolution(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups);
}

Tensor convolution_mode(const Tensor& input, const Tensor& weight, const std::optional<Tensor>& bias, Ints stride,
                        const std::string& padding, Ints dilation, std::int64_t groups) {
  const std::size_t dims = spatial_dims("convolution", weight.sizes());
  return convolve(read_mode("convolution", dims, stride, padding, dilation, groups), input, weight, bias);
}

double largest(const std::optional<Tensor>& x) {
  double most = 0;
  if (!x) return most;
  const Tensor dense = x->contiguous();
  for (std::int64_t i = 0; i < dense.numel(); ++i)
    most = std::max(most, std::abs(static_cast<double>(dense.data<const std::int64_t>()[i])));
  return most;
}

// Throws Error(kUnsupported) when a sum of products may reach 2^53: from there on not every integer is a double.
void check_exact(const Tensor& input, const Tensor& weight, const std::optional<Tensor>& bias) {
  const double most = largest(input) * largest(weight) * static_cast<double>(weight.numel()) + largest(bias);
  if (!(most < 9007199254740992.0))
    throw Error(ErrorCode::kUnsupported, "convolution: sums of products of these int64 tensors may reach " +
                                             std::to_string(most) + "; supported are sums below 2^53");
}

template <auto Kernel, class Signature = std::remove_const_t<decltype(Kernel)>>
struct OnIntegers;

template <auto Kernel, class... Others>
struct OnIntegers<Kernel, Tensor (*)(const Tensor&, const Tensor&, const std::optional<Tensor>&, Others...)> {
  static Tensor call(const Tensor& input, const Tensor& weight, const std::optional<Tensor>& bias, Others... others) {
    if (input.dtype() != DType::kInt64) return Kernel(input, weight, bias, others...);
    check_same_dtype("convolution", input, weight, bias);
    check_exact(input, weight, bias);
    const auto wide = [](const Tensor& x) { return convert(x, DType::kFloat64, "convolution"); };
    const std::optional<Tensor> wide_bias = bias ? std::optional(wide(*bias)) : std::nullopt;
    return convert(Kernel(wide(input), wide(weight), wide_bias, others...), DType::kInt64, "convolution");
  }
};

// The kernel for all dtypes that torch has it for: 16-bit floats in float32, int64 in double, where it is exact.
template <auto Kernel>
inline constexpr auto in_wider = &OnIntegers<in_float<Kernel>>::call;

constexpr OpDefinition kOps[] = {
    define_op<in_float<linear>>("aten::linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor"),
    define_op<in_wider<conv<1>>>(
        "aten::conv1d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[1] stride=[1], SymInt[1] padding=[0], "
        "SymInt[1] dilation=[1], SymInt groups=1) -> Tensor"),
    define_op<in_wider<conv_padding<1>>>(
        "aten::conv1d.padding(Tensor input, Tensor weight, Tensor? bias=None, SymInt[1] stride=[1], str "
        "padding=\"valid\", SymInt[1] dilation=[1], SymInt groups=1) -> Tensor"),
    define_op<in_wider<conv<2>>>(
        "aten::conv2d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2] stride=[1, 1], SymInt[2] padding=[0, "
        "0], SymInt[2] dilation=[1, 1], SymInt groups=1) -> Tensor"),
    define_op<in_wider<conv_padding<2>>>(
        "aten::conv2d.padding(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2] stride=[1, 1], str "
        "padding=\"valid\", SymInt[2] dilation=[1, 1], SymInt groups=1) -> Tensor"),
    define_op<in_wider<conv<3>>>(
        "aten::conv3d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[3] stride=[1, 1, 1], SymInt[3] "
        "padding=[0, 0, 0], SymInt[3] dilation=[1, 1, 1], SymInt groups=1) -> Tensor"),
    define_op<in_wider<conv_padding<3>>>(
        "aten::conv3d.padding(Tensor input, Tensor weight, Tensor? bias=None, SymInt[3] stride=[1, 1, 1], str "
        "padding=\"valid\", SymInt[3] dilation=[1, 1, 1], SymInt groups=1) -> Tensor"),
    define_op<in_wider<conv_transpose<1>>>(
        "aten::conv_transpose1d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[1] stride=[1], SymInt[1] "
        "padding=[0], SymInt[1] output_padding=[0], SymInt groups=1, SymInt[1] dilation=[1]) -> Tensor"),
    define_op<in_wider<conv_transpose<2>>>(
        "aten::conv_transpose2d.input(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2] stride=[1, 1], "
        "SymInt[2] padding=[0, 0], SymInt[2] output_padding=[0, 0], SymInt groups=1, SymInt[2] dilation=[1, 1]) -> "
        "Tensor"),
    define_op<in_wider<conv_transpose<3>>>(
        "aten::conv_transpose3d.input(Tensor input, Tensor weight, Tensor? bias=None, SymInt[3] stride=[1, 1, 1], "
        "SymInt[3] padding=[0, 0, 0], SymInt[3] output_padding=[0, 0, 0], SymInt groups=1, SymInt[3] dilation=[1, 1, "
        "1]) -> Tensor"),
    define_op<in_wider<convolution>>(
        "aten::convolution(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] padding, SymInt[] "
        "dilation, bool transposed, SymInt[] output_padding, SymInt groups) -> Tensor"),
    define_op<in_wider<convolution_deprecated>>(
        "aten::_convolution.deprecated(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] padding, "
        "SymInt[] dilation, bool transposed, int[] output_padding, SymInt groups, bool benchmark, bool deterministic, "
        "bool cudnn_enabled) -> Tensor"),
    define_op<in_wider<convolution_with_flags>>(
        "aten::_convolution(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] padding, SymInt[] "
        "dilation, bool transposed, SymInt[] output_padding, SymInt groups, bool benchmark, bool deterministic, bool "
        "cudnn_enabled, bool allow_tf32) -> Tensor"),
    define_op<in_wider<convolution_mode>>(
        "aten::_convolution_mode(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, str padding, SymInt[] "
        "dilation, SymInt groups) -> Tensor"),
};

}  // namespace

std::span<const OpDefinition> convolution_ops() { return kOps; }

}  // namespace threadwheel
