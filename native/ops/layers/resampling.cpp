// Interpolation to another size, and sampling at given positions. Interpolation is separable: each axis is a list of
// taps per output, made once; rows are first combined over depth and height, then along the row.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "ops/families.h"
#include "ops/shared/quantize.h"
#include "ops/shared/shapes.h"
#include "threadwheel/error.h"
#include "threadwheel/parallel.h"

namespace threadwheel {
namespace {

using Ints = std::span<const std::int64_t>;
using OptionalInts = std::optional<Ints>;
using OptionalDoubles = std::optional<std::span<const double>>;
using OptionalDouble = std::optional<double>;

constexpr std::int64_t kGrain = 8192;  // output elements worth a thread

enum class Mode { kNearest, kNearestExact, kLinear, kCubic };

// Output o along one axis is the sum over t of weight[o, t] input[index[o, t]].
template <class T>
struct Axis {
  std::int64_t input, output, taps;
  std::vector<std::int64_t> index;
  std::vector<T> weight;

  Axis(std::int64_t in, std::int64_t out, std::int64_t count)
      : input(in), output(out), taps(count), index(static_cast<std::size_t>(out * count)),
        weight(static_cast<std::size_t>(out * count), T(1)) {}

  void set(std::int64_t o, std::int64_t tap, std::int64_t at, T factor) {
    const auto i = static_cast<std::size_t>(o * taps + tap);
    index[i] = std::clamp<std::int64_t>(at, 0, input - 1);
    weight[i] = factor;
  }
};

// Keys' cubic convolution with a = -0.75, at distance t of 4 neighbours.
template <class T>
std::array<T, 4> cubic_weights(T t) {
  constexpr T a = T(-0.75);
  const auto near = [](T x) { return ((a + T(2)) * x - (a + T(3))) * x * x + T(1); };
  const auto far = [](T x) { return ((a * x - T(5) * a) * x + T(8) * a) * x - T(4) * a; };
  return {far(t + T(1)), near(t), near(T(1) - t), far(T(2) - t)};
}

template <class T>
Axis<T> nearest_axis(std::int64_t in, std::int64_t out, OptionalDouble factor, bool exact) {
  Axis<T> axis(in, out, 1);
  // In float32, as torch computes positions, whatever the dtype.
  const float scale = factor && *factor > 0
                          ? static_cast<float>(1.0 / *factor)
                          : static_cast<float>(in) / static_cast<float>(std::max<std::int64_t>(out, 1));
  for (std::int64_t o = 0; o < out; ++o)
    axis.set(o, 0,
             in == out && !factor
                 ? o
                 : static_cast<std::int64_t>(std::floor((static_cast<float>(o) + (exact ? 0.5F : 0.0F)) * scale)),
             T(1));
  return axis;
}

template <class T>
Axis<T> smooth_axis(std::int64_t in, std::int64_t out, OptionalDouble factor, bool align_corners, Mode mode) {
  Axis<T> axis(in, out, mode == Mode::kLinear ? 2 : 4);
  T scale = 0;
  if (align_corners) {
    scale = out > 1 ? static_cast<T>(in - 1) / static_cast<T>(out - 1) : T(0);
  } else {
    scale = factor && *factor > 0 ? static_cast<T>(1.0 / *factor) : static_cast<T>(in) / static_cast<T>(out);
  }
  for (std::int64_t o = 0; o < out; ++o) {
    T at = align_corners ? scale * static_cast<T>(o) : scale * (static_cast<T>(o) + T(0.5)) - T(0.5);
    if (mode == Mode::kLinear && at < T(0)) at = T(0);
    const auto first = static_cast<std::int64_t>(std::floor(at));
    const T rest = std::clamp(at - static_cast<T>(first), T(0), T(1));
    if (mode == Mode::kLinear) {
      axis.set(o, 0, first, T(1) - rest);
      axis.set(o, 1, first + 1, rest);
    } else {
      const std::array<T, 4> weights = cubic_weights(rest);
      for (std::int64_t tap = 0; tap < 4; ++tap)
        axis.set(o, tap, first - 1 + tap, weights[static_cast<std::size_t>(tap)]);
    }
  }
  return axis;
}

// Interpolation that averages when it shrinks: the kernel is stretched over all inputs that an output covers.
template <class T>
Axis<T> antialias_axis(std::int64_t in, std::int64_t out, OptionalDouble factor, bool align_corners, Mode mode) {
  double scale = 0;
  if (align_corners) {
    scale = out > 1 ? static_cast<double>(in - 1) / static_cast<double>(out - 1) : 0.0;
  } else {
    scale = factor && *factor > 0 ? 1.0 / *factor : static_cast<double>(in) / static_cast<double>(out);
  }
  const double stretch = std::max(scale, 1.0), support = (mode == Mode::kLinear ? 1.0 : 2.0) * stretch;
  Axis<T> axis(in, out, static_cast<std::int64_t>(std::ceil(support)) * 2 + 1);
  std::fill(axis.weight.begin(), axis.weight.end(), T(0));
  const auto kernel = [&](double x) {
    x = std::abs(x);
    if (mode == Mode::kLinear) return x < 1 ? 1 - x : 0.0;
    constexpr double a = -0.5;
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0.0;
  };
  for (std::int64_t o = 0; o < out; ++o) {
    const double center = scale * (static_cast<double>(o) + 0.5);
    const auto first = std::max<std::int64_t>(static_cast<std::int64_t>(center - support + 0.5), 0);
    const std::int64_t count =
        std::min({static_cast<std::int64_t>(center + support + 0.5), in, first + axis.taps}) - first;
    double total = 0;
    for (std::int64_t tap = 0; tap < count; ++tap)
      total += kernel((static_cast<double>(tap + first) - center + 0.5) / stretch);
    for (std::int64_t tap = 0; tap < count; ++tap)
      axis.set(o, tap, first + tap,
               static_cast<T>(kernel((static_cast<double>(tap + first) - center + 0.5) / stretch) / total));
  }
  return axis;
}

template <class T>
THREADWHEEL_KERNEL void add_scaled(std::int64_t n, T factor, const T* x, T* y) {
  for (std::int64_t i = 0; i < n; ++i) y[i] += factor * x[i];
}

template <class T>
THREADWHEEL_KERNEL void combine_row(const T* row, std::int64_t n, std::int64_t taps, const std::int64_t* index,
                                    const T* weight, T* out) {
  if (taps == 2) {
    for (std::int64_t i = 0; i < n; ++i)
      out[i] = weight[2 * i] * row[index[2 * i]] + weight[2 * i + 1] * row[index[2 * i + 1]];
    return;
  }
  for (std::int64_t i = 0; i < n; ++i) {
    T sum(0);
    for (std::int64_t t = 0; t < taps; ++t) sum += weight[i * taps + t] * row[index[i * taps + t]];
    out[i] = sum;
  }
}

// Rows (output depth x height) of one plane.
template <class T>
void resample_row(const std::array<Axis<T>, 3>& axes, const T* plane, std::int64_t row, T* combined, T* out) {
  const auto& [depth, height, width] = axes;
  const std::int64_t z = row / height.output, y = row % height.output;
  const auto pick = [&](std::int64_t tz, std::int64_t ty) {
    const std::int64_t iz = depth.index[static_cast<std::size_t>(z * depth.taps + tz)];
    return plane + (iz * height.input + height.index[static_cast<std::size_t>(y * height.taps + ty)]) * width.input;
  };
  const T* source = pick(0, 0);
  if (depth.taps * height.taps > 1) {
    std::fill_n(combined, width.input, T(0));
    for (std::int64_t tz = 0; tz < depth.taps; ++tz)
      for (std::int64_t ty = 0; ty < height.taps; ++ty)
        add_scaled(width.input,
                   static_cast<T>(depth.weight[static_cast<std::size_t>(z * depth.taps + tz)] *
                                  height.weight[static_cast<std::size_t>(y * height.taps + ty)]),
                   pick(tz, ty), combined);
    source = combined;
  }
  if (width.taps > 1) {
    combine_row(source, width.output, width.taps, width.index.data(), width.weight.data(), out);
  } else {
    for (std::int64_t i = 0; i < width.output; ++i) out[i] = source[width.index[static_cast<std::size_t>(i)]];
  }
}

template <class T>
void resample(const std::array<Axis<T>, 3>& axes, const Tensor& x, const Tensor& out) {
  const auto& [depth, height, width] = axes;
  const std::int64_t rows = depth.output * height.output, planes = x.size(0) * x.size(1);
  const std::int64_t plane_size = depth.input * height.input * width.input;
  parallel_for(0, planes * rows, std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, width.output)),
               [&](std::int64_t begin, std::int64_t end) {
                 std::vector<T> combined(static_cast<std::size_t>(width.input));
                 for (std::int64_t i = begin; i < end; ++i)
                   resample_row(axes, x.data<const T>() + i / rows * plane_size, i % rows, combined.data(),
                                out.data<T>() + i * width.output);
               });
}

