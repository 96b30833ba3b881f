// Activation functions. Unlike the functions of math.cpp they take integers only where torch does.
#include <cmath>
#include <limits>
#include <string>

#include "ops/shared/options.h"
#include "ops/shared/pointwise.h"
#include "ops/shared/quantize.h"
#include "ops/shared/vector_math.h"
#include "threadwheel/error.h"

namespace threadwheel {
namespace {

template <Name Op>
using OnRealFloats = OnNumbers<Op, RealFloats>;

template <class T, class Number>
T convert_number(Number number) {
  if constexpr (std::is_same_v<Number, Scalar>) return number.template to<T>();
  else return convert_value<T>(number);
}

// torch lets such numbers wrap around in some ops and refuses them in others.
template <class Number>
void check_number(const ElementwiseRule& rule, const Tensor& self, Number number) {
  if (rule.floating || !is_integral(self.dtype())) return;
  check_fits(rule.op, number, self.dtype());
  if (self.dtype() == DType::kUInt8 && Scalar(number).template to<double>() < 0)
    throw Error(ErrorCode::kValue, std::string(rule.op) + ": a number is " +
                                       std::to_string(Scalar(number).template to<double>()) +
                                       " for a tensor of uint8; expected 0 or more");
}

// A functor made of numbers: Function<T>{numbers...} converted to T.
template <template <class> class Function, class Types, class... Numbers>
Tensor with_numbers(Types types, const ElementwiseRule& rule, const Tensor& self, Into where, Numbers... numbers) {
  (check_number(rule, self, numbers), ...);
  return elementwise(types, rule, {self}, where == Into::kSelf ? &self : nullptr,
                     [&]<class T>() { return Function<T>{convert_number<T>(numbers)...}; });
}

struct Relu : OnNumbers<"relu", ComputeRealTypes, false> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    return x < T(0) ? T(0) : x;  // not max(x, 0): NaN must stay NaN
  }
};

template <class T>
struct Hardtanh {
  T low, high;
  THREADWHEEL_INLINE T operator()(T x) const {
    const T raised = x < low ? low : x;
    return raised > high ? high : raised;
  }
};

template <Into Where = Into::kNew>
Tensor hardtanh(const Tensor& self, Scalar min_val, Scalar max_val) {
  static constexpr ElementwiseRule kRule{.op = "hardtanh", .bools = false};
  return with_numbers<Hardtanh>(ComputeRealTypes(), kRule, self, Where, min_val, max_val);
}

template <Into Where = Into::kNew>
Tensor relu6(const Tensor& self) {
  static constexpr ElementwiseRule kRule{.op = "relu6", .bools = false};
  return with_numbers<Hardtanh>(ComputeRealTypes(), kRule, self, Where, std::int64_t{0}, std::int64_t{6});
}

template <class T>
THREADWHEEL_INLINE T hard_step(T x) {
  return Hardtanh<T>{T(0), T(6)}(x + T(3)) / T(6);
}

struct Hardsigmoid : OnRealFloats<"hardsigmoid"> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    return hard_step(x);
  }
};
struct Hardswish : OnRealFloats<"hardswish"> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    return x * hard_step(x);
  }
};
struct Silu : OnRealFloats<"silu"> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    return x / (T(1) + vector_math::exp(-x));
  }
};
struct Mish : OnRealFloats<"mish"> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    return x * vector_math::tanh(std::log1p(vector_math::exp(x)));
  }
};
struct LogSigmoid : OnRealFloats<"log_sigmoid"> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    return (x > 0 ? T(0) : x) - std::log1p(vector_math::exp(-std::abs(x)));
  }
};

// x by the normal distribution's mass below it.
struct Gelu : OnRealFloats<"gelu"> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    return T(0.5) * x * (T(1) + vector_math::erf(x * T(0.70710678118654752440)));
  }
};
struct GeluTanh : OnRealFloats<"gelu"> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    constexpr T kRootTwoByPi = T(0.79788456080286535588);
    return T(0.5) * x * (T(1) + vector_math::tanh(kRootTwoByPi * (x + T(0.044715) * x * x * x)));
  }
};

