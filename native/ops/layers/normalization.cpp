// Normalisations. A row is what statistics are taken over; rows run on the pool and none is split, so that results do
// not depend on the number of threads. Statistics are sums over a fixed set of lanes, in two passes.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "ops/compose.h"
#include "ops/families.h"
#include "ops/layers/normalization.h"
#include "ops/shared/rows.h"
#include "ops/shared/shapes.h"
#include "threadwheel/error.h"
#include "threadwheel/parallel.h"

namespace threadwheel {
namespace {

using Ints = std::span<const std::int64_t>;
using OptionalTensor = std::optional<Tensor>;
using Triple = std::tuple<Tensor, Tensor, Tensor>;

constexpr std::int64_t kGrain = 16384;  // elements worth a thread

template <class T>
THREADWHEEL_KERNEL T sum_of(const T* x, std::int64_t n) {
  return rows::sum<T>(x, n);
}

// Of (x - mean)^2.
template <class T>
THREADWHEEL_KERNEL T sum_of_squares(const T* x, std::int64_t n, T mean) {
  return rows::sum<T>(x, n, [mean](T term) { return (term - mean) * (term - mean); });
}

// out = (x - mean) scale, times weight and plus bias where they are given, element by element.
template <class T>
THREADWHEEL_KERNEL void normalize_row(const T* x, std::int64_t n, T mean, T scale, const T* weight, const T* bias,
                                      T* out) {
  if (weight != nullptr && bias != nullptr) {
    for (std::int64_t i = 0; i < n; ++i) out[i] = (x[i] - mean) * scale * weight[i] + bias[i];
  } else if (weight != nullptr) {
    for (std::int64_t i = 0; i < n; ++i) out[i] = (x[i] - mean) * scale * weight[i];
  } else if (bias != nullptr) {
    for (std::int64_t i = 0; i < n; ++i) out[i] = (x[i] - mean) * scale + bias[i];
  } else {
    for (std::int64_t i = 0; i < n; ++i) out[i] = (x[i] - mean) * scale;
  }
}

// One factor and one shift for a whole plane. The mean is taken off first: x scale - mean scale would cancel.
template <class T>
THREADWHEEL_KERNEL void normalize_plane(const T* x, std::int64_t n, T mean, T scale, T shift, T* out) {
  for (std::int64_t i = 0; i < n; ++i) out[i] = (x[i] - mean) * scale + shift;
}

// The same for planes of one element: one plane after the other has its own numbers.
template <class T>
THREADWHEEL_KERNEL void normalize_each(const T* x, std::int64_t n, const T* means, const T* scales, const T* shifts,
                                       T* out) {
  for (std::int64_t i = 0; i < n; ++i) out[i] = (x[i] - means[i]) * scales[i] + shifts[i];
}

template <class Body>
void for_rows(std::int64_t rows, std::int64_t length, const Body& body) {
  const std::int64_t grain = std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, length));
  parallel_for(0, rows, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) body(row);
  });
}

// An optional operand, dense and of one dtype; null when it is not given.
template <class T>
class Operand {
 public:
  explicit Operand(const OptionalTensor& tensor) : keep_(tensor ? tensor->contiguous() : Tensor()) {}
  const T* data() const { return keep_.defined() ? keep_.data<const T>() : nullptr; }

 private:
  Tensor keep_;
};

void check_operand(const char* op, const char* name, const Tensor& input, const OptionalTensor& operand, Ints sizes) {
  if (!operand) return;
  if (!std::ranges::equal(operand->sizes(), sizes))
    fail_value(std::string(op) + ": " + describe(name, *operand) + "; expected " + to_string(sizes));
  if (operand->dtype() != input.dtype())
    fail_value(std::string(op) + ": input is " + dtype_name(input.dtype()) + " and " + name + " is " +
               dtype_name(operand->dtype()) + "; they must have the same dtype");
}

// The length of a row; checks that the input ends with `normalized`.
std::int64_t row_length(const char* op, const Tensor& input, Ints normalized, const OptionalTensor& weight,
                        const OptionalTensor& bias) {
  const std::span<const std::int64_t> sizes = input.sizes();
  if (normalized.empty() || normalized.size() > sizes.size() ||
      !std::ranges::equal(sizes.last(normalized.size()), normalized))
    fail_value(std::string(op) + ": " + describe("input", input) + " and normalized_shape is " + to_string(normalized) +
               "; expected the last sizes of input");
  check_operand(op, "weight", input, weight, normalized);
  check_operand(op, "bias", input, bias, normalized);
  return count_elements(normalized);
}

