// Mathematical functions of one element or two: exponentials, trigonometry, rounding, parts of complex numbers.
#include <cmath>
#include <limits>
#include <numbers>
#include <string>

#include "ops/shared/pointwise.h"
#include "ops/shared/quantize.h"
#include "ops/shared/vector_math.h"
#include "threadwheel/error.h"

namespace threadwheel {
namespace {

template <class T>
inline constexpr bool kIsFloat32 = std::is_same_v<T, float>;

// --- functions of the standard library, in vectors where vector_math has them -----------------------

struct Exp : OnFloats<"exp"> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    if constexpr (kIsComplex<T>) return std::exp(x);
    else return vector_math::exp(x);
  }
};
struct Exp2 : OnFloats<"exp2"> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    if constexpr (kIsComplex<T>) return std::exp(x * typename T::value_type(std::numbers::ln2));
    else return std::exp2(x);
  }
};
struct Expm1 : OnFloats<"expm1"> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    if constexpr (kIsComplex<T>) {  // cos y - 1 is -2 sin^2(y / 2), which does not cancel
      using Part = typename T::value_type;
      const Part half = std::sin(x.imag() / Part(2));
      return T(std::expm1(x.real()) * std::cos(x.imag()) - Part(2) * half * half,
               std::exp(x.real()) * std::sin(x.imag()));
    } else {
      return vector_math::expm1(x);
    }
  }
};
struct Log : OnFloats<"log"> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    return std::log(x);
  }
};
struct Log2 : OnFloats<"log2"> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    if constexpr (kIsComplex<T>) return std::log(x) / typename T::value_type(std::numbers::ln2);
    else return std::log2(x);
  }
};
struct Log10 : OnFloats<"log10"> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    return std::log10(x);
  }
};
struct Log1p : OnFloats<"log1p"> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    if constexpr (kIsComplex<T>) {
      using Part = typename T::value_type;
      const Part re = x.real(), im = x.imag();
      // Near 0 the logarithm of |1 + x|^2 - 1, which does not cancel.
      const Part size = std::abs(x) < Part(0.5) ? std::log1p(re * (Part(2) + re) + im * im) / Part(2)
                                                : std::log(std::hypot(Part(1) + re, im));
      return T(size, std::atan2(im, Part(1) + re));
    } else {
      return std::log1p(x);
    }
  }
};
struct Sqrt : OnFloats<"sqrt"> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    return std::sqrt(x);
  }
};
struct Rsqrt : OnFloats<"rsqrt"> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    return T(1) / std::sqrt(x);
  }
};
struct Reciprocal : OnFloats<"reciprocal"> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    return T(1) / x;
  }
};
struct Tan : OnFloats<"tan"> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    return std::tan(x);
  }
};
struct Asin : OnFloats<"asin"> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    return std::asin(x);
  }
};
struct Acos : OnFloats<"acos"> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    return std::acos(x);
  }
};
struct Atan : OnFloats<"atan"> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    return std::atan(x);
  }
};
struct Sinh : OnFloats<"sinh"> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    return std::sinh(x);
  }
};
struct Cosh : OnFloats<"cosh"> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    return std::cosh(x);
  }
};
struct Asinh : OnFloats<"asinh"> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    return std::asinh(x);
  }
};
struct Acosh : OnFloats<"acosh"> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    return std::acosh(x);
  }
};
struct Atanh : OnFloats<"atanh"> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    return std::atanh(x);
  }
};
struct Tanh : OnFloats<"tanh"> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    if constexpr (kIsComplex<T>) return std::tanh(x);
    else return vector_math::tanh(x);
  }
};
struct Sigmoid : OnFloats<"sigmoid"> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    if constexpr (kIsComplex<T>) return T(1) / (T(1) + std::exp(-x));
    else return vector_math::sigmoid(x);
  }
};
struct Erf : OnFloats<"erf", RealFloats> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    return vector_math::erf(x);
  }
};
struct Erfc : OnFloats<"erfc", RealFloats> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    return std::erfc(x);
  }
};
struct Lgamma : OnFloats<"lgamma", RealFloats> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    return std::lgamma(x);
  }
};