template <Into Where = Into::kNew>
Tensor gelu(const Tensor& self, const std::string& approximate) {
  if (approximate == "none") return unary<Gelu, Where>(self);
  if (approximate == "tanh") return unary<GeluTanh, Where>(self);
  throw Error(ErrorCode::kValue, "gelu: approximate is '" + approximate + "'; expected 'none' or 'tanh'");
}

template <class T>
struct Elu {
  T negative, positive, input_scale;
  THREADWHEEL_INLINE T operator()(T x) const {
    return x < T(0) ? vector_math::expm1(x * input_scale) * negative : x * positive;
  }
};

template <Into Where>
Tensor elu_of(const ElementwiseRule& rule, const Tensor& self, double negative, double positive, double input_scale) {
  return with_numbers<Elu>(RealFloats(), rule, self, Where, negative, positive, input_scale);
}

template <Into Where = Into::kNew>
Tensor elu(const Tensor& self, Scalar alpha, Scalar scale, Scalar input_scale) {
  static constexpr ElementwiseRule kRule{.op = "elu"};
  return elu_of<Where>(kRule, self, alpha.to<double>() * scale.to<double>(), scale.to<double>(),
                       input_scale.to<double>());
}

template <Into Where = Into::kNew>
Tensor selu(const Tensor& self) {
  static constexpr ElementwiseRule kRule{.op = "selu"};
  constexpr double kAlpha = 1.6732632423543772848170429916717, kScale = 1.0507009873554804934193349852946;
  return elu_of<Where>(kRule, self, kAlpha * kScale, kScale, 1.0);
}

template <Into Where = Into::kNew>
Tensor celu(const Tensor& self, Scalar alpha) {
  static constexpr ElementwiseRule kRule{.op = "celu"};
  const auto size = alpha.to<double>();
  if (size == 0) throw Error(ErrorCode::kValue, "celu: alpha is 0; expected another number");
  return elu_of<Where>(kRule, self, size, 1.0, 1.0 / size);
}

template <class T>
struct LeakyRelu {
  T slope;
  THREADWHEEL_INLINE T operator()(T x) const { return x > T(0) ? x : x * slope; }
};

template <Into Where = Into::kNew>
Tensor leaky_relu(const Tensor& self, Scalar negative_slope) {
  static constexpr ElementwiseRule kRule{.op = "leaky_relu"};
  return with_numbers<LeakyRelu>(RealFloats(), kRule, self, Where, negative_slope);
}

template <class T>
struct Softplus {
  T beta, threshold;
  THREADWHEEL_INLINE T operator()(T x) const {
    return x * beta > threshold ? x : std::log1p(vector_math::exp(x * beta)) / beta;
  }
};

Tensor softplus(const Tensor& self, Scalar beta, Scalar threshold) {
  static constexpr ElementwiseRule kRule{.op = "softplus"};
  return with_numbers<Softplus>(RealFloats(), kRule, self, Into::kNew, beta, threshold);
}

template <class T>
struct Threshold {
  T threshold, value;
  THREADWHEEL_INLINE T operator()(T x) const { return x <= threshold ? value : x; }
};

template <Into Where = Into::kNew>
Tensor threshold(const Tensor& self, Scalar threshold, Scalar value) {
  static constexpr ElementwiseRule kRule{.op = "threshold", .bools = false};
  return with_numbers<Threshold>(ComputeRealTypes(), kRule, self, Where, threshold, value);
}

template <class T>
struct Hardshrink {
  T lambda;
  THREADWHEEL_INLINE T operator()(T x) const { return x >= -lambda && x <= lambda ? T(0) : x; }
};

Tensor hardshrink(const Tensor& self, Scalar lambd) {
  static constexpr ElementwiseRule kRule{.op = "hardshrink"};
  return with_numbers<Hardshrink>(RealFloats(), kRule, self, Into::kNew, lambd);
}

template <class T>
struct Softshrink {
  T lambda;
  THREADWHEEL_INLINE T operator()(T x) const {
    if (x != x) return x;
    return x > lambda ? x - lambda : (x < -lambda ? x + lambda : T(0));
  }
};

