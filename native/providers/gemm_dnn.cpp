// linear as one product; convolutions as products over unfolded patches (im2col), a block of rows at a time, and
// transposed ones as products that are folded back (col2im). One channel per group, "depthwise", has no product in
// it: rows are added up directly.
#include "providers/gemm_dnn.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "providers/blas.h"
#include "tensor/isa.h"
#include "tensor/tensor.h"
#include "threadwheel/parallel.h"

namespace threadwheel::gemm_dnn {
namespace {

using dnn::ConvShape;
using Extent = std::array<std::int64_t, 3>;

constexpr std::int64_t kGrain = 32768;  // elements worth a thread

// Unfolded patches are kept below this: the second-level cache of a few cores, and bounded memory for large images.
constexpr std::int64_t kPatchBytes = 8 << 20;

std::int64_t volume(const Extent& extent) { return extent[0] * extent[1] * extent[2]; }

template <class T>
void fill_rows(T* output, std::int64_t rows, std::int64_t columns, const T* row) {
  const std::int64_t grain = std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, columns));
  parallel_for(0, rows, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) std::copy_n(row, columns, output + r * columns);
  });
}

// How positions of two grids meet under one kernel position: `from` runs over the unfolded grid, and lands in the
// other one at from * stride + offset.
struct Line {
  std::int64_t first, last;  // the positions that land inside
  std::int64_t offset;
};

Line line(const ConvShape& shape, std::size_t axis, std::int64_t k, std::int64_t count, std::int64_t limit) {
  const std::int64_t stride = shape.stride[axis], offset = k * shape.dilation[axis] - shape.padding[axis];
  const auto divide_up = [](std::int64_t a, std::int64_t b) { return a <= 0 ? 0 : (a + b - 1) / b; };
  const std::int64_t first = std::min(count, divide_up(-offset, stride));
  return {first, std::clamp(divide_up(limit - offset, stride), first, count), offset};
}

// One image of one group. The unfolded matrix has a row per channel and kernel position, a column per position of
// the grid that is unfolded: the output, or the input of a transposed convolution.
template <class T>
struct Patches {
  const ConvShape& shape;
  Extent grid, other;  // columns run over grid; channels have the extent of other
  std::int64_t first_row, rows;  // of the grid's depth x height

  // Calls run(line of x, row in the patches, row in the channel or -1 when all of it lies outside).
  template <class Run>
  void for_rows(std::int64_t index, const Run& run) const {
    const std::int64_t kx = index % shape.kernel[2], ky = index / shape.kernel[2] % shape.kernel[1];
    const std::int64_t kz = index / (shape.kernel[2] * shape.kernel[1]) % shape.kernel[0];
    const Line x = line(shape, 2, kx, grid[2], other[2]);
    for (std::int64_t row = 0; row < rows; ++row) {
      const std::int64_t z = (first_row + row) / grid[1] * shape.stride[0] + kz * shape.dilation[0] - shape.padding[0];
      const std::int64_t y = (first_row + row) % grid[1] * shape.stride[1] + ky * shape.dilation[1] - shape.padding[1];
      const bool inside = z >= 0 && z < other[0] && y >= 0 && y < other[1];
      run(x, row, inside ? z * other[1] + y : -1);
    }
  }

  void unfold_row(const T* channels, std::int64_t index, T* out) const {
    const T* channel = channels + index / volume(shape.kernel) * volume(other);
    const std::int64_t stride = shape.stride[2], width = grid[2];
    for_rows(index, [&](const Line& x, std::int64_t row, std::int64_t source) {
      T* const to = out + row * width;
      if (source < 0) return void(std::fill_n(to, width, T(0)));
      const T* from = channel + source * other[2] + x.offset;
      std::fill_n(to, x.first, T(0));
      if (stride == 1) {
        std::copy(from + x.first, from + x.last, to + x.first);
      } else {
        for (std::int64_t i = x.first; i < x.last; ++i) to[i] = from[i * stride];
      }
      std::fill(to + x.last, to + width, T(0));
    });
  }

