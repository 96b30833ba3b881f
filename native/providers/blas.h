// Matrix products, from whichever BLAS is linked: exactly one of mkl.cpp and builtin_blas.cpp is.
#pragma once

#include <cstdint>

namespace threadwheel::blas {

// A row-major operand: element (i, j) is at data[i * leading + j], or at data[j * leading + i] when transposed.
template <class T>
struct Matrix {
  T* data;
  std::int64_t leading;
  bool transposed = false;
};

// c = a b + beta c, with a: [m, k], b: [k, n], c: [m, n] not transposed; beta = 0 does not read c.
// Parallel unless called inside a region. m, n >= 0; k = 0 gives beta c. Throws Error(kUnsupported) for dimensions
// beyond what the library counts with.
void gemm(std::int64_t m, std::int64_t n, std::int64_t k, Matrix<const float> a, Matrix<const float> b, float beta,
          Matrix<float> c);
void gemm(std::int64_t m, std::int64_t n, std::int64_t k, Matrix<const double> a, Matrix<const double> b, double beta,
          Matrix<double> c);

// Whether a library makes the products: then nothing else makes them faster, but for weights that are kept arranged.
bool is_library() noexcept;

}  // namespace threadwheel::blas