// sin and cos: in vectors up to kLargestAngle, the library's beyond.
template <std::int64_t Quarter>
struct Sine {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    if constexpr (kIsFloat32<T>) return vector_math::sine(x, Quarter);
    else return exact(x);
  }
  template <class T>
  THREADWHEEL_INLINE bool covers(T x) const {
    if constexpr (kIsFloat32<T>) return vector_math::is_small_angle(x);
    else return true;
  }
  template <class T>
  THREADWHEEL_INLINE T exact(T x) const {
    return Quarter == 0 ? std::sin(x) : std::cos(x);
  }
};
struct Sin : OnFloats<"sin">, Sine<0> {};
struct Cos : OnFloats<"cos">, Sine<1> {};

// --- rounding, signs -------------------------------------------------------------------------------

struct Floor : OnNumbers<"floor", ComputeRealTypes, false> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    if constexpr (std::is_integral_v<T>) return x;
    else return std::floor(x);
  }
};
struct Ceil : OnNumbers<"ceil", ComputeRealTypes, false> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    if constexpr (std::is_integral_v<T>) return x;
    else return std::ceil(x);
  }
};
struct Trunc : OnNumbers<"trunc", ComputeRealTypes, false> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    if constexpr (std::is_integral_v<T>) return x;
    else return std::trunc(x);
  }
};
struct Round : OnNumbers<"round", ComputeRealTypes, false> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    if constexpr (std::is_integral_v<T>) return x;
    else return std::nearbyint(x);  // halves to even
  }
};
struct Frac : OnNumbers<"frac", RealFloats> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    return x - std::trunc(x);
  }
};

// By a power of ten, as torch rounds: what it gives is not always the decimal number nearest to x.
template <class T>
struct RoundDecimals {
  T scale;
  bool divides;

  THREADWHEEL_INLINE T operator()(T x) const {
    return divides ? std::nearbyint(x / scale) * scale : std::nearbyint(x * scale) / scale;
  }
};

template <Into Where = Into::kNew>
Tensor round_decimals(const Tensor& self, std::int64_t decimals) {
  if (decimals == 0) return unary<Round, Where>(self);
  static constexpr ElementwiseRule kRule{.op = "round"};
  return elementwise(RealFloats(), kRule, {self}, destination<Where>(self), [&]<class T>() {
    const auto digits = static_cast<double>(decimals);
    return RoundDecimals<T>{static_cast<T>(std::pow(10.0, std::abs(digits))), decimals < 0};
  });
}

struct Negative : OnNumbers<"neg", ComputeTypes, false> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    if constexpr (std::is_integral_v<T>) return static_cast<T>(-static_cast<std::uint64_t>(x));
    else return -x;
  }
};
// Of complex numbers a real one.
struct Abs : OnNumbers<"abs", ComputeTypes, false> {
  template <class T>
  THREADWHEEL_INLINE auto operator()(T x) const {
    if constexpr (std::is_integral_v<T>) return x < 0 ? static_cast<T>(-static_cast<std::uint64_t>(x)) : x;
    else return std::abs(x);
  }
};
struct Sign : OnNumbers<"sign", ComputeRealTypes> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    return static_cast<T>((x > T(0)) - (x < T(0)));  // of NaN: 0
  }
};
struct Sgn : OnNumbers<"sgn", ComputeTypes> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    if constexpr (kIsComplex<T>) return x == T(0) ? T(0) : x / std::abs(x);
    else return Sign()(x);
  }
};
struct Signbit : OnNumbers<"signbit", ComputeRealTypes> {
  template <class T>
  THREADWHEEL_INLINE bool operator()(T x) const {
    if constexpr (std::is_integral_v<T>) return x < 0;
    else return std::signbit(x);
  }
};

// --- of two elements -------------------------------------------------------------------------------

struct Atan2 : OnFloats<"atan2", RealFloats> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T y, T x) const {
    return std::atan2(y, x);
  }
};
struct Hypot : OnNumbers<"hypot", RealFloats> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x, T y) const {
    return std::hypot(x, y);
  }
};
struct Copysign : OnFloats<"copysign", RealFloats> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x, T y) const {
    return std::copysign(x, y);
  }
};
struct Xlogy : OnFloats<"xlogy", RealFloats> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x, T y) const {
    if (y != y) return y;
    return x == 0 ? T(0) : x * std::log(y);
  }
};
struct Logaddexp : OnNumbers<"logaddexp", RealFloats> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x, T y) const {
    if (std::isinf(x) && x == y) return x;
    return (x > y ? x : y) + std::log1p(std::exp(-std::abs(x - y)));
  }
};
struct Logaddexp2 : OnNumbers<"logaddexp2", RealFloats> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x, T y) const {
    if (std::isinf(x) && x == y) return x;
    return (x > y ? x : y) + std::log1p(std::exp2(-std::abs(x - y))) * T(std::numbers::log2e);
  }
};
struct Heaviside : OnNumbers<"heaviside", ComputeRealTypes> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x, T value) const {
    return x == 0 ? value : static_cast<T>(x > 0);
  }
};

