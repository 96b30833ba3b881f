// Windows of signals and the frequencies of their transforms.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "ops/compose.h"
#include "ops/families.h"
#include "ops/shared/options.h"
#include "ops/shared/shapes.h"
#include "threadwheel/error.h"

namespace threadwheel {
namespace {

using MaybeDType = std::optional<DType>;

constexpr double kTurn = 2 * std::numbers::pi;

// Element i of `length`, of a window of `length` or, periodic, of one longer that loses its last: shape(i, steps).
template <class Shape>
Tensor window(const char* op, std::int64_t length, bool periodic, MaybeDType dtype, const Value& layout,
              const Value& device, Shape shape) {
  check_layout(op, layout);
  check_device(op, device);
  const DType to = dtype.value_or(DType::kFloat32);
  if (length < 0) fail_value(std::string(op) + ": window_length is " + std::to_string(length) + "; expected 0 or more");
  if (!is_floating(to))
    throw Error(ErrorCode::kUnsupported,
                std::string(op) + ": unsupported dtype " + dtype_name(to) + "; supported are floats");
  const Tensor out = Tensor::empty(Dims{length}, DType::kFloat64);
  const double steps = static_cast<double>(periodic ? length : length - 1);
  for (std::int64_t i = 0; i < length; ++i)
    out.data<double>()[i] = length == 1 ? 1 : shape(static_cast<double>(i), steps);
  return convert(out, to, op);
}

double cosine(double i, double steps) { return std::cos(kTurn * i / steps); }

Tensor hann_periodic(std::int64_t length, bool periodic, MaybeDType dtype, const Value& layout, const Value& device,
                     const Value& /*pin_memory*/) {
  return window("hann_window", length, periodic, dtype, layout, device,
                [](double i, double steps) { return 0.5 - 0.5 * cosine(i, steps); });
}
Tensor hann(std::int64_t length, MaybeDType dtype, const Value& layout, const Value& device, const Value& pin_memory) {
  return hann_periodic(length, true, dtype, layout, device, pin_memory);
}

Tensor hamming_alpha_beta(std::int64_t length, bool periodic, double alpha, double beta, MaybeDType dtype,
                          const Value& layout, const Value& device, const Value& /*pin_memory*/) {
  return window("hamming_window", length, periodic, dtype, layout, device,
                [&](double i, double steps) { return alpha - beta * cosine(i, steps); });
}
Tensor hamming_alpha(std::int64_t length, bool periodic, double alpha, MaybeDType dtype, const Value& layout,
                     const Value& device, const Value& pin_memory) {
  return hamming_alpha_beta(length, periodic, alpha, 0.46, dtype, layout, device, pin_memory);
}
Tensor hamming_periodic(std::int64_t length, bool periodic, MaybeDType dtype, const Value& layout, const Value& device,
                        const Value& pin_memory) {
  return hamming_alpha(length, periodic, 0.54, dtype, layout, device, pin_memory);
}
Tensor hamming(std::int64_t length, MaybeDType dtype, const Value& layout, const Value& device,
               const Value& pin_memory) {
  return hamming_periodic(length, true, dtype, layout, device, pin_memory);
}

Tensor blackman_periodic(std::int64_t length, bool periodic, MaybeDType dtype, const Value& layout,
                         const Value& device, const Value& /*pin_memory*/) {
  return window("blackman_window", length, periodic, dtype, layout, device, [](double i, double steps) {
    return 0.42 - 0.5 * cosine(i, steps) + 0.08 * cosine(2 * i, steps);
  });
}
Tensor blackman(std::int64_t length, MaybeDType dtype, const Value& layout, const Value& device,
                const Value& pin_memory) {
  return blackman_periodic(length, true, dtype, layout, device, pin_memory);
}

Tensor bartlett_periodic(std::int64_t length, bool periodic, MaybeDType dtype, const Value& layout,
                         const Value& device, const Value& /*pin_memory*/) {
  return window("bartlett_window", length, periodic, dtype, layout, device,
                [](double i, double steps) { return 1 - std::abs(2 * i / steps - 1); });
}
Tensor bartlett(std::int64_t length, MaybeDType dtype, const Value& layout, const Value& device,
                const Value& pin_memory) {
  return bartlett_periodic(length, true, dtype, layout, device, pin_memory);
}

// Of the modified Bessel function I0, whose argument falls from beta in the middle to 0 at the ends.
Tensor kaiser_beta(std::int64_t length, bool periodic, double beta, MaybeDType dtype, const Value& layout,
                   const Value& device, const Value& /*pin_memory*/) {
  const Tensor arguments = window("kaiser_window", length, periodic, DType::kFloat64, layout, device,
                                  [&](double i, double steps) {
                                    const double off = 2 * i / steps - 1;
                                    return beta * std::sqrt(std::max(0.0, 1 - off * off));
                                  });
  if (length == 1) return filled(Dims{1}, dtype.value_or(DType::kFloat32), 1.0);
  const Tensor whole = aten("i0", {scalar_tensor(beta, DType::kFloat64)});
  const Tensor values = aten("div.Tensor", {aten("i0", {arguments}), whole});
  return convert(values, dtype.value_or(DType::kFloat32), "kaiser_window");
}
Tensor kaiser_periodic(std::int64_t length, bool periodic, MaybeDType dtype, const Value& layout, const Value& device,
                       const Value& pin_memory) {
  return kaiser_beta(length, periodic, 12.0, dtype, layout, device, pin_memory);
}
Tensor kaiser(std::int64_t length, MaybeDType dtype, const Value& layout, const Value& device,
              const Value& pin_memory) {
  return kaiser_periodic(length, true, dtype, layout, device, pin_memory);
}

// Frequencies 0, 1, ... of n places d apart; those beyond the half as negative ones, where `both`.
Tensor frequencies(const char* op, std::int64_t n, double d, bool both, MaybeDType dtype, const Value& layout,
                   const Value& device) {
  check_layout(op, layout);
  check_device(op, device);
  if (n < 1) fail_value(std::string(op) + ": n is " + std::to_string(n) + "; expected 1 or more");
  const std::int64_t length = both ? n : n / 2 + 1;
  const Tensor out = Tensor::empty(Dims{length}, DType::kFloat64);
  for (std::int64_t i = 0; i < length; ++i) {
    const std::int64_t place = both && i >= (n + 1) / 2 ? i - n : i;
    out.data<double>()[i] = static_cast<double>(place) / (static_cast<double>(n) * d);
  }
  return convert(out, dtype.value_or(DType::kFloat32), op);
}

Tensor fft_fftfreq(std::int64_t n, double d, MaybeDType dtype, const Value& layout, const Value& device,
                   const Value& /*pin_memory*/) {
  return frequencies("fft_fftfreq", n, d, true, dtype, layout, device);
}
Tensor fft_rfftfreq(std::int64_t n, double d, MaybeDType dtype, const Value& layout, const Value& device,
                    const Value& /*pin_memory*/) {
  return frequencies("fft_rfftfreq", n, d, false, dtype, layout, device);
}

#define THREADWHEEL_OPTIONS \
  "*, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor"

constexpr OpDefinition kOps[] = {
    define_op<hann>("aten::hann_window(int window_length, " THREADWHEEL_OPTIONS),
    define_op<hann_periodic>("aten::hann_window.periodic(int window_length, bool periodic, " THREADWHEEL_OPTIONS),
    define_op<hamming>("aten::hamming_window(int window_length, " THREADWHEEL_OPTIONS),
    define_op<hamming_periodic>("aten::hamming_window.periodic(int window_length, bool periodic, " THREADWHEEL_OPTIONS),
    define_op<hamming_alpha>("aten::hamming_window.periodic_alpha(int window_length, bool periodic, float alpha, "
                             THREADWHEEL_OPTIONS),
    define_op<hamming_alpha_beta>("aten::hamming_window.periodic_alpha_beta(int window_length, bool periodic, float "
                                  "alpha, float beta, " THREADWHEEL_OPTIONS),
    define_op<blackman>("aten::blackman_window(int window_length, " THREADWHEEL_OPTIONS),
    define_op<blackman_periodic>(
        "aten::blackman_window.periodic(int window_length, bool periodic, " THREADWHEEL_OPTIONS),
    define_op<bartlett>("aten::bartlett_window(int window_length, " THREADWHEEL_OPTIONS),
    define_op<bartlett_periodic>(
        "aten::bartlett_window.periodic(int window_length, bool periodic, " THREADWHEEL_OPTIONS),
    define_op<kaiser>("aten::kaiser_window(int window_length, " THREADWHEEL_OPTIONS),
    define_op<kaiser_periodic>("aten::kaiser_window.periodic(int window_length, bool periodic, " THREADWHEEL_OPTIONS),
    define_op<kaiser_beta>("aten::kaiser_window.beta(int window_length, bool periodic, float beta, "
                           THREADWHEEL_OPTIONS),
    define_op<fft_fftfreq>("aten::fft_fftfreq(int n, float d=1.0, " THREADWHEEL_OPTIONS),
    define_op<fft_rfftfreq>("aten::fft_rfftfreq(int n, float d=1.0, " THREADWHEEL_OPTIONS),
};

#undef THREADWHEEL_OPTIONS

}  // namespace

std::span<const OpDefinition> window_ops() { return kOps; }

}  // namespace threadwheel
