// Batches of matrices, the last two dimensions of a tensor: what decompositions share.
#pragma once

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <string>

#include "ops/linalg/reflections.h"
#include "ops/shared/shapes.h"
#include "threadwheel/error.h"
#include "threadwheel/parallel.h"

namespace threadwheel {

inline std::int64_t rows_of(const Tensor& x) { return x.size(x.sizes().size() - 2); }
inline std::int64_t columns_of(const Tensor& x) { return x.size(x.sizes().size() - 1); }

inline void check_matrix(const char* op, const Tensor& x, bool square) {
  if (x.dtype() != DType::kFloat32 && x.dtype() != DType::kFloat64)
    throw Error(ErrorCode::kUnsupported, std::string(op) + ": unsupported dtype " + dtype_name(x.dtype()) +
                                             "; supported are float32, float64");
  if (x.dim() < 2 || (square && rows_of(x) != columns_of(x)))
    fail_value(std::string(op) + ": " + describe("input", x) + "; expected " +
               (square ? "square matrices" : "2 dimensions or more"));
}

// The sizes of the batch, and `tail` after it.
inline Dims batch_sizes(const Tensor& x, std::initializer_list<std::int64_t> tail) {
  Dims sizes(x.sizes().size() - 2 + tail.size());
  std::copy(x.sizes().begin(), x.sizes().end() - 2, sizes.begin());
  std::copy(tail.begin(), tail.end(), sizes.end() - static_cast<std::ptrdiff_t>(tail.size()));
  return sizes;
}

inline Tensor in_double(const Tensor& x, const char* op) { return copy_of(convert(x, DType::kFloat64, op)); }

inline std::int64_t batch_of(const Tensor& x) {
  return count_elements(std::span(x.sizes()).first(x.sizes().size() - 2));
}

inline void check_finite(const char* op, const Tensor& x) {
  for (std::int64_t i = 0; i < x.numel(); ++i)
    if (!std::isfinite(x.data<const double>()[i]))
      throw Error(ErrorCode::kRuntime, std::string(op) + ": the input holds infinities or NaN; they have no "
                                                         "decomposition");
}

// The largest relative error of one rounding.
inline double rounding_of(DType dtype) {
  return dtype == DType::kFloat32 ? std::numeric_limits<float>::epsilon() / 2
                                  : std::numeric_limits<double>::epsilon() / 2;
}

inline Matrix matrix_at(const Tensor& in_double, std::int64_t index) {
  const std::int64_t m = rows_of(in_double), n = columns_of(in_double);
  return by_rows(in_double.data<double>() + index * m * n, m, n);
}

// Calls body(index) for each matrix of a batch.
template <class Body>
void for_batch(const Tensor& x, const Body& body) {
  const std::int64_t n = std::max<std::int64_t>(1, rows_of(x)), grain = std::max<std::int64_t>(1, 20000 / (n * n * n));
  parallel_for(0, batch_of(x), grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) body(i);
  });
}

inline Tensor swapped(const Tensor& x) { return transpose_view(x, x.sizes().size() - 2, x.sizes().size() - 1); }

}  // namespace threadwheel