struct Request {
  const char* op;
  std::size_t dims;
  Mode mode;
  bool align_corners = false;
  bool antialias = false;
};

template <class T>
Axis<T> make_axis(const Request& request, std::int64_t in, std::int64_t out, OptionalDouble factor) {
  if (request.mode == Mode::kNearest || request.mode == Mode::kNearestExact)
    return nearest_axis<T>(in, out, factor, request.mode == Mode::kNearestExact);
  if constexpr (std::is_floating_point_v<T>) {
    if (request.antialias) return antialias_axis<T>(in, out, factor, request.align_corners, request.mode);
    return smooth_axis<T>(in, out, factor, request.align_corners, request.mode);
  }
  throw Error(ErrorCode::kUnsupported, std::string(request.op) + ": integers are supported by nearest only");
}

// --- images of bytes: weights are integers, and each axis in turn is rounded to bytes, as torch has it ---------------

// Weights in units of 2^-precision, the finest of which all fit 16 bits.
struct ByteAxis {
  Axis<std::int32_t> axis;
  int precision = 0;
};

ByteAxis in_integers(Axis<double> axis) {
  for (std::size_t i = 0; i + 1 < axis.index.size(); ++i)  // of an input that is named twice the weights are one
    if ((i + 1) % static_cast<std::size_t>(axis.taps) != 0 && axis.index[i] == axis.index[i + 1])
      axis.weight[i + 1] += std::exchange(axis.weight[i], 0.0);
  ByteAxis result{Axis<std::int32_t>(axis.input, axis.output, axis.taps)};
  const double most = *std::ranges::max_element(axis.weight);
  while (result.precision < 22 && 0.5 + most * (1 << (result.precision + 1)) < (1 << 15)) ++result.precision;
  result.axis.index = axis.index;
  for (std::size_t i = 0; i < axis.weight.size(); ++i)
    result.axis.weight[i] = static_cast<std::int32_t>(axis.weight[i] * (1 << result.precision) +
                                                      (axis.weight[i] < 0 ? -0.5 : 0.5));
  return result;
}

