// Pooling over one to three dimensions, and the shuffles between channels and space. All of it runs plane by plane,
// planes on the pool; within a plane whole rows of the output at a time, which is what vectorises.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>

#include "ops/families.h"
#include "ops/shared/quantize.h"
#include "ops/shared/shapes.h"
#include "threadwheel/error.h"
#include "threadwheel/parallel.h"

namespace threadwheel {
namespace {

using Ints = std::span<const std::int64_t>;
using Extent = std::array<std::int64_t, 3>;

constexpr std::int64_t kGrain = 16384;  // window elements worth a thread

std::int64_t volume(const Extent& extent) { return extent[0] * extent[1] * extent[2]; }

// A pooling over depth, height and width; dimensions not in use have size, kernel and stride 1.
struct Window {
  Extent input, kernel, stride, padding, dilation, output;
  bool count_padding = true;
  std::optional<std::int64_t> divisor;
};

// One number stands for all dimensions.
Extent read_extent(const char* op, const char* name, std::size_t dims, Ints values, std::int64_t least,
                   std::int64_t unused) {
  if (values.size() != 1 && values.size() != dims)
    fail_value(std::string(op) + ": " + name + " has " + std::to_string(values.size()) + " numbers; expected 1 or " +
               std::to_string(dims));
  Extent extent{unused, unused, unused};
  for (std::size_t i = 0; i < dims; ++i) {
    const std::int64_t value = values.size() == 1 ? values[0] : values[i];
    if (value < least || value > INT32_MAX)
      fail_value(std::string(op) + ": " + name + " is " + to_string(values) + "; expected " + std::to_string(least) +
                 " or more");
    extent[3 - dims + i] = value;
  }
  return extent;
}

void check_input(const char* op, const Tensor& input, std::size_t dims) {
  const auto rank = static_cast<std::size_t>(input.dim());
  bool empty = false;
  for (std::size_t i = rank - std::min(rank, dims); i < rank; ++i) empty |= input.size(i) == 0;
  if ((rank != dims + 1 && rank != dims + 2) || empty)
    fail_value(std::string(op) + ": " + describe("input", input) + "; expected " + std::to_string(dims + 1) + " or " +
               std::to_string(dims + 2) + " dimensions, the last " + std::to_string(dims) + " not empty");
}

std::int64_t output_size(const char* op, const Window& w, std::size_t i, bool ceil_mode) {
  const std::int64_t reach = w.dilation[i] * (w.kernel[i] - 1) + 1, padded = w.input[i] + 2 * w.padding[i];
  std::int64_t steps = padded - reach;
  if (steps < 0 && (!ceil_mode || steps + w.stride[i] <= 0))
    fail_value(std::string(op) + ": the kernel covers " + std::to_string(reach) + " and the padded input has " +
               std::to_string(padded) + "; the kernel must not be larger");
  if (ceil_mode) steps += w.stride[i] - 1;
  std::int64_t size = steps / w.stride[i] + 1;
  // The last window starts inside the input or the padding before it.
  if (ceil_mode && (size - 1) * w.stride[i] >= w.input[i] + w.padding[i]) --size;
  return size;
}

Window make_window(const char* op, const Tensor& input, std::size_t dims, Ints kernel, Ints stride, Ints padding,
                   Ints dilation, bool ceil_mode) {
  check_input(op, input, dims);
  Window window{};
  window.kernel = read_extent(op, "kernel_size", dims, kernel, 1, 1);
  window.stride = stride.empty() ? window.kernel : read_extent(op, "stride", dims, stride, 1, 1);
  window.padding = read_extent(op, "padding", dims, padding, 0, 0);
  window.dilation = read_extent(op, "dilation", dims, dilation, 1, 1);
  window.input = window.output = Extent{1, 1, 1};
  for (std::size_t i = 3 - dims; i < 3; ++i) {
    window.input[i] = input.size(static_cast<std::size_t>(input.dim()) - 3 + i);
    if (window.padding[i] > ((window.kernel[i] - 1) * window.dilation[i] + 1) / 2)
      fail_value(std::string(op) + ": padding is " + to_string(padding) + " and kernel_size " + to_string(kernel) +
                 "; padding must be at most half of the kernel");
    window.output[i] = output_size(op, window, i, ceil_mode);
  }
  return window;
}

Tensor make_output(const Tensor& input, std::size_t dims, const Extent& output, DType dtype) {
  Dims sizes = input.sizes();
  std::copy(output.end() - static_cast<std::ptrdiff_t>(dims), output.end(),
            sizes.end() - static_cast<std::ptrdiff_t>(dims));
  return Tensor::empty(sizes, dtype);
}

// Calls body(plane) for all planes of a batch, on the pool.
template <class Body>
void for_planes(const Tensor& input, std::size_t dims, std::int64_t work, const Body& body) {
  const std::int64_t count = count_elements(std::span(input.sizes()).first(input.sizes().size() - dims));
  parallel_for(0, count, std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, work)),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t plane = begin; plane < end; ++plane) body(plane);
               });
}

