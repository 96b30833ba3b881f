// Decompositions of small matrices, and what follows from them: solutions, inverses, determinants. Plain algorithms in
// double for both floating dtypes, one matrix of a batch after the other on the pool: the same bits on every variant.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "ops/compose.h"
#include "ops/families.h"
#include "ops/linalg/matrices.h"
#include "ops/shared/shapes.h"
#include "threadwheel/error.h"

namespace threadwheel {
namespace {

using TensorPair = std::tuple<Tensor, Tensor>;
using Triple = std::tuple<Tensor, Tensor, Tensor>;

// a: [m, n] row-major -> unit lower and upper factors in place. pivots[i]: the row that i was exchanged with. Returns
// the place of the first pivot that is zero, counted from 1; 0: none.
std::int64_t factor_lu(double* a, std::int64_t m, std::int64_t n, std::int64_t* pivots) {
  std::int64_t info = 0;
  for (std::int64_t k = 0; k < std::min(m, n); ++k) {
    std::int64_t best = k;
    for (std::int64_t i = k + 1; i < m; ++i)
      if (std::abs(a[i * n + k]) > std::abs(a[best * n + k])) best = i;
    pivots[k] = best;
    if (best != k) std::swap_ranges(a + k * n, a + (k + 1) * n, a + best * n);
    const double pivot = a[k * n + k];
    if (pivot == 0) {
      if (info == 0) info = k + 1;
      continue;
    }
    for (std::int64_t i = k + 1; i < m; ++i) {
      const double factor = a[i * n + k] /= pivot;
      for (std::int64_t j = k + 1; j < n; ++j) a[i * n + j] -= factor * a[k * n + j];
    }
  }
  return info;
}

// x: [n, columns]: t x = b in place, t triangular.
void solve_triangle(const double* t, std::int64_t n, double* x, std::int64_t columns, bool upper, bool unit) {
  for (std::int64_t step = 0; step < n; ++step) {
    const std::int64_t i = upper ? n - 1 - step : step;
    double* const row = x + i * columns;
    for (std::int64_t k = upper ? i + 1 : 0; k < (upper ? n : i); ++k) {
      const double factor = t[i * n + k];
      for (std::int64_t j = 0; j < columns; ++j) row[j] -= factor * x[k * columns + j];
    }
    if (!unit)
      for (std::int64_t j = 0; j < columns; ++j) row[j] /= t[i * n + i];
  }
}

// Returns the order of the first minor that is not positive; 0: all are.
std::int64_t factor_cholesky(double* a, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j <= i; ++j) {
      double sum = a[i * n + j];
      for (std::int64_t k = 0; k < j; ++k) sum -= a[i * n + k] * a[j * n + k];
      if (i == j) {
        if (!(sum > 0)) return i + 1;
        a[i * n + i] = std::sqrt(sum);
      } else {
        a[i * n + j] = sum / a[j * n + j];
      }
    }
    std::fill(a + i * n + i + 1, a + (i + 1) * n, 0.0);
  }
  return 0;
}

[[noreturn]] void fail_singular(const char* op, std::int64_t info, const char* what) {
  throw Error(ErrorCode::kRuntime, std::string(op) + ": the input is not invertible; " + what + " " +
                                       std::to_string(info) + " is zero");
}

void check_info(const char* op, const Tensor& info, bool positive) {
  for (std::int64_t i = 0; i < info.numel(); ++i)
    if (const std::int32_t at = info.data<const std::int32_t>()[i]; at != 0) {
      if (!positive) fail_singular(op, at, "pivot");
      throw Error(ErrorCode::kRuntime, std::string(op) +
                                           ": the input is not positive-definite; its leading minor of order " +
                                           std::to_string(at) + " is not positive");
    }
}

TensorPair cholesky_ex(const Tensor& self, bool upper, bool check_errors) {
  constexpr const char* kName = "linalg_cholesky";
  check_matrix(kName, self, true);
  const Tensor a = in_double(upper ? swapped(self) : self, kName), info = zeros(batch_sizes(self, {}), DType::kInt32);
  const std::int64_t n = columns_of(self);
  for_batch(a, [&](std::int64_t i) {
    info.data<std::int32_t>()[i] = static_cast<std::int32_t>(factor_cholesky(a.data<double>() + i * n * n, n));
  });
  if (check_errors) check_info(kName, info, true);
  return {convert(upper ? swapped(a) : a, self.dtype(), kName), info};
}