// x: [lines, input, inner] -> [lines, output, inner].
Tensor resample_bytes(const ByteAxis& by, const Tensor& x, std::int64_t inner) {
  const Axis<std::int32_t>& axis = by.axis;
  const std::int64_t lines = x.numel() / (axis.input * inner);
  const Tensor out = Tensor::empty(Dims{lines, axis.output, inner}, DType::kUInt8);
  const std::int64_t grain = std::max<std::int64_t>(1, kGrain / inner);
  parallel_for(0, lines * axis.output, grain, [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::int32_t> sums(static_cast<std::size_t>(inner));
    for (std::int64_t i = begin; i < end; ++i) {
      const std::uint8_t* const line = x.data<const std::uint8_t>() + i / axis.output * axis.input * inner;
      std::ranges::fill(sums, 1 << (by.precision - 1));
      for (std::int64_t tap = i % axis.output * axis.taps, last = tap + axis.taps; tap < last; ++tap) {
        const auto k = static_cast<std::size_t>(tap);
        for (std::int64_t c = 0; c < inner; ++c)
          sums[static_cast<std::size_t>(c)] += axis.weight[k] * line[axis.index[k] * inner + c];
      }
      for (std::int64_t c = 0; c < inner; ++c)
        out.data<std::uint8_t>()[i * inner + c] =
            static_cast<std::uint8_t>(std::clamp(sums[static_cast<std::size_t>(c)] >> by.precision, 0, 255));
    }
  });
  return out;
}

