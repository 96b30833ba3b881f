// Singular values and vectors: reflections to a bidiagonal form, then implicit QR iterations with Demmel's and Kahan's
// guards for small values (SIAM J. Sci. Stat. Comput. 11, 1990). The sign of a pair of vectors is nobody's promise, but
// people compare it: conventions and the order of steps are those of LAPACK's gesdd as MKL has it, so that the signs
// are, too. Computed in double; the precision of the dtype decides what is zero.
#include "ops/linalg/singular.h"

#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "ops/families.h"
#include "ops/linalg/matrices.h"

namespace threadwheel {
namespace {

using Index = std::int64_t;
using Vector = std::vector<double>;
using Triple = std::tuple<Tensor, Tensor, Tensor>;

struct Rotation {
  double cosine, sine, length;
};

// The rotation that turns (x, y) into (length, 0), with a cosine of at least 0.
Rotation rotation_of(double x, double y) {
  if (y == 0) return {1, 0, x};
  if (x == 0) return {0, std::copysign(1.0, y), std::abs(y)};
  const double length = std::copysign(std::hypot(x, y), x);
  return {x / length, y / length, length};
}

// The larger singular value of [[a, b], [0, c]].
double larger_of(double a, double b, double c) {
  a = std::abs(a), c = std::abs(c);
  return (std::hypot(a + c, b) + std::hypot(a - c, b)) / 2;
}

// A bidiagonal matrix, upper: left diag right^T stays the same while the iterations make it diagonal.
struct Bidiagonal {
  Vector diagonal, above;  // [n], [n - 1]
  Rows left, right;
  double epsilon;
  double tolerance = std::clamp(std::pow(epsilon, -1.0 / 8), 10.0, 100.0) * epsilon;
  double threshold = 0;  // what is smaller is zero

  double& d(Index i) { return diagonal[static_cast<std::size_t>(i)]; }
  double& between(Index i, Index j) { return above[static_cast<std::size_t>(std::min(i, j))]; }
  Index size() const { return static_cast<Index>(diagonal.size()); }

  void diagonalize();