// Which outputs have kernel position k inside the input.
struct Range {
  std::int64_t first, last;
};

Range inside(const Window& w, std::size_t i, std::int64_t k) {
  const std::int64_t offset = k * w.dilation[i] - w.padding[i], stride = w.stride[i];
  const auto divide_up = [](std::int64_t a, std::int64_t b) { return a <= 0 ? 0 : (a + b - 1) / b; };
  const std::int64_t first = std::min(w.output[i], divide_up(-offset, stride));
  return {first, std::clamp(divide_up(w.input[i] - offset, stride), first, w.output[i])};
}

template <class T>
constexpr T kLowest = std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity()
                                                           : std::numeric_limits<T>::lowest();

// NaN wins, and the first of equals.
template <class T>
THREADWHEEL_INLINE bool replaces(T x, T best) {
  return x > best || x != x;
}

template <class T>
THREADWHEEL_KERNEL void max_row(std::int64_t n, const T* x, std::int64_t step, T* out) {
  const auto larger = [](T value, T best)
                          __attribute__((always_inline)) { return replaces(value, best) ? value : best; };
  if (step == 1) {
    for (std::int64_t i = 0; i < n; ++i) out[i] = larger(x[i], out[i]);
  } else if (step == 2) {
    for (std::int64_t i = 0; i < n; ++i) out[i] = larger(x[2 * i], out[i]);
  } else {
    for (std::int64_t i = 0; i < n; ++i) out[i] = larger(x[i * step], out[i]);
  }
}

template <class T>
THREADWHEEL_KERNEL void max_row_indexed(std::int64_t n, const T* x, std::int64_t step, std::int64_t index, T* out,
                                        std::int64_t* indices) {
  for (std::int64_t i = 0; i < n; ++i) {
    const T value = x[i * step];
    const bool take = replaces(value, out[i]);
    out[i] = take ? value : out[i];
    indices[i] = take ? index + i * step : indices[i];
  }
}

template <class T>
THREADWHEEL_KERNEL void add_row(std::int64_t n, const T* x, std::int64_t step, T* out) {
  if (step == 1) {
    for (std::int64_t i = 0; i < n; ++i) out[i] += x[i];
  } else if (step == 2) {
    for (std::int64_t i = 0; i < n; ++i) out[i] += x[2 * i];
  } else {
    for (std::int64_t i = 0; i < n; ++i) out[i] += x[i * step];
  }
}