template <Into Where = Into::kNew>
Tensor heaviside(const Tensor& self, const Tensor& values) {
  if (self.dtype() != values.dtype())
    throw Error(ErrorCode::kValue, std::string("heaviside: self is ") + dtype_name(self.dtype()) + " and values are " +
                                       dtype_name(values.dtype()) + "; they must have the same dtype");
  return binary<Heaviside, Where>(self, values);
}

// --- complex numbers -------------------------------------------------------------------------------

struct Angle : OnFloats<"angle"> {
  template <class T>
  THREADWHEEL_INLINE auto operator()(T x) const {
    if constexpr (kIsComplex<T>) return std::arg(x);
    else return x != x ? x : (x < 0 ? T(std::numbers::pi) : T(0));
  }
};
struct Conjugate : OnNumbers<"conj_physical", ComputeTypes> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    if constexpr (kIsComplex<T>) return std::conj(x);
    else return x;
  }
};

Tensor positive(const Tensor& self) {
  if (self.dtype() == DType::kBool)
    throw Error(ErrorCode::kUnsupported,
                "positive: unsupported dtype bool; supported are integers and wider dtypes");
  return self;
}

// Of real tensors themselves, as in torch; the imaginary parts of complex ones change sign in a copy.
Tensor conj(const Tensor& self) { return is_complex(self.dtype()) ? unary<Conjugate>(self) : self; }

// The first or the second numbers of all pairs, as a view.
Tensor part(const Tensor& self, std::int64_t which) {
  Dims strides = self.strides();
  for (std::int64_t& stride : strides) stride *= 2;
  return Tensor(self.storage(), real_dtype(self.dtype()), self.offset() * 2 + which, self.sizes(), std::move(strides));
}

Tensor real(const Tensor& self) { return is_complex(self.dtype()) ? part(self, 0) : self; }

void check_complex(const char* op, const Tensor& self) {
  if (!is_complex(self.dtype()))
    throw Error(ErrorCode::kValue,
                std::string(op) + ": the tensor is " + dtype_name(self.dtype()) + "; expected a complex dtype");
}

Tensor imag(const Tensor& self) {
  check_complex("imag", self);
  return part(self, 1);
}

Tensor view_as_real(const Tensor& self) {
  check_complex("view_as_real", self);
  const Tensor first = part(self, 0);
  const std::size_t rank = self.sizes().size();
  Dims sizes(rank + 1, 2), strides(rank + 1, 1);
  std::copy_n(first.sizes().begin(), rank, sizes.begin());
  std::copy_n(first.strides().begin(), rank, strides.begin());
  return first.as_strided(std::move(sizes), std::move(strides));
}

Tensor view_as_complex(const Tensor& self) {
  const std::size_t rank = self.sizes().size();
  if (self.dtype() != DType::kFloat32 && self.dtype() != DType::kFloat64)
    throw Error(ErrorCode::kUnsupported, std::string("view_as_complex: unsupported dtype ") + dtype_name(self.dtype()) +
                                             "; supported are float32, float64");
  bool fits = rank > 0 && self.size(rank - 1) == 2 && self.stride(rank - 1) == 1 && self.offset() % 2 == 0;
  for (std::size_t i = 0; i + 1 < rank; ++i) fits &= self.stride(i) % 2 == 0;
  if (!fits)
    throw Error(ErrorCode::kValue, "view_as_complex: the tensor has sizes " + to_string(self.sizes()) + ", strides " +
                                       to_string(self.strides()) + " and offset " + std::to_string(self.offset()) +
                                       "; the last size must be 2, its stride 1, the others and the offset even");
  Dims sizes(std::span(self.sizes().begin(), rank - 1)), strides(std::span(self.strides().begin(), rank - 1));
  for (std::int64_t& stride : strides) stride /= 2;
  return Tensor(self.storage(), complex_dtype(self.dtype()), self.offset() / 2, std::move(sizes), std::move(strides));
}