// x: [batch, channels, height, width]. Rows first; an axis that keeps its size stays as it is.
Tensor run_bytes(const Request& request, const Tensor& x, const Dims& sizes, std::span<const OptionalDouble> factors) {
  const auto axis = [&](std::size_t i) {
    return in_integers(make_axis<double>(request, x.size(i + 2), sizes[i + 2],
                                         i < factors.size() ? factors[i] : std::nullopt));
  };
  if (sizes == x.sizes()) return copy_of(x);
  Tensor out = x;
  if (sizes[3] != x.size(3)) out = resample_bytes(axis(1), out, 1);
  if (sizes[2] != x.size(2)) out = resample_bytes(axis(0), out, sizes[3]);
  return reshaped(out, sizes);
}

// self: [batch, channels, spatial dimensions] -> the same with `sizes`; factors, where given, are per dimension.
Tensor run(const Request& request, const Tensor& self, Ints sizes, std::span<const OptionalDouble> factors) {
  bool empty = self.dim() != static_cast<std::int64_t>(request.dims) + 2 || sizes.size() != request.dims;
  for (std::size_t i = 2; !empty && i < self.sizes().size(); ++i) empty = self.size(i) < 1 || sizes[i - 2] < 1;
  if (empty)
    fail_value(std::string(request.op) + ": " + describe("input", self) + " and output_size is " + to_string(sizes) +
               "; expected " + std::to_string(request.dims + 2) + " dimensions, and spatial sizes of 1 or more");
  Dims out_sizes = self.sizes();
  std::copy(sizes.begin(), sizes.end(), out_sizes.begin() + 2);
  const bool nearest = request.mode == Mode::kNearest || request.mode == Mode::kNearestExact;
  const Tensor x = self.contiguous();
  if (self.dtype() == DType::kUInt8 && request.dims == 2 && !nearest)
    return run_bytes(request, x, out_sizes, factors);
  const Tensor out = Tensor::empty(out_sizes, self.dtype());
  const auto resample_as = [&]<class T>() {
    const auto axis = [&](std::size_t i) {  // of depth, height, width
      if (i + request.dims < 3) return Axis<T>(1, 1, 1);
      const std::size_t k = i + request.dims - 3;
      return make_axis<T>(request, self.size(k + 2), sizes[k], k < factors.size() ? factors[k] : std::nullopt);
    };
    resample<T>({axis(0), axis(1), axis(2)}, x, out);
  };
  if (nearest) {
    visit_dtype(TypeList<float, double, std::uint8_t>(), self.dtype(), request.op, resample_as);
  } else {
    visit_dtype(FloatingTypes(), self.dtype(), request.op, resample_as);
  }
  return out;
}

// The overload that is given either sizes or factors.
Tensor run_vector(const Request& request, const Tensor& input, const OptionalInts& sizes,
                  const OptionalDoubles& factors) {
  if (sizes.has_value() == factors.has_value())
    fail_value(std::string(request.op) + ": exactly one of output_size and scale_factors must be given");
  if (sizes) return run(request, input, *sizes, {});
  if (factors->size() != request.dims || input.dim() != static_cast<std::int64_t>(request.dims) + 2)
    fail_value(std::string(request.op) + ": scale_factors has " + std::to_string(factors->size()) + " numbers and " +
               describe("input", input) + "; expected " + std::to_string(request.dims) + ", and " +
               std::to_string(request.dims + 2) + " dimensions");
  std::vector<std::int64_t> computed;
  std::vector<OptionalDouble> given;
  for (std::size_t i = 0; i < request.dims; ++i) {
    const double size = static_cast<double>(input.size(i + 2)) * (*factors)[i];
    if (!(size >= 0 && size < 1e15))
      fail_value(std::string(request.op) + ": a scale factor is " + std::to_string((*factors)[i]) +
                 "; expected a positive number");
    computed.push_back(static_cast<std::int64_t>(size));
    given.emplace_back((*factors)[i]);
  }
  return run(request, input, computed, given);
}