// 1 / sqrt(variance + eps), as torch rounds it.
template <class T>
T inverse_deviation(T variance, double eps) {
  return T(1) / std::sqrt(variance + static_cast<T>(eps));
}

Triple native_layer_norm(const Tensor& input, Ints normalized, const OptionalTensor& weight, const OptionalTensor& bias,
                         double eps) {
  const std::int64_t length = row_length("layer_norm", input, normalized, weight, bias);
  Dims outer = input.sizes();
  std::fill(outer.end() - static_cast<std::ptrdiff_t>(normalized.size()), outer.end(), 1);
  const Tensor x = input.contiguous(), out = Tensor::empty(input.sizes(), input.dtype());
  const Tensor means = Tensor::empty(outer, input.dtype()), scales = Tensor::empty(outer, input.dtype());
  visit_dtype(FloatingTypes(), input.dtype(), "layer_norm", [&]<class T>() {
    const Operand<T> w(weight), b(bias);
    for_rows(means.numel(), length, [&](std::int64_t row) {
      const T* in = x.data<const T>() + row * length;
      const T mean = sum_of(in, length) / static_cast<T>(length);
      const T scale = inverse_deviation(sum_of_squares(in, length, mean) / static_cast<T>(length), eps);
      normalize_row(in, length, mean, scale, w.data(), b.data(), out.data<T>() + row * length);
      means.data<T>()[row] = mean;
      scales.data<T>()[row] = scale;
    });
  });
  return {out, means, scales};
}

}  // namespace

Tensor layer_norm(const Tensor& input, Ints normalized, const OptionalTensor& weight, const OptionalTensor& bias,
                  double eps, bool /*cudnn_enable*/) {
  return std::get<0>(native_layer_norm(input, normalized, weight, bias, eps));
}

namespace {

std::tuple<Tensor, Tensor> fused_rms_norm(const Tensor& input, Ints normalized, const OptionalTensor& weight,
                                          std::optional<double> eps) {
  const std::int64_t length = row_length("rms_norm", input, normalized, weight, std::nullopt);
  Dims outer = input.sizes();
  std::fill(outer.end() - static_cast<std::ptrdiff_t>(normalized.size()), outer.end(), 1);
  const Tensor x = input.contiguous(), out = Tensor::empty(input.sizes(), input.dtype());
  const Tensor scales = Tensor::empty(outer, input.dtype());
  visit_dtype(FloatingTypes(), input.dtype(), "rms_norm", [&]<class T>() {
    const Operand<T> w(weight);
    const double epsilon = eps.value_or(std::numeric_limits<T>::epsilon());
    for_rows(scales.numel(), length, [&](std::int64_t row) {
      const T* in = x.data<const T>() + row * length;
      const T scale = inverse_deviation(sum_of_squares(in, length, T(0)) / static_cast<T>(length), epsilon);
      normalize_row<T>(in, length, T(0), scale, w.data(), nullptr, out.data<T>() + row * length);
      scales.data<T>()[row] = scale;
    });
  });
  return {out, scales};
}

Tensor rms_norm(const Tensor& input, Ints normalized, const OptionalTensor& weight, std::optional<double> eps) {
  return std::get<0>(fused_rms_norm(input, normalized, weight, eps));
}

// x: [batch, channels, inner]; statistics over `channels / groups` channels.
Triple native_group_norm(const Tensor& input, const OptionalTensor& weight, const OptionalTensor& bias,
                         std::int64_t batch, std::int64_t channels, std::int64_t inner, std::int64_t groups,
                         double eps) {
  if (groups < 1 || channels % groups != 0 || batch < 0 || inner < 0 || batch * channels * inner != input.numel())
    fail_value("group_norm: " + describe("input", input) + " and num_groups is " + std::to_string(groups) +
               "; expected a divisor of the channels");
  const std::int64_t channel_sizes[] = {channels};
  check_operand("group_norm", "weight", input, weight, channel_sizes);
  check_operand("group_norm", "bias", input, bias, channel_sizes);
  const Tensor x = input.contiguous(), out = Tensor::empty(input.sizes(), input.dtype());
  const Tensor means = Tensor::empty(Dims{batch, groups}, input.dtype());
  const Tensor scales = Tensor::empty(Dims{batch, groups}, input.dtype());
  const std::int64_t width = channels / groups, length = width * inner;
  visit_dtype(FloatingTypes(), input.dtype(), "group_norm", [&]<class T>() {
    const Operand<T> w(weight), b(bias);
    for_rows(batch * groups, length, [&](std::int64_t row) {
      const T* in = x.data<const T>() + row * length;
      T* const to = out.data<T>() + row * length;
      const T mean = sum_of(in, length) / static_cast<T>(length);
      const T scale = inverse_deviation(sum_of_squares(in, length, mean) / static_cast<T>(length), eps);
      for (std::int64_t i = 0; i < width; ++i) {
        const std::int64_t channel = row % groups * width + i;
        const T factor = w.data() != nullptr ? scale * w.data()[channel] : scale;
        normalize_plane(in + i * inner, inner, mean, factor, b.data() != nullptr ? b.data()[channel] : T(0),
                        to + i * inner);
      }
      means.data<T>()[row] = mean;
      scales.data<T>()[row] = scale;
    });
  });
  return {out, means, scales};
}

Tensor group_norm(const Tensor& input, std::int64_t groups, const OptionalTensor& weight, const OptionalTensor& bias,
                  double eps, bool /*cudnn_enabled*/) {
  if (input.dim() < 2) fail_value("group_norm: " + describe("input", input) + "; expected 2 dimensions or more");
  const std::int64_t inner = count_elements(std::span(input.sizes()).subspan(2));
  return std::get<0>(native_group_norm(input, weight, bias, input.size(0), input.size(1), inner, groups, eps));
}

// Per-channel numbers that batch normalisation works with; input: [batch, channels, ...].
struct Channels {
  std::int64_t batch, channels, inner;