// For each output row (z, y) and each kernel position inside: run(output row, first output, count, first input).
template <class Start, class Run, class End>
void for_window_rows(const Window& w, const Start& start, const Run& run, const End& end) {
  std::int64_t row = 0;
  for (std::int64_t z = 0; z < w.output[0]; ++z)
    for (std::int64_t y = 0; y < w.output[1]; ++y, ++row) {
      start(row * w.output[2]);
      for (std::int64_t kz = 0; kz < w.kernel[0]; ++kz)
        for (std::int64_t ky = 0; ky < w.kernel[1]; ++ky) {
          const std::int64_t iz = z * w.stride[0] - w.padding[0] + kz * w.dilation[0];
          const std::int64_t iy = y * w.stride[1] - w.padding[1] + ky * w.dilation[1];
          if (iz < 0 || iz >= w.input[0] || iy < 0 || iy >= w.input[1]) continue;
          for (std::int64_t kx = 0; kx < w.kernel[2]; ++kx) {
            const Range x = inside(w, 2, kx);
            const std::int64_t column = x.first * w.stride[2] - w.padding[2] + kx * w.dilation[2];
            if (x.last > x.first)
              run(row * w.output[2] + x.first, x.last - x.first, (iz * w.input[1] + iy) * w.input[2] + column);
          }
        }
      end(row * w.output[2], z, y);
    }
}

template <class T>
void max_plane(const Window& w, const T* x, T* out, std::int64_t* indices) {
  const auto ignore = [](auto...) {};
  const std::int64_t step = w.stride[2], width = w.output[2];
  if (indices == nullptr) {
    for_window_rows(
        w, [&](std::int64_t row) { std::fill_n(out + row, width, kLowest<T>); },
        [&](std::int64_t to, std::int64_t n, std::int64_t from) { max_row(n, x + from, step, out + to); }, ignore);
    return;
  }
  const auto start = [&](std::int64_t row) {
    std::fill_n(out + row, width, kLowest<T>);
    std::fill_n(indices + row, width, std::int64_t{-1});
  };
  // Where nothing exceeds the lowest number, the first element of the window is the largest.
  const auto end = [&](std::int64_t row, std::int64_t z, std::int64_t y) {
    const auto first = [&](std::size_t i, std::int64_t o) {
      const std::int64_t at = o * w.stride[i] - w.padding[i];
      return at >= 0 ? at : at + (-at + w.dilation[i] - 1) / w.dilation[i] * w.dilation[i];
    };
    for (std::int64_t i = 0; i < width; ++i)
      if (indices[row + i] < 0)
        indices[row + i] = (first(0, z) * w.input[1] + first(1, y)) * w.input[2] + first(2, i);
  };
  for_window_rows(
      w, start,
      [&](std::int64_t to, std::int64_t n, std::int64_t from) {
        max_row_indexed(n, x + from, step, from, out + to, indices + to);
      },
      end);
}

using TensorPair = std::tuple<Tensor, Tensor>;

TensorPair max_pool_any(const char* op, std::size_t dims, const Tensor& self, Ints kernel, Ints stride, Ints padding,
                        Ints dilation, bool ceil_mode, bool with_indices) {
  const Window w = make_window(op, self, dims, kernel, stride, padding, dilation, ceil_mode);
  const Tensor x = self.contiguous(), out = make_output(self, dims, w.output, self.dtype());
  const Tensor indices = with_indices ? make_output(self, dims, w.output, DType::kInt64) : Tensor();
  visit_dtype(RealTypes(), self.dtype(), op, [&]<class T>() {
    for_planes(x, dims, volume(w.output) * volume(w.kernel), [&](std::int64_t plane) {
      max_plane(w, x.data<const T>() + plane * volume(w.input), out.data<T>() + plane * volume(w.output),
                with_indices ? indices.data<std::int64_t>() + plane * volume(w.output) : nullptr);
    });
  });
  return {out, indices};
}

constexpr const char* kMaxNames[] = {"", "max_pool1d", "max_pool2d", "max_pool3d"};

template <std::size_t Dims>
Tensor max_pool(const Tensor& self, Ints kernel, Ints stride, Ints padding, Ints dilation, bool ceil_mode) {
  return std::get<0>(max_pool_any(kMaxNames[Dims], Dims, self, kernel, stride, padding, dilation, ceil_mode, false));
}

template <std::size_t Dims>
TensorPair max_pool_with_indices(const Tensor& self, Ints kernel, Ints stride, Ints padding, Ints dilation,
                                 bool ceil_mode) {
  return max_pool_any(kMaxNames[Dims], Dims, self, kernel, stride, padding, dilation, ceil_mode, true);
}