// A complex tensor whose parts the ops below fill, of the broadcast sizes of x and y.
Tensor complex_of(const char* op, const Tensor& x, const Tensor& y) {
  if (x.dtype() != y.dtype() || (x.dtype() != DType::kFloat32 && x.dtype() != DType::kFloat64))
    throw Error(ErrorCode::kUnsupported, std::string(op) + ": the tensors are " + dtype_name(x.dtype()) + " and " +
                                             dtype_name(y.dtype()) + "; both must be float32 or both float64");
  return Tensor::empty(broadcast_sizes(op, x.sizes(), y.sizes()), complex_dtype(x.dtype()));
}

Tensor complex(const Tensor& real, const Tensor& imag) {
  Tensor out = complex_of("complex", real, imag);
  convert_into(part(out, 0), real, "complex");
  convert_into(part(out, 1), imag, "complex");
  return out;
}

template <std::int64_t Quarter>
struct Polar : OnNumbers<"polar", RealFloats> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T radius, T angle) const {
    return radius * Sine<Quarter>().exact(angle);
  }
};

Tensor polar(const Tensor& abs, const Tensor& angle) {
  Tensor out = complex_of("polar", abs, angle);
  convert_into(part(out, 0), binary<Polar<1>>(abs, angle), "polar");
  convert_into(part(out, 1), binary<Polar<0>>(abs, angle), "polar");
  return out;
}

Tensor itself(const Tensor& self) { return self; }

struct Deg2rad : OnFloats<"deg2rad", RealFloats> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    return x * T(std::numbers::pi / 180);
  }
};
struct Rad2deg : OnFloats<"rad2deg", RealFloats> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    return x * T(180 / std::numbers::pi);
  }
};
struct Sinc : OnFloats<"sinc"> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    const T angle = T(std::numbers::pi) * x;
    return x == T(0) ? T(1) : std::sin(angle) / angle;
  }
};