  void unfold(const T* channels, std::int64_t count, T* out) const {
    const std::int64_t width = rows * grid[2];
    parallel_for(0, count, std::max<std::int64_t>(1, kGrain / width), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) unfold_row(channels, i, out + i * width);
    });
  }

  // Adds each row of the patches to where it came from; kernel positions of one channel in order.
  void fold(const T* patches, std::int64_t num_channels, T* channels) const {
    const std::int64_t positions = volume(shape.kernel), width = rows * grid[2], stride = shape.stride[2];
    parallel_for(0, num_channels, std::max<std::int64_t>(1, kGrain / (positions * width)),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t index = begin * positions; index < end * positions; ++index)
                     for_rows(index, [&](const Line& x, std::int64_t row, std::int64_t target) {
                       if (target < 0) return;
                       T* to = channels + index / positions * volume(other) + target * other[2] + x.offset;
                       const T* from = patches + index * width + row * grid[2];
                       for (std::int64_t i = x.first; i < x.last; ++i) to[i * stride] += from[i];
                     });
                 });
  }
};

// Sizes of one group's work.
struct Group {
  std::int64_t in_channels, out_channels, positions;
  std::int64_t depth;  // rows of the unfolded matrix

  explicit Group(const ConvShape& shape)
      : in_channels(shape.in_channels / shape.groups), out_channels(shape.out_channels / shape.groups),
        positions(volume(shape.kernel)), depth((shape.transposed ? out_channels : in_channels) * positions) {}
};

template <class T>
std::int64_t rows_per_block(const ConvShape& shape, const Group& group) {
  const Extent& grid = shape.transposed ? shape.input : shape.output;
  const std::int64_t row_bytes = group.depth * grid[2] * static_cast<std::int64_t>(sizeof(T));
  return std::clamp<std::int64_t>(kPatchBytes / std::max<std::int64_t>(1, row_bytes), 1, grid[0] * grid[1]);
}

// output += weight * unfolded input, one image and group.
template <class T>
void convolve(const ConvShape& shape, const Group& group, const T* input, const T* weight, T* output, T* patches) {
  const std::int64_t width = volume(shape.output);
  const blas::Matrix<const T> a{weight, group.depth};
  if (is_pointwise(shape)) {
    blas::gemm(group.out_channels, width, group.depth, a, blas::Matrix<const T>{input, width}, T(1),
               blas::Matrix<T>{output, width});
    return;
  }
  const std::int64_t total = shape.output[0] * shape.output[1], block = rows_per_block<T>(shape, group);
  for (std::int64_t row = 0; row < total; row += block) {
    const std::int64_t rows = std::min(block, total - row), columns = rows * shape.output[2];
    Patches<T>{shape, shape.output, shape.input, row, rows}.unfold(input, group.depth, patches);
    blas::gemm(group.out_channels, columns, group.depth, a, blas::Matrix<const T>{patches, columns}, T(1),
               blas::Matrix<T>{output + row * shape.output[2], width});
  }
}

template <class T>
void convolve_transposed(const ConvShape& shape, const Group& group, const T* input, const T* weight, T* output,
                         T* patches) {
  const std::int64_t total = shape.input[0] * shape.input[1], block = rows_per_block<T>(shape, group);
  for (std::int64_t row = 0; row < total; row += block) {
    const std::int64_t rows = std::min(block, total - row), columns = rows * shape.input[2];
    blas::gemm(group.depth, columns, group.in_channels, blas::Matrix<const T>{weight, group.depth, true},
               blas::Matrix<const T>{input + row * shape.input[2], volume(shape.input)}, T(0),
               blas::Matrix<T>{patches, columns});
    Patches<T>{shape, shape.input, shape.output, row, rows}.fold(patches, group.out_channels, output);
  }
}

