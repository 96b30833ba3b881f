// Matrices as products of reflections: QR, in one piece or as LAPACK keeps it, with the reflections below the diagonal.
#include <string>
#include <vector>

#include "ops/families.h"
#include "ops/linalg/matrices.h"

namespace threadwheel {
namespace {

using TensorPair = std::tuple<Tensor, Tensor>;

TensorPair linalg_qr(const Tensor& a, const std::string& mode) {
  check_matrix("linalg_qr", a, false);
  if (mode != "reduced" && mode != "complete" && mode != "r")
    fail_value("linalg_qr: mode is '" + mode + "'; expected 'reduced', 'complete' or 'r'");
  const std::int64_t m = rows_of(a), n = columns_of(a), columns = mode == "complete" ? m : std::min(m, n);
  const Tensor r = in_double(a, "linalg_qr"), q = zeros(batch_sizes(a, {m, columns}), DType::kFloat64);
  for_batch(a, [&](std::int64_t at) {
    const std::vector<Reflection> factors = factor_qr(matrix_at(r, at));
    set_identity(matrix_at(q, at));
    multiply(factors, matrix_at(q, at));
  });
  const Tensor top = narrow_view(r, r.sizes().size() - 2, 0, columns);
  const Tensor q_out = mode == "r" ? Tensor::empty(Dims{0}, a.dtype()) : convert(q, a.dtype(), "linalg_qr");
  return {q_out, copy_of(convert(top, a.dtype(), "linalg_qr"))};
}

// The older name.
TensorPair qr(const Tensor& self, bool some) { return linalg_qr(self, some ? "reduced" : "complete"); }

// [m, n] -> R with the tails of the reflections below it, [m, n], and their factors, [min(m, n)].
TensorPair geqrf(const Tensor& self) {
  check_matrix("geqrf", self, false);
  const std::int64_t k = std::min(rows_of(self), columns_of(self));
  const Tensor a = in_double(self, "geqrf"), tau = zeros(batch_sizes(self, {k}), DType::kFloat64);
  for_batch(self, [&](std::int64_t at) {
    const Matrix out = matrix_at(a, at);
    for (const Reflection& each : factor_qr(out)) {
      tau.data<double>()[at * k + each.first] = each.tau;
      for (std::size_t i = 1; i < each.v.size(); ++i)
        out(each.first + static_cast<std::int64_t>(i), each.first) = each.v[i];
    }
  });
  return {convert(a, self.dtype(), "geqrf"), convert(tau, self.dtype(), "geqrf")};
}

// What geqrf returned, as it is; a and tau in double.
std::vector<Reflection> kept_reflections(const Matrix& a, std::span<const double> tau) {
  std::vector<Reflection> result;
  for (std::int64_t k = 0; k < static_cast<std::int64_t>(tau.size()); ++k) {
    result.push_back({tau[static_cast<std::size_t>(k)], k, {1}});
    for (std::int64_t i = k + 1; i < a.rows; ++i) result.back().v.push_back(a(i, k));
  }
  return result;
}

// Checks the reflections a: [*, m, n] and tau: [*, k] with k <= n <= m, and returns k.
std::int64_t check_reflections(const char* op, const Tensor& a, const Tensor& tau) {
  check_matrix(op, a, false);
  const std::int64_t k = tau.dim() == 0 ? 0 : tau.size(tau.sizes().size() - 1);
  if (tau.dtype() != a.dtype() || rows_of(a) < columns_of(a) || k > columns_of(a) || tau.sizes() != batch_sizes(a, {k}))
    fail_value(std::string(op) + ": " + describe("input", a) + " and " + describe("tau", tau) +
               "; expected one dtype, [*, m, n] and [*, k] with k <= n <= m");
  return k;
}

Tensor linalg_householder_product(const Tensor& input, const Tensor& tau) {
  constexpr const char* kName = "linalg_householder_product";
  const std::int64_t k = check_reflections(kName, input, tau);
  const Tensor a = in_double(input, kName), factors = in_double(tau, kName);
  for_batch(input, [&](std::int64_t at) {
    const Matrix out = matrix_at(a, at);
    const std::vector<Reflection> q =
        kept_reflections(out, std::span(factors.data<const double>() + at * k, static_cast<std::size_t>(k)));
    set_identity(out);
    multiply(q, out);
  });
  return convert(a, input.dtype(), kName);
}

// Q, or its transpose, times other, or other times it; Q: [m, m].
Tensor ormqr(const Tensor& input, const Tensor& tau, const Tensor& other, bool left, bool transpose) {
  constexpr const char* kName = "ormqr";
  const std::int64_t k = check_reflections(kName, input, tau);
  check_matrix(kName, other, false);
  if (other.dtype() != input.dtype() || batch_sizes(other, {}) != batch_sizes(input, {}) ||
      rows_of(input) != (left ? rows_of(other) : columns_of(other)))
    fail_value(std::string(kName) + ": " + describe("input", input) + " and " + describe("other", other) +
               "; expected one dtype, one batch, and sizes that multiply");
  const Tensor a = in_double(input, kName), factors = in_double(tau, kName), out = in_double(other, kName);
  for_batch(input, [&](std::int64_t at) {
    const std::vector<Reflection> q = kept_reflections(
        matrix_at(a, at), std::span(factors.data<const double>() + at * k, static_cast<std::size_t>(k)));
    const Matrix x = matrix_at(out, at);
    if (left) {
      multiply(q, x, transpose);
    } else {
      multiply(q, x.transposed(), !transpose);  // x Q is (Q' x')'
    }
  });
  return convert(out, input.dtype(), kName);
}

constexpr OpDefinition kOps[] = {
    define_op<linalg_qr>("aten::linalg_qr(Tensor A, str mode=\"reduced\") -> (Tensor Q, Tensor R)"),
    define_op<qr>("aten::qr(Tensor self, bool some=True) -> (Tensor Q, Tensor R)"),
    define_op<geqrf>("aten::geqrf(Tensor self) -> (Tensor a, Tensor tau)"),
    define_op<linalg_householder_product>("aten::linalg_householder_product(Tensor input, Tensor tau) -> Tensor"),
    define_op<linalg_householder_product>("aten::orgqr(Tensor self, Tensor input2) -> Tensor"),
    define_op<ormqr>(
        "aten::ormqr(Tensor self, Tensor input2, Tensor input3, bool left=True, bool transpose=False) -> Tensor"),
};

}  // namespace

std::span<const OpDefinition> orthogonal_ops() { return kOps; }

}  // namespace threadwheel