// How many of the window's elements count at output o: those inside, or with the padding, but never what ceil_mode
// adds beyond it.
std::int64_t counted(const Window& w, std::size_t i, std::int64_t o) {
  const std::int64_t start = o * w.stride[i] - w.padding[i];
  const std::int64_t end = std::min(start + w.kernel[i], w.input[i] + w.padding[i]);
  return w.count_padding ? end - start : std::min(end, w.input[i]) - std::max<std::int64_t>(start, 0);
}

template <class T>
void average_plane(const Window& w, const T* x, T* out) {
  const std::int64_t width = w.output[2];
  for_window_rows(
      w, [&](std::int64_t row) { std::fill_n(out + row, width, T(0)); },
      [&](std::int64_t to, std::int64_t n, std::int64_t from) { add_row(n, x + from, w.stride[2], out + to); },
      [&](std::int64_t row, std::int64_t z, std::int64_t y) {
        const std::int64_t rows = counted(w, 0, z) * counted(w, 1, y);
        for (std::int64_t i = 0; i < width; ++i) {
          const std::int64_t divisor = w.divisor.value_or(rows * counted(w, 2, i));
          out[row + i] = static_cast<T>(out[row + i] / static_cast<T>(divisor));
        }
      });
}

Tensor average_any(const char* op, std::size_t dims, const Tensor& self, Ints kernel, Ints stride, Ints padding,
                   bool ceil_mode, bool count_padding, std::optional<std::int64_t> divisor) {
  constexpr std::int64_t kOnes[] = {1};
  Window w = make_window(op, self, dims, kernel, stride, padding, kOnes, ceil_mode);
  if (divisor == 0) fail_value(std::string(op) + ": divisor_override is 0; expected another number");
  w.count_padding = count_padding;
  w.divisor = divisor;
  const Tensor x = self.contiguous(), out = make_output(self, dims, w.output, self.dtype());
  visit_dtype(TypeList<float, double, std::int64_t>(), self.dtype(), op, [&]<class T>() {
    for_planes(x, dims, volume(w.output) * volume(w.kernel), [&](std::int64_t plane) {
      average_plane(w, x.data<const T>() + plane * volume(w.input), out.data<T>() + plane * volume(w.output));
    });
  });
  return out;
}

Tensor avg_pool1d(const Tensor& self, Ints kernel, Ints stride, Ints padding, bool ceil_mode, bool count_padding) {
  return average_any("avg_pool1d", 1, self, kernel, stride, padding, ceil_mode, count_padding, std::nullopt);
}

template <std::size_t Dims>
Tensor avg_pool(const Tensor& self, Ints kernel, Ints stride, Ints padding, bool ceil_mode, bool count_padding,
                std::optional<std::int64_t> divisor) {
  return average_any(Dims == 2 ? "avg_pool2d" : "avg_pool3d", Dims, self, kernel, stride, padding, ceil_mode,
                     count_padding, divisor);
}

// Window of output o where `outputs` of them cover `inputs` elements.
Range adaptive_range(std::int64_t o, std::int64_t inputs, std::int64_t outputs) {
  return {o * inputs / outputs, ((o + 1) * inputs + outputs - 1) / outputs};
}

// Calls body(output, begin and end of the window in each dimension).
template <class Body>
void for_adaptive_windows(const Extent& input, const Extent& output, const Body& body) {
  std::int64_t o = 0;
  for (std::int64_t z = 0; z < output[0]; ++z)
    for (std::int64_t y = 0; y < output[1]; ++y)
      for (std::int64_t x = 0; x < output[2]; ++x)
        body(o++, adaptive_range(z, input[0], output[0]), adaptive_range(y, input[1], output[1]),
             adaptive_range(x, input[2], output[2]));
}