// One channel: for each kernel position, rows of the input times its weight. One function, because a call per row
// would cost more than the row.
template <class T>
THREADWHEEL_KERNEL void convolve_channel(const ConvShape& shape, const T* input, const T* weight, T* output) {
  const std::int64_t stride = shape.stride[2], height = shape.output[1], width = shape.output[2];
  for (std::int64_t k = 0; k < volume(shape.kernel); ++k) {
    const Line x = line(shape, 2, k % shape.kernel[2], width, shape.input[2]);
    const std::int64_t ky = k / shape.kernel[2] % shape.kernel[1], kz = k / (shape.kernel[2] * shape.kernel[1]);
    const Line y = line(shape, 1, ky, height, shape.input[1]);
    const Line z = line(shape, 0, kz, shape.output[0], shape.input[0]);
    const T factor = weight[k];
    for (std::int64_t oz = z.first; oz < z.last; ++oz)
      for (std::int64_t oy = y.first; oy < y.last; ++oy) {
        const std::int64_t iz = oz * shape.stride[0] + z.offset, iy = oy * shape.stride[1] + y.offset;
        const T* const from = input + (iz * shape.input[1] + iy) * shape.input[2] + x.offset;
        T* const to = output + (oz * height + oy) * width;
        if (stride == 1) {
          for (std::int64_t i = x.first; i < x.last; ++i) to[i] += factor * from[i];
        } else {
          for (std::int64_t i = x.first; i < x.last; ++i) to[i] += factor * from[i * stride];
        }
      }
  }
}

// A vector register's worth of elements, on every machine: the compiler splits it where registers are smaller.
template <class T>
using Lanes [[gnu::vector_size(64)]] = T;
template <class T>
constexpr std::int64_t kLanes = 64 / sizeof(T);

template <class T>
THREADWHEEL_INLINE void load(const T* from, std::int64_t count, Lanes<T>& to) {
  to = Lanes<T>{};
  __builtin_memcpy(&to, from, static_cast<std::size_t>(count) * sizeof(T));
}

// The sums of neighbours: first those of `a`, then those of `b`, left in `a`.
template <class T, int... I>
THREADWHEEL_INLINE void add_pairs(Lanes<T>& a, const Lanes<T>& b, std::integer_sequence<int, I...>) {
  a = __builtin_shufflevector(a, b, (2 * I)...) + __builtin_shufflevector(a, b, (2 * I + 1)...);
}

// rows[0][r] = the sum of rows[r], for as many rows as there are lanes.
template <class T>
THREADWHEEL_INLINE void add_up_rows(Lanes<T>* rows) {
  for (std::int64_t count = kLanes<T>; count > 1; count /= 2)
    for (std::int64_t r = 0; r < count / 2; ++r) {
      rows[r] = rows[2 * r];
      add_pairs<T>(rows[r], rows[2 * r + 1], std::make_integer_sequence<int, static_cast<int>(kLanes<T>)>());
    }
}

// One row of input: each output is a product of two rows. Libraries leave that to one thread; here the weights, all of
// which are read once, are spread over threads in blocks of rows, whose sums need no order between them. `rows`, at
// most kLanes, are those of a block.
template <class T>
THREADWHEEL_INLINE void multiply_block(const T* weight, const T* input, std::int64_t depth, std::int64_t rows,
                                       Lanes<T>& result) {
  Lanes<T> sums[kLanes<T>] = {}, x, w;
  std::int64_t i = 0;
  for (; i + kLanes<T> <= depth; i += kLanes<T>) {
    load<T>(input + i, kLanes<T>, x);
    for (std::int64_t r = 0; r < kLanes<T>; ++r) {
      load<T>(weight + (r < rows ? r : 0) * depth + i, kLanes<T>, w);
      sums[r] += w * x;
    }
  }
  if (i < depth) {
    load<T>(input + i, depth - i, x);
    for (std::int64_t r = 0; r < rows; ++r) {
      load<T>(weight + r * depth + i, depth - i, w);
      sums[r] += w * x;
    }
  }
  add_up_rows<T>(sums);
  result = sums[0];
}

// The blocks [begin, end) of `features` outputs.
template <class T>
THREADWHEEL_KERNEL void multiply_rows(const T* weight, const T* input, const T* bias, T* output, std::int64_t depth,
                                      std::int64_t features, std::int64_t begin, std::int64_t end) {
  for (std::int64_t first = begin * kLanes<T>; first < std::min(end * kLanes<T>, features); first += kLanes<T>) {
    const std::int64_t rows = std::min(kLanes<T>, features - first);
    Lanes<T> sums;
    if (rows == kLanes<T>) {
      multiply_block<T>(weight + first * depth, input, depth, kLanes<T>, sums);
    } else {
      multiply_block<T>(weight + first * depth, input, depth, rows, sums);
    }
    for (std::int64_t r = 0; r < rows; ++r) output[first + r] = bias != nullptr ? sums[r] + bias[first + r] : sums[r];
  }
}