TensorPair linalg_cholesky_ex(const Tensor& self, bool upper, bool check_errors) {
  return cholesky_ex(self, upper, check_errors);
}
Tensor linalg_cholesky(const Tensor& self, bool upper) { return std::get<0>(cholesky_ex(self, upper, true)); }

// Factors of a batch in double: lu, pivots from 0 as int64, and info.
struct Lu {
  Tensor lu, pivots, info;
  std::int64_t m, n;

  Lu(const char* op, const Tensor& a)
      : lu(in_double(a, op)), pivots(zeros(batch_sizes(a, {std::min(rows_of(a), columns_of(a))}), DType::kInt64)),
        info(zeros(batch_sizes(a, {}), DType::kInt32)), m(rows_of(a)), n(columns_of(a)) {
    const std::int64_t k = std::min(m, n);
    for_batch(a, [&](std::int64_t i) {
      info.data<std::int32_t>()[i] = static_cast<std::int32_t>(
          factor_lu(lu.data<double>() + i * m * n, m, n, pivots.data<std::int64_t>() + i * k));
    });
  }

  // x: [batch, n, columns] in double, b to the solution.
  void solve(const Tensor& x) const {
    const std::int64_t columns = columns_of(x);
    for_batch(lu, [&](std::int64_t i) {
      double* const to = x.data<double>() + i * n * columns;
      const double* const factors = lu.data<const double>() + i * n * n;
      for (std::int64_t k = 0; k < n; ++k) {
        const std::int64_t pivot = pivots.data<const std::int64_t>()[i * n + k];
        if (pivot != k) std::swap_ranges(to + k * columns, to + (k + 1) * columns, to + pivot * columns);
      }
      solve_triangle(factors, n, to, columns, false, true);
      solve_triangle(factors, n, to, columns, true, false);
    });
  }
};

Tensor identity(const Dims& sizes) {
  const Tensor out = zeros(sizes, DType::kFloat64);
  const std::int64_t n = sizes[sizes.size() - 1];
  for (std::int64_t i = 0; i < (n == 0 ? 0 : out.numel() / (n * n)); ++i)
    for (std::int64_t k = 0; k < n; ++k) out.data<double>()[(i * n + k) * n + k] = 1;
  return out;
}

TensorPair linalg_inv_ex(const Tensor& a, bool check_errors) {
  check_matrix("linalg_inv", a, true);
  const Lu lu("linalg_inv", a);
  if (check_errors) check_info("linalg_inv", lu.info, false);
  const Tensor x = identity(a.sizes());
  lu.solve(x);
  return {convert(x, a.dtype(), "linalg_inv"), lu.info};
}

Tensor linalg_inv(const Tensor& a) { return std::get<0>(linalg_inv_ex(a, true)); }

TensorPair linalg_solve_ex(const Tensor& a, const Tensor& b, bool left, bool check_errors) {
  constexpr const char* kName = "linalg_solve";
  check_matrix(kName, a, true);
  // b is a vector where it has one dimension, or lacks just the last of a's.
  const bool vector = b.dim() == 1 || (b.dim() == a.dim() - 1 &&
                                       std::ranges::equal(b.sizes(), std::span(a.sizes()).first(a.sizes().size() - 1)));
  if (a.dtype() != b.dtype() || b.dim() == 0 || (vector && !left))
    fail_value(std::string(kName) + ": " + describe("A", a) + " and " + describe("B", b) +
               "; expected one dtype, and matrices where left is false");
  Tensor right = vector ? unsqueeze_view(b, b.sizes().size()) : b;
  Tensor matrices = a;
  if (!left) {
    right = swapped(right);
    matrices = swapped(a);
  }
  const std::int64_t n = columns_of(a);
  if (rows_of(right) != n)
    fail_value(std::string(kName) + ": " + describe("A", a) + " and " + describe("B", b) + "; they must agree in " +
               std::to_string(n));
  const Dims lead = broadcast_sizes(kName, std::span(a.sizes()).first(a.sizes().size() - 2),
                                    std::span(right.sizes()).first(right.sizes().size() - 2));
  const auto wide = [&](const Tensor& t) {
    Dims sizes(lead.size() + 2);
    std::copy(lead.begin(), lead.end(), sizes.begin());
    sizes[lead.size()] = rows_of(t);
    sizes[lead.size() + 1] = columns_of(t);
    return broadcast_to(t, sizes);
  };
  const Lu lu(kName, wide(matrices));
  if (check_errors) check_info(kName, lu.info, false);
  Tensor x = in_double(wide(right), kName);
  lu.solve(x);
  if (!left) x = swapped(x);
  if (vector) x = select_view(x, x.sizes().size() - 1, 0);
  return {copy_of(convert(x, a.dtype(), kName)), lu.info};
}