 private:
  // A walk over the block from one end to the other, downwards or, in its mirror image, upwards.
  struct Walk {
    Index from, to, step;
  };
  bool converged(const Walk& walk, double& smallest);
  double shift_of(const Walk& walk, double smallest, double largest);
  void sweep_unshifted(const Walk& walk);
  void sweep(const Walk& walk, double shift);
  void solve_pair(Index i);
  void turn_inner(const Walk& walk, Index i, const Rotation& by) {
    (walk.step > 0 ? right : left).turn(i, i + walk.step, by.cosine, by.sine);
  }
  void turn_outer(const Walk& walk, Index i, const Rotation& by) {
    (walk.step > 0 ? left : right).turn(i, i + walk.step, by.cosine, by.sine);
  }
};

// A lower bound of the block's singular values; true: an element between was zero enough, and is zero now.
bool Bidiagonal::converged(const Walk& walk, double& smallest) {
  const Index last = walk.to - walk.step;
  if (std::abs(between(last, walk.to)) <= tolerance * std::abs(d(walk.to))) {
    between(last, walk.to) = 0;
    return true;
  }
  double bound = smallest = std::abs(d(walk.from));
  for (Index i = walk.from; i != walk.to; i += walk.step) {
    const double element = std::abs(between(i, i + walk.step));
    if (element <= tolerance * bound) {
      between(i, i + walk.step) = 0;
      return true;
    }
    bound = std::abs(d(i + walk.step)) * (bound / (bound + element));
    smallest = std::min(smallest, bound);
  }
  return false;
}

// 0 where a shift would cost small values their digits.
double Bidiagonal::shift_of(const Walk& walk, double smallest, double largest) {
  if (static_cast<double>(size()) * tolerance * (smallest / largest) <= std::max(epsilon, tolerance / 100)) return 0;
  const Index last = walk.to - walk.step;
  const double large = larger_of(d(last), between(last, walk.to), d(walk.to)), start = std::abs(d(walk.from));
  const double shift = large == 0 ? 0 : std::abs(d(last)) / large * std::abs(d(walk.to));
  return start > 0 && (shift / start) * (shift / start) < epsilon ? 0 : shift;
}

void Bidiagonal::sweep_unshifted(const Walk& walk) {
  Rotation inner{1, 0, 0}, outer{1, 0, 0};
  for (Index i = walk.from; i != walk.to; i += walk.step) {
    const Index next = i + walk.step;
    inner = rotation_of(d(i) * inner.cosine, between(i, next));
    if (i != walk.from) between(i - walk.step, i) = outer.sine * inner.length;
    outer = rotation_of(outer.cosine * inner.length, d(next) * inner.sine);
    d(i) = outer.length;
    turn_inner(walk, i, inner);
    turn_outer(walk, i, outer);
  }
  const double rest = d(walk.to) * inner.cosine;
  d(walk.to) = rest * outer.cosine;
  between(walk.to - walk.step, walk.to) = rest * outer.sine;
}

void Bidiagonal::sweep(const Walk& walk, double shift) {
  double f = (std::abs(d(walk.from)) - shift) * (std::copysign(1.0, d(walk.from)) + shift / d(walk.from));
  double g = between(walk.from, walk.from + walk.step);
  for (Index i = walk.from; i != walk.to; i += walk.step) {
    const Index next = i + walk.step;
    const Rotation inner = rotation_of(f, g);
    if (i != walk.from) between(i - walk.step, i) = inner.length;
    f = inner.cosine * d(i) + inner.sine * between(i, next);
    between(i, next) = inner.cosine * between(i, next) - inner.sine * d(i);
    g = inner.sine * d(next);
    d(next) *= inner.cosine;
    const Rotation outer = rotation_of(f, g);
    d(i) = outer.length;
    f = outer.cosine * between(i, next) + outer.sine * d(next);
    d(next) = outer.cosine * d(next) - outer.sine * between(i, next);
    if (next != walk.to) {
      g = outer.sine * between(next, next + walk.step);
      between(next, next + walk.step) *= outer.cosine;
    }
    turn_inner(walk, i, inner);
    turn_outer(walk, i, outer);
  }
  between(walk.to - walk.step, walk.to) = f;
}

// [[f, g], [0, h]] at i: its larger singular value comes first. The larger of f and h has the positive element in both
// vectors of that value, which has the sign that remains.
void Bidiagonal::solve_pair(Index i) {
  const double f = d(i), g = between(i, i + 1), h = d(i + 1), scale = std::max({std::abs(f), std::abs(g), std::abs(h)});
  const double a = f / scale, b = g / scale, c = h / scale;
  const double angle = std::atan2(2 * a * b, (a - b) * (a + b) - c * c) / 2;  // of the longest axis of the ellipse
  Rotation x{std::cos(angle), std::sin(angle), 0}, y = rotation_of(a * x.cosine + b * x.sine, c * x.sine);
  for (Rotation* each : {&x, &y})
    if ((std::abs(h) > std::abs(f) ? each->sine : each->cosine) < 0) *each = {-each->cosine, -each->sine, 0};
  const double along = y.cosine * (a * x.cosine + b * x.sine) + y.sine * (c * x.sine);
  const double large = std::copysign(larger_of(f, g, h), along);
  d(i) = large, between(i, i + 1) = 0, d(i + 1) = f / large * h;
  right.turn(i, i + 1, x.cosine, x.sine);
  left.turn(i, i + 1, y.cosine, y.sine);
}

void Bidiagonal::diagonalize() {
  double bound = std::abs(d(0)), smallest = bound;
  for (Index i = 1; i < size() && bound > 0; ++i) {
    bound = std::abs(d(i)) * (bound / (bound + std::abs(between(i - 1, i))));
    smallest = std::min(smallest, bound);
  }
  const auto n = static_cast<double>(size());
  threshold = std::max(tolerance * smallest / std::sqrt(n), 6 * n * n * std::numeric_limits<double>::min());
  Index rounds = 6 * size() * size(), seen_from = -1, seen_to = -1, step = 1;
  for (Index last = size() - 1; last > 0;) {
    double largest = std::abs(d(last));
    Index first = last;  // the block above `last` that nothing splits
    for (; first > 0 && std::abs(between(first - 1, first)) > threshold; --first)
      largest = std::max({largest, std::abs(d(first - 1)), std::abs(between(first - 1, first))});
    if (first > 0) between(first - 1, first) = 0;
    if (first == last) {
      --last;
      continue;
    }
    if (first + 1 == last) {
      solve_pair(first);
      last -= 2;
      continue;
    }
    if (first > seen_to || last < seen_from) step = std::abs(d(first)) >= std::abs(d(last)) ? 1 : -1;  // a new block
    const Walk walk = step > 0 ? Walk{first, last, 1} : Walk{last, first, -1};
    if (converged(walk, smallest)) continue;
    seen_from = first, seen_to = last;
    if (--rounds < 0) throw Error(ErrorCode::kRuntime, "linalg_svd: the iterations did not converge");
    const double shift = shift_of(walk, smallest, largest);
    if (shift == 0) {
      sweep_unshifted(walk);
    } else {
      sweep(walk, shift);
    }
    double& element = between(walk.to - walk.step, walk.to);
    if (std::abs(element) <= threshold) element = 0;
  }
}

struct Reflections {
  std::vector<Reflection> left, right;
};

// a: [m, n] with m >= n becomes upper bidiagonal.
Reflections bidiagonalize(const Matrix& a) {
  Reflections result;
  for (Index k = 0; k < a.columns; ++k) {
    result.left.push_back(reflect_column(a, k, k));
    apply(result.left.back(), a, k + 1);
    if (k + 1 == a.columns) break;
    result.right.push_back(reflect_column(a.transposed(), k, k + 1));
    apply(result.right.back(), a.transposed(), k + 1);
  }
  return result;
}

// A lower bidiagonal matrix becomes an upper one, by rotations of its rows.
void make_upper(Bidiagonal& form) {
  for (Index i = 0; i + 1 < form.size(); ++i) {
    const Rotation by = rotation_of(form.d(i), form.between(i, i + 1));
    form.d(i) = by.length;
    form.between(i, i + 1) = by.sine * form.d(i + 1);
    form.d(i + 1) *= by.cosine;
    form.left.turn(i, i + 1, by.cosine, by.sine);
  }
}

// Of larger matrices, which LAPACK divides at row n / 2, each left vector points away from that of the row.
void point_away(const Bidiagonal& form, const Vector& y) {
  for (Index i = 0; i < form.size(); ++i) {
    if (form.left.along(i, y) <= 0) continue;
    form.left.negate(i);
    form.right.negate(i);
  }
}

// Values become positive, and descend.
void arrange(Bidiagonal& form) {
  for (Index i = 0; i < form.size(); ++i)
    if (form.d(i) < 0) {
      form.d(i) = -form.d(i);
      (form.size() == 1 ? form.left : form.right).negate(i);
    }
  for (Index i = 0; i + 1 < form.size(); ++i) {
    const Index largest = std::ranges::max_element(form.diagonal.begin() + i, form.diagonal.end()) - form.diagonal.begin();
    if (largest == i) continue;
    std::swap(form.d(i), form.d(largest));
    for (const Rows& rows : {form.left, form.right})
      std::swap_ranges(rows[i], rows[i + 1], rows[largest]);
  }
}

// a: [m, n], lost -> left: [*, m], values: [min(m, n)], right: [*, n].
void factor_svd(const Matrix& a, const Matrix& left, double* values, const Matrix& right, double epsilon) {
  const bool wide = a.rows < a.columns;
  const Matrix tall = wide ? a.transposed() : a;
  const auto n = static_cast<std::size_t>(tall.columns);
  const Matrix &long_rows = wide ? right : left, &short_rows = wide ? left : right;
  std::vector<Reflection> first;
  if (!wide && a.rows >= a.columns * 3 / 2) first = factor_qr(a);  // many rows: R has all that counts
  const Matrix form_of = first.empty() ? tall : Matrix{tall.data, tall.columns, tall.columns, tall.down, tall.across};
  const Reflections q = bidiagonalize(form_of);
  Bidiagonal form{Vector(n), Vector(n - 1), {left.data, left.columns}, {right.data, right.columns}, epsilon};
  for (Index k = 0; k < tall.columns; ++k) form.d(k) = form_of(k, k);
  for (Index k = 0; k + 1 < tall.columns; ++k) form.between(k, k + 1) = form_of(k, k + 1);
  set_identity(long_rows);
  set_identity(short_rows);
  multiply(q.left, long_rows.transposed());
  multiply(first, long_rows.transposed());
  multiply(q.right, short_rows.transposed());
  if (wide) make_upper(form);
  const Index middle = tall.columns / 2;
  const Vector y(form.left[middle], form.left[middle + 1]);
  form.diagonalize();
  if (tall.columns > kLargestWhole) point_away(form, y);
  arrange(form);
  std::ranges::copy(form.diagonal, values);
}

// torch's driver is a choice among LAPACK's ways to the same result.
Triple linalg_svd(const Tensor& a, bool full_matrices, std::optional<std::string> /*driver*/) {
  const Svd svd = svd_in_double("linalg_svd", a, full_matrices);
  return {convert(copy_of(swapped(svd.left)), a.dtype(), "linalg_svd"), convert(svd.values, a.dtype(), "linalg_svd"),
          convert(svd.right, a.dtype(), "linalg_svd")};
}

Tensor linalg_svdvals(const Tensor& a, std::optional<std::string> driver) {
  return std::get<1>(linalg_svd(a, false, driver));
}

// The older form gives V, not its transpose.
Triple svd(const Tensor& self, bool some, bool compute_uv) {
  if (!compute_uv) throw Error(ErrorCode::kUnsupported, "svd: compute_uv is false; use linalg_svdvals");
  const auto [u, s, vh] = linalg_svd(self, !some, std::nullopt);
  return {u, s, copy_of(swapped(vh))};
}

constexpr OpDefinition kOps[] = {
    define_op<linalg_svd>(
        "aten::linalg_svd(Tensor A, bool full_matrices=True, *, str? driver=None) -> (Tensor U, Tensor S, Tensor Vh)"),
    define_op<linalg_svdvals>("aten::linalg_svdvals(Tensor A, *, str? driver=None) -> Tensor"),
    define_op<svd>("aten::svd(Tensor self, bool some=True, bool compute_uv=True) -> (Tensor U, Tensor S, Tensor V)"),
};

}  // namespace

Svd svd_in_double(const char* op, const Tensor& self, bool full) {
  check_matrix(op, self, false);
  const Index m = rows_of(self), n = columns_of(self), k = std::min(m, n);
  const Tensor a = in_double(self, op);
  check_finite(op, a);
  Svd out{zeros(batch_sizes(self, {full ? m : k, m}), DType::kFloat64), zeros(batch_sizes(self, {k}), DType::kFloat64),
          zeros(batch_sizes(self, {full ? n : k, n}), DType::kFloat64)};
  for_batch(self, [&](Index at) {
    const Matrix left = matrix_at(out.left, at), right = matrix_at(out.right, at);
    if (k > 0) {
      factor_svd(matrix_at(a, at), left, out.values.data<double>() + at * k, right, rounding_of(self.dtype()));
    } else {
      set_identity(left);
      set_identity(right);
    }
  });
  return out;
}

std::span<const OpDefinition> singular_ops() { return kOps; }

}  // namespace threadwheel