// Terms go round over a fixed set of lanes: fast, and more exact than one sum.
template <class T>
THREADWHEEL_KERNEL T sum_dense(const T* x, std::int64_t n) {
  constexpr std::int64_t kLanes = 32;
  T lanes[kLanes] = {};
  const std::int64_t whole = n / kLanes * kLanes;
  for (std::int64_t i = 0; i < whole; i += kLanes)
    for (std::int64_t lane = 0; lane < kLanes; ++lane) lanes[lane] += x[i + lane];
  for (std::int64_t i = whole; i < n; ++i) lanes[i - whole] += x[i];
  for (std::int64_t width = kLanes / 2; width > 0; width /= 2)
    for (std::int64_t lane = 0; lane < width; ++lane) lanes[lane] += lanes[lane + width];
  return lanes[0];
}

template <class T>
void adaptive_average_plane(const Extent& input, const Extent& output, const T* x, T* out) {
  for_adaptive_windows(input, output, [&](std::int64_t o, Range z, Range y, Range column) {
    T sum(0);
    const std::int64_t width = column.last - column.first;
    if (width == input[2] && y.last - y.first == input[1]) {  // rows follow each other
      sum = sum_dense(x + z.first * input[1] * input[2], (z.last - z.first) * input[1] * input[2]);
    } else {
      for (std::int64_t iz = z.first; iz < z.last; ++iz)
        for (std::int64_t iy = y.first; iy < y.last; ++iy)
          for (std::int64_t i = 0; i < width; ++i) sum += x[(iz * input[1] + iy) * input[2] + column.first + i];
    }
    out[o] = sum / static_cast<T>((z.last - z.first) * (y.last - y.first) * width);
  });
}

template <class T>
void adaptive_max_plane(const Extent& input, const Extent& output, const T* x, T* out, std::int64_t* indices) {
  for_adaptive_windows(input, output, [&](std::int64_t o, Range z, Range y, Range column) {
    indices[o] = (z.first * input[1] + y.first) * input[2] + column.first;
    out[o] = kLowest<T>;
    for (std::int64_t iz = z.first; iz < z.last; ++iz)
      for (std::int64_t iy = y.first; iy < y.last; ++iy)
        for (std::int64_t i = column.first; i < column.last; ++i) {
          const std::int64_t at = (iz * input[1] + iy) * input[2] + i;
          if (!replaces(x[at], out[o])) continue;
          out[o] = x[at];
          indices[o] = at;
        }
  });
}

struct Adaptive {
  Extent input{1, 1, 1}, output{1, 1, 1};

  Adaptive(const char* op, std::size_t dims, const Tensor& self, Ints sizes)
      : output((check_input(op, self, dims), read_extent(op, "output_size", dims, sizes, 0, 1))) {
    for (std::size_t i = 3 - dims; i < 3; ++i) input[i] = self.size(static_cast<std::size_t>(self.dim()) - 3 + i);
  }
};

