// Losses: a number per element, then nothing, the mean or the sum of them; and distances between rows.
#include <cmath>
#include <limits>
#include <string>

#include "ops/compose.h"
#include "ops/families.h"
#include "ops/shared/shapes.h"
#include "threadwheel/error.h"

namespace threadwheel {
namespace {

using OptionalTensor = std::optional<Tensor>;

enum Reduction : std::int64_t { kNone, kMean, kSum };

// All elements in their order, in double: the same bits for any number of threads.
template <class T>
double sum_of(const Tensor& x) {
  double sum = 0;
  for (std::int64_t i = 0; i < x.numel(); ++i) sum += static_cast<double>(x.data<const T>()[i]);
  return sum;
}

Tensor reduce(const char* op, const Tensor& values, std::int64_t reduction) {
  if (reduction == kNone) return values;
  if (reduction != kMean && reduction != kSum)
    fail_value(std::string(op) + ": reduction is " + std::to_string(reduction) + "; expected 0, 1 or 2");
  const Tensor wide = is_half(values.dtype()) ? convert(values, DType::kFloat32, op) : values;
  return visit_dtype(FloatingTypes(), wide.dtype(), op, [&]<class T>() {
    const double sum = sum_of<T>(wide);
    return scalar_tensor(reduction == kMean ? sum / static_cast<double>(values.numel()) : sum, values.dtype());
  });
}

// function(self, target) of each element, in their common dtype, reduced.
template <class Function>
Tensor loss(const char* op, const Tensor& self, const Tensor& target, std::int64_t reduction, Function function) {
  const Tensor values =
      elementwise(FloatingTypes(), {.op = op}, {self, target}, nullptr, [&]<class T>() { return function; });
  return reduce(op, values, reduction);
}

struct Square {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x, T y) const {
    return (x - y) * (x - y);
  }
};

struct Difference {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x, T y) const {
    return std::abs(x - y);
  }
};

struct Smooth {
  double beta;
  template <class T>
  THREADWHEEL_INLINE T operator()(T x, T y) const {
    const T d = std::abs(x - y), b = static_cast<T>(beta);
    return d < b ? T(0.5) * d * d / b : d - T(0.5) * b;
  }
};

struct Huber {
  double delta;
  template <class T>
  THREADWHEEL_INLINE T operator()(T x, T y) const {
    const T d = std::abs(x - y), b = static_cast<T>(delta);
    return d <= b ? T(0.5) * d * d : b * (d - T(0.5) * b);
  }
};

struct Divergence {
  bool log_target;
  template <class T>
  THREADWHEEL_INLINE T operator()(T x, T y) const {
    if (log_target) return std::exp(y) * (y - x);
    return y == T(0) ? T(0) : y * (std::log(y) - x);
  }
};

struct SoftMargin {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x, T y) const {
    return std::log1p(std::exp(-y * x));
  }
};

// Logarithms stop at -100, so that a certain mistake has a finite price.
struct CrossEntropy {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x, T y) const {
    return (y - T(1)) * std::max(std::log1p(-x), T(-100)) - y * std::max(std::log(x), T(-100));
  }
};

Tensor mse_loss(const Tensor& self, const Tensor& target, std::int64_t reduction) {
  return loss("mse_loss", self, target, reduction, Square());
}
Tensor l1_loss(const Tensor& self, const Tensor& target, std::int64_t reduction) {
  return loss("l1_loss", self, target, reduction, Difference());
}
Tensor smooth_l1_loss(const Tensor& self, const Tensor& target, std::int64_t reduction, double beta) {
  if (beta < 0) fail_value("smooth_l1_loss: beta is " + std::to_string(beta) + "; expected 0 or more");
  return beta == 0 ? l1_loss(self, target, reduction) : loss("smooth_l1_loss", self, target, reduction, Smooth{beta});
}
Tensor huber_loss(const Tensor& self, const Tensor& target, std::int64_t reduction, double delta) {
  if (!(delta > 0)) fail_value("huber_loss: delta is " + std::to_string(delta) + "; expected more than 0");
  return loss("huber_loss", self, target, reduction, Huber{delta});
}
Tensor kl_div(const Tensor& self, const Tensor& target, std::int64_t reduction, bool log_target) {
  return loss("kl_div", self, target, reduction, Divergence{log_target});
}
Tensor soft_margin_loss(const Tensor& self, const Tensor& target, std::int64_t reduction) {
  return loss("soft_margin_loss", self, target, reduction, SoftMargin());
}

struct Times {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x, T y) const {
    return x * y;
  }
};

Tensor binary_cross_entropy(const Tensor& self, const Tensor& target, const OptionalTensor& weight,
                            std::int64_t reduction) {
  constexpr const char* kName = "binary_cross_entropy";
  if (self.sizes() != target.sizes() || self.dtype() != target.dtype())
    fail_value(std::string(kName) + ": " + describe("self", self) + " and " + describe("target", target) +
               "; expected one dtype and the same sizes");
  const Tensor x = (is_half(self.dtype()) ? convert(self, DType::kFloat32, kName) : self).contiguous();
  visit_dtype(FloatingTypes(), x.dtype(), kName, [&]<class T>() {
    for (std::int64_t i = 0; i < x.numel(); ++i)
      if (const T p = x.data<const T>()[i]; !(p >= T(0) && p <= T(1)))
        fail_value(std::string(kName) + ": an element of self is " + std::to_string(p) + "; expected 0 to 1");
  });
  const Tensor values = loss(kName, self, target, kNone, CrossEntropy());
  return weight ? loss(kName, values, *weight, reduction, Times()) : reduce(kName, values, reduction);
}