Tensor linalg_solve(const Tensor& a, const Tensor& b, bool left) {
  return std::get<0>(linalg_solve_ex(a, b, left, true));
}

// sign, log of the absolute value.
TensorPair linalg_slogdet(const Tensor& a) {
  check_matrix("linalg_slogdet", a, true);
  const Lu lu("linalg_slogdet", a);
  const Tensor sign = Tensor::empty(batch_sizes(a, {}), DType::kFloat64),
               log = Tensor::empty(sign.sizes(), DType::kFloat64);
  for (std::int64_t i = 0; i < sign.numel(); ++i) {
    double s = 1, total = 0;
    for (std::int64_t k = 0; k < lu.n; ++k) {
      const double pivot = lu.lu.data<const double>()[(i * lu.n + k) * lu.n + k];
      if (lu.pivots.data<const std::int64_t>()[i * lu.n + k] != k) s = -s;
      s *= pivot > 0 ? 1 : pivot < 0 ? -1 : pivot;
      total += std::log(std::abs(pivot));
    }
    sign.data<double>()[i] = s;
    log.data<double>()[i] = total;
  }
  return {convert(sign, a.dtype(), "linalg_slogdet"), convert(log, a.dtype(), "linalg_slogdet")};
}

Tensor linalg_det(const Tensor& a) {
  check_matrix("linalg_det", a, true);
  const Lu lu("linalg_det", a);
  const Tensor out = Tensor::empty(batch_sizes(a, {}), DType::kFloat64);
  for (std::int64_t i = 0; i < out.numel(); ++i) {
    double product = 1;
    for (std::int64_t k = 0; k < lu.n; ++k) {
      product *= lu.lu.data<const double>()[(i * lu.n + k) * lu.n + k];
      if (lu.pivots.data<const std::int64_t>()[i * lu.n + k] != k) product = -product;
    }
    out.data<double>()[i] = product;
  }
  return convert(out, a.dtype(), "linalg_det");
}

struct Log {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    return std::log(x);
  }
};

// NaN where the determinant is negative.
Tensor logdet(const Tensor& self) {
  const Tensor det = linalg_det(self);
  return elementwise(FloatingTypes(), {.op = "logdet"}, {det}, nullptr, []<class T>() { return Log(); });
}

Triple linalg_lu_factor_ex(const Tensor& a, bool pivot, bool check_errors) {
  constexpr const char* kName = "linalg_lu_factor";
  check_matrix(kName, a, false);
  if (!pivot) throw Error(ErrorCode::kUnsupported, std::string(kName) + ": pivot is false; only true is supported");
  const Lu lu(kName, a);
  if (check_errors) check_info(kName, lu.info, false);
  Tensor pivots = convert(lu.pivots, DType::kInt32, kName);
  for (std::int64_t i = 0; i < pivots.numel(); ++i) ++pivots.data<std::int32_t>()[i];  // counted from 1, as LAPACK does
  return {convert(lu.lu, a.dtype(), kName), pivots, lu.info};
}

TensorPair linalg_lu_factor(const Tensor& a, bool pivot) {
  const auto [lu, pivots, info] = linalg_lu_factor_ex(a, pivot, false);
  return {lu, pivots};
}