Tensor softshrink(const Tensor& self, Scalar lambd) {
  static constexpr ElementwiseRule kRule{.op = "softshrink"};
  if (!(lambd.to<double>() >= 0))
    throw Error(ErrorCode::kValue,
                "softshrink: lambd is " + std::to_string(lambd.to<double>()) + "; expected 0 or more");
  return with_numbers<Softshrink>(RealFloats(), kRule, self, Into::kNew, lambd);
}

// log(x / (1 - x)) of x within [eps, 1 - eps].
template <class T>
struct Logit {
  T low, high;
  THREADWHEEL_INLINE T operator()(T x) const {
    const T z = Hardtanh<T>{low, high}(x);
    return std::log(z / (T(1) - z));
  }
};

template <Into Where = Into::kNew>
Tensor logit(const Tensor& self, std::optional<double> eps) {
  static constexpr ElementwiseRule kRule{.op = "logit", .floating = true};
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return with_numbers<Logit>(RealFloats(), kRule, self, Where, eps.value_or(-kInfinity),
                             eps ? 1.0 - *eps : kInfinity);
}

struct Prelu : OnRealFloats<"prelu"> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x, T weight) const {
    return x > T(0) ? x : x * weight;
  }
};

// self: [n, c, ...]; weight: [c], or one element for all.
Tensor prelu(const Tensor& self, const Tensor& weight) {
  const auto fail = [&](const char* allowed) {
    throw Error(ErrorCode::kValue, "prelu: self has sizes " + to_string(self.sizes()) + " and weight " +
                                       to_string(weight.sizes()) + "; " + allowed);
  };
  if (self.dtype() != weight.dtype())
    throw Error(ErrorCode::kValue, std::string("prelu: self is ") + dtype_name(self.dtype()) + " and weight is " +
                                       dtype_name(weight.dtype()) + "; they must have the same dtype");
  if (weight.dim() > 1) fail("weight must have one dimension or none");
  if (weight.numel() == 1) return binary<Prelu>(self, weight.as_strided({}, {}));
  if (self.dim() == 0) fail("weight must have one element");
  const std::size_t channel_dim = self.dim() > 1 ? 1 : 0;
  const std::int64_t channels = self.dim() > 1 ? self.size(1) : 1;
  if (weight.numel() != channels) fail("weight must have one element, or one per channel, which is self's dimension 1");
  Dims sizes(self.sizes().size() - channel_dim, 1), strides(sizes.size(), 0);
  sizes[0] = channels;
  strides[0] = weight.stride(0);
  return binary<Prelu>(self, weight.as_strided(std::move(sizes), std::move(strides)));
}

struct Glu : OnRealFloats<"glu"> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x, T gate) const {
    return x * vector_math::sigmoid(gate);
  }
};

// The first half of dimension `dim` by the sigmoid of the second.
Tensor glu(const Tensor& self, std::int64_t dim) {
  if (self.dim() == 0) throw Error(ErrorCode::kValue, "glu: the tensor has no dimensions; expected one or more");
  const std::size_t axis = wrap_dim("glu", dim, self.dim());
  if (self.size(axis) % 2 != 0)
    throw Error(ErrorCode::kValue, "glu: self has sizes " + to_string(self.sizes()) + " and dim is " +
                                       std::to_string(dim) + "; that size must be even");
  Dims sizes = self.sizes();
  sizes[axis] /= 2;
  const std::int64_t middle = sizes[axis] * self.stride(axis);
  return binary<Glu>(self.as_strided(sizes, self.strides()), self.as_strided(sizes, self.strides(), middle));
}

// Outside of training the slope is the mean of the two.
template <Into Where = Into::kNew>
Tensor rrelu(const Tensor& self, Scalar lower, Scalar upper, bool training, const Value& /*generator*/) {
  if (training)
    throw Error(ErrorCode::kUnsupported,
                "rrelu: training is true, which needs random numbers; only false is supported");
  return leaky_relu<Where>(self, Scalar((lower.to<double>() + upper.to<double>()) / 2));
}

