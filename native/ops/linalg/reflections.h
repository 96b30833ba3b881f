// Householder's reflections and Givens' rotations, in double: what decompositions into orthogonal factors are made of.
// Signs are those of LAPACK.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace threadwheel {

// A matrix that somebody holds, by strides: it can be seen transposed, or from its other end.
struct Matrix {
  double* data;
  std::int64_t rows, columns, down, across;

  double& operator()(std::int64_t i, std::int64_t j) const { return data[i * down + j * across]; }
  Matrix transposed() const { return {data, columns, rows, across, down}; }
  Matrix from_end() const { return {&(*this)(rows - 1, columns - 1), rows, columns, -down, -across}; }
};

inline Matrix by_rows(double* data, std::int64_t rows, std::int64_t columns) {
  return {data, rows, columns, columns, 1};
}

void set_identity(const Matrix& x);

// I - tau v v', on the elements from `first` on; v[0] is 1. No v: nothing changes.
struct Reflection {
  double tau;
  std::int64_t first;
  std::vector<double> v;
};

// The reflection that makes the column zero below `row`, and the column after it.
Reflection reflect_column(const Matrix& a, std::int64_t column, std::int64_t row);

// Applies it to the columns of a, from `from` on.
void apply(const Reflection& reflection, const Matrix& a, std::int64_t from);

// a: [m, n] becomes R, zero below its diagonal; the reflections make Q, the first first.
std::vector<Reflection> factor_qr(const Matrix& a);

// Q, or its transpose, times a.
void multiply(std::span<const Reflection> q, const Matrix& a, bool transposed = false);

// Vectors in rows, `width` elements each.
struct Rows {
  double* data;
  std::int64_t width;

  double* operator[](std::int64_t row) const { return data + row * width; }
  // x becomes cosine x + sine y, y becomes cosine y - sine x.
  void turn(std::int64_t x, std::int64_t y, double cosine, double sine) const;
  void negate(std::int64_t row) const;
  // The product of the row with y: [width].
  double along(std::int64_t row, const std::vector<double>& y) const;
};

// LAPACK divides larger problems and conquers, which decides the signs of their vectors.
constexpr std::int64_t kLargestWhole = 25;

}  // namespace threadwheel