Tensor linalg_solve_triangular(const Tensor& a, const Tensor& b, bool upper, bool left, bool unit) {
  constexpr const char* kName = "linalg_solve_triangular";
  check_matrix(kName, a, true);
  check_matrix(kName, b, false);
  const Tensor matrices = left ? a : swapped(a), right = left ? b : swapped(b);
  if (a.dtype() != b.dtype() || rows_of(right) != columns_of(a))
    fail_value(std::string(kName) + ": " + describe("A", a) + " and " + describe("B", b) +
               "; expected one dtype, and sizes that can be multiplied");
  const Dims lead = broadcast_sizes(kName, std::span(a.sizes()).first(a.sizes().size() - 2),
                                    std::span(b.sizes()).first(b.sizes().size() - 2));
  const auto wide = [&](const Tensor& t) {
    Dims sizes(lead.size() + 2);
    std::copy(lead.begin(), lead.end(), sizes.begin());
    sizes[lead.size()] = rows_of(t);
    sizes[lead.size() + 1] = columns_of(t);
    return in_double(broadcast_to(t, sizes), kName);
  };
  const Tensor t = wide(matrices), x = wide(right);
  const std::int64_t n = columns_of(a), columns = columns_of(x);
  for_batch(t, [&](std::int64_t i) {
    solve_triangle(t.data<const double>() + i * n * n, n, x.data<double>() + i * n * columns, columns, upper == left,
                   unit);
  });
  return copy_of(convert(left ? x : swapped(x), a.dtype(), kName));
}

// The sum of the diagonal; integers sum to int64.
Tensor trace(const Tensor& self) {
  if (self.dim() != 2) fail_value("trace: " + describe("input", self) + "; expected a matrix");
  const bool integral = dtype_info(self.dtype()).category <= DTypeCategory::kInteger;
  const Tensor out = zeros({}, integral ? DType::kInt64 : self.dtype());
  visit_dtype(NumberTypes(), self.dtype(), "trace", [&]<class T>() {
    using Sum = std::conditional_t<std::is_integral_v<T>, std::int64_t, T>;
    Sum sum(0);
    for (std::int64_t i = 0; i < std::min(self.size(0), self.size(1)); ++i)
      sum += static_cast<Sum>(self.data<const T>()[i * (self.stride(0) + self.stride(1))]);
    *out.data<Sum>() = sum;
  });
  return out;
}

// Distances between rows: [..., p, m] and [..., r, m] -> [..., p, r].
template <class T>
T distance(const T* x, const T* y, std::int64_t n, double p) {
  T total(0);
  for (std::int64_t i = 0; i < n; ++i) {
    const T d = std::abs(x[i] - y[i]);
    if (p == 0) {
      total += d != T(0) ? T(1) : T(0);
    } else if (std::isinf(p)) {
      total = d > total || d != d ? d : total;
    } else {
      total += p == 1 ? d : p == 2 ? d * d : std::pow(d, static_cast<T>(p));
    }
  }
  if (p == 2) return std::sqrt(total);
  return p == 0 || p == 1 || std::isinf(p) ? total : std::pow(total, static_cast<T>(1 / p));
}

Tensor cdist(const Tensor& x1, const Tensor& x2, double p, std::optional<std::int64_t> /*compute_mode*/) {
  check_matrix("cdist", x1, false);
  check_matrix("cdist", x2, false);
  if (columns_of(x1) != columns_of(x2) || x1.dtype() != x2.dtype() || !(p >= 0))
    fail_value("cdist: " + describe("x1", x1) + ", " + describe("x2", x2) + " and p is " + std::to_string(p) +
               "; expected one dtype, one last size, and p of 0 or more");
  const Dims lead = broadcast_sizes("cdist", std::span(x1.sizes()).first(x1.sizes().size() - 2),
                                    std::span(x2.sizes()).first(x2.sizes().size() - 2));
  const auto wide = [&](std::int64_t rows, std::int64_t columns) {
    Dims sizes(lead.size() + 2);
    std::copy(lead.begin(), lead.end(), sizes.begin());
    sizes[lead.size()] = rows;
    sizes[lead.size() + 1] = columns;
    return sizes;
  };
  const std::int64_t rows = rows_of(x1), others = rows_of(x2), n = columns_of(x1);
  const Tensor a = broadcast_to(x1, wide(rows, n)).contiguous(), b = broadcast_to(x2, wide(others, n)).contiguous();
  const Tensor out = Tensor::empty(wide(rows, others), x1.dtype());
  visit_dtype(FloatingTypes(), x1.dtype(), "cdist", [&]<class T>() {
    parallel_for(0, out.numel(), 32768 / (n + 1) + 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i)
        out.data<T>()[i] = distance(a.data<const T>() + i / others * n,
                                    b.data<const T>() + (i / (rows * others) * others + i % others) * n, n, p);
    });
  });
  return out;
}

