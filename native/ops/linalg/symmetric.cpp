// Eigenvalues and eigenvectors of symmetric matrices: Householder's tridiagonal form, then implicit QL iterations
// (Golub and Van Loan, sections 8.3.1 and 8.3.5). The sign of an eigenvector is nobody's promise, but people compare
// it: conventions and the order of steps are those of LAPACK's syevd for small matrices, so that the signs are, too.
// Computed in double; the precision of the dtype decides what is zero.
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

struct Tridiagonal {
  Vector diagonal, off;  // [n], [n - 1]
};

// a: its lower triangle counts and is lost -> Q' a Q. basis: [n, n] becomes Q.
Tridiagonal tridiagonalize(const Matrix& a, const Matrix& basis) {
  const auto n = static_cast<std::size_t>(a.rows);
  Tridiagonal result{Vector(n), Vector(n - 1)};
  std::vector<Reflection> q;
  for (Index k = 0; k + 1 < a.rows; ++k) {
    q.push_back(reflect_column(a, k, k + 1));
    const auto& [tau, first, v] = q.back();
    const auto size = static_cast<Index>(v.size());
    const auto below = [&, at = first](Index i, Index j) -> double& { return a(at + std::max(i, j), at + std::min(i, j)); };
    Vector w(v.size());
    for (Index i = 0; i < size; ++i)
      for (Index j = 0; j < size; ++j)
        w[static_cast<std::size_t>(i)] += tau * below(i, j) * v[static_cast<std::size_t>(j)];
    const double share = -tau / 2 * std::inner_product(w.begin(), w.end(), v.begin(), 0.0);
    for (std::size_t i = 0; i < w.size(); ++i) w[i] += share * v[i];
    for (Index i = 0; i < size; ++i)
      for (Index j = 0; j <= i; ++j) {
        const auto p = static_cast<std::size_t>(i), r = static_cast<std::size_t>(j);
        below(i, j) -= v[p] * w[r] + w[p] * v[r];
      }
  }
  for (std::size_t k = 0; k < n; ++k) result.diagonal[k] = a(static_cast<Index>(k), static_cast<Index>(k));
  for (std::size_t k = 0; k + 1 < n; ++k) result.off[k] = a(static_cast<Index>(k) + 1, static_cast<Index>(k));
  set_identity(basis);
  multiply(q, basis);
  return result;
}

struct Rotation {
  double cosine, sine, length;
};

// The rotation that turns (x, y) into (length, 0). The larger of x and y keeps its sign, as it does in LAPACK before 3.10
// and in MKL.
Rotation rotation_of(double x, double y) {
  if (y == 0) return {1, 0, x};
  if (x == 0) return {0, 1, y};
  const double length = std::abs(x) > std::abs(y) ? std::copysign(std::hypot(x, y), x) : std::hypot(x, y);
  return {x / length, y / length, length};
}

// QL iterations over one matrix; with each rotation two rows of `vectors` turn.
class Iterations {
 public:
  Iterations(Tridiagonal& matrix, const Rows& vectors, double epsilon)
      : d_(matrix.diagonal), e_(matrix.off), vectors_(vectors), epsilon_(epsilon) {}

  void run() {
    const Index n = static_cast<Index>(d_.size());
    for (Index begin = 0, end; begin < n; begin = end + 1) {  // blocks between elements that are zero
      for (end = begin; end + 1 < n; ++end) {
        if (!is_zero(end, end + 1)) continue;
        between(end, end + 1) = 0;
        break;
      }
      // Towards the end with the smaller element: QL, or its mirror image QR.
      if (std::abs(d(end)) < std::abs(d(begin))) {
        solve(end, begin, -1);
      } else {
        solve(begin, end, 1);
      }
    }
  }

 private:
  static constexpr Index kMostRounds = 30;  // for each eigenvalue; two or three are usual

  double& d(Index i) { return d_[static_cast<std::size_t>(i)]; }
  double& between(Index i, Index j) { return e_[static_cast<std::size_t>(std::min(i, j))]; }

  void solve(Index at, Index last, Index step) {
    Index rounds = kMostRounds * static_cast<Index>(d_.size());
    while ((last - at) * step >= 0) {
      Index end = at;
      while (end != last && !is_zero(end, end + step)) end += step;
      if (end != last) between(end, end + step) = 0;
      if (end == at) {
        at += step;
      } else if (end == at + step) {
        solve_pair(std::min(at, end));
        at += 2 * step;
      } else {
        if (rounds-- == 0) throw Error(ErrorCode::kRuntime, "linalg_eigh: the iterations did not converge");
        sweep(at, end, step);
      }
    }
  }

  // Against the diagonal, by roots: squares would leave the range of double.
  bool is_zero(Index i, Index j) {
    const double bound = epsilon_ * std::sqrt(std::abs(d(i))) * std::sqrt(std::abs(d(j)));
    return std::abs(between(i, j)) <= bound + std::numeric_limits<double>::denorm_min();
  }

