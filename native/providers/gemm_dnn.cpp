// linear as one product; conv2d as products over unfolded patches (im2col), a block of output rows at a time.
#include "providers/gemm_dnn.h"

#include <algorithm>

#include "providers/blas.h"
#include "tensor/tensor.h"
#include "threadwheel/parallel.h"

namespace threadwheel::gemm_dnn {
namespace {

constexpr std::int64_t kGrain = 32768;  // elements worth a thread

// Unfolded patches are kept below this: the second-level cache of a few cores, and bounded memory for large images.
constexpr std::int64_t kPatchBytes = 8 << 20;

template <class T>
void fill_rows(T* output, std::int64_t rows, std::int64_t columns, const T* row) {
  const std::int64_t grain = std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, columns));
  parallel_for(0, rows, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) std::copy_n(row, columns, output + r * columns);
  });
}

// One image of one group: `channels` planes of the input, output rows [first_row, first_row + rows).
template <class T>
struct Patches {
  const dnn::Conv2dShape& shape;
  std::int64_t channels;
  const T* input;
  std::int64_t first_row, rows;

  std::int64_t count() const { return channels * shape.kernel[0] * shape.kernel[1]; }

  // Row `index` of the unfolded matrix: one input plane, shifted by one kernel position.
  void unfold_row(std::int64_t index, T* out) const {
    const std::int64_t kx = index % shape.kernel[1], ky = index / shape.kernel[1] % shape.kernel[0];
    const T* plane = input + index / (shape.kernel[0] * shape.kernel[1]) * shape.input[0] * shape.input[1];
    for (std::int64_t row = 0; row < rows; ++row) {
      const std::int64_t y = (first_row + row) * shape.stride[0] - shape.padding[0] + ky * shape.dilation[0];
      const bool inside = y >= 0 && y < shape.input[0];
      for (std::int64_t column = 0; column < shape.output[1]; ++column) {
        const std::int64_t x = column * shape.stride[1] - shape.padding[1] + kx * shape.dilation[1];
        *out++ = inside && x >= 0 && x < shape.input[1] ? plane[y * shape.input[1] + x] : T(0);
      }
    }
  }

  void unfold(T* out) const {
    const std::int64_t width = rows * shape.output[1];
    parallel_for(0, count(), std::max<std::int64_t>(1, kGrain / width), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) unfold_row(i, out + i * width);
    });
  }
};

bool is_pointwise(const dnn::Conv2dShape& shape) {
  const std::array<std::int64_t, 2> ones{1, 1}, zeros{0, 0};
  return shape.kernel == ones && shape.stride == ones && shape.padding == zeros;
}

template <class T>
void convolve_group(const dnn::Conv2dShape& shape, const T* input, const T* weight, T beta, T* output, T* patches,
                    std::int64_t block_rows) {
  const std::int64_t channels = shape.in_channels / shape.groups, filters = shape.out_channels / shape.groups;
  const std::int64_t depth = channels * shape.kernel[0] * shape.kernel[1];
  const std::int64_t width = shape.output[0] * shape.output[1];
  const blas::Matrix<const T> a{weight, depth};
  if (patches == nullptr) {
    blas::gemm(filters, width, depth, a, blas::Matrix<const T>{input, width}, beta, blas::Matrix<T>{output, width});
    return;
  }
  for (std::int64_t row = 0; row < shape.output[0]; row += block_rows) {
    const std::int64_t rows = std::min(block_rows, shape.output[0] - row), columns = rows * shape.output[1];
    Patches<T>{shape, channels, input, row, rows}.unfold(patches);
    blas::gemm(filters, columns, depth, a, blas::Matrix<const T>{patches, columns}, beta,
               blas::Matrix<T>{output + row * shape.output[1], width});
  }
}

}  // namespace

template <class T>
void linear(const dnn::LinearShape& shape, const T* input, const T* weight, const T* bias, T* output) {
  if (bias != nullptr) fill_rows(output, shape.rows, shape.out_features, bias);
  const std::int64_t depth = std::max<std::int64_t>(shape.in_features, 1);
  blas::gemm(shape.rows, shape.out_features, shape.in_features, {input, depth}, {weight, depth, true},
             bias != nullptr ? T(1) : T(0), {output, std::max<std::int64_t>(shape.out_features, 1)});
}

template <class T>
void conv2d(const dnn::Conv2dShape& shape, const T* input, const T* weight, const T* bias, T* output) {
  const std::int64_t channels = shape.in_channels / shape.groups, filters = shape.out_channels / shape.groups;
  const std::int64_t depth = channels * shape.kernel[0] * shape.kernel[1];
  const std::int64_t width = shape.output[0] * shape.output[1], area = shape.input[0] * shape.input[1];
  const std::int64_t row_bytes = depth * shape.output[1] * static_cast<std::int64_t>(sizeof(T));
  const std::int64_t block_rows = std::clamp<std::int64_t>(kPatchBytes / std::max<std::int64_t>(1, row_bytes), 1,
                                                           shape.output[0]);
  std::shared_ptr<Storage> storage;
  if (!is_pointwise(shape)) storage = Storage::allocate(static_cast<std::size_t>(row_bytes * block_rows));
  T* const patches = storage != nullptr ? reinterpret_cast<T*>(storage->data()) : nullptr;
  for (std::int64_t image = 0; image < shape.batch; ++image)
    for (std::int64_t group = 0; group < shape.groups; ++group) {
      const std::int64_t first = image * shape.out_channels + group * filters;
      if (bias != nullptr)
        for (std::int64_t f = 0; f < filters; ++f)
          std::fill_n(output + (first + f) * width, width, bias[group * filters + f]);
      convolve_group(shape, input + (image * shape.in_channels + group * channels) * area,
                     weight + group * filters * depth, bias != nullptr ? T(1) : T(0), output + first * width, patches,
                     block_rows);
    }
}

template void linear(const dnn::LinearShape&, const float*, const float*, const float*, float*);
template void linear(const dnn::LinearShape&, const double*, const double*, const double*, double*);
template void conv2d(const dnn::Conv2dShape&, const float*, const float*, const float*, float*);
template void conv2d(const dnn::Conv2dShape&, const double*, const double*, const double*, double*);

}  // namespace threadwheel::gemm_dnn
