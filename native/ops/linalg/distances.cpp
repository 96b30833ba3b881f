// Distances and products of two tensors' rows, and the losses that are made of them. Each in terms of other ops.
#include <cmath>
#include <string>
#include <vector>

#include "ops/compose.h"
#include "ops/families.h"
#include "ops/shared/shapes.h"
#include "threadwheel/error.h"

namespace threadwheel {
namespace {

using Int = std::int64_t;
using OptionalTensor = std::optional<Tensor>;

Tensor add(const Tensor& a, const Tensor& b) { return aten("add.Tensor", {a, b}); }
Tensor sub(const Tensor& a, const Tensor& b) { return aten("sub.Tensor", {a, b}); }
Tensor mul(const Tensor& a, const Tensor& b) { return aten("mul.Tensor", {a, b}); }
Tensor add(const Tensor& a, double b) { return aten("add.Scalar", {a, b}); }
Tensor mul(const Tensor& a, double b) { return aten("mul.Scalar", {a, b}); }
Tensor at_least(const Tensor& a, double b) { return aten("clamp_min", {a, b}); }
Tensor sum(const Tensor& a, Int dim, bool keepdim = false) {
  return aten("sum.dim_IntList", {a, IntList{dim}, keepdim});
}

// --- distances and products -------------------------------------------------------------------------------

Tensor cosine_similarity(const Tensor& x1, const Tensor& x2, Int dim, double eps) {
  const DType dtype = result_type(x1, x2);
  if (!is_floating(dtype))
    throw Error(ErrorCode::kUnsupported, std::string("cosine_similarity: unsupported dtype ") + dtype_name(dtype) +
                                             "; supported are floats");
  const Dims sizes = broadcast_sizes("cosine_similarity", x1.sizes(), x2.sizes());
  const auto unit = [&](const Tensor& x) {
    const Tensor wide = broadcast_to(convert(x, dtype, "cosine_similarity"), sizes);
    const Tensor norm = aten("linalg_vector_norm", {wide, Int{2}, IntList{dim}, true});
    return aten("div.Tensor", {wide, at_least(norm, eps)});
  };
  return sum(mul(unit(x1), unit(x2)), dim);
}

Tensor pairwise_distance(const Tensor& x1, const Tensor& x2, double p, double eps, bool keepdim) {
  return aten("norm.ScalarOpt_dim", {add(sub(x1, x2), eps), p, IntList{-1}, keepdim});
}

Tensor dist(const Tensor& self, const Tensor& other, Scalar p) { return aten("norm.Scalar", {sub(self, other), p}); }

// The distances of each row to those after it.
Tensor pdist(const Tensor& self, double p) {
  if (self.dim() != 2) fail_value("pdist: " + describe("self", self) + "; expected a matrix");
  const Tensor all = aten("cdist", {self, self, p});
  const Tensor places = aten("triu_indices", {self.size(0), self.size(0), Int{1}});
  return aten("index.Tensor", {all, Value::list({select_view(places, 0, 0), select_view(places, 0, 1)})});
}

// Each element of self times the whole other: both seen with twice the dimensions.
Tensor kron(const Tensor& self, const Tensor& other) {
  const std::size_t rank = std::max(self.sizes().size(), other.sizes().size());
  Dims left(2 * rank, 1), right(2 * rank, 1), sizes(rank, 1);
  for (std::size_t i = 0; i < self.sizes().size(); ++i)
    left[2 * (rank - self.sizes().size() + i)] = self.size(i);
  for (std::size_t i = 0; i < other.sizes().size(); ++i)
    right[2 * (rank - other.sizes().size() + i) + 1] = other.size(i);
  for (std::size_t i = 0; i < rank; ++i) sizes[i] = left[2 * i] * right[2 * i + 1];
  return reshaped(mul(reshaped(self, left), reshaped(other, right)), sizes);
}

Tensor bilinear(const Tensor& input1, const Tensor& input2, const Tensor& weight, const OptionalTensor& bias) {
  const std::vector<Tensor> factors{input1, weight, input2};
  const Tensor out = aten("einsum", {"...i,oij,...j->...o", factors});
  return bias ? add(out, *bias) : out;
}

// Rows of r elements each, in the order of their places.
Tensor combinations(const Tensor& self, Int r, bool with_replacement) {
  if (self.dim() != 1 || r < 0)
    fail_value("combinations: " + describe("self", self) + " and r is " + std::to_string(r) +
               "; expected a vector, and r of 0 or more");
  if (r == 0) return Tensor::empty(Dims{0}, self.dtype());
  const Int n = self.numel();
  std::vector<Int> chosen(static_cast<std::size_t>(r)), rows;
  for (std::size_t i = 0; i < chosen.size(); ++i) chosen[i] = with_replacement ? 0 : static_cast<Int>(i);
  const auto last = [&](std::size_t i) {  // the greatest place that position i can have
    return with_replacement ? n - 1 : n - static_cast<Int>(chosen.size() - i);
  };
  while (n > 0 && chosen[0] <= last(0)) {
    rows.insert(rows.end(), chosen.begin(), chosen.end());
    std::size_t i = chosen.size() - 1;
    while (i > 0 && chosen[i] >= last(i)) --i;
    ++chosen[i];
    for (std::size_t k = i + 1; k < chosen.size(); ++k) chosen[k] = chosen[k - 1] + (with_replacement ? 0 : 1);
  }
  const Tensor places = Tensor::empty(Dims{static_cast<Int>(rows.size())}, DType::kInt64);
  std::ranges::copy(rows, places.data<Int>());
  return reshaped(aten("index_select", {self, Int{0}, places}), Dims{static_cast<Int>(rows.size()) / r, r});
}

// --- losses ------------------------------------------------------------------------------------------------

Tensor reduced(const char* op, const Tensor& each, Int reduction) {
  if (reduction < 0 || reduction > 2)
    fail_value(std::string(op) + ": reduction is " + std::to_string(reduction) + "; expected 0, 1 or 2");
  return reduction == 0 ? each : aten(reduction == 1 ? "mean" : "sum", {each});
}

Tensor where_else_zero(const Tensor& condition, const Tensor& x) {
  return aten("where.ScalarOther", {condition, x, Int{0}});
}

Tensor binary_cross_entropy_with_logits(const Tensor& self, const Tensor& target, const OptionalTensor& weight,
                                        const OptionalTensor& pos_weight, Int reduction) {
  constexpr const char* kName = "binary_cross_entropy_with_logits";
  const Tensor logs = aten("log_sigmoid", {self}), rest = mul(add(mul(target, -1), 1), self);
  const Tensor weighted = pos_weight ? mul(add(mul(add(*pos_weight, -1), target), 1), logs) : logs;
  const Tensor each = sub(rest, weighted);
  return reduced(kName, weight ? mul(each, *weight) : each, reduction);
}

Tensor margin_ranking_loss(const Tensor& input1, const Tensor& input2, const Tensor& target, double margin,
                           Int reduction) {
  const Tensor each = add(mul(aten("neg", {target}), sub(input1, input2)), margin);
  return reduced("margin_ranking_loss", at_least(each, 0), reduction);
}

Tensor hinge_embedding_loss(const Tensor& self, const Tensor& target, double margin, Int reduction) {
  const Tensor other = aten("ne.Scalar", {target, Int{1}}), same = aten("ne.Scalar", {target, Int{-1}});
  const Tensor near = at_least(add(mul(self, -1), margin), 0);
  return reduced("hinge_embedding_loss", add(where_else_zero(other, near), where_else_zero(same, self)), reduction);
}

Tensor cosine_embedding_loss(const Tensor& input1, const Tensor& input2, const Tensor& target, double margin,
                             Int reduction) {
  constexpr double kLeast = 1e-12;  // torch's: no division by zero
  const auto size = [&](const Tensor& x) { return add(sum(mul(x, x), -1), kLeast); };
  const Tensor cosine =
      aten("div.Tensor", {sum(mul(input1, input2), -1), aten("sqrt", {mul(size(input1), size(input2))})});
  const Tensor same = where_else_zero(aten("eq.Scalar", {target, Int{1}}), add(mul(cosine, -1), 1));
  const Tensor other = where_else_zero(aten("eq.Scalar", {target, Int{-1}}), at_least(add(cosine, -margin), 0));
  return reduced("cosine_embedding_loss", add(same, other), reduction);
}

Tensor triplet_margin_loss(const Tensor& anchor, const Tensor& positive, const Tensor& negative, double margin,
                           double p, double eps, bool swap, Int reduction) {
  const Tensor near = pairwise_distance(anchor, positive, p, eps, false);
  Tensor far = pairwise_distance(anchor, negative, p, eps, false);
  if (swap) far = aten("minimum", {far, pairwise_distance(positive, negative, p, eps, false)});
  return reduced("triplet_margin_loss", at_least(add(sub(near, far), margin), 0), reduction);
}

Tensor poisson_nll_loss(const Tensor& input, const Tensor& target, bool log_input, bool full, double eps,
                        Int reduction) {
  Tensor each = log_input ? sub(aten("exp", {input}), mul(target, input))
                          : sub(input, mul(target, aten("log", {add(input, eps)})));
  if (full) {  // Stirling's formula for log(target!), above 1
    const Tensor stirling = add(sub(mul(target, aten("log", {target})), target),
                                mul(aten("log", {mul(target, 2 * std::acos(-1.0))}), 0.5));
    each = add(each, where_else_zero(aten("gt.Scalar", {target, Int{1}}), stirling));
  }
  return reduced("poisson_nll_loss", each, reduction);
}

constexpr OpDefinition kOps[] = {
    define_op<cosine_similarity>(
        "aten::cosine_similarity(Tensor x1, Tensor x2, int dim=1, float eps=1e-08) -> Tensor"),
    define_op<pairwise_distance>(
        "aten::pairwise_distance(Tensor x1, Tensor x2, float p=2, float eps=1e-06, bool keepdim=False) -> Tensor"),
    define_op<dist>("aten::dist(Tensor self, Tensor other, Scalar p=2) -> Tensor"),
    define_op<pdist>("aten::pdist(Tensor self, float p=2) -> Tensor"),
    define_op<kron>("aten::kron(Tensor self, Tensor other) -> Tensor"),
    define_op<bilinear>("aten::bilinear(Tensor input1, Tensor input2, Tensor weight, Tensor? bias=None) -> Tensor"),
    define_op<combinations>("aten::combinations(Tensor self, int r=2, bool with_replacement=False) -> Tensor"),
    define_op<binary_cross_entropy_with_logits>(
        "aten::binary_cross_entropy_with_logits(Tensor self, Tensor target, Tensor? weight=None, Tensor? "
        "pos_weight=None, int reduction=1) -> Tensor"),
    define_op<margin_ranking_loss>(
        "aten::margin_ranking_loss(Tensor input1, Tensor input2, Tensor target, float margin=0., int reduction=1) -> "
        "Tensor"),
    define_op<hinge_embedding_loss>(
        "aten::hinge_embedding_loss(Tensor self, Tensor target, float margin=1., int reduction=1) -> Tensor"),
    define_op<cosine_embedding_loss>(
        "aten::cosine_embedding_loss(Tensor input1, Tensor input2, Tensor target, float margin=0., int reduction=1) "
        "-> Tensor"),
    define_op<triplet_margin_loss>(
        "aten::triplet_margin_loss(Tensor anchor, Tensor positive, Tensor negative, float margin=1.0, float p=2, "
        "float eps=1e-06, bool swap=False, int reduction=1) -> Tensor"),
    define_op<poisson_nll_loss>(
        "aten::poisson_nll_loss(Tensor input, Tensor target, bool log_input, bool full, float eps, int reduction) -> "
        "Tensor"),
};

}  // namespace

std::span<const OpDefinition> distance_ops() { return kOps; }

}  // namespace threadwheel