// One image and group: bias, then the products.
template <class T>
void run_group(const ConvShape& shape, const Group& group, std::int64_t index, const T* input, const T* weight,
               const T* bias, T* output, T* patches) {
  const std::int64_t image = index / shape.groups, g = index % shape.groups, width = volume(shape.output);
  const std::int64_t first = g * group.out_channels;
  T* const out = output + (image * shape.out_channels + first) * width;
  for (std::int64_t f = 0; f < group.out_channels; ++f)
    std::fill_n(out + f * width, width, bias != nullptr ? bias[first + f] : T(0));
  const T* const in = input + (image * shape.in_channels + g * group.in_channels) * volume(shape.input);
  const T* const w = weight + g * group.in_channels * group.out_channels * group.positions;
  if (shape.transposed) {
    convolve_transposed(shape, group, in, w, out, patches);
  } else if (is_depthwise(shape)) {
    convolve_channel(shape, in, w, out);
  } else {
    convolve(shape, group, in, w, out, patches);
  }
}

}  // namespace

bool is_pointwise(const ConvShape& shape) {
  const Extent ones{1, 1, 1}, zeros{0, 0, 0};
  return !shape.transposed && shape.kernel == ones && shape.stride == ones && shape.padding == zeros &&
         shape.input == shape.output;
}

bool is_depthwise(const ConvShape& shape) {
  return !shape.transposed && shape.groups == shape.in_channels && shape.groups == shape.out_channels;
}

template <class T>
void linear(const dnn::LinearShape& shape, const T* input, const T* weight, const T* bias, T* output) {
  if (shape.rows == 1) {
    // 64 KB of weights take as long to read as another thread takes to start.
    constexpr std::int64_t kLeast = (std::int64_t{64} << 10) / static_cast<std::int64_t>(sizeof(T));
    const std::int64_t block = std::max<std::int64_t>(1, shape.in_features) * kLanes<T>;
    const std::int64_t blocks = (shape.out_features + kLanes<T> - 1) / kLanes<T>;
    return parallel_for(0, blocks, std::max<std::int64_t>(1, kLeast / block), [&](std::int64_t begin, std::int64_t end) {
      multiply_rows(weight, input, bias, output, shape.in_features, shape.out_features, begin, end);
    });
  }
  if (bias != nullptr) fill_rows(output, shape.rows, shape.out_features, bias);
  const std::int64_t depth = std::max<std::int64_t>(shape.in_features, 1);
  blas::gemm(shape.rows, shape.out_features, shape.in_features, {input, depth}, {weight, depth, true},
             bias != nullptr ? T(1) : T(0), {output, std::max<std::int64_t>(shape.out_features, 1)});
}

template <class T>
void convolution(const ConvShape& shape, const T* input, const T* weight, const T* bias, T* output) {
  const Group group(shape);
  const Extent& grid = shape.transposed ? shape.input : shape.output;
  const auto patch_bytes =
      static_cast<std::size_t>(group.depth * grid[2] * rows_per_block<T>(shape, group)) * sizeof(T);
  const std::int64_t count = shape.batch * shape.groups;
  const auto run = [&](std::int64_t begin, std::int64_t end) {
    const auto storage = Storage::allocate(patch_bytes);
    for (std::int64_t i = begin; i < end; ++i)
      run_group(shape, group, i, input, weight, bias, output, reinterpret_cast<T*>(storage->data()));
  };
  // Enough images and groups: each on one thread. Few: one after the other, each on all.
  if (count >= 2 * get_num_threads()) {
    const std::int64_t work = group.depth * volume(grid) * (shape.transposed ? group.in_channels : group.out_channels);
    parallel_for(0, count, std::max<std::int64_t>(1, 10 * kGrain / std::max<std::int64_t>(1, work)), run);
  } else {
    run(0, count);
  }
}

template void linear(const dnn::LinearShape&, const float*, const float*, const float*, float*);
template void linear(const dnn::LinearShape&, const double*, const double*, const double*, double*);
template void convolution(const ConvShape&, const float*, const float*, const float*, float*);
template void convolution(const ConvShape&, const double*, const double*, const double*, double*);

}  // namespace threadwheel::gemm_dnn
