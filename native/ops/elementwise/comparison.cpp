// Comparisons, the larger and the smaller of two, limits, selection by a mask, tests for special values.
#include <cmath>
#include <limits>
#include <string>

#include "ops/shared/options.h"
#include "ops/shared/pointwise.h"
#include "ops/shared/quantize.h"
#include "threadwheel/error.h"

namespace threadwheel {
namespace {

struct Equal : OnNumbers<"eq"> {
  template <class T>
  THREADWHEEL_INLINE bool operator()(T x, T y) const {
    return x == y;
  }
};
struct NotEqual : OnNumbers<"ne"> {
  template <class T>
  THREADWHEEL_INLINE bool operator()(T x, T y) const {
    return x != y;
  }
};
struct Less : OnNumbers<"lt", ComputeRealTypes> {
  template <class T>
  THREADWHEEL_INLINE bool operator()(T x, T y) const {
    return x < y;
  }
};
struct LessEqual : OnNumbers<"le", ComputeRealTypes> {
  template <class T>
  THREADWHEEL_INLINE bool operator()(T x, T y) const {
    return x <= y;
  }
};
struct Greater : OnNumbers<"gt", ComputeRealTypes> {
  template <class T>
  THREADWHEEL_INLINE bool operator()(T x, T y) const {
    return x > y;
  }
};
struct GreaterEqual : OnNumbers<"ge", ComputeRealTypes> {
  template <class T>
  THREADWHEEL_INLINE bool operator()(T x, T y) const {
    return x >= y;
  }
};

// --- the larger and the smaller --------------------------------------------------------------------

// NaN of either operand wins. Without short circuit, so that a compiler makes vectors of it.
struct Maximum : OnNumbers<"maximum", ComputeRealTypes> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x, T y) const {
    return (x > y) | (x != x) ? x : y;
  }
};
struct Minimum : OnNumbers<"minimum", ComputeRealTypes> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x, T y) const {
    return (x < y) | (x != x) ? x : y;
  }
};
// NaN loses against a number.
struct Fmax : OnNumbers<"fmax", ComputeRealTypes> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x, T y) const {
    return (x > y) | (y != y) ? x : y;
  }
};
struct Fmin : OnNumbers<"fmin", ComputeRealTypes> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x, T y) const {
    return (x < y) | (y != y) ? x : y;
  }
};

// As maximum and minimum, under the names of their ops.
struct ClampMin : OnNumbers<"clamp", ComputeRealTypes> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x, T low) const {
    return Maximum()(x, low);
  }
};
struct ClampMax : OnNumbers<"clamp", ComputeRealTypes> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x, T high) const {
    return Minimum()(x, high);
  }
};
// The upper limit comes last: it wins over a lower limit above it.
struct Clamp : OnNumbers<"clamp", ComputeRealTypes, false> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x, T low, T high) const {
    return Minimum()(Maximum()(x, low), high);
  }
};

template <Into Where, class Limit>
Tensor clamp_between(const Tensor& self, const std::optional<Limit>& min, const std::optional<Limit>& max) {
  if (min && max) return apply<Clamp, Where>({self, *min, *max}, self);
  if (min) return apply<ClampMin, Where>({self, *min}, self);
  if (max) return apply<ClampMax, Where>({self, *max}, self);
  throw Error(ErrorCode::kValue, "clamp: min and max are both None; give at least one");
}

template <Into Where = Into::kNew>
Tensor clamp_numbers(const Tensor& self, std::optional<Scalar> min, std::optional<Scalar> max) {
  for (const auto& limit : {min, max}) {
    if (!limit) continue;
    const DType type = result_type(self, *limit);
    if (type == DType::kBool)
      throw Error(ErrorCode::kUnsupported,
                  "clamp: unsupported dtype bool between numbers; supported are integers and wider dtypes");
    check_fits("clamp", *limit, type);
  }
  return clamp_between<Where, Scalar>(self, min, max);
}

template <Into Where = Into::kNew>
Tensor clamp_min(const Tensor& self, Scalar min) {
  return clamp_numbers<Where>(self, min, std::nullopt);
}

template <Into Where = Into::kNew>
Tensor clamp_max(const Tensor& self, Scalar max) {
  return clamp_numbers<Where>(self, std::nullopt, max);
}

template <Into Where = Into::kNew>
Tensor clamp_tensors(const Tensor& self, const std::optional<Tensor>& min, const std::optional<Tensor>& max) {
  return clamp_between<Where, Tensor>(self, min, max);
}

