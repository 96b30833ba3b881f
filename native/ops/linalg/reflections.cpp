#include "ops/linalg/reflections.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

namespace threadwheel {

void set_identity(const Matrix& x) {
  for (std::int64_t i = 0; i < x.rows; ++i)
    for (std::int64_t j = 0; j < x.columns; ++j) x(i, j) = i == j ? 1 : 0;
}

Reflection reflect_column(const Matrix& a, std::int64_t column, std::int64_t row) {
  double below = 0;
  for (std::int64_t i = row + 1; i < a.rows; ++i) below = std::hypot(below, a(i, column));
  if (below == 0) return {0, row, {}};
  const double head = a(row, column), norm = std::hypot(head, below), kept = head < 0 ? norm : -norm;  // -0: as 0
  Reflection result{(kept - head) / kept, row, {1}};
  result.v.reserve(static_cast<std::size_t>(a.rows - row));
  for (std::int64_t i = row + 1; i < a.rows; ++i) {
    result.v.push_back(a(i, column) / (head - kept));
    a(i, column) = 0;
  }
  a(row, column) = kept;
  return result;
}

void apply(const Reflection& reflection, const Matrix& a, std::int64_t from) {
  const auto size = static_cast<std::int64_t>(reflection.v.size());
  const double* const v = reflection.v.data();
  const Matrix part{&a(reflection.first, 0), size, a.columns, a.down, a.across};
  if (std::abs(a.down) < std::abs(a.across)) {  // column by column, as they lie in memory
    for (std::int64_t j = from; j < a.columns; ++j) {
      double sum = 0;
      for (std::int64_t i = 0; i < size; ++i) sum += v[i] * part(i, j);
      for (std::int64_t i = 0; i < size; ++i) part(i, j) -= reflection.tau * sum * v[i];
    }
    return;
  }
  std::vector<double> sums(static_cast<std::size_t>(a.columns));
  for (std::int64_t i = 0; i < size; ++i)
    for (std::int64_t j = from; j < a.columns; ++j) sums[static_cast<std::size_t>(j)] += v[i] * part(i, j);
  for (std::int64_t i = 0; i < size; ++i)
    for (std::int64_t j = from; j < a.columns; ++j)
      part(i, j) -= reflection.tau * v[i] * sums[static_cast<std::size_t>(j)];
}

std::vector<Reflection> factor_qr(const Matrix& a) {
  std::vector<Reflection> result;
  for (std::int64_t k = 0; k < std::min(a.rows, a.columns); ++k) {
    result.push_back(reflect_column(a, k, k));
    apply(result.back(), a, k + 1);
  }
  return result;
}

void multiply(std::span<const Reflection> q, const Matrix& a, bool transposed) {
  for (std::size_t k = 0; k < q.size(); ++k) apply(transposed ? q[k] : q[q.size() - 1 - k], a, 0);
}

void Rows::turn(std::int64_t x, std::int64_t y, double cosine, double sine) const {
  double *const first = (*this)[x], *const second = (*this)[y];
  for (std::int64_t k = 0; k < width; ++k) {
    const double a = first[k], b = second[k];
    first[k] = cosine * a + sine * b;
    second[k] = cosine * b - sine * a;
  }
}

void Rows::negate(std::int64_t row) const {
  std::transform((*this)[row], (*this)[row + 1], (*this)[row], std::negate());
}

double Rows::along(std::int64_t row, const std::vector<double>& y) const {
  return std::inner_product(y.begin(), y.end(), (*this)[row], 0.0);
}

}  // namespace threadwheel