// self: [batch, classes, ...] or [classes], target: the same without classes.
struct Classes {
  std::int64_t batch, classes, inner;

  Classes(const char* op, const Tensor& self, const Tensor& target, const OptionalTensor& weight) {
    const std::size_t dim = self.dim() == 1 ? 0 : 1;
    bool fits = self.dim() >= 1 && target.dim() == self.dim() - 1 && target.dtype() == DType::kInt64;
    for (std::size_t i = 0, k = 0; fits && i < self.sizes().size(); ++i)
      if (i != dim) fits = target.size(k++) == self.size(i);
    if (!fits)
      fail_value(std::string(op) + ": " + describe("self", self) + " and " + describe("target", target) + ", " +
                 dtype_name(target.dtype()) + "; expected int64 classes of self's sizes without its second");
    batch = dim == 0 ? 1 : self.size(0);
    classes = self.size(dim);
    inner = count_elements(std::span(self.sizes()).subspan(dim + 1));
    if (weight && (weight->dim() != 1 || weight->size(0) != classes || weight->dtype() != self.dtype()))
      fail_value(std::string(op) + ": " + describe("weight", *weight) + "; expected [" + std::to_string(classes) + "]");
  }
};

// The weighted mean is over the weights of the targets that count.
Tensor nll_loss(const Tensor& self, const Tensor& target, const OptionalTensor& weight, std::int64_t reduction,
                std::int64_t ignore_index) {
  constexpr const char* kName = "nll_loss";
  const Classes c(kName, self, target, weight);
  const Tensor x = self.contiguous(), y = target.contiguous(), out = zeros(target.sizes(), self.dtype());
  const Tensor w = weight ? weight->contiguous() : Tensor();
  return visit_dtype(FloatingTypes(), self.dtype(), kName, [&]<class T>() {
    double total = 0;
    for (std::int64_t i = 0; i < y.numel(); ++i) {
      const std::int64_t k = y.data<const std::int64_t>()[i];
      if (k == ignore_index) continue;
      if (k < 0 || k >= c.classes)
        fail_value(std::string(kName) + ": a target is " + std::to_string(k) + "; expected 0 to " +
                   std::to_string(c.classes - 1));
      const T factor = w.defined() ? w.data<const T>()[k] : T(1);
      out.data<T>()[i] = -factor * x.data<const T>()[(i / c.inner * c.classes + k) * c.inner + i % c.inner];
      total += static_cast<double>(factor);
    }
    if (reduction != kMean) return reduce(kName, out, reduction);
    return scalar_tensor(sum_of<T>(out) / total, self.dtype());
  });
}

Tensor log_softmax_of_classes(const Tensor& self, const Classes& c) {
  const Tensor x = self.contiguous(), out = Tensor::empty(self.sizes(), self.dtype());
  visit_dtype(FloatingTypes(), self.dtype(), "cross_entropy_loss", [&]<class T>() {
    for (std::int64_t i = 0; i < c.batch * c.inner; ++i) {
      const std::int64_t first = i / c.inner * c.classes * c.inner + i % c.inner;
      const T* const in = x.data<const T>() + first;
      T most = in[0];
      for (std::int64_t k = 1; k < c.classes; ++k) most = std::max(most, in[k * c.inner]);
      double sum = 0;
      for (std::int64_t k = 0; k < c.classes; ++k) sum += std::exp(static_cast<double>(in[k * c.inner] - most));
      for (std::int64_t k = 0; k < c.classes; ++k)
        out.data<T>()[first + k * c.inner] = static_cast<T>(in[k * c.inner] - most - std::log(sum));
    }
  });
  return out;
}

std::int64_t class_dim(const Tensor& self) { return self.dim() == 1 ? 0 : 1; }

// One number for each class, shaped to go with `self`.
Tensor along_classes(const Tensor& weight, const Tensor& self) {
  Dims sizes(self.sizes().size(), 1);
  sizes[static_cast<std::size_t>(class_dim(self))] = weight.numel();
  return reshaped(weight, sizes);
}

Tensor weighted(const Tensor& x, const OptionalTensor& weight) {
  return weight ? aten("mul.Tensor", {x, along_classes(*weight, x)}) : x;
}

Tensor minus_sum_of_classes(const Tensor& x) {
  return aten("neg", {aten("sum.dim_IntList", {x, IntList{class_dim(x)}})});
}