Tensor cross_along(const char* op, const Tensor& self, const Tensor& other, std::size_t dim) {
  const Dims sizes = broadcast_sizes(op, self.sizes(), other.sizes());
  if (self.dim() != other.dim() || sizes[dim] != 3 || self.size(dim) != 3 || other.size(dim) != 3)
    fail_value(std::string(op) + ": " + describe("self", self) + " and " + describe("other", other) +
               "; expected as many dimensions, and size 3 in the one of the product");
  const DType result = result_type(self, other), dtype = is_half(result) ? DType::kFloat32 : result;
  const Tensor a = broadcast_to(convert(self, dtype, op), sizes).contiguous();
  const Tensor b = broadcast_to(convert(other, dtype, op), sizes).contiguous(), out = Tensor::empty(sizes, dtype);
  const std::int64_t inner = count_elements(std::span(sizes).subspan(dim + 1));
  visit_dtype(NumberTypes(), dtype, op, [&]<class T>() {
    const T *x = a.data<const T>(), *y = b.data<const T>();
    for (std::int64_t i = 0; i < out.numel(); ++i) {
      const std::int64_t k = i / inner % 3, base = i - k * inner, next = base + (k + 1) % 3 * inner,
                         last = base + (k + 2) % 3 * inner;
      out.data<T>()[i] = static_cast<T>(x[next] * y[last] - x[last] * y[next]);
    }
  });
  return convert(out, result, op);
}

Tensor linalg_cross(const Tensor& self, const Tensor& other, std::int64_t dim) {
  return cross_along("linalg_cross", self, other, wrap_dim("linalg_cross", dim, self.dim()));
}

// self: [..., n] -> its powers from 0 to N - 1, [..., n, N]. N is n if it is not given.
Tensor linalg_vander(const Tensor& self, std::optional<std::int64_t> given) {
  const Tensor x = self.dim() == 0 ? unsqueeze_view(self, 0) : self;
  const std::int64_t n = given.value_or(x.size(x.sizes().size() - 1));
  if (n < 2) fail_value("linalg_vander: N is " + std::to_string(n) + "; expected 2 or more");
  Dims sizes = x.sizes();
  std::vector<std::int64_t> wide(sizes.begin(), sizes.end());
  wide.push_back(n - 1);
  const Tensor powers = aten("cumprod", {broadcast_to(unsqueeze_view(x, sizes.size()), wide), std::int64_t{-1}});
  wide.back() = 1;
  const std::vector<Tensor> parts{filled(wide, powers.dtype(), std::int64_t{1}), powers};
  return aten("cat", {parts, std::int64_t{-1}});
}

// self: [a..., b...] where the first `ind` sizes and the others have one product -> [b..., a...].
Tensor linalg_tensorinv(const Tensor& self, std::int64_t ind) {
  if (ind < 1 || ind > self.dim())
    fail_value("linalg_tensorinv: " + describe("self", self) + " and ind is " + std::to_string(ind) +
               "; expected 1 to the number of dimensions");
  const std::span<const std::int64_t> sizes = self.sizes();
  const auto lead = sizes.first(static_cast<std::size_t>(ind)), rest = sizes.subspan(static_cast<std::size_t>(ind));
  if (count_elements(lead) != count_elements(rest))
    fail_value("linalg_tensorinv: " + describe("self", self) + "; the product of the first " + std::to_string(ind) +
               " sizes must be that of the others");
  std::vector<std::int64_t> swapped_sizes(rest.begin(), rest.end());
  swapped_sizes.insert(swapped_sizes.end(), lead.begin(), lead.end());
  return reshaped(linalg_inv(reshaped(self, Dims{count_elements(lead), count_elements(rest)})), swapped_sizes);
}

// x with tensordot(self, x, x.dim()) = other, after `dims` of self moved to its end.
Tensor linalg_tensorsolve(const Tensor& self, const Tensor& other,
                          std::optional<std::span<const std::int64_t>> dims) {
  Tensor a = self;
  if (dims) {
    IntList from(dims->begin(), dims->end()), to;
    for (std::size_t i = 0; i < from.size(); ++i)
      to.push_back(self.dim() - static_cast<std::int64_t>(from.size() - i));
    a = aten("movedim.intlist", {a, from, to});
  }
  const std::span<const std::int64_t> sizes = a.sizes();
  if (sizes.size() < other.sizes().size() ||
      count_elements(sizes.subspan(other.sizes().size())) != other.numel() || a.numel() != other.numel() * other.numel())
    fail_value("linalg_tensorsolve: " + describe("self", self) + " and " + describe("other", other) +
               "; self must hold as many equations and unknowns as other has elements");
  const Tensor x = linalg_solve(reshaped(a, Dims{other.numel(), other.numel()}), reshaped(other, Dims{other.numel()}),
                                true);
  return reshaped(x, sizes.subspan(other.sizes().size()));
}