constexpr OpDefinition kOps[] = {
    define_op<rrelu<>>(
        "aten::rrelu(Tensor self, Scalar lower=0.125, Scalar upper=0.3333333333333333, bool training=False, Generator? "
        "generator=None) -> Tensor"),
    define_op<rrelu<Into::kSelf>>(
        "aten::rrelu_(Tensor(a!) self, Scalar lower=0.125, Scalar upper=0.3333333333333333, bool training=False, "
        "Generator? generator=None) -> Tensor(a!)"),
    define_op<on_quantized<unary<Relu>>>("aten::relu(Tensor self) -> Tensor"),
    define_op<on_quantized_in_place<unary<Relu, Into::kSelf>>>("aten::relu_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<on_quantized_between<unary<Hardsigmoid>, 0>>("aten::hardsigmoid(Tensor self) -> Tensor"),
    define_op<unary<Hardsigmoid, Into::kSelf>>("aten::hardsigmoid_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Hardswish>>("aten::hardswish(Tensor self) -> Tensor"),
    define_op<unary<Hardswish, Into::kSelf>>("aten::hardswish_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Silu>>("aten::silu(Tensor self) -> Tensor"),
    define_op<unary<Silu, Into::kSelf>>("aten::silu_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Mish>>("aten::mish(Tensor self) -> Tensor"),
    define_op<unary<Mish, Into::kSelf>>("aten::mish_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<on_quantized<hardtanh<>>>("aten::hardtanh(Tensor self, Scalar min_val=-1, Scalar max_val=1) -> Tensor"),
    define_op<hardtanh<Into::kSelf>>(
        "aten::hardtanh_(Tensor(a!) self, Scalar min_val=-1, Scalar max_val=1) -> Tensor(a!)"),
    define_op<on_quantized<relu6<>>>("aten::relu6(Tensor self) -> Tensor"),
    define_op<relu6<Into::kSelf>>("aten::relu6_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<gelu<>>("aten::gelu(Tensor self, *, str approximate='none') -> Tensor"),
    define_op<gelu<Into::kSelf>>("aten::gelu_(Tensor(a!) self, *, str approximate='none') -> Tensor(a!)"),
    define_op<elu<>>("aten::elu(Tensor self, Scalar alpha=1, Scalar scale=1, Scalar input_scale=1) -> Tensor"),
    define_op<elu<Into::kSelf>>(
        "aten::elu_(Tensor(a!) self, Scalar alpha=1, Scalar scale=1, Scalar input_scale=1) -> Tensor(a!)"),
    define_op<selu<>>("aten::selu(Tensor self) -> Tensor"),
    define_op<selu<Into::kSelf>>("aten::selu_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<celu<>>("aten::celu(Tensor self, Scalar alpha=1.) -> Tensor"),
    define_op<celu<Into::kSelf>>("aten::celu_(Tensor(a!) self, Scalar alpha=1.) -> Tensor(a!)"),
    define_op<leaky_relu<>>("aten::leaky_relu(Tensor self, Scalar negative_slope=0.01) -> Tensor"),
    define_op<leaky_relu<Into::kSelf>>("aten::leaky_relu_(Tensor(a!) self, Scalar negative_slope=0.01) -> Tensor(a!)"),
    define_op<threshold<>>("aten::threshold(Tensor self, Scalar threshold, Scalar value) -> Tensor"),
    define_op<threshold<Into::kSelf>>(
        "aten::threshold_(Tensor(a!) self, Scalar threshold, Scalar value) -> Tensor(a!)"),
    define_op<logit<>>("aten::logit(Tensor self, float? eps=None) -> Tensor"),
    define_op<logit<Into::kSelf>>("aten::logit_(Tensor(a!) self, float? eps=None) -> Tensor(a!)"),
    define_op<unary<LogSigmoid>>("aten::log_sigmoid(Tensor self) -> Tensor"),
    define_op<softplus>("aten::softplus(Tensor self, Scalar beta=1, Scalar threshold=20) -> Tensor"),
    define_op<hardshrink>("aten::hardshrink(Tensor self, Scalar lambd=0.5) -> Tensor"),
    define_op<softshrink>("aten::softshrink(Tensor self, Scalar lambd=0.5) -> Tensor"),
    define_op<prelu>("aten::prelu(Tensor self, Tensor weight) -> Tensor"),
    define_op<glu>("aten::glu(Tensor self, int dim=-1) -> Tensor"),
};

}  // namespace

std::span<const OpDefinition> activation_ops() { return kOps; }

}  // namespace threadwheel