// target: a probability for each class. The mean is over the places, whatever the weights.
Tensor cross_entropy_of_probabilities(const Tensor& self, const Tensor& target, const OptionalTensor& weight,
                                      std::int64_t reduction, double smoothing) {
  constexpr const char* kName = "cross_entropy_loss";
  const auto dim = static_cast<std::size_t>(class_dim(self));
  const auto classes = static_cast<double>(self.size(dim));
  if (!is_floating(target.dtype()) || (weight && (weight->dim() != 1 || weight->numel() != self.size(dim))))
    fail_value(std::string(kName) + ": " + describe("self", self) + " and " + describe("target", target) + ", " +
               dtype_name(target.dtype()) + "; expected int64 classes, or floating probabilities of self's sizes and a "
               "weight for each class");
  const Tensor logs = aten("log_softmax.int", {self, class_dim(self)});
  const Tensor smooth =
      smoothing > 0
          ? aten("add.Scalar", {aten("mul.Scalar", {target, 1 - smoothing}), smoothing / classes})
          : target;
  const Tensor each = minus_sum_of_classes(weighted(aten("mul.Tensor", {logs, smooth}), weight));
  // Without classes there is a place still, whose loss is 0; its mean is over no terms.
  if (reduction == kMean && self.numel() == 0)
    return scalar_tensor(std::numeric_limits<double>::quiet_NaN(), self.dtype());
  return reduction == kNone ? each : reduce(kName, each.contiguous(), reduction);
}

// The part of the loss that all classes share alike: of the places that count.
Tensor smooth_loss(const Tensor& logs, const Tensor& target, const OptionalTensor& weight, std::int64_t reduction,
                   std::int64_t ignore_index) {
  const Tensor ignored = aten("eq.Scalar", {target, ignore_index});
  const Tensor each =
      aten("masked_fill.Scalar", {minus_sum_of_classes(weighted(logs, weight)), ignored, std::int64_t{0}});
  if (reduction == kNone) return each;
  if (reduction == kSum) return aten("sum", {each});
  const Tensor counted = aten("logical_not", {ignored});
  const Tensor total = weight ? aten("sum", {aten("index_select", {*weight, std::int64_t{0}, aten("masked_select",
                                                                                    {target, counted})})})
                              : aten("sum", {counted});
  return aten("div.Tensor", {aten("sum", {each}), total});
}

// target: int64 classes, or probabilities of self's sizes.
Tensor cross_entropy_loss(const Tensor& self, const Tensor& target, const OptionalTensor& weight,
                          std::int64_t reduction, std::int64_t ignore_index, double label_smoothing) {
  if (!(label_smoothing >= 0 && label_smoothing <= 1))
    fail_value("cross_entropy_loss: label_smoothing is " + std::to_string(label_smoothing) + "; expected 0 to 1");
  if (self.dim() > 0 && self.sizes() == target.sizes())
    return cross_entropy_of_probabilities(self, target, weight, reduction, label_smoothing);
  const Classes c("cross_entropy_loss", self, target, weight);
  const Tensor logs = log_softmax_of_classes(self, c);
  const Tensor sharp = nll_loss(logs, target, weight, reduction, ignore_index);
  if (label_smoothing == 0) return sharp;
  const Tensor smooth = smooth_loss(logs, target, weight, reduction, ignore_index);
  return aten("add.Tensor", {aten("mul.Scalar", {sharp, 1 - label_smoothing}),
                             aten("mul.Scalar", {smooth, label_smoothing / static_cast<double>(c.classes)})});
}

constexpr OpDefinition kOps[] = {
    define_op<mse_loss>("aten::mse_loss(Tensor self, Tensor target, int reduction=1) -> Tensor"),
    define_op<l1_loss>("aten::l1_loss(Tensor self, Tensor target, int reduction=1) -> Tensor"),
    define_op<smooth_l1_loss>(
        "aten::smooth_l1_loss(Tensor self, Tensor target, int reduction=1, float beta=1.) -> Tensor"),
    define_op<huber_loss>(
        "aten::huber_loss(Tensor self, Tensor target, int reduction=1, float delta=1.) -> Tensor"),
    define_op<kl_div>(
        "aten::kl_div(Tensor self, Tensor target, int reduction=1, *, bool log_target=False) -> Tensor"),
    define_op<soft_margin_loss>(
        "aten::soft_margin_loss(Tensor self, Tensor target, int reduction=1) -> Tensor"),
    define_op<binary_cross_entropy>(
        "aten::binary_cross_entropy(Tensor self, Tensor target, Tensor? weight=None, int reduction=1) -> Tensor"),
    define_op<in_float<nll_loss>>(
        "aten::nll_loss(Tensor self, Tensor target, Tensor? weight=None, int reduction=1, SymInt ignore_index=-100) "
        "-> Tensor"),
    define_op<in_float<nll_loss>>(
        "aten::nll_loss_nd(Tensor self, Tensor target, Tensor? weight=None, int reduction=1, SymInt "
        "ignore_index=-100) -> Tensor"),
    define_op<in_float<cross_entropy_loss>>(
        "aten::cross_entropy_loss(Tensor self, Tensor target, Tensor? weight=None, int reduction=1, SymInt "
        "ignore_index=-100, float label_smoothing=0.) -> Tensor"),
};

}  // namespace

std::span<const OpDefinition> loss_ops() { return kOps; }

}  // namespace threadwheel