constexpr const char* kNearestNames[] = {"", "upsample_nearest1d", "upsample_nearest2d", "upsample_nearest3d"};
constexpr const char* kSmoothNames[] = {"", "upsample_linear1d", "upsample_bilinear2d", "upsample_trilinear3d"};

template <std::size_t Dims, Mode M>
constexpr Request request(bool align_corners = false, bool antialias = false) {
  const char* const name = M == Mode::kCubic    ? "upsample_bicubic2d"
                           : M == Mode::kLinear ? kSmoothNames[Dims]
                                                : kNearestNames[Dims];
  return {name, Dims, M, align_corners, antialias};
}

template <Mode M>
Tensor nearest1d(const Tensor& self, Ints sizes, OptionalDouble scale) {
  return run(request<1, M>(), self, sizes, std::array{scale});
}
template <Mode M>
Tensor nearest2d(const Tensor& self, Ints sizes, OptionalDouble h, OptionalDouble w) {
  return run(request<2, M>(), self, sizes, std::array{h, w});
}
template <Mode M>
Tensor nearest3d(const Tensor& self, Ints sizes, OptionalDouble d, OptionalDouble h, OptionalDouble w) {
  return run(request<3, M>(), self, sizes, std::array{d, h, w});
}
template <std::size_t Dims, Mode M>
Tensor nearest_vector(const Tensor& input, OptionalInts sizes, OptionalDoubles factors) {
  return run_vector(request<Dims, M>(), input, sizes, factors);
}
Tensor linear1d(const Tensor& self, Ints sizes, bool align_corners, OptionalDouble scale) {
  return run(request<1, Mode::kLinear>(align_corners), self, sizes, std::array{scale});
}
template <Mode M, bool Antialias>
Tensor smooth2d(const Tensor& self, Ints sizes, bool align_corners, OptionalDouble h, OptionalDouble w) {
  return run(request<2, M>(align_corners, Antialias), self, sizes, std::array{h, w});
}
Tensor trilinear3d(const Tensor& self, Ints sizes, bool align_corners, OptionalDouble d, OptionalDouble h,
                   OptionalDouble w) {
  return run(request<3, Mode::kLinear>(align_corners), self, sizes, std::array{d, h, w});
}
template <std::size_t Dims, Mode M, bool Antialias>
Tensor smooth_vector(const Tensor& input, OptionalInts sizes, bool align_corners, OptionalDoubles factors) {
  return run_vector(request<Dims, M>(align_corners, Antialias), input, sizes, factors);
}

enum class Padding { kZeros, kBorder, kReflection };

// A position in [-1, 1] along an axis in elements, folded into the axis as the padding says.
template <class T>
struct GridAxis {
  std::int64_t size;
  bool align_corners;
  Padding padding;
  bool flat;  // of an image: there torch takes NaN for the first element, in volumes for the last

  T reflect(T at, T twice_low, T twice_high) const {
    if (twice_low == twice_high) return T(0);
    const T low = twice_low / T(2), span = (twice_high - twice_low) / T(2);
    at = std::abs(at - low);
    const T extra = std::fmod(at, span), flips = std::floor(at / span);
    return std::fmod(flips, T(2)) == T(0) ? extra + low : span - extra + low;
  }

  T fold(T at) const {
    if (padding == Padding::kZeros) return at;
    if (padding == Padding::kReflection)
      at = align_corners ? reflect(at, T(0), static_cast<T>(2 * (size - 1)))
                         : reflect(at, T(-1), static_cast<T>(2 * size - 1));
    if (flat && std::isnan(at)) return T(0);
    return std::min(static_cast<T>(size - 1), std::max(at, T(0)));
  }