constexpr const char* kAdaptiveAverage[] = {"", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d"};
constexpr const char* kAdaptiveMax[] = {"", "adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d"};

template <std::size_t Dims>
Tensor adaptive_avg_pool(const Tensor& self, Ints sizes) {
  const char* const op = kAdaptiveAverage[Dims];
  const Adaptive a(op, Dims, self, sizes);
  const Tensor x = self.contiguous(), out = make_output(self, Dims, a.output, self.dtype());
  visit_dtype(FloatingTypes(), self.dtype(), op, [&]<class T>() {
    for_planes(x, Dims, volume(a.input), [&](std::int64_t plane) {
      adaptive_average_plane(a.input, a.output, x.data<const T>() + plane * volume(a.input),
                             out.data<T>() + plane * volume(a.output));
    });
  });
  return out;
}

template <std::size_t Dims>
TensorPair adaptive_max_pool(const Tensor& self, Ints sizes) {
  const char* const op = kAdaptiveMax[Dims];
  const Adaptive a(op, Dims, self, sizes);
  const Tensor x = self.contiguous(), out = make_output(self, Dims, a.output, self.dtype());
  const Tensor indices = make_output(self, Dims, a.output, DType::kInt64);
  visit_dtype(FloatingTypes(), self.dtype(), op, [&]<class T>() {
    for_planes(x, Dims, volume(a.input), [&](std::int64_t plane) {
      adaptive_max_plane(a.input, a.output, x.data<const T>() + plane * volume(a.input),
                         out.data<T>() + plane * volume(a.output),
                         indices.data<std::int64_t>() + plane * volume(a.output));
    });
  });
  return {out, indices};
}

// self as [leading, ...middle], permuted by `order` over the whole, under the sizes of the result.
Tensor rearrange(const Tensor& self, std::span<const std::int64_t> split, std::span<const std::size_t> order,
                 std::span<const std::int64_t> sizes) {
  return copy_of(reshaped(permute_view(reshaped(self, split), order).contiguous(), sizes));
}

std::int64_t check_shuffle(const char* op, const Tensor& self, std::int64_t factor) {
  if (self.dim() < 3 || factor < 1)
    fail_value(std::string(op) + ": " + describe("input", self) + " and the factor is " + std::to_string(factor) +
               "; expected 3 dimensions or more, and 1 or more");
  return count_elements(std::span(self.sizes()).first(self.sizes().size() - 3));
}

Dims with_last_three(const Tensor& self, std::int64_t c, std::int64_t h, std::int64_t w) {
  Dims sizes = self.sizes();
  const std::size_t rank = sizes.size();
  sizes[rank - 3] = c;
  sizes[rank - 2] = h;
  sizes[rank - 1] = w;
  return sizes;
}

// [..., c r^2, h, w] -> [..., c, h r, w r].
Tensor pixel_shuffle(const Tensor& self, std::int64_t r) {
  const std::int64_t batch = check_shuffle("pixel_shuffle", self, r);
  const auto rank = static_cast<std::size_t>(self.dim());
  const std::int64_t c = self.size(rank - 3), h = self.size(rank - 2), w = self.size(rank - 1);
  if (c % (r * r) != 0)
    fail_value("pixel_shuffle: " + describe("input", self) + " and upscale_factor is " + std::to_string(r) +
               "; the channels must be a multiple of its square");
  const std::int64_t split[] = {batch, c / (r * r), r, r, h, w};
  constexpr std::size_t kOrder[] = {0, 1, 4, 2, 5, 3};
  return rearrange(self, split, kOrder, with_last_three(self, c / (r * r), h * r, w * r));
}

// [..., c, h r, w r] -> [..., c r^2, h, w].
Tensor pixel_unshuffle(const Tensor& self, std::int64_t r) {
  const std::int64_t batch = check_shuffle("pixel_unshuffle", self, r);
  const auto rank = static_cast<std::size_t>(self.dim());
  const std::int64_t c = self.size(rank - 3), h = self.size(rank - 2), w = self.size(rank - 1);
  if (h % r != 0 || w % r != 0)
    fail_value("pixel_unshuffle: " + describe("input", self) + " and downscale_factor is " + std::to_string(r) +
               "; height and width must be multiples of it");
  const std::int64_t split[] = {batch, c, h / r, r, w / r, r};
  constexpr std::size_t kOrder[] = {0, 1, 3, 5, 2, 4};
  return rearrange(self, split, kOrder, with_last_three(self, c * r * r, h / r, w / r));
}

// Channels [g, c / g] -> [c / g, g].
Tensor channel_shuffle(const Tensor& self, std::int64_t groups) {
  if (self.dim() < 3 || groups < 1 || self.size(1) % groups != 0)
    fail_value("channel_shuffle: " + describe("input", self) + " and groups is " + std::to_string(groups) +
               "; expected 3 dimensions or more, the second a multiple of groups");
  const std::int64_t inner = count_elements(std::span(self.sizes()).subspan(2));
  const std::int64_t split[] = {self.size(0), groups, self.size(1) / groups, inner};
  constexpr std::size_t kOrder[] = {0, 2, 1, 3};
  return rearrange(self, split, kOrder, self.sizes());
}

constexpr OpDefinition kOps[] = {
    define_op<on_quantized<in_float<max_pool<1>>>>(
        "aten::max_pool1d(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=[0], int[1] dilation=[1], "
        "bool ceil_mode=False) -> Tensor"),
    define_op<on_quantized<in_float<max_pool<2>>>>(
        "aten::max_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, int[2] dilation=1, bool "
        "ceil_mode=False) -> Tensor"),
    define_op<in_float<max_pool<3>>>(
        "aten::max_pool3d(Tensor self, int[3] kernel_size, int[3] stride=[], int[3] padding=0, int[3] dilation=1, bool "
        "ceil_mode=False) -> Tensor"),
    define_op<in_float<max_pool_with_indices<1>>>(
        "aten::max_pool1d_with_indices(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=[0], int[1] "
        "dilation=[1], bool ceil_mode=False) -> (Tensor, Tensor)"),
    define_op<in_float<max_pool_with_indices<2>>>(
        "aten::max_pool2d_with_indices(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, int[2] "
        "dilation=1, bool ceil_mode=False) -> (Tensor, Tensor)"),
    define_op<in_float<max_pool_with_indices<3>>>(
        "aten::max_pool3d_with_indices(Tensor self, int[3] kernel_size, int[3] stride=[], int[3] padding=0, int[3] "
        "dilation=1, bool ceil_mode=False) -> (Tensor, Tensor)"),
    define_op<in_float<avg_pool1d>>(
        "aten::avg_pool1d(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=[0], bool ceil_mode=False, "
        "bool count_include_pad=True) -> Tensor"),
    define_op<on_quantized<in_float<avg_pool<2>>>>(
        "aten::avg_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, bool ceil_mode=False, "
        "bool count_include_pad=True, int? divisor_override=None) -> Tensor"),
    define_op<in_float<avg_pool<3>>>(
        "aten::avg_pool3d(Tensor self, int[3] kernel_size, int[3] stride=[], int[3] padding=0, bool ceil_mode=False, "
        "bool count_include_pad=True, int? divisor_override=None) -> Tensor"),
    define_op<in_float<adaptive_avg_pool<1>>>("aten::adaptive_avg_pool1d(Tensor self, int[1] output_size) -> Tensor"),
    define_op<on_quantized<in_float<adaptive_avg_pool<2>>>>(
        "aten::adaptive_avg_pool2d(Tensor self, SymInt[2] output_size) -> Tensor"),
    define_op<on_quantized<in_float<adaptive_avg_pool<2>>>>(
        "aten::_adaptive_avg_pool2d(Tensor self, SymInt[2] output_size) -> Tensor"),
    define_op<in_float<adaptive_avg_pool<3>>>(
        "aten::adaptive_avg_pool3d(Tensor self, SymInt[3] output_size) -> Tensor"),
    define_op<in_float<adaptive_avg_pool<3>>>(
        "aten::_adaptive_avg_pool3d(Tensor self, SymInt[3] output_size) -> Tensor"),
    define_op<in_float<adaptive_max_pool<1>>>(
        "aten::adaptive_max_pool1d(Tensor self, int[1] output_size) -> (Tensor, Tensor)"),
    define_op<in_float<adaptive_max_pool<2>>>(
        "aten::adaptive_max_pool2d(Tensor self, int[2] output_size) -> (Tensor, Tensor)"),
    define_op<in_float<adaptive_max_pool<3>>>(
        "aten::adaptive_max_pool3d(Tensor self, int[3] output_size) -> (Tensor, Tensor)"),
    define_op<pixel_shuffle>("aten::pixel_shuffle(Tensor self, int upscale_factor) -> Tensor"),
    define_op<pixel_unshuffle>("aten::pixel_unshuffle(Tensor self, int downscale_factor) -> Tensor"),
    define_op<channel_shuffle>("aten::channel_shuffle(Tensor self, SymInt groups) -> Tensor"),
    define_op<channel_shuffle>("aten::native_channel_shuffle(Tensor self, SymInt groups) -> Tensor"),
};

}  // namespace

std::span<const OpDefinition> pooling_ops() { return kOps; }

}  // namespace threadwheel