constexpr OpDefinition kOps[] = {
    define_op<unary<Exp>>("aten::exp(Tensor self) -> Tensor"),
    define_op<unary<Exp, Into::kSelf>>("aten::exp_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Exp2>>("aten::exp2(Tensor self) -> Tensor"),
    define_op<unary<Exp2, Into::kSelf>>("aten::exp2_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Expm1>>("aten::expm1(Tensor self) -> Tensor"),
    define_op<unary<Expm1, Into::kSelf>>("aten::expm1_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Log>>("aten::log(Tensor self) -> Tensor"),
    define_op<unary<Log, Into::kSelf>>("aten::log_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Log2>>("aten::log2(Tensor self) -> Tensor"),
    define_op<unary<Log2, Into::kSelf>>("aten::log2_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Log10>>("aten::log10(Tensor self) -> Tensor"),
    define_op<unary<Log10, Into::kSelf>>("aten::log10_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Log1p>>("aten::log1p(Tensor self) -> Tensor"),
    define_op<unary<Log1p, Into::kSelf>>("aten::log1p_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Sqrt>>("aten::sqrt(Tensor self) -> Tensor"),
    define_op<unary<Sqrt, Into::kSelf>>("aten::sqrt_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Rsqrt>>("aten::rsqrt(Tensor self) -> Tensor"),
    define_op<unary<Rsqrt, Into::kSelf>>("aten::rsqrt_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Reciprocal>>("aten::reciprocal(Tensor self) -> Tensor"),
    define_op<unary<Reciprocal, Into::kSelf>>("aten::reciprocal_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Sin>>("aten::sin(Tensor self) -> Tensor"),
    define_op<unary<Sin, Into::kSelf>>("aten::sin_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Cos>>("aten::cos(Tensor self) -> Tensor"),
    define_op<unary<Cos, Into::kSelf>>("aten::cos_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Tan>>("aten::tan(Tensor self) -> Tensor"),
    define_op<unary<Tan, Into::kSelf>>("aten::tan_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Asin>>("aten::asin(Tensor self) -> Tensor"),
    define_op<unary<Asin, Into::kSelf>>("aten::asin_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Acos>>("aten::acos(Tensor self) -> Tensor"),
    define_op<unary<Acos, Into::kSelf>>("aten::acos_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Atan>>("aten::atan(Tensor self) -> Tensor"),
    define_op<unary<Atan, Into::kSelf>>("aten::atan_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Sinh>>("aten::sinh(Tensor self) -> Tensor"),
    define_op<unary<Sinh, Into::kSelf>>("aten::sinh_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Cosh>>("aten::cosh(Tensor self) -> Tensor"),
    define_op<unary<Cosh, Into::kSelf>>("aten::cosh_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Asinh>>("aten::asinh(Tensor self) -> Tensor"),
    define_op<unary<Asinh, Into::kSelf>>("aten::asinh_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Acosh>>("aten::acosh(Tensor self) -> Tensor"),
    define_op<unary<Acosh, Into::kSelf>>("aten::acosh_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Atanh>>("aten::atanh(Tensor self) -> Tensor"),
    define_op<unary<Atanh, Into::kSelf>>("aten::atanh_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<on_quantized_between<unary<Tanh>, -1>>("aten::tanh(Tensor self) -> Tensor"),
    define_op<unary<Tanh, Into::kSelf>>("aten::tanh_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<on_quantized_between<unary<Sigmoid>, 0>>("aten::sigmoid(Tensor self) -> Tensor"),
    define_op<unary<Sigmoid, Into::kSelf>>("aten::sigmoid_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Erf>>("aten::erf(Tensor self) -> Tensor"),
    define_op<unary<Erf, Into::kSelf>>("aten::erf_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Erfc>>("aten::erfc(Tensor self) -> Tensor"),
    define_op<unary<Erfc, Into::kSelf>>("aten::erfc_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Lgamma>>("aten::lgamma(Tensor self) -> Tensor"),
    define_op<unary<Lgamma, Into::kSelf>>("aten::lgamma_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Floor>>("aten::floor(Tensor self) -> Tensor"),
    define_op<unary<Floor, Into::kSelf>>("aten::floor_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Ceil>>("aten::ceil(Tensor self) -> Tensor"),
    define_op<unary<Ceil, Into::kSelf>>("aten::ceil_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Trunc>>("aten::trunc(Tensor self) -> Tensor"),
    define_op<unary<Trunc, Into::kSelf>>("aten::trunc_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Frac>>("aten::frac(Tensor self) -> Tensor"),
    define_op<unary<Frac, Into::kSelf>>("aten::frac_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Negative>>("aten::neg(Tensor self) -> Tensor"),
    define_op<unary<Negative, Into::kSelf>>("aten::neg_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Abs>>("aten::abs(Tensor self) -> Tensor"),
    define_op<unary<Abs, Into::kSelf>>("aten::abs_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Sign>>("aten::sign(Tensor self) -> Tensor"),
    define_op<unary<Sign, Into::kSelf>>("aten::sign_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Sgn>>("aten::sgn(Tensor self) -> Tensor"),
    define_op<unary<Sgn, Into::kSelf>>("aten::sgn_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Deg2rad>>("aten::deg2rad(Tensor self) -> Tensor"),
    define_op<unary<Deg2rad, Into::kSelf>>("aten::deg2rad_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Rad2deg>>("aten::rad2deg(Tensor self) -> Tensor"),
    define_op<unary<Rad2deg, Into::kSelf>>("aten::rad2deg_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Sinc>>("aten::sinc(Tensor self) -> Tensor"),
    define_op<unary<Sinc, Into::kSelf>>("aten::sinc_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<conj>("aten::conj_physical(Tensor self) -> Tensor"),
    define_op<unary<Conjugate, Into::kSelf>>("aten::conj_physical_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Asin>>("aten::arcsin(Tensor self) -> Tensor"),
    define_op<unary<Asin, Into::kSelf>>("aten::arcsin_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Acos>>("aten::arccos(Tensor self) -> Tensor"),
    define_op<unary<Acos, Into::kSelf>>("aten::arccos_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Atan>>("aten::arctan(Tensor self) -> Tensor"),
    define_op<unary<Atan, Into::kSelf>>("aten::arctan_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Asinh>>("aten::arcsinh(Tensor self) -> Tensor"),
    define_op<unary<Asinh, Into::kSelf>>("aten::arcsinh_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Acosh>>("aten::arccosh(Tensor self) -> Tensor"),
    define_op<unary<Acosh, Into::kSelf>>("aten::arccosh_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Atanh>>("aten::arctanh(Tensor self) -> Tensor"),
    define_op<unary<Atanh, Into::kSelf>>("aten::arctanh_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Abs>>("aten::absolute(Tensor self) -> Tensor"),
    define_op<unary<Abs, Into::kSelf>>("aten::absolute_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Negative>>("aten::negative(Tensor self) -> Tensor"),
    define_op<unary<Negative, Into::kSelf>>("aten::negative_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Trunc>>("aten::fix(Tensor self) -> Tensor"),
    define_op<unary<Trunc, Into::kSelf>>("aten::fix_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<binary<Atan2>>("aten::atan2(Tensor self, Tensor other) -> Tensor"),
    define_op<binary<Atan2, Into::kSelf>>("aten::atan2_(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<binary<Hypot>>("aten::hypot(Tensor self, Tensor other) -> Tensor"),
    define_op<binary<Hypot, Into::kSelf>>("aten::hypot_(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<binary<Atan2>>("aten::arctan2(Tensor self, Tensor other) -> Tensor"),
    define_op<binary<Atan2, Into::kSelf>>("aten::arctan2_(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<unary<Round>>("aten::round(Tensor self) -> Tensor"),
    define_op<round_decimals<>>("aten::round.decimals(Tensor self, *, int decimals) -> Tensor"),
    define_op<unary<Round, Into::kSelf>>("aten::round_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<round_decimals<Into::kSelf>>("aten::round_.decimals(Tensor(a!) self, *, int decimals) -> Tensor(a!)"),
    define_op<positive>("aten::positive(Tensor(a) self) -> Tensor(a)"),
    define_op<unary<Signbit>>("aten::signbit(Tensor self) -> Tensor"),
    define_op<binary<Copysign>>("aten::copysign.Tensor(Tensor self, Tensor other) -> Tensor"),
    define_op<binary_number<Copysign>>("aten::copysign.Scalar(Tensor self, Scalar other) -> Tensor"),
    define_op<binary<Copysign, Into::kSelf>>("aten::copysign_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<binary_number<Copysign, Into::kSelf>>(
        "aten::copysign_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)"),
    define_op<binary<Xlogy>>("aten::xlogy.Tensor(Tensor self, Tensor other) -> Tensor"),
    define_op<binary_number<Xlogy>>("aten::xlogy.Scalar_Other(Tensor self, Scalar other) -> Tensor"),
    define_op<number_binary<Xlogy>>("aten::xlogy.Scalar_Self(Scalar self, Tensor other) -> Tensor"),
    define_op<binary<Xlogy, Into::kSelf>>("aten::xlogy_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<binary_number<Xlogy, Into::kSelf>>(
        "aten::xlogy_.Scalar_Other(Tensor(a!) self, Scalar other) -> Tensor(a!)"),
    define_op<binary<Logaddexp>>("aten::logaddexp(Tensor self, Tensor other) -> Tensor"),
    define_op<binary<Logaddexp2>>("aten::logaddexp2(Tensor self, Tensor other) -> Tensor"),
    define_op<heaviside<>>("aten::heaviside(Tensor self, Tensor values) -> Tensor"),
    define_op<heaviside<Into::kSelf>>("aten::heaviside_(Tensor(a!) self, Tensor values) -> Tensor(a!)"),
    define_op<unary<Angle>>("aten::angle(Tensor self) -> Tensor"),
    define_op<conj>("aten::conj(Tensor(a) self) -> Tensor(a)"),
    define_op<conj>("aten::_conj(Tensor(a) self) -> Tensor(a)"),
    define_op<itself>("aten::resolve_conj(Tensor(a) self) -> Tensor(a)"),
    define_op<itself>("aten::resolve_neg(Tensor(a) self) -> Tensor(a)"),
    define_op<real>("aten::real(Tensor(a) self) -> Tensor(a)"),
    define_op<imag>("aten::imag(Tensor(a) self) -> Tensor(a)"),
    define_op<view_as_real>("aten::view_as_real(Tensor(a) self) -> Tensor(a)"),
    define_op<view_as_complex>("aten::view_as_complex(Tensor(a) self) -> Tensor(a)"),
    define_op<complex>("aten::complex(Tensor real, Tensor imag) -> Tensor"),
    define_op<polar>("aten::polar(Tensor abs, Tensor angle) -> Tensor"),
};

}  // namespace

std::span<const OpDefinition> math_ops() { return kOps; }

}  // namespace threadwheel