  Channels(const char* op, const Tensor& input) {
    if (input.dim() < 2)
      fail_value(std::string(op) + ": " + describe("input", input) + "; expected 2 dimensions or more");
    batch = input.size(0);
    channels = input.size(1);
    inner = count_elements(std::span(input.sizes()).subspan(2));
  }
};

// Mean and variance of each channel. Images one after the other, so that each sum has one order.
template <class T>
void channel_statistics(const Channels& c, const T* x, T* means, T* variances) {
  const auto count = static_cast<T>(c.batch * c.inner);
  for_rows(c.channels, c.batch * c.inner, [&](std::int64_t channel) {
    const auto plane = [&](std::int64_t image) { return x + (image * c.channels + channel) * c.inner; };
    T sum(0), squares(0);
    for (std::int64_t image = 0; image < c.batch; ++image) sum += sum_of(plane(image), c.inner);
    const T mean = sum / count;
    for (std::int64_t image = 0; image < c.batch; ++image) squares += sum_of_squares(plane(image), c.inner, mean);
    means[channel] = mean;
    variances[channel] = squares / count;
  });
}

// out = (x - mean) scale weight + bias of each channel; `scales` is overwritten.
template <class T>
void normalize_channels(const Channels& c, const T* x, const T* means, T* scales, const T* weight, const T* bias,
                        T* out) {
  std::vector<T> shifts(static_cast<std::size_t>(c.channels), T(0));
  if (bias != nullptr) std::copy_n(bias, c.channels, shifts.begin());
  if (weight != nullptr)
    for (std::int64_t i = 0; i < c.channels; ++i) scales[i] *= weight[i];
  if (c.inner == 1) {
    for_rows(c.batch, c.channels, [&](std::int64_t row) {
      normalize_each(x + row * c.channels, c.channels, means, scales, shifts.data(), out + row * c.channels);
    });
    return;
  }
  for_rows(c.batch * c.channels, c.inner, [&](std::int64_t row) {
    const std::int64_t i = row % c.channels;
    normalize_plane(x + row * c.inner, c.inner, means[i], scales[i], shifts[static_cast<std::size_t>(i)],
                    out + row * c.inner);
  });
}

// running = (1 - momentum) running + momentum * value * correction.
template <class T>
void update_running(const char* op, const OptionalTensor& running, const T* values, double momentum, T correction) {
  if (!running) return;
  const auto m = static_cast<T>(momentum);
  Tensor updated = copy_of(convert(*running, DTypeOf<T>::value, op));
  for (std::int64_t i = 0; i < updated.numel(); ++i)
    updated.data<T>()[i] = (T(1) - m) * updated.data<T>()[i] + m * values[i] * correction;
  copy_into(*running, updated, op);
}

void check_running(const char* op, const OptionalTensor& running, Ints sizes) {
  if (running && !std::ranges::equal(running->sizes(), sizes))
    fail_value(std::string(op) + ": " + describe("a running statistic", *running) + "; expected " + to_string(sizes));
}

// Parameters may be float32 where the input is float16 or bfloat16; all is computed in the input's dtype or float32.
Triple batch_norm_any(const char* op, const Tensor& input, const OptionalTensor& weight, const OptionalTensor& bias,
                      const OptionalTensor& running_mean, const OptionalTensor& running_var, bool training,
                      double momentum, double eps) {
  const Channels c(op, input);
  const std::int64_t sizes[] = {c.channels};
  const DType half = input.dtype(), dtype = is_half(half) ? DType::kFloat32 : half;
  const auto wide = [&](const OptionalTensor& t) {
    return t ? OptionalTensor(convert(*t, is_half(t->dtype()) ? dtype : t->dtype(), op)) : t;
  };
  const Tensor x = convert(input, dtype, op).contiguous();
  const OptionalTensor w = wide(weight), b = wide(bias), mean_in = wide(running_mean), var_in = wide(running_var);
  check_operand(op, "weight", x, w, sizes);
  check_operand(op, "bias", x, b, sizes);
  check_operand(op, "running_mean", x, mean_in, sizes);
  check_operand(op, "running_var", x, var_in, sizes);
  check_running(op, running_mean, sizes);
  if (!training && (!running_mean || !running_var))
    fail_value(std::string(op) + ": training is false and a running statistic is missing; give both");
  const Tensor out = Tensor::empty(input.sizes(), dtype);
  Tensor means = Tensor::empty(sizes, dtype), scales = Tensor::empty(sizes, dtype);
  visit_dtype(FloatingTypes(), dtype, op, [&]<class T>() {
    if (training) {
      channel_statistics(c, x.data<const T>(), means.data<T>(), scales.data<T>());
      const auto count = static_cast<T>(c.batch * c.inner);
      update_running<T>(op, running_mean, means.data<const T>(), momentum, T(1));
      update_running<T>(op, running_var, scales.data<const T>(), momentum, count / (count - T(1)));
    } else {
      means = mean_in->contiguous();
      copy_into(scales, *var_in, op);
    }
    T* const scale = scales.data<T>();
    for (std::int64_t i = 0; i < c.channels; ++i) scale[i] = inverse_deviation(scale[i], eps);
    std::vector<T> factors(scale, scale + c.channels);
    normalize_channels(c, x.data<const T>(), means.data<const T>(), factors.data(), Operand<T>(w).data(),
                       Operand<T>(b).data(), out.data<T>());
  });
  return {convert(out, half, op), means, scales};
}

Tensor batch_norm(const Tensor& input, const OptionalTensor& weight, const OptionalTensor& bias,
                  const OptionalTensor& running_mean, const OptionalTensor& running_var, bool training, double momentum,
                  double eps, bool /*cudnn_enabled*/) {
  if (input.dim() < 2 && input.numel() == 0) return copy_of(input);  // of nothing torch asks no channels
  return std::get<0>(
      batch_norm_any("batch_norm", input, weight, bias, running_mean, running_var, training, momentum, eps));
}

// Without training, the statistics of the result are empty.
Triple native_batch_norm(const Tensor& input, const OptionalTensor& weight, const OptionalTensor& bias,
                         const OptionalTensor& running_mean, const OptionalTensor& running_var, bool training,
                         double momentum, double eps) {
  Triple result =
      batch_norm_any("native_batch_norm", input, weight, bias, running_mean, running_var, training, momentum, eps);
  // In the input's dtype, unless float32 parameters go with 16-bit ones.
  const bool mixed = std::ranges::any_of(std::array{&weight, &bias, &running_mean, &running_var},
                                         [&](const OptionalTensor* t) { return *t && (*t)->dtype() != input.dtype(); });
  if (!mixed && is_half(input.dtype())) result = detail::narrowed(result, input.dtype());
  if (training) return result;
  const Tensor none = Tensor::empty(Dims{0}, std::get<1>(result).dtype());
  return {std::get<0>(result), none, none};
}

Triple batch_norm_legit(const Tensor& input, const OptionalTensor& weight, const OptionalTensor& bias,
                        const Tensor& running_mean, const Tensor& running_var, bool training, double momentum,
                        double eps) {
  return native_batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps);
}