// Without a dimension: the first of size 3.
Tensor cross(const Tensor& self, const Tensor& other, std::optional<std::int64_t> dim) {
  if (dim) return cross_along("cross", self, other, wrap_dim("cross", *dim, self.dim()));
  const auto found = std::ranges::find(self.sizes(), 3);
  if (found == self.sizes().end()) fail_value("cross: " + describe("self", self) + "; expected a dimension of size 3");
  return cross_along("cross", self, other, static_cast<std::size_t>(found - self.sizes().begin()));
}

constexpr OpDefinition kOps[] = {
    define_op<linalg_cholesky>("aten::linalg_cholesky(Tensor self, *, bool upper=False) -> Tensor"),
    define_op<linalg_cholesky_ex>(
        "aten::linalg_cholesky_ex(Tensor self, *, bool upper=False, bool check_errors=False) -> (Tensor L, Tensor "
        "info)"),
    define_op<linalg_cholesky>("aten::cholesky(Tensor self, bool upper=False) -> Tensor"),
    define_op<linalg_inv>("aten::linalg_inv(Tensor A) -> Tensor"),
    define_op<linalg_inv_ex>(
        "aten::linalg_inv_ex(Tensor A, *, bool check_errors=False) -> (Tensor inverse, Tensor info)"),
    define_op<linalg_inv>("aten::inverse(Tensor self) -> Tensor"),
    define_op<linalg_solve>("aten::linalg_solve(Tensor A, Tensor B, *, bool left=True) -> Tensor"),
    define_op<linalg_solve_ex>(
        "aten::linalg_solve_ex(Tensor A, Tensor B, *, bool left=True, bool check_errors=False) -> (Tensor result, "
        "Tensor info)"),
    define_op<linalg_solve_triangular>(
        "aten::linalg_solve_triangular(Tensor self, Tensor B, *, bool upper, bool left=True, bool "
        "unitriangular=False) -> Tensor"),
    define_op<linalg_det>("aten::linalg_det(Tensor A) -> Tensor"),
    define_op<linalg_det>("aten::det(Tensor self) -> Tensor"),
    define_op<logdet>("aten::logdet(Tensor self) -> Tensor"),
    define_op<linalg_slogdet>("aten::linalg_slogdet(Tensor A) -> (Tensor sign, Tensor logabsdet)"),
    define_op<linalg_slogdet>("aten::slogdet(Tensor self) -> (Tensor sign, Tensor logabsdet)"),
    define_op<linalg_lu_factor>("aten::linalg_lu_factor(Tensor A, *, bool pivot=True) -> (Tensor LU, Tensor pivots)"),
    define_op<linalg_lu_factor_ex>(
        "aten::linalg_lu_factor_ex(Tensor A, *, bool pivot=True, bool check_errors=False) -> (Tensor LU, Tensor "
        "pivots, Tensor info)"),
    define_op<linalg_lu_factor_ex>(
        "aten::_lu_with_info(Tensor self, bool pivot=True, bool check_errors=True) -> (Tensor LU, Tensor pivots, "
        "Tensor info)"),
    define_op<linalg_vander>("aten::linalg_vander(Tensor x, *, SymInt? N=None) -> Tensor"),
    define_op<linalg_tensorinv>("aten::linalg_tensorinv(Tensor self, int ind=2) -> Tensor"),
    define_op<linalg_tensorsolve>(
        "aten::linalg_tensorsolve(Tensor self, Tensor other, int[]? dims=None) -> Tensor"),
    define_op<in_float<trace>>("aten::trace(Tensor self) -> Tensor"),
    define_op<in_float<cdist>>("aten::cdist(Tensor x1, Tensor x2, float p=2., int? compute_mode=None) -> Tensor"),
    define_op<linalg_cross>("aten::linalg_cross(Tensor self, Tensor other, *, int dim=-1) -> Tensor"),
    define_op<cross>("aten::cross(Tensor self, Tensor other, int? dim=None) -> Tensor"),
};

}  // namespace

std::span<const OpDefinition> decomposition_ops() { return kOps; }

}  // namespace threadwheel