// --- selection -------------------------------------------------------------------------------------

struct Where {
  using Types = ComputeTypes;
  static constexpr ElementwiseRule kRule{.op = "where", .conditions = 1};
  template <class T>
  THREADWHEEL_INLINE T operator()(T condition, T x, T y) const {
    return condition != T(0) ? x : y;
  }
};

void check_mask(const char* op, const Tensor& mask) {
  if (mask.dtype() != DType::kBool)
    throw Error(ErrorCode::kUnsupported,
                std::string(op) + ": the mask is " + dtype_name(mask.dtype()) + "; expected bool");
}

Tensor where_of(const Tensor& condition, const Operand& x, const Operand& y) {
  check_mask("where", condition);
  for (const Operand& operand : {x, y})
    if (operand.is_number()) check_fits("where", operand.number(), result_type(x, y));
  return apply<Where, Into::kNew>({condition, x, y}, condition);
}

Tensor where_tensors(const Tensor& condition, const Tensor& self, const Tensor& other) {
  return where_of(condition, self, other);
}
Tensor where_number_other(const Tensor& condition, const Tensor& self, Scalar other) {
  return where_of(condition, self, other);
}
Tensor where_number_self(const Tensor& condition, Scalar self, const Tensor& other) {
  return where_of(condition, self, other);
}
Tensor where_numbers(const Tensor& condition, Scalar self, Scalar other) { return where_of(condition, self, other); }

// The result has self's dtype: the value takes no part in promotion.
template <class T>
struct MaskedFill {
  T value;
  THREADWHEEL_INLINE T operator()(T mask, T x) const { return mask != T(0) ? value : x; }
};

// `value`: a tensor of self's dtype, without dimensions.
template <Into Where>
Tensor fill_masked(const Tensor& self, const Tensor& mask, const Tensor& value) {
  static constexpr ElementwiseRule kRule{.op = "masked_fill", .conditions = 1};
  check_mask("masked_fill", mask);
  const Tensor wide = convert(value, compute_dtype(self.dtype()), "masked_fill");
  const Tensor out = Where == Into::kSelf ? self
                                          : Tensor::empty(broadcast_sizes("masked_fill", self.sizes(), mask.sizes()),
                                                          self.dtype());  // as torch's, in no operand's order
  return elementwise(ComputeTypes(), kRule, {mask, self}, &out,
                     [&]<class T>() { return MaskedFill<T>{*wide.data<const T>()}; });
}

template <Into Where = Into::kNew>
Tensor masked_fill_number(const Tensor& self, const Tensor& mask, Scalar value) {
  if (value.category() == DTypeCategory::kComplex && !is_complex(self.dtype()))
    throw Error(ErrorCode::kValue, std::string("masked_fill: the value is complex and self is ") +
                                       dtype_name(self.dtype()) + "; use a real value");
  return fill_masked<Where>(self, mask, scalar_tensor(value, self.dtype()));
}

template <Into Where = Into::kNew>
Tensor masked_fill_tensor(const Tensor& self, const Tensor& mask, const Tensor& value) {
  if (value.dim() != 0)
    throw Error(ErrorCode::kValue, "masked_fill: value has sizes " + to_string(value.sizes()) +
                                       "; expected a tensor without dimensions");
  if (is_complex(value.dtype()) && !is_complex(self.dtype()))
    throw Error(ErrorCode::kValue, std::string("masked_fill: the value is ") + dtype_name(value.dtype()) +
                                       " and self is " + dtype_name(self.dtype()) + "; convert one of them");
  return fill_masked<Where>(self, mask, convert(value, self.dtype(), "masked_fill"));
}

// --- special values --------------------------------------------------------------------------------

template <class T>
THREADWHEEL_INLINE bool is_infinite(T x) {
  if constexpr (std::is_integral_v<T>) return false;
  else return std::abs(x) == std::numeric_limits<T>::infinity();
}

struct IsNan : OnNumbers<"isnan"> {
  template <class T>
  THREADWHEEL_INLINE bool operator()(T x) const {
    return x != x;
  }
};
struct IsInf : OnNumbers<"isinf"> {
  template <class T>
  THREADWHEEL_INLINE bool operator()(T x) const {
    if constexpr (kIsComplex<T>) return is_infinite(x.real()) || is_infinite(x.imag());
    else return is_infinite(x);
  }
};
struct IsFinite : OnNumbers<"isfinite"> {
  template <class T>
  THREADWHEEL_INLINE bool operator()(T x) const {
    return !IsNan()(x) && !IsInf()(x);
  }
};
struct IsPosInf : OnNumbers<"isposinf", ComputeRealTypes> {
  template <class T>
  THREADWHEEL_INLINE bool operator()(T x) const {
    return is_infinite(x) && x > 0;
  }
};
struct IsNegInf : OnNumbers<"isneginf", ComputeRealTypes> {
  template <class T>
  THREADWHEEL_INLINE bool operator()(T x) const {
    return is_infinite(x) && x < 0;
  }
};

