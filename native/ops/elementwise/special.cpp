// Special functions, and torch.special's names of others. Computed in double for float32 too, by series, continued
// fractions and recurrences; sources beside each.
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <string>
#include <tuple>

#include "ops/compose.h"
#include "ops/shared/pointwise.h"
#include "ops/shared/shapes.h"
#include "threadwheel/error.h"

namespace threadwheel {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity(), kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kPi = std::numbers::pi;

template <std::size_t N>
double polynomial(double x, const double (&coefficients)[N]) {  // the highest power first
  double sum = 0;
  for (const double each : coefficients) sum = sum * x + each;
  return sum;
}

// A function of doubles as an elementwise functor.
template <Name Text, auto Function>
struct InDouble : OnFloats<Text, RealFloats> {
  template <class T, class... Others>
  T operator()(T x, Others... others) const {
    return static_cast<T>(Function(static_cast<double>(x), static_cast<double>(others)...));
  }
};

// --- gamma and its derivatives ----------------------------------------------------------------------

// Cephes psi.c: recurrence up to 10, then the asymptotic series.
double digamma(double x) {
  if (x == 0) return std::copysign(kInfinity, -x);
  if (x < 0) {
    if (x == std::trunc(x)) return kNan;
    return digamma(1 - x) - kPi / std::tan(kPi * (x - std::trunc(x)));
  }
  double sum = 0;
  for (; x < 10; x += 1) sum -= 1 / x;
  const double square = 1 / (x * x);
  constexpr double kSeries[] = {1.0 / 12,   -691.0 / 32760, 1.0 / 132, -1.0 / 240,
                                1.0 / 252, -1.0 / 120,     1.0 / 12};
  return sum + std::log(x) - 0.5 / x - square * polynomial(square, kSeries);
}

// Hurwitz' zeta by Euler-Maclaurin's formula: Cephes zeta.c.
double zeta(double x, double q) {
  if (x == 1) return kInfinity;
  if (x < 1 || x != x || q != q) return kNan;
  if (q <= 0) {
    if (q == std::floor(q)) return kInfinity;
    if (x != std::floor(x)) return kNan;
  }
  constexpr double kTerms[] = {12.0, -720.0, 30240.0, -1209600.0, 47900160.0, -1.8924375803183791606e9, 7.47242496e10,
                               -2.950130727918164224e12, 1.1646782814350067249e14, -4.5979787224074726105e15,
                               1.8152105401943546773e17, -7.1661652561756670113e18};
  double sum = std::pow(q, -x), a = q, b = 0;
  for (int i = 0; i < 9 || a <= 9; ++i) {
    a += 1;
    b = std::pow(a, -x);
    sum += b;
    if (std::abs(b) < std::numeric_limits<double>::epsilon() / 2 * std::abs(sum)) return sum;
  }
  sum += b * a / (x - 1) - 0.5 * b;
  double factor = 1, k = 0;
  for (const double term : kTerms) {
    factor *= x + k;
    b /= a;
    const double added = factor * b / term;
    sum += added;
    if (std::abs(added / sum) < std::numeric_limits<double>::epsilon() / 2) break;
    factor *= x + k + 1;
    b /= a;
    k += 2;
  }
  return sum;
}

double trigamma(double x) {
  if (x <= 0 && x == std::floor(x)) return kInfinity;
  if (x < 0.5) {  // by reflection
    const double sine = std::sin(kPi * x);
    return kPi * kPi / (sine * sine) - trigamma(1 - x);
  }
  return zeta(2, x);
}

double polygamma_of(std::int64_t n, double x) {
  if (n == 0) return digamma(x);
  if (n == 1) return trigamma(x);
  const auto order = static_cast<double>(n);
  return (n % 2 == 1 ? 1 : -1) * std::exp(std::lgamma(order + 1)) * zeta(order + 1, x);
}

struct Polygamma : OnFloats<"polygamma", RealFloats> {
  std::int64_t n;
  template <class T>
  T operator()(T x) const {
    return static_cast<T>(polygamma_of(n, static_cast<double>(x)));
  }
};

template <Into Where = Into::kNew>
Tensor polygamma_into(const Tensor& self, std::int64_t n) {
  if (n < 0)
    throw Error(ErrorCode::kValue, "polygamma: n is " + std::to_string(n) + "; expected 0 or more");
  return apply<Polygamma, Where>({self}, self, Polygamma{{}, n});
}
Tensor polygamma(std::int64_t n, const Tensor& self) { return polygamma_into(self, n); }

// log of the multivariate gamma function: log(pi) p (p - 1) / 4 and p logarithms of gamma.
struct Mvlgamma : OnFloats<"mvlgamma", RealFloats> {
  std::int64_t p;
  template <class T>
  T operator()(T x) const {
    const auto order = static_cast<double>(p);
    double sum = order * (order - 1) / 4 * std::log(kPi);
    for (std::int64_t j = 0; j < p; ++j) sum += std::lgamma(static_cast<double>(x) - static_cast<double>(j) / 2);
    return static_cast<T>(sum);
  }
};

template <Into Where = Into::kNew>
Tensor mvlgamma(const Tensor& self, std::int64_t p) {
  if (p < 1) throw Error(ErrorCode::kValue, "mvlgamma: p is " + std::to_string(p) + "; expected 1 or more");
  return apply<Mvlgamma, Where>({self}, self, Mvlgamma{{}, p});
}

// The regularized incomplete gamma functions: a series below a + 1, Lentz's continued fraction above (Numerical
// Recipes, section 6.2). The number of terms grows as the root of a.
constexpr int kMostTerms = 100000;

double gamma_factor(double a, double x) { return std::exp(a * std::log(x) - x - std::lgamma(a)); }

double lower_series(double a, double x) {
  double term = 1 / a, sum = term;
  for (int n = 1; n < kMostTerms && term > sum * 1e-17; ++n) sum += term *= x / (a + n);
  return sum * gamma_factor(a, x);
}

double upper_fraction(double a, double x) {
  constexpr double kTiny = 1e-300;
  double b = x + 1 - a, c = 1 / kTiny, d = 1 / b, h = d;
  for (int n = 1; n < kMostTerms; ++n) {
    const double factor = -n * (n - a);
    b += 2;
    d = factor * d + b;
    c = b + factor / c;
    d = 1 / (std::abs(d) < kTiny ? kTiny : d);
    c = std::abs(c) < kTiny ? kTiny : c;
    h *= d * c;
    if (std::abs(d * c - 1) < 1e-16) break;
  }
  return h * gamma_factor(a, x);
}

// Temme's uniform expansion, one term beyond the leading one: for the a of which the others would take too many terms,
// where it is right to a^-1.5.
constexpr double kUniformFrom = 1e5;

double upper_uniform(double a, double x) {
  const double mu = (x - a) / a;
  const bool close = std::abs(mu) < 1e-3;  // where differences of logarithms would cancel
  const double eta = close ? mu * (1 - mu / 3 + 7 * mu * mu / 36)
                           : std::copysign(std::sqrt(2 * (mu - std::log1p(mu))), mu);
  const double correction = close ? -1.0 / 3 + mu / 12 : 1 / mu - 1 / eta;
  return 0.5 * std::erfc(eta * std::sqrt(a / 2)) + std::exp(-a * eta * eta / 2) / std::sqrt(2 * kPi * a) * correction;
}

double igamma(double a, double x) {
  if (!(x >= 0) || !(a >= 0)) return kNan;
  if (a == 0) return x > 0 ? 1 : kNan;
  if (x == 0) return 0;
  if (std::isinf(a)) return std::isinf(x) ? kNan : 0;
  if (std::isinf(x)) return 1;
  if (a > kUniformFrom) return 1 - upper_uniform(a, x);
  return x < a + 1 ? lower_series(a, x) : 1 - upper_fraction(a, x);
}

double igammac(double a, double x) {
  if (!(x >= 0) || !(a >= 0)) return kNan;
  if (a == 0) return x > 0 ? 0 : kNan;
  if (x == 0) return 1;
  if (std::isinf(a)) return std::isinf(x) ? kNan : 1;
  if (std::isinf(x)) return 0;
  if (a > kUniformFrom) return upper_uniform(a, x);
  return x < a + 1 ? 1 - lower_series(a, x) : upper_fraction(a, x);
}

// --- error functions ---------------------------------------------------------------------------------

// A rational start, then two steps of Newton.
double erfinv(double y) {
  if (!(std::abs(y) <= 1)) return kNan;
  if (std::abs(y) == 1) return std::copysign(kInfinity, y);
  double x = 0;
  if (std::abs(y) <= 0.7) {
    constexpr double kOver[] = {-0.140543331, 0.914624893, -1.645349621, 0.886226899};
    constexpr double kUnder[] = {0.012229801, -0.329097515, 1.442710462, -2.118377725, 1};
    x = y * polynomial(y * y, kOver) / polynomial(y * y, kUnder);
  } else {
    constexpr double kOver[] = {1.641345311, 3.429567803, -1.624906493, -1.970840454};
    constexpr double kUnder[] = {1.637067800, 3.543889200, 1};
    const double z = std::sqrt(-std::log((1 - std::abs(y)) / 2));
    x = std::copysign(polynomial(z, kOver), y) / polynomial(z, kUnder);
  }
  for (int i = 0; i < 2; ++i) x -= (std::erf(x) - y) / (2 * std::numbers::inv_sqrtpi * std::exp(-x * x));
  return x;
}

// exp(x^2) erfc(x); from 10 on by the asymptotic series, whose tenth term is below 1e-14 there.
double erfcx(double x) {
  if (x < 10) return std::exp(x * x) * std::erfc(x);
  double term = 1, sum = 1;
  for (int k = 1; k < 10; ++k) sum += term *= -(2 * k - 1) / (2 * x * x);
  return sum * std::numbers::inv_sqrtpi / x;
}

double ndtr(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

double log_ndtr(double x) {
  const double t = x / std::numbers::sqrt2;
  return x < -1 ? std::log(erfcx(-t) / 2) - t * t : std::log1p(-std::erfc(t) / 2);
}

// Acklam's approximation of the lower half, then two steps of Halley on the exact tail.
double ndtri(double p) {
  if (!(p >= 0 && p <= 1)) return kNan;
  if (p == 0) return -kInfinity;
  if (p > 0.5) return -ndtri(1 - p);
  double x = 0;
  if (p < 0.02425) {
    constexpr double kOver[] = {-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                                -2.549732539343734e+00, 4.374664141464968e+00,  2.938163982698783e+00};
    constexpr double kUnder[] = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                                 3.754408661907416e+00, 1};
    const double q = std::sqrt(-2 * std::log(p));
    x = polynomial(q, kOver) / polynomial(q, kUnder);
  } else {
    constexpr double kOver[] = {-3.969683028665376e+01, 2.209460984245205e+02,  -2.759285104469687e+02,
                                1.383577518672690e+02,  -3.066479806614716e+01, 2.506628277459239e+00};
    constexpr double kUnder[] = {-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02,
                                 6.680131188771972e+01,  -1.328068155288572e+01, 1};
    const double q = p - 0.5;
    x = q * polynomial(q * q, kOver) / polynomial(q * q, kUnder);
  }
  for (int i = 0; i < 2; ++i) {
    const double step = (ndtr(x) - p) * std::sqrt(2 * kPi) * std::exp(x * x / 2);
    x -= step / (1 + x * step / 2);
  }
  return x;
}

// --- modified Bessel functions ------------------------------------------------------------------------

// exp(-|x|) I_n(x) for n of 0 or 1: the power series, whose terms are all positive, up to 30; the asymptotic series
// (Abramowitz and Stegun 9.7.1) beyond, where its least term is below 1e-20.
template <int Order>
double scaled_bessel_i(double x) {
  const double size = std::abs(x), sign = Order == 1 && x < 0 ? -1 : 1;
  if (std::isinf(size)) return 0;
  if (size <= 30) {
    const double quarter = size * size / 4;
    double term = Order == 0 ? 1 : size / 2, sum = term;
    for (int k = 1; term > sum * 1e-17; ++k) sum += term *= quarter / (k * static_cast<double>(k + Order));
    return sign * sum * std::exp(-size);
  }
  double term = 1, sum = 1;
  for (int k = 1; k < 25; ++k) {
    const double odd = 2 * k - 1;
    sum += term *= -(4.0 * Order - odd * odd) / (8 * k * size);
  }
  return sign * sum / std::sqrt(2 * kPi * size);
}

template <int Order>
double bessel_i(double x) {
  if (std::isinf(x)) return Order == 1 ? x : kInfinity;
  return scaled_bessel_i<Order>(x) * std::exp(std::abs(x));
}

// --- of logarithms -------------------------------------------------------------------------------------

double entr(double x) {
  if (x > 0) return -x * std::log(x);
  return x == 0 ? 0 : x < 0 ? -kInfinity : x;
}

double xlog1py(double x, double y) {
  if (y != y) return y;
  return x == 0 ? 0 : x * std::log1p(y);
}

// --- integers and bits -----------------------------------------------------------------------------------

struct Gcd : OnNumbers<"gcd", ComputeIntegerTypes, false> {
  template <class T>
  T operator()(T x, T y) const {
    return std::gcd(x, y);
  }
};

struct Lcm : OnNumbers<"lcm", ComputeIntegerTypes, false> {
  template <class T>
  T operator()(T x, T y) const {
    const T divisor = std::gcd(x, y);
    return divisor == 0 ? 0 : std::abs(x / divisor * y);
  }
};

struct NextAfter : OnNumbers<"nextafter", RealFloats> {
  template <class T>
  T operator()(T x, T y) const {
    return std::nextafter(x, y);
  }
};

// The neighbour is that of the operands' own dtype: the 16-bit ones have others than float32.
template <Into Where = Into::kNew>
Tensor nextafter(const Tensor& self, const Tensor& other) {
  const DType dtype = result_type(self, other);
  if (dtype != DType::kFloat32 && dtype != DType::kFloat64)
    throw Error(ErrorCode::kUnsupported, std::string("nextafter: unsupported dtype ") + dtype_name(dtype) +
                                             "; supported are float32, float64");
  return binary<NextAfter, Where>(self, other);
}

Tensor ldexp(const Tensor& self, const Tensor& other) {
  return aten("mul.Tensor", {self, aten("pow.Scalar", {2.0, other})});
}
Tensor ldexp_in_place(const Tensor& self, const Tensor& other) {
  return aten("mul_.Tensor", {self, aten("pow.Scalar", {2.0, other})});
}

// self: floats -> fractions of 0.5 or more below 1, and int32 powers of two. Of infinities and NaN the power is 0.
std::tuple<Tensor, Tensor> frexp(const Tensor& self) {
  const Tensor x = is_half(self.dtype()) ? convert(self, DType::kFloat32, "frexp") : self.contiguous();
  const Tensor fractions = Tensor::empty(self.sizes(), x.dtype()), powers = Tensor::empty(self.sizes(), DType::kInt32);
  visit_dtype(FloatingTypes(), x.dtype(), "frexp", [&]<class T>() {
    for (std::int64_t i = 0; i < x.numel(); ++i) {
      int power = 0;
      fractions.data<T>()[i] = std::frexp(x.data<const T>()[i], &power);
      powers.data<std::int32_t>()[i] = std::isfinite(fractions.data<T>()[i]) ? power : 0;
    }
  });
  return {convert(fractions, self.dtype(), "frexp"), powers};
}

// In double whatever the operands are.
DType power_dtype(std::span<const Operand> operands) {
  return is_complex(result_type(operands)) ? DType::kComplex128 : DType::kFloat64;
}

Tensor float_power(const Tensor& self, const Tensor& exponent) {
  const DType dtype = power_dtype(std::array<Operand, 2>{self, exponent});
  return aten("pow.Tensor_Tensor", {convert(self, dtype, "float_power"), convert(exponent, dtype, "float_power")});
}
Tensor float_power_number(const Tensor& self, Scalar exponent) {
  const DType dtype = power_dtype(std::array<Operand, 2>{self, exponent});
  return aten("pow.Tensor_Scalar", {convert(self, dtype, "float_power"), exponent});
}

Tensor number_float_power(Scalar self, const Tensor& exponent) {
  const DType dtype = power_dtype(std::array<Operand, 2>{self, exponent});
  return aten("pow.Scalar", {self, convert(exponent, dtype, "float_power")});
}

// The result must be of the dtype already: nothing is rounded to a narrower one.
Tensor store_float_power(const Tensor& self, const Tensor& result) {
  if (self.dtype() != result.dtype())
    throw Error(ErrorCode::kValue, std::string("float_power_: self is ") + dtype_name(self.dtype()) +
                                       " and the result " + dtype_name(result.dtype()) + "; convert self first");
  return aten("copy_", {self, result});
}
Tensor float_power_in_place(const Tensor& self, const Tensor& exponent) {
  return store_float_power(self, float_power(self, exponent));
}
Tensor float_power_number_in_place(const Tensor& self, Scalar exponent) {
  return store_float_power(self, float_power_number(self, exponent));
}

Tensor isreal(const Tensor& self) {
  if (!is_complex(self.dtype())) return aten("ones_like", {self, static_cast<std::int64_t>(DType::kBool)});
  return aten("eq.Scalar", {aten("imag", {self}), std::int64_t{0}});
}

using Digamma = InDouble<"digamma", &digamma>;
using Igamma = InDouble<"igamma", &igamma>;
using Igammac = InDouble<"igammac", &igammac>;
using Erfinv = InDouble<"erfinv", &erfinv>;
using Erfcx = InDouble<"special_erfcx", &erfcx>;
using Ndtr = InDouble<"special_ndtr", &ndtr>;
using Ndtri = InDouble<"special_ndtri", &ndtri>;
using LogNdtr = InDouble<"special_log_ndtr", &log_ndtr>;
using BesselI0 = InDouble<"i0", &bessel_i<0>>;
using BesselI1 = InDouble<"special_i1", &bessel_i<1>>;
using ScaledBesselI0 = InDouble<"special_i0e", &scaled_bessel_i<0>>;
using ScaledBesselI1 = InDouble<"special_i1e", &scaled_bessel_i<1>>;
using Entropy = InDouble<"special_entr", &entr>;
using Xlog1py = InDouble<"special_xlog1py", &xlog1py>;
using Zeta = InDouble<"special_zeta", &zeta>;

// torch.special's name of another op, with the same arguments.
template <Name Other>
Tensor renamed(const Tensor& self) {
  return aten(Other.text, {self});
}
Tensor special_logit(const Tensor& self, std::optional<double> eps) {
  return aten("logit", {self, eps ? Value(*eps) : Value()});
}
Tensor special_round(const Tensor& self, std::int64_t decimals) { return aten("round.decimals", {self, decimals}); }
Tensor special_logsumexp(const Tensor& self, std::span<const std::int64_t> dim, bool keepdim) {
  return aten("logsumexp", {self, IntList(dim.begin(), dim.end()), keepdim});
}
template <Name Other>
Tensor along(const Tensor& self, std::int64_t dim, std::optional<DType> dtype) {
  return aten(Other.text, {self, dim, dtype ? Value(static_cast<std::int64_t>(*dtype)) : Value()});
}

constexpr OpDefinition kOps[] = {
    define_op<unary<Digamma>>("aten::digamma(Tensor self) -> Tensor"),
    define_op<unary<Digamma, Into::kSelf>>("aten::digamma_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Digamma>>("aten::special_digamma(Tensor self) -> Tensor"),
    define_op<unary<Digamma>>("aten::special_psi(Tensor self) -> Tensor"),
    define_op<polygamma>("aten::polygamma(int n, Tensor self) -> Tensor"),
    define_op<polygamma_into<Into::kSelf>>("aten::polygamma_(Tensor(a!) self, int n) -> Tensor(a!)"),
    define_op<polygamma>("aten::special_polygamma(int n, Tensor self) -> Tensor"),
    define_op<mvlgamma<>>("aten::mvlgamma(Tensor self, int p) -> Tensor"),
    define_op<mvlgamma<Into::kSelf>>("aten::mvlgamma_(Tensor(a!) self, int p) -> Tensor(a!)"),
    define_op<mvlgamma<>>("aten::special_multigammaln(Tensor self, int p) -> Tensor"),
    define_op<binary<Igamma>>("aten::igamma(Tensor self, Tensor other) -> Tensor"),
    define_op<binary<Igamma>>("aten::special_gammainc(Tensor self, Tensor other) -> Tensor"),
    define_op<binary<Igamma, Into::kSelf>>("aten::igamma_(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<binary<Igammac>>("aten::igammac(Tensor self, Tensor other) -> Tensor"),
    define_op<binary<Igammac, Into::kSelf>>("aten::igammac_(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<binary<Igammac>>("aten::special_gammaincc(Tensor self, Tensor other) -> Tensor"),
    define_op<unary<Erfinv>>("aten::erfinv(Tensor self) -> Tensor"),
    define_op<unary<Erfinv, Into::kSelf>>("aten::erfinv_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<Erfinv>>("aten::special_erfinv(Tensor self) -> Tensor"),
    define_op<unary<Erfcx>>("aten::special_erfcx(Tensor self) -> Tensor"),
    define_op<unary<Ndtr>>("aten::special_ndtr(Tensor self) -> Tensor"),
    define_op<unary<Ndtri>>("aten::special_ndtri(Tensor self) -> Tensor"),
    define_op<unary<LogNdtr>>("aten::special_log_ndtr(Tensor self) -> Tensor"),
    define_op<unary<BesselI0>>("aten::i0(Tensor self) -> Tensor"),
    define_op<unary<BesselI0, Into::kSelf>>("aten::i0_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<unary<BesselI0>>("aten::special_i0(Tensor self) -> Tensor"),
    define_op<unary<BesselI0>>("aten::special_modified_bessel_i0(Tensor self) -> Tensor"),
    define_op<unary<ScaledBesselI0>>("aten::special_i0e(Tensor self) -> Tensor"),
    define_op<unary<BesselI1>>("aten::special_i1(Tensor self) -> Tensor"),
    define_op<unary<BesselI1>>("aten::special_modified_bessel_i1(Tensor self) -> Tensor"),
    define_op<unary<ScaledBesselI1>>("aten::special_i1e(Tensor self) -> Tensor"),
    define_op<unary<Entropy>>("aten::special_entr(Tensor self) -> Tensor"),
    define_op<binary<Xlog1py>>("aten::special_xlog1py(Tensor self, Tensor other) -> Tensor"),
    define_op<binary_number<Xlog1py>>("aten::special_xlog1py.other_scalar(Tensor self, Scalar other) -> Tensor"),
    define_op<number_binary<Xlog1py>>("aten::special_xlog1py.self_scalar(Scalar self, Tensor other) -> Tensor"),
    define_op<binary<Zeta>>("aten::special_zeta(Tensor self, Tensor other) -> Tensor"),
    define_op<binary_number<Zeta>>("aten::special_zeta.other_scalar(Tensor self, Scalar other) -> Tensor"),
    define_op<number_binary<Zeta>>("aten::special_zeta.self_scalar(Scalar self, Tensor other) -> Tensor"),
    define_op<binary<Gcd>>("aten::gcd(Tensor self, Tensor other) -> Tensor"),
    define_op<binary<Gcd, Into::kSelf>>("aten::gcd_(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<binary<Lcm>>("aten::lcm(Tensor self, Tensor other) -> Tensor"),
    define_op<binary<Lcm, Into::kSelf>>("aten::lcm_(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<nextafter<>>("aten::nextafter(Tensor self, Tensor other) -> Tensor"),
    define_op<nextafter<Into::kSelf>>("aten::nextafter_(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<ldexp>("aten::ldexp.Tensor(Tensor self, Tensor other) -> Tensor"),
    define_op<ldexp_in_place>("aten::ldexp_(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<frexp>("aten::frexp.Tensor(Tensor self) -> (Tensor mantissa, Tensor exponent)"),
    define_op<number_float_power>("aten::float_power.Scalar(Scalar self, Tensor exponent) -> Tensor"),
    define_op<float_power_in_place>("aten::float_power_.Tensor(Tensor(a!) self, Tensor exponent) -> Tensor(a!)"),
    define_op<float_power_number_in_place>(
        "aten::float_power_.Scalar(Tensor(a!) self, Scalar exponent) -> Tensor(a!)"),
    define_op<float_power>("aten::float_power.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor"),
    define_op<float_power_number>("aten::float_power.Tensor_Scalar(Tensor self, Scalar exponent) -> Tensor"),
    define_op<isreal>("aten::isreal(Tensor self) -> Tensor"),
    define_op<renamed<"lgamma">>("aten::special_gammaln(Tensor self) -> Tensor"),
    define_op<renamed<"sigmoid">>("aten::special_expit(Tensor self) -> Tensor"),
    define_op<renamed<"expm1">>("aten::special_expm1(Tensor self) -> Tensor"),
    define_op<renamed<"exp2">>("aten::special_exp2(Tensor self) -> Tensor"),
    define_op<renamed<"erf">>("aten::special_erf(Tensor self) -> Tensor"),
    define_op<renamed<"erfc">>("aten::special_erfc(Tensor self) -> Tensor"),
    define_op<renamed<"log1p">>("aten::special_log1p(Tensor self) -> Tensor"),
    define_op<renamed<"sinc">>("aten::special_sinc(Tensor self) -> Tensor"),
    define_op<special_round>("aten::special_round(Tensor self, *, int decimals=0) -> Tensor"),
    define_op<special_logit>("aten::special_logit(Tensor self, float? eps=None) -> Tensor"),
    define_op<special_logsumexp>("aten::special_logsumexp(Tensor self, int[1] dim, bool keepdim=False) -> Tensor"),
    define_op<along<"softmax.int">>("aten::special_softmax(Tensor self, int dim, ScalarType? dtype=None) -> Tensor"),
    define_op<along<"log_softmax.int">>(
        "aten::special_log_softmax(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor"),
};

}  // namespace

std::span<const OpDefinition> special_ops() { return kOps; }

}  // namespace threadwheel