  T unnormalized(T x) const {
    return align_corners ? (x + T(1)) / T(2) * static_cast<T>(size - 1)
                         : ((x + T(1)) * static_cast<T>(size) - T(1)) / T(2);
  }
};

// Weighted inputs of one output along one axis; those outside count as zero.
template <class T>
struct GridTaps {
  std::array<std::int64_t, 4> index{};
  std::array<T, 4> weight{};
  int count = 0;
  bool undefined = false;  // the position is no number, and so is the sample

  GridTaps(const GridAxis<T>& axis, T x, std::int64_t mode) {
    const T raw = axis.unnormalized(x);
    const T at = mode == 2 ? raw : axis.fold(raw);
    undefined = axis.flat && mode != 1 && !std::isfinite(at);
    if (undefined || (mode != 2 && !is_near(at))) {
      index[0] = -1;
      count = 1;
      return;
    }
    if (mode == 1) {
      index[0] = static_cast<std::int64_t>(std::nearbyint(at));
      weight[0] = T(1);
      count = 1;
      return;
    }
    const T base = std::floor(at);
    const auto first = static_cast<std::int64_t>(base);
    if (mode == 0) {
      index = {first, first + 1};
      weight = {base + T(1) - at, at - base};
      count = 2;
      return;
    }
    weight = cubic_weights(at - base);
    count = 4;
    for (int i = 0; i < 4; ++i) {
      const T tap = axis.fold(base + static_cast<T>(i - 1));
      index[static_cast<std::size_t>(i)] = is_near(tap) ? static_cast<std::int64_t>(tap) : -1;
    }
  }

  // Whether integers hold the position; no axis is longer.
  static bool is_near(T at) { return std::abs(at) < T(1e15); }
};

template <class T>
void sample_point(const std::array<GridAxis<T>, 3>& axes, const std::array<GridTaps<T>, 3>& taps, const T* planes,
                  std::int64_t channels, T* out, std::int64_t step) {
  const std::int64_t plane = axes[0].size * axes[1].size * axes[2].size;
  const bool undefined = taps[0].undefined || taps[1].undefined || taps[2].undefined;
  for (std::int64_t c = 0; c < channels; ++c) {
    T sum = undefined ? std::numeric_limits<T>::quiet_NaN() : T(0);
    for (int z = 0; z < taps[0].count; ++z)
      for (int y = 0; y < taps[1].count; ++y)
        for (int x = 0; x < taps[2].count; ++x) {
          const std::size_t i = static_cast<std::size_t>(z), j = static_cast<std::size_t>(y),
                            k = static_cast<std::size_t>(x);
          const std::int64_t iz = taps[0].index[i], iy = taps[1].index[j], ix = taps[2].index[k];
          if (iz < 0 || iz >= axes[0].size || iy < 0 || iy >= axes[1].size || ix < 0 || ix >= axes[2].size) continue;
          sum += planes[c * plane + (iz * axes[1].size + iy) * axes[2].size + ix] * taps[0].weight[i] *
                 taps[1].weight[j] * taps[2].weight[k];
        }
    out[c * step] = sum;
  }
}

template <class T>
void sample(const Tensor& input, const Tensor& grid, std::int64_t mode, Padding padding, bool align_corners,
            const Tensor& out) {
  const std::size_t dims = grid.sizes().size() - 2;
  const std::int64_t points = grid.numel() / std::max<std::int64_t>(1, grid.size(0) * static_cast<std::int64_t>(dims));
  const std::int64_t channels = input.size(1);
  std::array<GridAxis<T>, 3> axes;
  for (std::size_t i = 0; i < 3; ++i)
    axes[i] = {i + dims < 3 ? 1 : input.size(i + dims - 1), align_corners, padding, dims == 2};
  const std::int64_t image = axes[0].size * axes[1].size * axes[2].size * channels;
  const auto coordinates = static_cast<std::int64_t>(dims);
  parallel_for(0, grid.size(0) * points, std::max<std::int64_t>(1, kGrain / (8 * std::max<std::int64_t>(1, channels))),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin; i < end; ++i) {
                   const T* at = grid.data<const T>() + i * coordinates;  // x, y, z
                   const GridTaps<T> middle(GridAxis<T>{1, true, Padding::kBorder, true}, T(0), 1);
                   sample_point<T>(axes,
                                   {dims == 3 ? GridTaps<T>(axes[0], at[2], mode) : middle,
                                    GridTaps<T>(axes[1], at[1], mode), GridTaps<T>(axes[2], at[0], mode)},
                                   input.data<const T>() + i / points * image, channels,
                                   out.data<T>() + i / points * channels * points + i % points, points);
                 }
               });
}