Triple batch_norm_no_training(const Tensor& input, const OptionalTensor& weight, const OptionalTensor& bias,
                              const Tensor& running_mean, const Tensor& running_var, double momentum, double eps) {
  return native_batch_norm(input, weight, bias, running_mean, running_var, false, momentum, eps);
}

Triple batch_norm_no_stats(const Tensor& input, const OptionalTensor& weight, const OptionalTensor& bias, bool training,
                           double momentum, double eps) {
  return native_batch_norm(input, weight, bias, std::nullopt, std::nullopt, training, momentum, eps);
}

// Each image on its own, as a batch of one with batch * channels channels.
Tensor instance_norm(const Tensor& input, const OptionalTensor& weight, const OptionalTensor& bias,
                     const OptionalTensor& running_mean, const OptionalTensor& running_var, bool use_input_stats,
                     double momentum, double eps, bool /*cudnn_enabled*/) {
  const Channels c("instance_norm", input);
  if (!use_input_stats)
    return batch_norm(input, weight, bias, running_mean, running_var, false, momentum, eps, false);
  const auto repeat = [&](const OptionalTensor& t) -> OptionalTensor {
    if (!t) return std::nullopt;
    const std::int64_t sizes[] = {c.channels}, wide[] = {c.batch, c.channels}, flat[] = {c.batch * c.channels};
    check_running("instance_norm", t, sizes);
    return copy_of(reshaped(broadcast_to(*t, wide), flat));
  };
  Dims joined(static_cast<std::size_t>(input.dim()));
  std::copy(input.sizes().begin(), input.sizes().end(), joined.begin());
  joined[0] = 1;
  joined[1] = c.batch * c.channels;
  const OptionalTensor mean = repeat(running_mean), variance = repeat(running_var);
  const Tensor out = batch_norm(reshaped(input, joined), repeat(weight), repeat(bias), mean, variance, true, momentum,
                                eps, false);
  // A running statistic of several images is their mean.
  for (const auto& [running, values] : {std::pair(&running_mean, &mean), std::pair(&running_var, &variance)})
    if (*running)
      copy_into(**running, aten("mean.dim", {reshaped(**values, Dims{c.batch, c.channels}), IntList{0}}),
                "instance_norm");
  return reshaped(out, input.sizes());
}