// |x - y| <= atol + rtol |y|; infinities are close to themselves only.
template <class T>
struct IsClose {
  double rtol, atol;
  bool equal_nan;

  THREADWHEEL_INLINE bool operator()(T x, T y) const {
    if (x == y || (equal_nan && x != x && y != y)) return true;
    if constexpr (std::is_integral_v<T>) {  // the limit in float32, the distance exactly: torch's way
      const auto high = static_cast<std::uint64_t>(x > y ? x : y), low = static_cast<std::uint64_t>(x > y ? y : x);
      const auto distance = static_cast<float>(high - low);
      return distance <= static_cast<float>(atol) + std::abs(static_cast<float>(rtol) * static_cast<float>(y));
    } else {
      const auto distance = std::abs(x - y);
      using Real = decltype(distance);
      return distance <= static_cast<Real>(atol) + std::abs(static_cast<Real>(rtol) * std::abs(y)) &&
             distance != std::numeric_limits<std::remove_const_t<Real>>::infinity();
    }
  }
};

Tensor isclose(const Tensor& self, const Tensor& other, double rtol, double atol, bool equal_nan) {
  static constexpr ElementwiseRule kRule{.op = "isclose"};
  if (self.dtype() != other.dtype())
    throw Error(ErrorCode::kValue, std::string("isclose: the tensors are ") + dtype_name(self.dtype()) + " and " +
                                       dtype_name(other.dtype()) + "; they must have the same dtype");
  if (!(rtol >= 0) || !(atol >= 0))
    throw Error(ErrorCode::kValue, "isclose: rtol is " + std::to_string(rtol) + " and atol " + std::to_string(atol) +
                                       "; both must be 0 or more");
  return elementwise(ComputeTypes(), kRule, {self, other}, nullptr,
                     [&]<class T>() { return IsClose<T>{rtol, atol, equal_nan}; });
}

template <class T>
struct ReplaceSpecial {
  T nan, positive, negative;

  THREADWHEEL_INLINE T operator()(T x) const {
    if constexpr (std::is_integral_v<T>) return x;
    else return x != x ? nan : (is_infinite(x) ? (x > 0 ? positive : negative) : x);
  }
};

double largest(DType dtype) {
  switch (dtype) {
    case DType::kFloat16: return 65504.0;
    case DType::kBFloat16: return 0x1.FEp127;
    case DType::kFloat64: return std::numeric_limits<double>::max();
    default: return std::numeric_limits<float>::max();
  }
}

template <Into Where = Into::kNew>
Tensor nan_to_num(const Tensor& self, std::optional<double> nan, std::optional<double> posinf,
                  std::optional<double> neginf) {
  static constexpr ElementwiseRule kRule{.op = "nan_to_num"};
  const double limit = largest(self.dtype());
  return elementwise(ComputeRealTypes(), kRule, {self}, destination<Where>(self), [&]<class T>() {
    return ReplaceSpecial<T>{convert_value<T>(nan.value_or(0)), convert_value<T>(posinf.value_or(limit)),
                             convert_value<T>(neginf.value_or(-limit))};
  });
}