// input: [n, c, (d,) h, w], grid: [n, (od,) oh, ow, 2 or 3], mode: 0 linear, 1 nearest, 2 cubic.
Tensor grid_sampler(const Tensor& input, const Tensor& grid, std::int64_t mode, std::int64_t padding,
                    bool align_corners) {
  const std::int64_t dims = input.dim() - 2;
  bool fits = (dims == 2 || dims == 3) && grid.dim() == input.dim() && grid.size(0) == input.size(0) &&
              grid.size(static_cast<std::size_t>(dims) + 1) == dims && grid.dtype() == input.dtype();
  for (std::int64_t i = 0; fits && i < dims; ++i) fits = input.size(static_cast<std::size_t>(i) + 2) > 0;
  if (!fits)
    fail_value("grid_sampler: " + describe("input", input) + " and " + describe("grid", grid) +
               "; expected [n, c, h, w] and [n, oh, ow, 2], or [n, c, d, h, w] and [n, od, oh, ow, 3], of one dtype");
  if (mode < 0 || mode > 2 || padding < 0 || padding > 2 || (mode == 2 && dims == 3))
    fail_value("grid_sampler: interpolation_mode is " + std::to_string(mode) + " and padding_mode " +
               std::to_string(padding) + "; expected 0 to 2, and no cubic interpolation in three dimensions");
  Dims sizes = input.sizes();
  for (std::size_t i = 0; i < static_cast<std::size_t>(dims); ++i) sizes[i + 2] = grid.size(i + 1);
  const Tensor out = Tensor::empty(sizes, input.dtype());
  if (out.numel() == 0) return out;
  visit_dtype(FloatingTypes(), input.dtype(), "grid_sampler", [&]<class T>() {
    sample<T>(input.contiguous(), grid.contiguous(), mode, static_cast<Padding>(padding), align_corners, out);
  });
  return out;
}