constexpr OpDefinition kOps[] = {
    define_op<batch_norm>(
        "aten::batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool "
        "training, float momentum, float eps, bool cudnn_enabled) -> Tensor"),
    define_op<native_batch_norm>(
        "aten::native_batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? "
        "running_var, bool training, float momentum, float eps) -> (Tensor, Tensor, Tensor)"),
    define_op<batch_norm_legit>(
        "aten::_native_batch_norm_legit(Tensor input, Tensor? weight, Tensor? bias, Tensor(a!) running_mean, "
        "Tensor(b!) running_var, bool training, float momentum, float eps) -> (Tensor, Tensor, Tensor)"),
    define_op<batch_norm_no_stats>(
        "aten::_native_batch_norm_legit.no_stats(Tensor input, Tensor? weight, Tensor? bias, bool training, float "
        "momentum, float eps) -> (Tensor, Tensor, Tensor)"),
    define_op<batch_norm_no_training>(
        "aten::_native_batch_norm_legit_no_training(Tensor input, Tensor? weight, Tensor? bias, Tensor running_mean, "
        "Tensor running_var, float momentum, float eps) -> (Tensor, Tensor, Tensor)"),
    define_op<in_float<layer_norm>>(
        "aten::layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight=None, Tensor? bias=None, float "
        "eps=1.0000000000000001e-05, bool cudnn_enable=True) -> Tensor"),
    define_op<in_float<native_layer_norm>>(
        "aten::native_layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight, Tensor? bias, float eps) -> "
        "(Tensor, Tensor, Tensor)"),
    define_op<in_float<group_norm>>(
        "aten::group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float "
        "eps=1.0000000000000001e-05, bool cudnn_enabled=True) -> Tensor"),
    define_op<in_float<native_group_norm>>(
        "aten::native_group_norm(Tensor input, Tensor? weight, Tensor? bias, SymInt N, SymInt C, SymInt HxW, int "
        "group, float eps) -> (Tensor, Tensor, Tensor)"),
    define_op<instance_norm>(
        "aten::instance_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, "
        "bool use_input_stats, float momentum, float eps, bool cudnn_enabled) -> Tensor"),
    define_op<in_float<rms_norm>>(
        "aten::rms_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight=None, float? eps=None) -> Tensor"),
    define_op<in_float<fused_rms_norm>>(
        "aten::_fused_rms_norm(Tensor input, int[] normalized_shape, Tensor? weight, float? eps) -> (Tensor, Tensor)"),
};

}  // namespace

std::span<const OpDefinition> normalization_ops() { return kOps; }

}  // namespace threadwheel