  // One iteration with Wilkinson's shift from `at`: the bulge runs from `end` to `at`.
  void sweep(Index at, Index end, Index step) {
    const double apart = (d(at + step) - d(at)) / (2 * between(at, at + step));
    double g = d(end) - d(at) + between(at, at + step) / (apart + std::copysign(std::hypot(apart, 1.0), apart));
    double sine = 1, cosine = 1, moved = 0;
    for (Index i = end - step;; i -= step) {
      const double f = sine * between(i, i + step), b = cosine * between(i, i + step);
      const Rotation rotation = rotation_of(g, f);
      cosine = rotation.cosine, sine = rotation.sine;
      if (i != end - step) between(i + step, i + 2 * step) = rotation.length;
      g = d(i + step) - moved;
      const double r = (d(i) - g) * sine + 2 * cosine * b;
      moved = sine * r;
      d(i + step) = g + moved;
      g = cosine * r - b;
      vectors_.turn(i + step, i, cosine, sine);
      if (i == at) break;
    }
    d(at) -= moved;
    between(at, at + step) = g;
  }

  // Rows i and i + 1, which nothing else holds: the larger eigenvalue by magnitude comes first.
  void solve_pair(Index i) {
    const double sum = d(i) + d(i + 1), difference = d(i) - d(i + 1), twice = 2 * between(i, i + 1);
    const double root = std::hypot(difference, twice), large = (sum < 0 ? sum - root : sum + root) / 2;
    const double small = sum == 0 ? -root / 2 : d(i) / large * d(i + 1) - twice / 2 / large * (twice / 2);
    const double leg = difference >= 0 ? difference + root : difference - root;
    const double length = std::copysign(std::hypot(leg, twice), std::abs(leg) > std::abs(twice) ? leg : -twice);
    const double cosine = -twice / length, sine = leg / length;
    d(i) = large, d(i + 1) = small, between(i, i + 1) = 0;
    if ((sum >= 0) == (difference >= 0)) {
      vectors_.turn(i, i + 1, -sine, cosine);
    } else {
      vectors_.turn(i, i + 1, cosine, sine);
    }
  }

  Vector &d_, &e_;
  const Rows vectors_;
  const double epsilon_;
};

// Larger matrices LAPACK divides in two at n / 2 and conquers by a change of rank one along y, the basis vectors beside
// the cut: each eigenvector then points away from y.
Vector beside_cut(const Tridiagonal& form, const Rows& basis) {
  const Index cut = basis.width / 2;
  const double side = std::copysign(1.0, form.off[static_cast<std::size_t>(cut - 1)]);
  Vector y(basis[cut - 1], basis[cut]);
  std::transform(y.begin(), y.end(), basis[cut], y.begin(), [&](double a, double b) { return a + side * b; });
  return y;
}

void point_away(const Rows& rows, const Vector& y) {
  for (Index i = 0; i < rows.width; ++i)
    if (rows.along(i, y) > 0) rows.negate(i);
}

// Only the triangle that uplo names is read.
std::tuple<Tensor, Tensor> linalg_eigh(const Tensor& self, const std::string& uplo) {
  constexpr const char* kName = "linalg_eigh";
  check_matrix(kName, self, true);
  if (uplo != "L" && uplo != "U" && uplo != "l" && uplo != "u")
    fail_value(std::string(kName) + ": UPLO is '" + uplo + "'; expected 'L' or 'U'");
  const bool upper = uplo == "U" || uplo == "u";
  const Tensor a = in_double(self, kName), vectors = Tensor::empty(self.sizes(), DType::kFloat64);
  check_finite(kName, a);
  const Index n = columns_of(self);
  const Tensor values = Tensor::empty(batch_sizes(self, {n}), DType::kFloat64);
  for_batch(self, [&](Index at) {
    if (n == 0) return;
    Vector memory(static_cast<std::size_t>(n * n));
    const Rows rows{memory.data(), n};  // the vectors: Q transposed, to begin with
    const Matrix given = matrix_at(a, at), basis = by_rows(rows.data, n, n).transposed();
    // Seen from its other end, a matrix has its upper triangle below the diagonal.
    Tridiagonal form = upper ? tridiagonalize(given.from_end(), basis.from_end()) : tridiagonalize(given, basis);
    if (upper) {
      std::ranges::reverse(form.diagonal);
      std::ranges::reverse(form.off);
    }
    const Vector y = n > kLargestWhole ? beside_cut(form, rows) : Vector();
    Iterations(form, rows, rounding_of(self.dtype())).run();
    if (n > kLargestWhole) point_away(rows, y);
    std::vector<Index> order(static_cast<std::size_t>(n));
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, {}, [&](Index k) { return form.diagonal[static_cast<std::size_t>(k)]; });
    const Matrix out = matrix_at(vectors, at);
    for (Index k = 0; k < n; ++k) {
      const Index from = order[static_cast<std::size_t>(k)];
      values.data<double>()[at * n + k] = form.diagonal[static_cast<std::size_t>(from)];
      for (Index i = 0; i < n; ++i) out(i, k) = rows[from][i];
    }
  });
  return {convert(values, self.dtype(), kName), convert(vectors, self.dtype(), kName)};
}

Tensor linalg_eigvalsh(const Tensor& self, const std::string& uplo) { return std::get<0>(linalg_eigh(self, uplo)); }

constexpr OpDefinition kOps[] = {
    define_op<linalg_eigh>(
        "aten::linalg_eigh(Tensor self, str UPLO=\"L\") -> (Tensor eigenvalues, Tensor eigenvectors)"),
    define_op<linalg_eigvalsh>("aten::linalg_eigvalsh(Tensor self, str UPLO=\"L\") -> Tensor"),
};

}  // namespace

std::span<const OpDefinition> symmetric_ops() { return kOps; }

}  // namespace threadwheel