constexpr OpDefinition kOps[] = {
    define_op<in_float<nearest1d<Mode::kNearest>>>(
        "aten::upsample_nearest1d(Tensor self, SymInt[1] output_size, float? scales=None) -> Tensor"),
    define_op<in_float<nearest_vector<1, Mode::kNearest>>>(
        "aten::upsample_nearest1d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> Tensor"),
    define_op<in_float<nearest1d<Mode::kNearestExact>>>(
        "aten::_upsample_nearest_exact1d(Tensor self, SymInt[1] output_size, float? scales=None) -> Tensor"),
    define_op<in_float<nearest_vector<1, Mode::kNearestExact>>>(
        "aten::_upsample_nearest_exact1d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> Tensor"),
    define_op<on_quantized<in_float<nearest2d<Mode::kNearest>>>>(
        "aten::upsample_nearest2d(Tensor self, SymInt[2] output_size, float? scales_h=None, float? scales_w=None) -> "
        "Tensor"),
    define_op<on_quantized<in_float<nearest_vector<2, Mode::kNearest>>>>(
        "aten::upsample_nearest2d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> Tensor"),
    define_op<in_float<nearest2d<Mode::kNearestExact>>>(
        "aten::_upsample_nearest_exact2d(Tensor self, SymInt[2] output_size, float? scales_h=None, float? "
        "scales_w=None) -> Tensor"),
    define_op<in_float<nearest_vector<2, Mode::kNearestExact>>>(
        "aten::_upsample_nearest_exact2d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> Tensor"),
    define_op<in_float<nearest3d<Mode::kNearest>>>(
        "aten::upsample_nearest3d(Tensor self, SymInt[3] output_size, float? scales_d=None, float? scales_h=None, "
        "float? scales_w=None) -> Tensor"),
    define_op<in_float<nearest_vector<3, Mode::kNearest>>>(
        "aten::upsample_nearest3d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> Tensor"),
    define_op<in_float<nearest3d<Mode::kNearestExact>>>(
        "aten::_upsample_nearest_exact3d(Tensor self, SymInt[3] output_size, float? scales_d=None, float? "
        "scales_h=None, float? scales_w=None) -> Tensor"),
    define_op<in_float<nearest_vector<3, Mode::kNearestExact>>>(
        "aten::_upsample_nearest_exact3d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> Tensor"),
    define_op<in_float<linear1d>>(
        "aten::upsample_linear1d(Tensor self, SymInt[1] output_size, bool align_corners, float? scales=None) -> "
        "Tensor"),
    define_op<in_float<smooth_vector<1, Mode::kLinear, false>>>(
        "aten::upsample_linear1d.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? "
        "scale_factors) -> Tensor"),
    define_op<on_quantized<in_float<smooth2d<Mode::kLinear, false>>>>(
        "aten::upsample_bilinear2d(Tensor self, SymInt[2] output_size, bool align_corners, float? scales_h=None, "
        "float? scales_w=None) -> Tensor"),
    define_op<on_quantized<in_float<smooth_vector<2, Mode::kLinear, false>>>>(
        "aten::upsample_bilinear2d.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? "
        "scale_factors) -> Tensor"),
    define_op<in_float<smooth2d<Mode::kLinear, true>>>(
        "aten::_upsample_bilinear2d_aa(Tensor self, SymInt[2] output_size, bool align_corners, float? scales_h=None, "
        "float? scales_w=None) -> Tensor"),
    define_op<in_float<smooth_vector<2, Mode::kLinear, true>>>(
        "aten::_upsample_bilinear2d_aa.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? "
        "scale_factors) -> Tensor"),
    define_op<in_float<smooth2d<Mode::kCubic, false>>>(
        "aten::upsample_bicubic2d(Tensor self, SymInt[2] output_size, bool align_corners, float? scales_h=None, "
        "float? scales_w=None) -> Tensor"),
    define_op<in_float<smooth_vector<2, Mode::kCubic, false>>>(
        "aten::upsample_bicubic2d.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? "
        "scale_factors) -> Tensor"),
    define_op<in_float<smooth2d<Mode::kCubic, true>>>(
        "aten::_upsample_bicubic2d_aa(Tensor self, SymInt[2] output_size, bool align_corners, float? scales_h=None, "
        "float? scales_w=None) -> Tensor"),
    define_op<in_float<smooth_vector<2, Mode::kCubic, true>>>(
        "aten::_upsample_bicubic2d_aa.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? "
        "scale_factors) -> Tensor"),
    define_op<in_float<trilinear3d>>(
        "aten::upsample_trilinear3d(Tensor self, SymInt[3] output_size, bool align_corners, float? scales_d=None, "
        "float? scales_h=None, float? scales_w=None) -> Tensor"),
    define_op<in_float<smooth_vector<3, Mode::kLinear, false>>>(
        "aten::upsample_trilinear3d.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? "
        "scale_factors) -> Tensor"),
    define_op<in_float<grid_sampler>>(
        "aten::grid_sampler(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool align_corners) "
        "-> Tensor"),
    define_op<in_float<grid_sampler>>(
        "aten::grid_sampler_2d(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool "
        "align_corners) -> Tensor"),
    define_op<in_float<grid_sampler>>(
        "aten::grid_sampler_3d(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool "
        "align_corners) -> Tensor"),
};

}  // namespace

std::span<const OpDefinition> resampling_ops() { return kOps; }

}  // namespace threadwheel
