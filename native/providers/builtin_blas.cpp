// Matrix products where MKL is off: own kernels in the manner of Goto and van de Geijn ("Anatomy of High-Performance
// Matrix Multiplication", 2008). Tiles of c are spread over the pool; each packs the parts of a and b that it needs.
#include <algorithm>
#include <memory>

#include "parallel/libraries.h"
#include "providers/blas.h"
#include "tensor/isa.h"
#include "tensor/tensor.h"
#include "threadwheel/parallel.h"

namespace threadwheel {
namespace libraries {

void set_blas_threads(int) noexcept {}

int exchange_blas_threads_local(int) noexcept { return 0; }

std::string blas_report() { return "MKL not found\n"; }

}  // namespace libraries

namespace blas {
namespace {

// The largest tile: its packed part of a (kTileRows x kDepth) fits the second-level cache, one strip of b the
// first-level one. Tiles shrink to half of that and less where there are too few for the threads.
constexpr std::int64_t kTileRows = 192, kTileColumns = 512, kDepth = 256;
constexpr std::int64_t kLeastTile = 48;  // smaller ones are packed for longer than they are multiplied

// Multiplications worth a thread.
constexpr double kGrainWork = 5e5;

template <class T>
struct Product {
  std::int64_t m, n, k;
  Matrix<const T> a, b;
  T beta;
  Matrix<T> c;
};

template <class T, int kLanes>
struct Vector {
  typedef T type __attribute__((vector_size(kLanes * sizeof(T)), aligned(sizeof(T)), may_alias));
};

// c[kRows, kVectors * kLanes] += a b over `depth`; a is packed by columns of kRows, b by rows of kVectors * kLanes.
// The sums stay in registers: kRows * kVectors of them, two for b and one for a must be no more than there are.
template <class T, int kLanes, int kRows, int kVectors>
THREADWHEEL_INLINE void multiply_strip(std::int64_t depth, const T* a, const T* b, T* c, std::int64_t leading) {
  using V = typename Vector<T, kLanes>::type;
  V sums[kRows][kVectors] = {};
  for (std::int64_t p = 0; p < depth; ++p, a += kRows, b += kVectors * kLanes) {
    V row[kVectors];
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) row[j] = reinterpret_cast<const V*>(b)[j];
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 4
      for (int j = 0; j < kVectors; ++j) sums[i][j] += a[i] * row[j];
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) reinterpret_cast<V*>(c + i * leading)[j] += sums[i][j];
}

// One instruction set's kernel and the strip it works on.
template <class T>
struct Level {
  int rows, columns;
  void (*multiply)(std::int64_t depth, const T* a, const T* b, T* c, std::int64_t leading);
};

#if defined(__x86_64__)
template <class T>
__attribute__((target("arch=x86-64-v4"))) void multiply_v4(std::int64_t depth, const T* a, const T* b, T* c,
                                                           std::int64_t leading) {
  multiply_strip<T, 64 / sizeof(T), 12, 2>(depth, a, b, c, leading);
}
template <class T>
__attribute__((target("arch=x86-64-v3"))) void multiply_v3(std::int64_t depth, const T* a, const T* b, T* c,
                                                           std::int64_t leading) {
  multiply_strip<T, 32 / sizeof(T), 6, 2>(depth, a, b, c, leading);
}
#endif
template <class T>
void multiply_baseline(std::int64_t depth, const T* a, const T* b, T* c, std::int64_t leading) {
  multiply_strip<T, 16 / sizeof(T), 4, 2>(depth, a, b, c, leading);
}

template <class T>
const Level<T>& level() {
  static const Level<T> chosen = [] {
    constexpr int kSize = sizeof(T);
#if defined(__x86_64__)
    if (__builtin_cpu_supports("x86-64-v4")) return Level<T>{12, 2 * 64 / kSize, multiply_v4<T>};
    if (__builtin_cpu_supports("x86-64-v3")) return Level<T>{6, 2 * 32 / kSize, multiply_v3<T>};
#endif
    return Level<T>{4, 2 * 16 / kSize, multiply_baseline<T>};
  }();
  return chosen;
}

// Copies `lines` x `depth` elements, line i and depth p at source[i * line_step + p * depth_step], into strips of
// `strip` lines, depth by depth; missing lines are zero.
template <class T>
void pack(const T* source, std::int64_t line_step, std::int64_t depth_step, std::int64_t lines, std::int64_t depth,
          std::int64_t strip, T* out) {
  for (std::int64_t first = 0; first < lines; first += strip) {
    const std::int64_t present = std::min(strip, lines - first);
    for (std::int64_t p = 0; p < depth; ++p, out += strip) {
      const T* line = source + first * line_step + p * depth_step;
      for (std::int64_t i = 0; i < present; ++i) out[i] = line[i * line_step];
      std::fill(out + present, out + strip, T(0));
    }
  }
}

template <class T>
void scale(T beta, T* c, std::int64_t leading, std::int64_t rows, std::int64_t columns) {
  for (std::int64_t i = 0; i < rows; ++i, c += leading)
    if (beta == T(0)) {
      std::fill_n(c, columns, T(0));
    } else if (beta != T(1)) {
      for (std::int64_t j = 0; j < columns; ++j) c[j] *= beta;
    }
}

template <class T>
void multiply_packed(const T* a, const T* b, std::int64_t rows, std::int64_t columns, std::int64_t depth, T* c,
                     std::int64_t leading) {
  const Level<T>& kernel = level<T>();
  for (std::int64_t column = 0; column < columns; column += kernel.columns)
    for (std::int64_t row = 0; row < rows; row += kernel.rows) {
      T* const corner = c + row * leading + column;
      const T *strip_a = a + row * depth, *strip_b = b + column * depth;
      const std::int64_t height = std::min<std::int64_t>(kernel.rows, rows - row);
      const std::int64_t width = std::min<std::int64_t>(kernel.columns, columns - column);
      if (height == kernel.rows && width == kernel.columns) {
        kernel.multiply(depth, strip_a, strip_b, corner, leading);
        continue;
      }
      T edge[12 * 32] = {};  // the largest strip; what lies beyond the matrix is computed and dropped
      kernel.multiply(depth, strip_a, strip_b, edge, kernel.columns);
      for (std::int64_t i = 0; i < height; ++i)
        for (std::int64_t j = 0; j < width; ++j) corner[i * leading + j] += edge[i * kernel.columns + j];
    }
}

struct Tile {
  std::int64_t row, column, rows, columns;
};

template <class T>
void multiply_tile(const Product<T>& product, const Tile& tile, T* buffer) {
  const auto& [m, n, k, a, b, beta, c] = product;
  const auto [row, column, rows, columns] = tile;
  T* const corner = c.data + row * c.leading + column;
  scale(beta, corner, c.leading, rows, columns);
  T* const packed_b = buffer + (kTileRows + 16) * kDepth;
  for (std::int64_t p = 0; p < k; p += kDepth) {
    const std::int64_t depth = std::min(kDepth, k - p);
    const std::int64_t a_row = a.transposed ? 1 : a.leading, a_depth = a.transposed ? a.leading : 1;
    const std::int64_t b_column = b.transposed ? b.leading : 1, b_depth = b.transposed ? 1 : b.leading;
    pack(a.data + row * a_row + p * a_depth, a_row, a_depth, rows, depth, std::int64_t{level<T>().rows}, buffer);
    pack(b.data + column * b_column + p * b_depth, b_column, b_depth, columns, depth,
         std::int64_t{level<T>().columns}, packed_b);
    multiply_packed<T>(buffer, packed_b, rows, columns, depth, corner, c.leading);
  }
}

template <class T>
void multiply_tiles(const Product<T>& product) {
  std::int64_t height = std::min(kTileRows, product.m), width = std::min(kTileColumns, product.n);
  const auto divide = [](std::int64_t size, std::int64_t part) { return (size + part - 1) / part; };
  const auto work = [&] {
    return static_cast<double>(height) * static_cast<double>(width) * static_cast<double>(product.k);
  };
  const int num_threads = in_parallel_region() ? 1 : get_num_threads();
  while (divide(product.m, height) * divide(product.n, width) < num_threads && work() > 2 * kGrainWork &&
         std::max(height, width) > kLeastTile) {
    std::int64_t& side = 2 * height > width ? height : width;  // tiles twice as wide as high cost least to pack
    side = divide(side, 2);
  }
  const std::int64_t across = divide(product.n, width);
  const auto grain = static_cast<std::int64_t>(std::max(1.0, kGrainWork / std::max(1.0, work())));
  parallel_for(0, across * divide(product.m, height), grain, [&](std::int64_t begin, std::int64_t end) {
    const auto buffer = Storage::allocate(((kTileRows + 16) + (kTileColumns + 32)) * kDepth * sizeof(T));
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t row = i / across * height, column = i % across * width;
      const Tile tile{row, column, std::min(height, product.m - row), std::min(width, product.n - column)};
      multiply_tile(product, tile, reinterpret_cast<T*>(buffer->data()));
    }
  });
}

template <class T>
THREADWHEEL_KERNEL void add_scaled(std::int64_t n, T factor, const T* x, T* y) {
  for (std::int64_t i = 0; i < n; ++i) y[i] += factor * x[i];
}

template <class T>
THREADWHEEL_KERNEL T dot(std::int64_t n, const T* x, const T* y) {
  constexpr std::int64_t kLanes = 32;
  T lanes[kLanes] = {};
  const std::int64_t whole = n / kLanes * kLanes;
  for (std::int64_t i = 0; i < whole; i += kLanes)
    for (std::int64_t lane = 0; lane < kLanes; ++lane) lanes[lane] += x[i + lane] * y[i + lane];
  for (std::int64_t i = whole; i < n; ++i) lanes[i - whole] += x[i] * y[i];
  for (std::int64_t width = kLanes / 2; width > 0; width /= 2)
    for (std::int64_t lane = 0; lane < width; ++lane) lanes[lane] += lanes[lane + width];
  return lanes[0];
}

// Few rows: packing would cost as much as the product. Reads b once, in its own order.
template <class T>
void multiply_rows(const Product<T>& product) {
  const auto& [m, n, k, a, b, beta, c] = product;
  constexpr std::int64_t kBlock = 64;
  const auto grain = static_cast<std::int64_t>(kGrainWork / static_cast<double>(m * k * kBlock + 1)) + 1;
  parallel_for(0, (n + kBlock - 1) / kBlock, grain, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t first = begin * kBlock, last = std::min(n, end * kBlock);
    scale(beta, c.data + first, c.leading, m, last - first);
    for (std::int64_t i = 0; i < m; ++i) {
      T* const out = c.data + i * c.leading;
      if (b.transposed) {
        for (std::int64_t j = first; j < last; ++j) out[j] += dot(k, a.data + i * a.leading, b.data + j * b.leading);
      } else {
        for (std::int64_t p = 0; p < k; ++p)
          add_scaled(last - first, a.data[i * a.leading + p], b.data + p * b.leading + first, out + first);
      }
    }
  });
}

template <class T>
void multiply(const Product<T>& product) {
  if (product.m == 0 || product.n == 0) return;
  if (product.m <= 3 && !product.a.transposed) {
    multiply_rows(product);
  } else {
    multiply_tiles(product);
  }
}

}  // namespace

void gemm(std::int64_t m, std::int64_t n, std::int64_t k, Matrix<const float> a, Matrix<const float> b, float beta,
          Matrix<float> c) {
  multiply(Product<float>{m, n, k, a, b, beta, c});
}

void gemm(std::int64_t m, std::int64_t n, std::int64_t k, Matrix<const double> a, Matrix<const double> b, double beta,
          Matrix<double> c) {
  multiply(Product<double>{m, n, k, a, b, beta, c});
}

bool is_library() noexcept { return false; }

}  // namespace blas
}  // namespace threadwheel
