// BLAS from MKL, and what the parallel layer asks of it. The threading layer is the one that was linked; where that
// is the sequential one, products are split here into tiles over our own pool.
#include <mkl_cblas.h>
#include <mkl_service.h>

#include <algorithm>
#include <climits>
#include <string>

#include "parallel/libraries.h"
#include "parallel/library_call.h"
#include "providers/blas.h"
#include "threadwheel/error.h"
#include "threadwheel/parallel.h"

namespace threadwheel {
namespace libraries {

void set_blas_threads(int num_threads) noexcept {
  mkl_set_dynamic(0);  // 1 would let MKL use fewer, and an OpenMP team that changes its size restarts threads
  mkl_set_num_threads(num_threads);
}

int exchange_blas_threads_local(int num_threads) noexcept { return mkl_set_num_threads_local(num_threads); }

std::string blas_report() {
  char version[256];
  mkl_get_version_string(version, sizeof version);
  std::string_view text = version;
  text = text.substr(0, text.find_last_not_of(" \n") + 1);
  return std::string(text) + "\n\tmkl_get_max_threads() : " + std::to_string(mkl_get_max_threads()) + "\n";
}

}  // namespace libraries

namespace blas {
namespace {

// Asked of the library itself: only the sequential layer ignores a thread's own count.
bool mkl_is_parallel() {
  static const bool parallel = [] {
    const int previous = mkl_set_num_threads_local(2);
    const bool two = mkl_get_max_threads() == 2;
    mkl_set_num_threads_local(previous);
    return two;
  }();
  return parallel;
}

void call_mkl(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, MKL_INT m, MKL_INT n, MKL_INT k, const float* a, MKL_INT lda,
              const float* b, MKL_INT ldb, float beta, float* c, MKL_INT ldc) {
  cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, 1.0F, a, lda, b, ldb, beta, c, ldc);
}

void call_mkl(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, MKL_INT m, MKL_INT n, MKL_INT k, const double* a, MKL_INT lda,
              const double* b, MKL_INT ldb, double beta, double* c, MKL_INT ldc) {
  cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, 1.0, a, lda, b, ldb, beta, c, ldc);
}

template <class T>
struct Product {
  std::int64_t m, n, k;
  Matrix<const T> a, b;
  T beta;
  Matrix<T> c;

  void call() const {
    const auto transpose = [](bool transposed) { return transposed ? CblasTrans : CblasNoTrans; };
    const auto narrow = [](std::int64_t value) { return static_cast<MKL_INT>(value); };
    call_mkl(transpose(a.transposed), transpose(b.transposed), narrow(m), narrow(n), narrow(k), a.data,
             narrow(a.leading), b.data, narrow(b.leading), beta, c.data, narrow(c.leading));
  }

  // The part that makes rows [row, row + rows) and columns [column, column + columns) of c.
  Product tile(std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t columns) const {
    Product part = *this;
    part.m = rows;
    part.n = columns;
    part.a.data += a.transposed ? row : row * a.leading;
    part.b.data += b.transposed ? column * b.leading : column;
    part.c.data += row * c.leading + column;
    return part;
  }
};

// Splits c into a grid of about one tile per thread, cut so that the packed panels of a and b, whose size is the
// sum of a tile's sides, are smallest.
template <class T>
void run_tiles(const Product<T>& product) {
  const std::int64_t num_threads = get_num_threads();
  std::int64_t grid_rows = 1, grid_columns = num_threads;
  double least = -1;
  for (std::int64_t rows = 1; rows <= num_threads; ++rows) {
    const std::int64_t columns = num_threads / rows;
    if (rows * columns < num_threads) continue;
    const double sides = static_cast<double>(product.m) / static_cast<double>(rows) +
                         static_cast<double>(product.n) / static_cast<double>(columns);
    if (least >= 0 && sides >= least) continue;
    least = sides;
    grid_rows = rows;
    grid_columns = columns;
  }
  // A multiple of the kernels' own blocks in both directions, so that no thread gets ragged edges.
  constexpr std::int64_t kBlock = 16;
  const auto step = [](std::int64_t size, std::int64_t parts) {
    const std::int64_t even = (size + parts - 1) / parts;
    return (even + kBlock - 1) / kBlock * kBlock;
  };
  const std::int64_t rows = step(product.m, grid_rows), columns = step(product.n, grid_columns);
  const std::int64_t across = (product.n + columns - 1) / columns, down = (product.m + rows - 1) / rows;
  parallel_for(0, across * down, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t row = i / across * rows, column = i % across * columns;
      product.tile(row, std::min(rows, product.m - row), column, std::min(columns, product.n - column)).call();
    }
  });
}

template <class T>
void multiply(const Product<T>& product) {
  const std::int64_t largest = std::max({product.m, product.n, product.k, product.a.leading, product.b.leading});
  if (largest > INT_MAX)
    throw Error(ErrorCode::kUnsupported,
                "mm: a dimension or stride is " + std::to_string(largest) + "; MKL counts up to " +
                    std::to_string(INT_MAX) + " here");
  if (product.m == 0 || product.n == 0) return;
  const double work = static_cast<double>(product.m) * static_cast<double>(product.n) * static_cast<double>(product.k);
  if (!mkl_is_parallel() && work >= kParallelWork && !in_parallel_region() && get_num_threads() > 1) {
    run_tiles(product);
  } else {
    library_call(work, [&](int) { product.call(); });
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

bool is_library() noexcept { return true; }

}  // namespace blas
}  // namespace threadwheel