constexpr OpDefinition kOps[] = {
    define_op<binary<Equal>>("aten::eq.Tensor(Tensor self, Tensor other) -> Tensor"),
    define_op<binary_number<Equal>>("aten::eq.Scalar(Tensor self, Scalar other) -> Tensor"),
    define_op<binary_number<Equal, Into::kSelf>>("aten::eq_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)"),
    define_op<binary<Equal, Into::kSelf>>("aten::eq_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<binary<NotEqual>>("aten::ne.Tensor(Tensor self, Tensor other) -> Tensor"),
    define_op<binary_number<NotEqual>>("aten::ne.Scalar(Tensor self, Scalar other) -> Tensor"),
    define_op<binary_number<NotEqual, Into::kSelf>>("aten::ne_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)"),
    define_op<binary<NotEqual, Into::kSelf>>("aten::ne_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<binary<Less>>("aten::lt.Tensor(Tensor self, Tensor other) -> Tensor"),
    define_op<binary_number<Less>>("aten::lt.Scalar(Tensor self, Scalar other) -> Tensor"),
    define_op<binary_number<Less, Into::kSelf>>("aten::lt_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)"),
    define_op<binary<Less, Into::kSelf>>("aten::lt_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<binary<LessEqual>>("aten::le.Tensor(Tensor self, Tensor other) -> Tensor"),
    define_op<binary_number<LessEqual>>("aten::le.Scalar(Tensor self, Scalar other) -> Tensor"),
    define_op<binary_number<LessEqual, Into::kSelf>>("aten::le_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)"),
    define_op<binary<LessEqual, Into::kSelf>>("aten::le_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<binary<Greater>>("aten::gt.Tensor(Tensor self, Tensor other) -> Tensor"),
    define_op<binary_number<Greater>>("aten::gt.Scalar(Tensor self, Scalar other) -> Tensor"),
    define_op<binary_number<Greater, Into::kSelf>>("aten::gt_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)"),
    define_op<binary<Greater, Into::kSelf>>("aten::gt_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<binary<GreaterEqual>>("aten::ge.Tensor(Tensor self, Tensor other) -> Tensor"),
    define_op<binary_number<GreaterEqual>>("aten::ge.Scalar(Tensor self, Scalar other) -> Tensor"),
    define_op<binary_number<GreaterEqual, Into::kSelf>>(
        "aten::ge_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)"),
    define_op<binary<GreaterEqual, Into::kSelf>>("aten::ge_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<binary<NotEqual>>("aten::not_equal.Tensor(Tensor self, Tensor other) -> Tensor"),
    define_op<binary_number<NotEqual>>("aten::not_equal.Scalar(Tensor self, Scalar other) -> Tensor"),
    define_op<binary_number<NotEqual, Into::kSelf>>(
        "aten::not_equal_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)"),
    define_op<binary<NotEqual, Into::kSelf>>("aten::not_equal_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<binary<Less>>("aten::less.Tensor(Tensor self, Tensor other) -> Tensor"),
    define_op<binary_number<Less>>("aten::less.Scalar(Tensor self, Scalar other) -> Tensor"),
    define_op<binary_number<Less, Into::kSelf>>("aten::less_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)"),
    define_op<binary<Less, Into::kSelf>>("aten::less_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<binary<LessEqual>>("aten::less_equal.Tensor(Tensor self, Tensor other) -> Tensor"),
    define_op<binary_number<LessEqual>>("aten::less_equal.Scalar(Tensor self, Scalar other) -> Tensor"),
    define_op<binary_number<LessEqual, Into::kSelf>>(
        "aten::less_equal_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)"),
    define_op<binary<LessEqual, Into::kSelf>>("aten::less_equal_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<binary<Greater>>("aten::greater.Tensor(Tensor self, Tensor other) -> Tensor"),
    define_op<binary_number<Greater>>("aten::greater.Scalar(Tensor self, Scalar other) -> Tensor"),
    define_op<binary_number<Greater, Into::kSelf>>(
        "aten::greater_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)"),
    define_op<binary<Greater, Into::kSelf>>("aten::greater_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<binary<GreaterEqual>>("aten::greater_equal.Tensor(Tensor self, Tensor other) -> Tensor"),
    define_op<binary_number<GreaterEqual>>("aten::greater_equal.Scalar(Tensor self, Scalar other) -> Tensor"),
    define_op<binary_number<GreaterEqual, Into::kSelf>>(
        "aten::greater_equal_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)"),
    define_op<binary<GreaterEqual, Into::kSelf>>(
        "aten::greater_equal_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<binary<Maximum>>("aten::maximum(Tensor self, Tensor other) -> Tensor"),
    define_op<binary<Minimum>>("aten::minimum(Tensor self, Tensor other) -> Tensor"),
    define_op<binary<Fmax>>("aten::fmax(Tensor self, Tensor other) -> Tensor"),
    define_op<binary<Fmin>>("aten::fmin(Tensor self, Tensor other) -> Tensor"),
    define_op<binary<Maximum>>("aten::max.other(Tensor self, Tensor other) -> Tensor"),
    define_op<binary<Minimum>>("aten::min.other(Tensor self, Tensor other) -> Tensor"),
    define_op<unary<IsNan>>("aten::isnan(Tensor self) -> Tensor"),
    define_op<unary<IsInf>>("aten::isinf(Tensor self) -> Tensor"),
    define_op<unary<IsFinite>>("aten::isfinite(Tensor self) -> Tensor"),
    define_op<unary<IsPosInf>>("aten::isposinf(Tensor self) -> Tensor"),
    define_op<unary<IsNegInf>>("aten::isneginf(Tensor self) -> Tensor"),
    define_op<on_quantized<clamp_numbers<>>>("aten::clamp(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor"),
    define_op<clamp_tensors<>>("aten::clamp.Tensor(Tensor self, Tensor? min=None, Tensor? max=None) -> Tensor"),
    define_op<clamp_numbers<Into::kSelf>>(
        "aten::clamp_(Tensor(a!) self, Scalar? min=None, Scalar? max=None) -> Tensor(a!)"),
    define_op<clamp_tensors<Into::kSelf>>(
        "aten::clamp_.Tensor(Tensor(a!) self, Tensor? min=None, Tensor? max=None) -> Tensor(a!)"),
    define_op<clamp_numbers<>>("aten::clip(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor"),
    define_op<clamp_tensors<>>("aten::clip.Tensor(Tensor self, Tensor? min=None, Tensor? max=None) -> Tensor"),
    define_op<clamp_numbers<Into::kSelf>>(
        "aten::clip_(Tensor(a!) self, Scalar? min=None, Scalar? max=None) -> Tensor(a!)"),
    define_op<clamp_tensors<Into::kSelf>>(
        "aten::clip_.Tensor(Tensor(a!) self, Tensor? min=None, Tensor? max=None) -> Tensor(a!)"),
    define_op<clamp_min<>>("aten::clamp_min(Tensor self, Scalar min) -> Tensor"),
    define_op<binary<ClampMin>>("aten::clamp_min.Tensor(Tensor self, Tensor min) -> Tensor"),
    define_op<clamp_min<Into::kSelf>>("aten::clamp_min_(Tensor(a!) self, Scalar min) -> Tensor(a!)"),
    define_op<binary<ClampMin, Into::kSelf>>("aten::clamp_min_.Tensor(Tensor(a!) self, Tensor min) -> Tensor(a!)"),
    define_op<clamp_max<>>("aten::clamp_max(Tensor self, Scalar max) -> Tensor"),
    define_op<binary<ClampMax>>("aten::clamp_max.Tensor(Tensor self, Tensor max) -> Tensor"),
    define_op<clamp_max<Into::kSelf>>("aten::clamp_max_(Tensor(a!) self, Scalar max) -> Tensor(a!)"),
    define_op<binary<ClampMax, Into::kSelf>>("aten::clamp_max_.Tensor(Tensor(a!) self, Tensor max) -> Tensor(a!)"),
    define_op<where_tensors>("aten::where.self(Tensor condition, Tensor self, Tensor other) -> Tensor"),
    define_op<where_number_other>("aten::where.ScalarOther(Tensor condition, Tensor self, Scalar other) -> Tensor"),
    define_op<where_number_self>("aten::where.ScalarSelf(Tensor condition, Scalar self, Tensor other) -> Tensor"),
    define_op<where_numbers>("aten::where.Scalar(Tensor condition, Scalar self, Scalar other) -> Tensor"),
    define_op<masked_fill_number<>>("aten::masked_fill.Scalar(Tensor self, Tensor mask, Scalar value) -> Tensor"),
    define_op<masked_fill_tensor<>>("aten::masked_fill.Tensor(Tensor self, Tensor mask, Tensor value) -> Tensor"),
    define_op<masked_fill_number<Into::kSelf>>(
        "aten::masked_fill_.Scalar(Tensor(a!) self, Tensor mask, Scalar value) -> Tensor(a!)"),
    define_op<masked_fill_tensor<Into::kSelf>>(
        "aten::masked_fill_.Tensor(Tensor(a!) self, Tensor mask, Tensor value) -> Tensor(a!)"),
    define_op<isclose>(
        "aten::isclose(Tensor self, Tensor other, float rtol=1e-05, float atol=1e-08, bool equal_nan=False) -> Tensor"),
    define_op<nan_to_num<>>(
        "aten::nan_to_num(Tensor self, float? nan=None, float? posinf=None, float? neginf=None) -> Tensor"),
    define_op<nan_to_num<Into::kSelf>>(
        "aten::nan_to_num_(Tensor(a!) self, float? nan=None, float? posinf=None, float? neginf=None) -> Tensor(a!)"),
};

}  // namespace

std::span<const OpDefinition> comparison_ops() { return kOps; }

}  // namespace threadwheel
