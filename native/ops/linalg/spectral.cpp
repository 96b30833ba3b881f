// What follows from singular values: norms, ranks, inverses of any matrix, least squares; and ops that solve with
// factors.
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "ops/compose.h"
#include "ops/families.h"
#include "ops/linalg/matrices.h"
#include "ops/linalg/singular.h"

namespace threadwheel {
namespace {

using OptionalTensor = std::optional<Tensor>;

using TensorPair = std::tuple<Tensor, Tensor>;
using Triple = std::tuple<Tensor, Tensor, Tensor>;
using Ints = std::span<const std::int64_t>;

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

// --- inverses and ranks ----------------------------------------------------------------------------------

// Singular values up to this count as zero, by torch's rules: max(atol, rtol * the largest).
Tensor cutoff(const Tensor& a, const Tensor& values, std::optional<double> atol, std::optional<double> rtol) {
  const double epsilon = a.dtype() == DType::kFloat32 ? std::numeric_limits<float>::epsilon() : kEpsilon;
  const double relative = rtol.value_or(
      atol.value_or(0) > 0 ? 0.0 : epsilon * static_cast<double>(std::max(rows_of(a), columns_of(a))));
  const Tensor largest = aten("amax", {values, IntList{-1}, true});
  return aten("clamp_min", {aten("mul.Scalar", {largest, relative}), atol.value_or(0)});
}

Tensor pseudo_inverse(const char* op, const Tensor& self, std::optional<double> atol, std::optional<double> rtol) {
  if (self.numel() == 0 && self.dim() >= 2)
    return zeros(batch_sizes(self, {columns_of(self), rows_of(self)}), self.dtype());
  const Svd svd = svd_in_double(op, self, false);
  const Tensor kept = aten("gt.Tensor", {svd.values, cutoff(self, svd.values, atol, rtol)});
  const Tensor inverse =
      aten("where.ScalarOther", {kept, aten("reciprocal", {svd.values}), std::int64_t{0}});
  const Tensor scaled = aten("mul.Tensor", {swapped(svd.right), aten("unsqueeze", {inverse, std::int64_t{-2}})});
  return convert(aten("matmul", {scaled, svd.left}), self.dtype(), op);
}

// Of a matrix that is said to be hermitian only the lower triangle counts.
Tensor as_given(const char* op, const Tensor& self, bool hermitian) {
  if (!hermitian) return self;
  check_matrix(op, self, true);
  const Tensor below = aten("tril", {self, std::int64_t{-1}});
  return aten("add.Tensor", {aten("tril", {self}), swapped(below)});
}

Tensor linalg_pinv(const Tensor& self, std::optional<double> atol, std::optional<double> rtol, bool hermitian) {
  return pseudo_inverse("linalg_pinv", as_given("linalg_pinv", self, hermitian), atol, rtol);
}
Tensor linalg_pinv_rcond(const Tensor& self, double rcond, bool hermitian) {
  return linalg_pinv(self, 0.0, rcond, hermitian);
}

// One number for all matrices of a batch, as a tensor.
std::optional<double> tolerance(const char* op, const char* name, const OptionalTensor& value) {
  if (!value) return std::nullopt;
  if (value->numel() != 1)
    throw Error(ErrorCode::kUnsupported,
                std::string(op) + ": " + describe(name, *value) + "; supported is one number for all matrices");
  return aten_value("item", {*value}).to_scalar().to<double>();
}

Tensor linalg_pinv_tensor(const Tensor& self, const OptionalTensor& atol, const OptionalTensor& rtol, bool hermitian) {
  return linalg_pinv(self, tolerance("linalg_pinv", "atol", atol), tolerance("linalg_pinv", "rtol", rtol), hermitian);
}
Tensor pinverse(const Tensor& self, double rcond) { return pseudo_inverse("pinverse", self, 0.0, rcond); }

Tensor linalg_matrix_rank(const Tensor& self, std::optional<double> atol, std::optional<double> rtol, bool hermitian) {
  const Svd svd = svd_in_double("linalg_matrix_rank", as_given("linalg_matrix_rank", self, hermitian), false);
  if (svd.values.numel() == 0) return zeros(batch_sizes(self, {}), DType::kInt64);
  return aten("sum.dim_IntList", {aten("gt.Tensor", {svd.values, cutoff(self, svd.values, atol, rtol)}), IntList{-1}});
}

Tensor linalg_matrix_rank_tensor(const Tensor& self, const OptionalTensor& atol, const OptionalTensor& rtol,
                                 bool hermitian) {
  constexpr const char* kName = "linalg_matrix_rank";
  return linalg_matrix_rank(self, tolerance(kName, "atol", atol), tolerance(kName, "rtol", rtol), hermitian);
}
Tensor linalg_matrix_rank_tol(const Tensor& self, double tol, bool hermitian) {
  return linalg_matrix_rank(self, tol, 0.0, hermitian);
}

// Least squares of smallest norm.
Value linalg_lstsq(const Tensor& self, const Tensor& b, std::optional<double> rcond,
                   std::optional<std::string> driver) {
  constexpr const char* kName = "linalg_lstsq";
  if (driver && *driver != "gelsy" && *driver != "gels")
    throw Error(ErrorCode::kUnsupported,
                std::string(kName) + ": driver is '" + *driver + "'; supported are 'gelsy' and 'gels'");
  check_matrix(kName, self, false);
  const bool vector = b.dim() == self.dim() - 1;
  const Tensor right = vector ? unsqueeze_view(b, b.sizes().size()) : b;
  if (right.dim() < 2 || b.dtype() != self.dtype() || rows_of(right) != rows_of(self))
    fail_value(std::string(kName) + ": " + describe("self", self) + " and " + describe("b", b) +
               "; expected one dtype and as many rows");
  const double epsilon = self.dtype() == DType::kFloat32 ? std::numeric_limits<float>::epsilon() : kEpsilon;
  const double relative = rcond.value_or(epsilon * static_cast<double>(std::max(rows_of(self), columns_of(self))));
  const Tensor solution = aten("matmul", {pseudo_inverse(kName, self, 0.0, relative), right});
  const Tensor rank = linalg_matrix_rank(self, 0.0, relative, false);
  Tensor residuals = Tensor::empty(Dims{0}, self.dtype());
  const bool gelsy = !driver || *driver == "gelsy";  // that driver finds a rank and no residuals, the other the reverse
  if (rows_of(self) > columns_of(self) && !gelsy) {
    const Tensor off = aten("sub.Tensor", {aten("matmul", {self, solution}), right});
    residuals = aten("sum.dim_IntList", {aten("mul.Tensor", {off, off}), IntList{-2}});
  }
  const Tensor out = vector ? select_view(solution, solution.sizes().size() - 1, 0) : solution;
  return Value::tuple({copy_of(out), residuals, gelsy ? rank : zeros(Dims{0}, DType::kInt64),
                       Tensor::empty(Dims{0}, self.dtype())});
}

// --- norms -------------------------------------------------------------------------------------------------

// A view whose last two dimensions are those that are named.
Tensor matrices_of(const char* op, const Tensor& self, Ints dims) {
  if (dims.size() != 2)
    fail_value(std::string(op) + ": dim has " + std::to_string(dims.size()) + " entries; expected 2");
  wrap_dims(op, dims, self.dim());  // refuses one that is named twice
  return aten("movedim.intlist", {self, IntList(dims.begin(), dims.end()), IntList{-2, -1}});
}

Tensor keep_dims(const Tensor& norms, const Tensor& self, Ints dims, bool keepdim) {
  if (!keepdim) return norms;
  Dims sizes = self.sizes();
  for (const std::size_t dim : wrap_dims("linalg_matrix_norm", dims, self.dim())) sizes[dim] = 1;
  return reshaped(norms, sizes);
}

// Sums or values, and of them the largest or the smallest.
Tensor extreme_norm(const Tensor& x, double order) {
  const Value last{IntList{-1}};
  Tensor each;
  if (std::abs(order) == 2) {
    each = aten("linalg_svdvals", {x});
  } else {
    each = aten("sum.dim_IntList", {aten("abs", {x}), IntList{std::abs(order) == 1 ? -2 : -1}});
  }
  return aten(order > 0 ? "amax" : "amin", {each, last});
}

Tensor linalg_matrix_norm(const Tensor& self, Scalar ord, Ints dim, bool keepdim, std::optional<DType> dtype) {
  const auto order = ord.to<double>();
  if (std::abs(order) != 1 && std::abs(order) != 2 && !std::isinf(order))
    fail_value("linalg_matrix_norm: ord is " + std::to_string(order) + "; expected 1, -1, 2, -2, inf or -inf");
  const Tensor x = dtype ? convert(self, *dtype, "linalg_matrix_norm") : self;
  return keep_dims(extreme_norm(matrices_of("linalg_matrix_norm", x, dim), order), self, dim, keepdim);
}

Tensor linalg_matrix_norm_name(const Tensor& self, const std::string& ord, Ints dim, bool keepdim,
                               std::optional<DType> dtype) {
  const Tensor x = dtype ? convert(self, *dtype, "linalg_matrix_norm") : self;
  const IntList dims(dim.begin(), dim.end());
  matrices_of("linalg_matrix_norm", x, dim);
  if (ord == "fro") return aten("linalg_vector_norm", {x, std::int64_t{2}, dims, keepdim});
  if (ord != "nuc") fail_value("linalg_matrix_norm: ord is '" + ord + "'; expected 'fro' or 'nuc'");
  const Tensor values = aten("linalg_svdvals", {matrices_of("linalg_matrix_norm", x, dim)});
  return keep_dims(aten("sum.dim_IntList", {values, IntList{-1}}), self, dim, keepdim);
}

// How much larger errors of a system may become: the norm of the matrix times that of its inverse.
Tensor condition_by_inverse(const Tensor& self, const Value& order) {
  check_matrix("linalg_cond", self, true);
  if (self.numel() == 0) return zeros(batch_sizes(self, {}), self.dtype());
  const std::vector<Value> inverse = aten_value("linalg_inv_ex", {self}).to_tuple();
  const char* const norm = order.is_string() ? "linalg_matrix_norm.str_ord" : "linalg_matrix_norm";
  const Tensor product = aten("mul.Tensor", {aten(norm, {self, order}), aten(norm, {inverse[0], order})});
  const Tensor singular = aten("ne.Scalar", {inverse[1], std::int64_t{0}});
  return aten("masked_fill.Scalar", {product, singular, std::numeric_limits<double>::infinity()});
}

Tensor linalg_cond(const Tensor& self, std::optional<Scalar> p) {
  const double order = p ? p->to<double>() : 2;
  if (std::abs(order) != 2) return condition_by_inverse(self, Value(*p));
  const Tensor values = aten("linalg_svdvals", {self});
  if (values.numel() == 0) return zeros(batch_sizes(self, {}), self.dtype());
  const Tensor largest = aten("amax", {values, IntList{-1}}), smallest = aten("amin", {values, IntList{-1}});
  return order > 0 ? aten("div.Tensor", {largest, smallest}) : aten("div.Tensor", {smallest, largest});
}

Tensor linalg_cond_name(const Tensor& self, const std::string& p) {
  if (p != "nuc") return condition_by_inverse(self, Value(p));
  check_matrix("linalg_cond", self, true);
  const Tensor values = aten("linalg_svdvals", {self}), inverse = aten("reciprocal", {values});
  return aten("mul.Tensor", {aten("sum.dim_IntList", {values, IntList{-1}}), aten("sum.dim_IntList", {inverse, IntList{-1}})});
}

// Of vectors along one dimension, of matrices along two; without an order of all elements.
Tensor linalg_norm(const Tensor& self, std::optional<Scalar> ord, std::optional<Ints> dim, bool keepdim,
                   std::optional<DType> dtype) {
  const Value type = dtype ? Value(static_cast<std::int64_t>(*dtype)) : Value();
  const bool matrix = ord && (dim ? dim->size() == 2 : self.dim() == 2);
  if (matrix) {
    const IntList both = dim ? IntList(dim->begin(), dim->end()) : IntList{-2, -1};
    return linalg_matrix_norm(self, *ord, both, keepdim, dtype);
  }
  if (ord && !dim && self.dim() != 1)
    fail_value("linalg_norm: " + describe("A", self) + "; with ord and without dim expected 1 or 2 dimensions");
  const Value order = ord ? Value(*ord) : Value(std::int64_t{2});
  return aten("linalg_vector_norm",
              {self, order, dim ? Value(IntList(dim->begin(), dim->end())) : Value(), keepdim, type});
}

Tensor linalg_norm_name(const Tensor& self, const std::string& ord, std::optional<Ints> dim, bool keepdim,
                        std::optional<DType> dtype) {
  if (!dim && self.dim() != 2) fail_value("linalg_norm: " + describe("A", self) + "; expected a matrix, or dim");
  const IntList both = dim ? IntList(dim->begin(), dim->end()) : IntList{-2, -1};
  return linalg_matrix_norm_name(self, ord, both, keepdim, dtype);
}

// --- powers and solutions with factors ---------------------------------------------------------------------

Tensor linalg_matrix_power(const Tensor& self, std::int64_t n) {
  if (self.dim() < 2 || rows_of(self) != columns_of(self))
    fail_value("linalg_matrix_power: " + describe("self", self) + "; expected square matrices");
  Tensor base = n < 0 ? aten("linalg_inv", {self}) : self;
  const Tensor one = aten("eye", {rows_of(self), static_cast<std::int64_t>(self.dtype())});
  Tensor result = copy_of(broadcast_to(one, self.sizes()));
  for (std::int64_t left = std::abs(n); left > 0; left /= 2) {
    if (left % 2 == 1) result = aten("matmul", {result, base});
    if (left > 1) base = aten("matmul", {base, base});
  }
  return result;
}

// Scaled down until Taylor's series of 18 terms is exact in double, and squared up again.
Tensor linalg_matrix_exp(const Tensor& self) {
  check_matrix("linalg_matrix_exp", self, true);
  if (self.numel() == 0) return copy_of(self);
  const Tensor x = in_double(self, "linalg_matrix_exp");
  const Tensor sums = aten("sum.dim_IntList", {aten("abs", {x}), IntList{-1}});
  const double norm = *aten("amax", {sums}).data<const double>();
  const int squarings = norm > 0.5 && std::isfinite(norm) ? static_cast<int>(std::ceil(std::log2(norm / 0.5))) : 0;
  const Tensor scaled = aten("mul.Scalar", {x, std::ldexp(1.0, -squarings)});
  Tensor term = linalg_matrix_power(x, 0), sum = term;
  for (int k = 1; k <= 18; ++k) {
    term = aten("div.Scalar", {aten("matmul", {term, scaled}), static_cast<double>(k)});
    sum = aten("add.Tensor", {sum, term});
  }
  for (int i = 0; i < squarings; ++i) sum = aten("matmul", {sum, sum});
  return convert(sum, self.dtype(), "linalg_matrix_exp");
}

Tensor solve_triangular(const Tensor& a, const Tensor& b, bool upper, bool unit = false) {
  return aten("linalg_solve_triangular", {a, b, upper, true, unit});
}

// b with the Cholesky factor of a.
Tensor cholesky_solve(const Tensor& self, const Tensor& factor, bool upper) {
  const Tensor first = solve_triangular(upper ? swapped(factor) : factor, self, false);
  return solve_triangular(upper ? factor : swapped(factor), first, true);
}

Tensor cholesky_inverse(const Tensor& self, bool upper) {
  check_matrix("cholesky_inverse", self, true);
  return cholesky_solve(linalg_matrix_power(self, 0), self, upper);
}

TensorPair triangular_solve(const Tensor& self, const Tensor& a, bool upper, bool transpose, bool unitriangular) {
  const Tensor used = transpose ? swapped(a) : a;
  return {solve_triangular(used, self, upper != transpose, unitriangular), copy_of(a)};
}

// The permutation matrices of pivots that count from 1: row i was exchanged with row pivots[i] - 1.
Tensor permutation(const Tensor& lu, const Tensor& pivots) {
  const std::int64_t m = rows_of(lu), k = columns_of(pivots);
  const Tensor out = zeros(batch_sizes(lu, {m, m}), DType::kFloat64);
  const Tensor steps = convert(pivots, DType::kInt64, "lu").contiguous();
  for (std::int64_t at = 0; at < batch_of(lu); ++at) {
    std::vector<std::int64_t> rows(static_cast<std::size_t>(m));
    std::iota(rows.begin(), rows.end(), 0);
    for (std::int64_t i = 0; i < k; ++i) {
      const std::int64_t with = steps.data<const std::int64_t>()[at * k + i] - 1;
      if (with < 0 || with >= m)
        fail_value("lu_unpack: a pivot is " + std::to_string(with + 1) + "; expected 1 to " + std::to_string(m));
      std::swap(rows[static_cast<std::size_t>(i)], rows[static_cast<std::size_t>(with)]);
    }
    for (std::int64_t i = 0; i < m; ++i) out.data<double>()[(at * m + rows[static_cast<std::size_t>(i)]) * m + i] = 1;
  }
  return convert(out, lu.dtype(), "lu_unpack");
}

Triple lu_unpack(const Tensor& lu, const Tensor& pivots, bool unpack_data, bool unpack_pivots) {
  constexpr const char* kName = "lu_unpack";
  check_matrix(kName, lu, false);
  const std::int64_t k = std::min(rows_of(lu), columns_of(lu));
  if (pivots.dim() != lu.dim() - 1 || columns_of(pivots) != k)
    fail_value(std::string(kName) + ": " + describe("LU_data", lu) + " and " + describe("LU_pivots", pivots) +
               "; they do not go together");
  const Tensor nothing = Tensor::empty(Dims{0}, lu.dtype());
  const std::size_t rank = lu.sizes().size();
  Tensor lower = nothing, upper = nothing;
  if (unpack_data) {
    const Tensor left = aten("tril", {narrow_view(lu, rank - 1, 0, k), std::int64_t{-1}});
    const Tensor one = aten("eye.m", {rows_of(lu), k, static_cast<std::int64_t>(lu.dtype())});
    lower = aten("add.Tensor", {left, one});
    upper = aten("triu", {narrow_view(lu, rank - 2, 0, k)});
  }
  return {unpack_pivots ? permutation(lu, pivots) : nothing, lower, upper};
}

Triple linalg_lu(const Tensor& a, bool pivot) {
  const std::vector<Value> factors = aten_value("linalg_lu_factor_ex", {a, pivot}).to_tuple();
  return lu_unpack(factors[0].to_tensor(), factors[1].to_tensor(), true, true);
}

Tensor linalg_lu_solve(const Tensor& lu, const Tensor& pivots, const Tensor& b, bool left, bool adjoint) {
  check_matrix("linalg_lu_solve", lu, true);
  const auto [p, lower, upper] = lu_unpack(lu, pivots, true, true);
  if (!left) return swapped(linalg_lu_solve(lu, pivots, swapped(b), true, !adjoint));
  if (!adjoint)
    return solve_triangular(upper, solve_triangular(lower, aten("matmul", {swapped(p), b}), false, true), true);
  return aten("matmul", {p, solve_triangular(swapped(lower), solve_triangular(swapped(upper), b, false), true, true)});
}
Tensor lu_solve(const Tensor& self, const Tensor& lu, const Tensor& pivots) {
  return linalg_lu_solve(lu, pivots, self, true, false);
}

Tensor linalg_vecdot(const Tensor& x, const Tensor& y, std::int64_t dim) {
  return aten("sum.dim_IntList", {aten("mul.Tensor", {aten("conj", {x}), y}), IntList{dim}});
}

constexpr OpDefinition kOps[] = {
    define_op<linalg_pinv>(
        "aten::linalg_pinv.atol_rtol_float(Tensor self, *, float? atol=None, float? rtol=None, bool hermitian=False) "
        "-> Tensor"),
    define_op<linalg_pinv_rcond>("aten::linalg_pinv(Tensor self, float rcond, bool hermitian=False) -> Tensor"),
    define_op<linalg_pinv_tensor>(
        "aten::linalg_pinv.atol_rtol_tensor(Tensor self, *, Tensor? atol=None, Tensor? rtol=None, bool "
        "hermitian=False) -> Tensor"),
    define_op<linalg_matrix_rank_tensor>(
        "aten::linalg_matrix_rank.atol_rtol_tensor(Tensor input, *, Tensor? atol=None, Tensor? rtol=None, bool "
        "hermitian=False) -> Tensor"),
    define_op<linalg_matrix_rank_tol>(
        "aten::linalg_matrix_rank(Tensor self, float tol, bool hermitian=False) -> Tensor"),
    define_op<pinverse>("aten::pinverse(Tensor self, float rcond=1e-15) -> Tensor"),
    define_op<linalg_matrix_rank>(
        "aten::linalg_matrix_rank.atol_rtol_float(Tensor self, *, float? atol=None, float? rtol=None, bool "
        "hermitian=False) -> Tensor"),
    define_op<linalg_lstsq>(
        "aten::linalg_lstsq(Tensor self, Tensor b, float? rcond=None, *, str? driver=None) -> (Tensor solution, Tensor "
        "residuals, Tensor rank, Tensor singular_values)"),
    define_op<linalg_matrix_norm>(
        "aten::linalg_matrix_norm(Tensor self, Scalar ord, int[] dim=[-2,-1], bool keepdim=False, *, ScalarType? "
        "dtype=None) -> Tensor"),
    define_op<linalg_matrix_norm_name>(
        "aten::linalg_matrix_norm.str_ord(Tensor self, str ord=\"fro\", int[] dim=[-2,-1], bool keepdim=False, *, "
        "ScalarType? dtype=None) -> Tensor"),
    define_op<linalg_cond>("aten::linalg_cond(Tensor self, Scalar? p=None) -> Tensor"),
    define_op<linalg_cond_name>("aten::linalg_cond.p_str(Tensor self, str p) -> Tensor"),
    define_op<linalg_norm>(
        "aten::linalg_norm(Tensor self, Scalar? ord=None, int[1]? dim=None, bool keepdim=False, *, ScalarType? "
        "dtype=None) -> Tensor"),
    define_op<linalg_norm_name>(
        "aten::linalg_norm.ord_str(Tensor self, str ord, int[1]? dim=None, bool keepdim=False, *, ScalarType? "
        "dtype=None) -> Tensor"),
    define_op<linalg_matrix_power>("aten::linalg_matrix_power(Tensor self, int n) -> Tensor"),
    define_op<linalg_matrix_power>("aten::matrix_power(Tensor self, int n) -> Tensor"),
    define_op<linalg_matrix_exp>("aten::linalg_matrix_exp(Tensor self) -> Tensor"),
    define_op<linalg_matrix_exp>("aten::matrix_exp(Tensor self) -> Tensor"),
    define_op<cholesky_solve>("aten::cholesky_solve(Tensor self, Tensor input2, bool upper=False) -> Tensor"),
    define_op<cholesky_inverse>("aten::cholesky_inverse(Tensor self, bool upper=False) -> Tensor"),
    define_op<triangular_solve>(
        "aten::triangular_solve(Tensor self, Tensor A, bool upper=True, bool transpose=False, bool "
        "unitriangular=False) -> (Tensor solution, Tensor cloned_coefficient)"),
    define_op<lu_unpack>(
        "aten::lu_unpack(Tensor LU_data, Tensor LU_pivots, bool unpack_data=True, bool unpack_pivots=True) -> (Tensor "
        "P, Tensor L, Tensor U)"),
    define_op<linalg_lu>("aten::linalg_lu(Tensor A, *, bool pivot=True) -> (Tensor P, Tensor L, Tensor U)"),
    define_op<linalg_lu_solve>(
        "aten::linalg_lu_solve(Tensor LU, Tensor pivots, Tensor B, *, bool left=True, bool adjoint=False) -> Tensor"),
    define_op<lu_solve>("aten::lu_solve(Tensor self, Tensor LU_data, Tensor LU_pivots) -> Tensor"),
    define_op<linalg_vecdot>("aten::linalg_vecdot(Tensor x, Tensor y, *, int dim=-1) -> Tensor"),
};

}  // namespace

std::span<const OpDefinition> spectral_ops() { return kOps; }

}  // namespace threadwheel
