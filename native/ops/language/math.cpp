// Arithmetic on the language's numbers. An op is a struct whose `call` takes the widest type among its operands; the
// templates below bring operands there: a bool or int meets a float as float, anything meets a complex as complex.
#include <cmath>
#include <limits>
#include <string>
#include <tuple>

#include "ops/families.h"
#include "ops/language/language.h"

namespace threadwheel {
namespace {

using namespace language;  // NOLINT: the vocabulary of these tables

constexpr double kPi = 3.14159265358979323846;

// Integers wrap around at 64 bits: computed without sign, where that is defined.
Int wrapped(std::uint64_t value) { return static_cast<Int>(value); }

struct Add {
  static Int call(Int a, Int b) { return wrapped(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b)); }
  static double call(double a, double b) { return a + b; }
  static Complex call(Complex a, Complex b) { return a + b; }
};
struct Sub {
  static Int call(Int a, Int b) { return wrapped(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b)); }
  static double call(double a, double b) { return a - b; }
  static Complex call(Complex a, Complex b) { return a - b; }
};
struct Mul {
  static Int call(Int a, Int b) { return wrapped(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b)); }
  static double call(double a, double b) { return a * b; }
  static Complex call(Complex a, Complex b) { return a * b; }
};

[[noreturn]] void fail_division(const char* text) { throw Error(ErrorCode::kZeroDivision, text); }

struct Div {
  // By zero: infinite or NaN, as TorchScript has it, not Python's error.
  static double call(double a, double b) { return a / b; }
  static Complex call(Complex a, Complex b) { return a / b; }
};

// Rounded down; a remainder has the divisor's sign. The least int has no negative: dividing it by -1 wraps.
struct FloorDiv {
  static Int call(Int a, Int b) {
    if (b == 0) fail_division("division by zero");
    if (b == -1) return Sub::call(0, a);
    return a / b - (a % b != 0 && (a % b < 0) != (b < 0) ? 1 : 0);
  }
  static double call(double a, double b) { return std::floor(a / b); }
};
struct Remainder {
  static Int call(Int a, Int b) {
    if (b == 0) fail_division("division by zero");
    if (b == -1) return 0;
    return a % b + (a % b != 0 && (a % b < 0) != (b < 0) ? b : 0);
  }
  static double call(double a, double b) {
    const double rest = std::fmod(a, b);
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
  }
};
struct DivMod {
  static std::tuple<Int, Int> call(Int a, Int b) { return {FloorDiv::call(a, b), Remainder::call(a, b)}; }
  static std::tuple<double, double> call(double a, double b) {
    if (b == 0) fail_division("float divmod()");
    const double rest = Remainder::call(a, b);
    return {std::round((a - rest) / b), rest};
  }
};
struct TruncDiv {
  static Int call(Int a, Int b) {
    if (b == 0) fail_division("division by zero");
    return b == -1 ? Sub::call(0, a) : a / b;
  }
};

struct Pow {
  static double call(double a, double b) {
    if (a == 0 && b < 0) fail_division("0.0 cannot be raised to a negative power");
    return std::pow(a, b);
  }
  static Complex call(Complex a, Complex b) { return std::pow(a, b); }
};
struct IntPow {
  static Int call(Int a, Int b) {
    if (b < 0) return a == 1 ? 1 : a == -1 ? (b % 2 == 0 ? 1 : -1) : 0;
    Int result = 1;
    for (Int base = a; b > 0; b >>= 1, base = Mul::call(base, base))
      if ((b & 1) != 0) result = Mul::call(result, base);
    return result;
  }
};

struct Fmod {
  static double call(double a, double b) { return std::fmod(a, b); }
};
struct CopySign {
  static double call(double a, double b) { return std::copysign(a, b); }
};
struct Atan2 {
  static double call(double a, double b) { return std::atan2(a, b); }
};
struct MathRemainder {
  static double call(double a, double b) { return std::remainder(a, b); }
};
struct LogBase {
  static double call(double a, double b) { return std::log(a) / std::log(b); }
  static Complex call(Complex a, Complex b) { return std::log(a) / std::log(b); }
};
struct Polar {
  // Not std::polar, which takes no negative length.
  static Complex call(double length, double angle) { return {length * std::cos(angle), length * std::sin(angle)}; }
};
struct MakeComplex {
  static Complex call(double real, double imaginary) { return {real, imaginary}; }
};
struct Ldexp {
  static double call(double x, double power) {
    constexpr double kMost = 4096;  // beyond, every result is 0 or infinite
    return std::ldexp(x, static_cast<int>(power > kMost ? kMost : power < -kMost ? -kMost : power));
  }
};
struct Gcd {
  static Int call(Int a, Int b) {
    while (b != 0) {
      const Int rest = Remainder::call(a, b);
      a = b;
      b = rest;
    }
    return a < 0 ? Sub::call(0, a) : a;
  }
};
// Bits that leave at the top are lost; by 64 or more, all.
struct ShiftLeft {
  static Int call(Int a, Int b) {
    check(b);
    return b >= 64 ? 0 : wrapped(static_cast<std::uint64_t>(a) << b);
  }
  static void check(Int b) {
    if (b < 0) throw Error(ErrorCode::kValue, "shift: the count is " + std::to_string(b) + "; it must be 0 or more");
  }
};
struct ShiftRight {
  static Int call(Int a, Int b) {
    ShiftLeft::check(b);
    return a >> (b >= 63 ? 63 : b);
  }
};

// A function of <cmath> and <complex>.
#define THREADWHEEL_MATH(Name, function)                       \
  struct Name {                                                \
    static double call(double x) { return std::function(x); }  \
    static Complex call(Complex x) { return std::function(x); } \
  }
THREADWHEEL_MATH(Sqrt, sqrt);
THREADWHEEL_MATH(Exp, exp);
THREADWHEEL_MATH(Log, log);
THREADWHEEL_MATH(Log10, log10);
THREADWHEEL_MATH(Sin, sin);
THREADWHEEL_MATH(Cos, cos);
THREADWHEEL_MATH(Tan, tan);
THREADWHEEL_MATH(Asin, asin);
THREADWHEEL_MATH(Acos, acos);
THREADWHEEL_MATH(Atan, atan);
THREADWHEEL_MATH(Sinh, sinh);
THREADWHEEL_MATH(Cosh, cosh);
THREADWHEEL_MATH(Tanh, tanh);
THREADWHEEL_MATH(Asinh, asinh);
THREADWHEEL_MATH(Acosh, acosh);
THREADWHEEL_MATH(Atanh, atanh);
#undef THREADWHEEL_MATH

// A function of <cmath>.
#define THREADWHEEL_MATH(Name, expression)                 \
  struct Name {                                            \
    static double call(double x) { return expression; }    \
  }
THREADWHEEL_MATH(Expm1, std::expm1(x));
THREADWHEEL_MATH(Log1p, std::log1p(x));
THREADWHEEL_MATH(Erf, std::erf(x));
THREADWHEEL_MATH(Erfc, std::erfc(x));
THREADWHEEL_MATH(Gamma, std::tgamma(x));
THREADWHEEL_MATH(Lgamma, std::lgamma(x));
THREADWHEEL_MATH(Degrees, x * 180.0 / kPi);
THREADWHEEL_MATH(Radians, x * kPi / 180.0);
THREADWHEEL_MATH(Fabs, std::fabs(x));
THREADWHEEL_MATH(Round, std::nearbyint(x));  // halves to even
#undef THREADWHEEL_MATH

struct Abs {
  static Int call(Int x) { return x < 0 ? Sub::call(0, x) : x; }
  static double call(double x) { return std::fabs(x); }
  static double call(Complex x) { return std::abs(x); }
};
struct Neg {
  static Int call(Int x) { return Sub::call(0, x); }
  static double call(double x) { return -x; }
  static Complex call(Complex x) { return -x; }
};
struct Angle {
  static double call(double x) { return std::isnan(x) ? x : x < 0 ? kPi : 0.0; }
  static double call(Complex x) { return std::arg(x); }
};

Int checked_int(double x) {
  constexpr double kLimit = 9223372036854775808.0;  // 2^63
  if (std::isnan(x)) throw Error(ErrorCode::kValue, "cannot convert float NaN to integer");
  if (std::isinf(x)) throw Error(ErrorCode::kOverflow, "cannot convert float infinity to integer");
  if (x < -kLimit || x >= kLimit)
    throw Error(ErrorCode::kOverflow, "int: " + std::to_string(x) + " does not fit in 64 bits; use a smaller number");
  return static_cast<Int>(x);
}

struct Floor {
  static Int call(Int x) { return x; }
  static Int call(double x) { return checked_int(std::floor(x)); }
};
struct Ceil {
  static Int call(Int x) { return x; }
  static Int call(double x) { return checked_int(std::ceil(x)); }
};
struct ToInt {
  static Int call(Int x) { return x; }
  static Int call(double x) { return checked_int(x); }
  static Int call(bool x) { return x ? 1 : 0; }
};
struct ToFloat {
  static double call(double x) { return x; }
};
struct ToBool {
  static bool call(Int x) { return x != 0; }
  static bool call(double x) { return x != 0; }
};
struct Factorial {
  static Int call(Int x) {
    if (x < 0) throw Error(ErrorCode::kValue, "factorial() not defined for negative values");
    Int result = 1;
    for (Int i = 2; i <= x && result != 0; ++i) result = Mul::call(result, i);
    return result;
  }
};
struct IsNan {
  static bool call(double x) { return std::isnan(x); }
  static bool call(Complex x) { return std::isnan(x.real()) || std::isnan(x.imag()); }
};
struct IsInf {
  static bool call(double x) { return std::isinf(x); }
  static bool call(Complex x) { return std::isinf(x.real()) || std::isinf(x.imag()); }
};
struct IsFinite {
  static bool call(double x) { return std::isfinite(x); }
  static bool call(Complex x) { return std::isfinite(x.real()) && std::isfinite(x.imag()); }
};
struct Frexp {
  static std::tuple<double, Int> call(double x) {
    int power = 0;
    const double fraction = std::frexp(x, &power);
    return {fraction, power};
  }
};
struct Modf {
  static std::tuple<double, double> call(double x) {
    double whole = 0;
    const double fraction = std::modf(x, &whole);
    return {fraction, whole};
  }
};

Complex complex_of(Scalar value) { return value.to<Complex>(); }

// What range(lo, hi, step) has: its length, and the number at an index.
Int range_length(Int lo, Int hi, Int step) {
  if (step == 0) throw Error(ErrorCode::kValue, "range() arg 3 must not be zero");
  const auto distance = [](Int from, Int to) {
    return static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
  };
  if (step > 0) return lo < hi ? static_cast<Int>((distance(lo, hi) - 1) / static_cast<std::uint64_t>(step)) + 1 : 0;
  return lo > hi ? static_cast<Int>((distance(hi, lo) - 1) / (0 - static_cast<std::uint64_t>(step))) + 1 : 0;
}
Int derive_index(Int index, Int start, Int step) { return Add::call(start, Mul::call(index, step)); }

bool logical_not(bool x) { return !x; }
bool is(const Value& a, const Value& b) { return a.is(b); }
bool is_not(const Value& a, const Value& b) { return !a.is(b); }

constexpr OpDefinition kOps[] = {
    define_op<range_length>("aten::__range_length(int lo, int hi, int step) -> int"),
    define_op<derive_index>("aten::__derive_index(int index, int start, int step) -> int"),
    define_op<logical_not>("aten::__not__(bool self) -> bool"),
    define_op<is>("aten::__is__(t1 self, t2 obj) -> bool"),
    define_op<is_not>("aten::__isnot__(t1 self, t2 obj) -> bool"),
    define_op<complex_of>("aten::Complex.Scalar(Scalar a) -> complex"),
    define_op<binary<DivMod, Int, Int>>("aten::divmod.int(int x, int y) -> (int, int)"),
    define_op<binary<DivMod, double, double>>("aten::divmod.float(float x, float y) -> (float, float)"),
    define_op<binary<DivMod, Int, double>>("aten::divmod.int_float(int x, float y) -> (float, float)"),
    define_op<binary<DivMod, double, Int>>("aten::divmod.float_int(float x, int y) -> (float, float)"),
    define_op<binary<TruncDiv, Int, Int>>("aten::__round_to_zero_floordiv.int(int a, int b) -> int"),
    define_op<binary<FloorDiv, Int, Int>>("aten::floordiv.int(int a, int b) -> int"),
    define_op<binary<FloorDiv, double, double>>("aten::floordiv.float(float a, float b) -> float"),
    define_op<binary<FloorDiv, Int, double>>("aten::floordiv.int_float(int a, float b) -> float"),
    define_op<binary<FloorDiv, double, Int>>("aten::floordiv.float_int(float a, int b) -> float"),
    define_op<scalar_binary<FloorDiv>>("aten::floordiv(Scalar a, Scalar b) -> Scalar"),
    define_op<binary<MakeComplex, Int, bool>>("aten::Complex.int_bool(int x, bool y) -> complex"),
    define_op<binary<MakeComplex, bool, Int>>("aten::Complex.bool_int(bool x, int y) -> complex"),
    define_op<binary<MakeComplex, double, bool>>("aten::Complex.float_bool(float x, bool y) -> complex"),
    define_op<binary<MakeComplex, bool, double>>("aten::Complex.bool_float(bool x, float y) -> complex"),
    define_op<binary<MakeComplex, double, Int>>("aten::Complex.float_int(float x, int y) -> complex"),
    define_op<binary<MakeComplex, Int, double>>("aten::Complex.int_float(int x, float y) -> complex"),
    define_op<binary<MakeComplex, Int, Int>>("aten::Complex.int_int(int x, int y) -> complex"),
    define_op<binary<MakeComplex, bool, bool>>("aten::Complex.bool_bool(bool x, bool y) -> complex"),
    define_op<binary<MakeComplex, double, double>>("aten::Complex.float_float(float x, float y) -> complex"),
    define_op<binary<MathRemainder, Int, Int>>("aten::mathremainder.int(int a, int b) -> float"),
    define_op<binary<MathRemainder, double, double>>("aten::mathremainder.float(float a, float b) -> float"),
    define_op<binary<MathRemainder, Int, double>>("aten::mathremainder.int_float(int a, float b) -> float"),
    define_op<binary<MathRemainder, double, Int>>("aten::mathremainder.float_int(float a, int b) -> float"),
    define_op<scalar_binary<MathRemainder>>("aten::mathremainder(Scalar a, Scalar b) -> float"),
    define_op<binary<Remainder, Int, Int>>("aten::remainder.int(int a, int b) -> int"),
    define_op<binary<Remainder, double, double>>("aten::remainder.float(float a, float b) -> float"),
    define_op<binary<Remainder, Int, double>>("aten::remainder.int_float(int a, float b) -> float"),
    define_op<binary<Remainder, double, Int>>("aten::remainder.float_int(float a, int b) -> float"),
    define_op<scalar_binary<Remainder>>("aten::remainder(Scalar a, Scalar b) -> Scalar"),
    define_op<binary<Ldexp, double, Int>>("aten::ldexp(float x, int i) -> float"),
    define_op<binary<Gcd, Int, Int>>("aten::gcd.int(int a, int b) -> int"),
    define_op<binary<Fmod, Int, Int>>("aten::fmod.int(int a, int b) -> float"),
    define_op<binary<Fmod, double, double>>("aten::fmod.float(float a, float b) -> float"),
    define_op<binary<Fmod, Int, double>>("aten::fmod.int_float(int a, float b) -> float"),
    define_op<binary<Fmod, double, Int>>("aten::fmod.float_int(float a, int b) -> float"),
    define_op<scalar_binary<Fmod>>("aten::fmod(Scalar a, Scalar b) -> float"),
    define_op<binary<CopySign, Int, Int>>("aten::copysign.int(int a, int b) -> float"),
    define_op<binary<CopySign, double, double>>("aten::copysign.float(float a, float b) -> float"),
    define_op<binary<CopySign, Int, double>>("aten::copysign.int_float(int a, float b) -> float"),
    define_op<binary<CopySign, double, Int>>("aten::copysign.float_int(float a, int b) -> float"),
    define_op<scalar_binary<CopySign>>("aten::copysign(Scalar a, Scalar b) -> float"),
    define_op<binary<ShiftLeft, Int, Int>>("aten::__lshift__.int(int a, int b) -> int"),
    define_op<binary<Polar, Int, Int>>("aten::polar.int(int a, int b) -> complex"),
    define_op<binary<Polar, double, double>>("aten::polar.float(float a, float b) -> complex"),
    define_op<binary<Polar, Int, double>>("aten::polar.int_float(int a, float b) -> complex"),
    define_op<binary<Polar, double, Int>>("aten::polar.float_int(float a, int b) -> complex"),
    define_op<scalar_binary<Polar>>("aten::polar.Scalar_Scalar(Scalar a, Scalar b) -> Scalar"),
    define_op<binary<Atan2, Int, Int>>("aten::atan2.int(int a, int b) -> float"),
    define_op<binary<Atan2, double, double>>("aten::atan2.float(float a, float b) -> float"),
    define_op<binary<Atan2, Int, double>>("aten::atan2.int_float(int a, float b) -> float"),
    define_op<binary<Atan2, double, Int>>("aten::atan2.float_int(float a, int b) -> float"),
    define_op<scalar_binary<Atan2>>("aten::atan2.Scalar_Scalar(Scalar a, Scalar b) -> float"),
    define_op<binary<ShiftRight, Int, Int>>("aten::__rshift__.int(int a, int b) -> int"),
    define_op<binary<LogBase, Int, Int>>("aten::log.int_int(int a, int b) -> float"),
    define_op<binary<LogBase, double, double>>("aten::log.float_float(float a, float b) -> float"),
    define_op<binary<LogBase, Complex, Complex>>("aten::log.complex_complex(complex a, complex b) -> complex"),
    define_op<binary<LogBase, Int, double>>("aten::log.int_float(int a, float b) -> float"),
    define_op<binary<LogBase, double, Int>>("aten::log.float_int(float a, int b) -> float"),
    define_op<binary<LogBase, Int, Complex>>("aten::log.int_complex(int a, complex b) -> complex"),
    define_op<binary<LogBase, Complex, Int>>("aten::log.complex_int(complex a, int b) -> complex"),
    define_op<binary<LogBase, double, Complex>>("aten::log.float_complex(float a, complex b) -> complex"),
    define_op<binary<LogBase, Complex, double>>("aten::log.complex_float(complex a, float b) -> complex"),
    define_op<scalar_binary<LogBase>>("aten::log.Scalar_Scalar(Scalar a, Scalar b) -> float"),
    define_op<binary<Pow, Int, Int>>("aten::pow.int(int a, int b) -> float"),
    define_op<binary<Pow, Complex, Complex>>("aten::pow.complex(complex a, complex b) -> complex"),
    define_op<binary<Pow, double, double>>("aten::pow.float(float a, float b) -> float"),
    define_op<binary<Pow, Int, double>>("aten::pow.int_float(int a, float b) -> float"),
    define_op<binary<Pow, double, Int>>("aten::pow.float_int(float a, int b) -> float"),
    define_op<binary<Pow, double, Complex>>("aten::pow.float_complex(float a, complex b) -> complex"),
    define_op<binary<Pow, Complex, double>>("aten::pow.complex_float(complex a, float b) -> complex"),
    define_op<scalar_binary<Pow>>("aten::pow.Scalar_Scalar(Scalar a, Scalar b) -> float"),
    define_op<binary<IntPow, Int, Int>>("aten::pow.int_to_int(int a, int b) -> int"),
    define_op<binary<Add, Int, Int>>("aten::add.int(int a, int b) -> int"),
    define_op<binary<Add, Complex, Complex>>("aten::add.complex(complex a, complex b) -> complex"),
    define_op<binary<Add, double, double>>("aten::add.float(float a, float b) -> float"),
    define_op<binary<Add, Int, Complex>>("aten::add.int_complex(int a, complex b) -> complex"),
    define_op<binary<Add, Complex, Int>>("aten::add.complex_int(complex a, int b) -> complex"),
    define_op<binary<Add, double, Complex>>("aten::add.float_complex(float a, complex b) -> complex"),
    define_op<binary<Add, Complex, double>>("aten::add.complex_float(complex a, float b) -> complex"),
    define_op<binary<Add, Int, double>>("aten::add.int_float(int a, float b) -> float"),
    define_op<binary<Add, double, Int>>("aten::add.float_int(float a, int b) -> float"),
    define_op<scalar_binary<Add>>("aten::add(Scalar a, Scalar b) -> Scalar"),
    define_op<binary<Sub, Int, Int>>("aten::sub.int(int a, int b) -> int"),
    define_op<binary<Sub, Complex, Complex>>("aten::sub.complex(complex a, complex b) -> complex"),
    define_op<binary<Sub, double, double>>("aten::sub.float(float a, float b) -> float"),
    define_op<binary<Sub, Int, Complex>>("aten::sub.int_complex(int a, complex b) -> complex"),
    define_op<binary<Sub, Complex, Int>>("aten::sub.complex_int(complex a, int b) -> complex"),
    define_op<binary<Sub, double, Complex>>("aten::sub.float_complex(float a, complex b) -> complex"),
    define_op<binary<Sub, Complex, double>>("aten::sub.complex_float(complex a, float b) -> complex"),
    define_op<binary<Sub, Int, double>>("aten::sub.int_float(int a, float b) -> float"),
    define_op<binary<Sub, double, Int>>("aten::sub.float_int(float a, int b) -> float"),
    define_op<scalar_binary<Sub>>("aten::sub(Scalar a, Scalar b) -> Scalar"),
    define_op<binary<Mul, Int, Int>>("aten::mul.int(int a, int b) -> int"),
    define_op<binary<Mul, Complex, Complex>>("aten::mul.complex(complex a, complex b) -> complex"),
    define_op<binary<Mul, double, double>>("aten::mul.float(float a, float b) -> float"),
    define_op<binary<Mul, Int, Complex>>("aten::mul.int_complex(int a, complex b) -> complex"),
    define_op<binary<Mul, Complex, Int>>("aten::mul.complex_int(complex a, int b) -> complex"),
    define_op<binary<Mul, double, Complex>>("aten::mul.float_complex(float a, complex b) -> complex"),
    define_op<binary<Mul, Complex, double>>("aten::mul.complex_float(complex a, float b) -> complex"),
    define_op<binary<Mul, Int, double>>("aten::mul.int_float(int a, float b) -> float"),
    define_op<binary<Mul, double, Int>>("aten::mul.float_int(float a, int b) -> float"),
    define_op<scalar_binary<Mul>>("aten::mul(Scalar a, Scalar b) -> Scalar"),
    define_op<binary<Div, Int, Int>>("aten::div.int(int a, int b) -> float"),
    define_op<binary<Div, Complex, Complex>>("aten::div.complex(complex a, complex b) -> complex"),
    define_op<binary<Div, double, double>>("aten::div.float(float a, float b) -> float"),
    define_op<scalar_binary<Div>>("aten::div(Scalar a, Scalar b) -> float"),
    define_op<unary<Abs, Int>>("prim::abs.int(int a) -> int"),
    define_op<unary<Abs, double>>("prim::abs.float(float a) -> float"),
    define_op<unary<Abs, Complex>>("prim::abs.complex(complex a) -> float"),
    define_op<scalar_unary<Abs>>("prim::abs.Scalar(Scalar a) -> Scalar"),
    define_op<scalar_unary<ToFloat>>("aten::Float.Scalar(Scalar a) -> float"),
    define_op<unary<ToFloat, Int>>("aten::Float.int(int a) -> float"),
    define_op<unary<ToFloat, bool>>("aten::Float.bool(bool a) -> float"),
    define_op<unary<ToInt, bool>>("aten::Int.bool(bool a) -> int"),
    define_op<unary<ToInt, double>>("aten::Int.float(float a) -> int"),
    define_op<scalar_unary<ToInt>>("aten::Int.Scalar(Scalar a) -> int"),
    define_op<unary<ToBool, Int>>("aten::Bool.int(int a) -> bool"),
    define_op<unary<ToBool, double>>("aten::Bool.float(float a) -> bool"),
    define_op<unary<Gamma, Int>>("aten::gamma.int(int a) -> float"),
    define_op<unary<Gamma, double>>("aten::gamma.float(float a) -> float"),
    define_op<scalar_unary<Gamma>>("aten::gamma.Scalar(Scalar a) -> Scalar"),
    define_op<unary<Fabs, Int>>("aten::fabs.int(int a) -> float"),
    define_op<unary<Fabs, double>>("aten::fabs.float(float a) -> float"),
    define_op<scalar_unary<Fabs>>("aten::fabs.Scalar(Scalar a) -> Scalar"),
    define_op<unary<Factorial, Int>>("aten::factorial.int(int a) -> int"),
    define_op<unary<Degrees, Int>>("aten::degrees.int(int a) -> float"),
    define_op<unary<Degrees, double>>("aten::degrees.float(float a) -> float"),
    define_op<scalar_unary<Degrees>>("aten::degrees.Scalar(Scalar a) -> Scalar"),
    define_op<unary<Modf, double>>("aten::modf(float a) -> (float, float)"),
    define_op<unary<IsFinite, double>>("aten::isfinite.float(float a) -> bool"),
    define_op<unary<IsFinite, Complex>>("aten::isfinite.complex(complex a) -> bool"),
    define_op<unary<Frexp, double>>("aten::frexp(float a) -> (float, int)"),
    define_op<unary<Atan, Int>>("aten::atan.int(int a) -> float"),
    define_op<unary<Atan, double>>("aten::atan.float(float a) -> float"),
    define_op<unary<Atan, Complex>>("aten::atan.complex(complex a) -> complex"),
    define_op<scalar_unary<Atan>>("aten::atan.Scalar(Scalar a) -> Scalar"),
    define_op<unary<Asin, Int>>("aten::asin.int(int a) -> float"),
    define_op<unary<Asin, double>>("aten::asin.float(float a) -> float"),
    define_op<unary<Asin, Complex>>("aten::asin.complex(complex a) -> complex"),
    define_op<scalar_unary<Asin>>("aten::asin.Scalar(Scalar a) -> Scalar"),
    define_op<unary<Acos, Int>>("aten::acos.int(int a) -> float"),
    define_op<unary<Acos, double>>("aten::acos.float(float a) -> float"),
    define_op<unary<Acos, Complex>>("aten::acos.complex(complex a) -> complex"),
    define_op<scalar_unary<Acos>>("aten::acos.Scalar(Scalar a) -> Scalar"),
    define_op<unary<Log, Int>>("aten::log.int(int a) -> float"),
    define_op<unary<Log, double>>("aten::log.float(float a) -> float"),
    define_op<unary<Log, Complex>>("aten::log.complex(complex a) -> complex"),
    define_op<scalar_unary<Log>>("aten::log.Scalar(Scalar a) -> Scalar"),
    define_op<unary<Sin, Int>>("aten::sin.int(int a) -> float"),
    define_op<unary<Sin, double>>("aten::sin.float(float a) -> float"),
    define_op<unary<Sin, Complex>>("aten::sin.complex(complex a) -> complex"),
    define_op<scalar_unary<Sin>>("aten::sin.Scalar(Scalar a) -> Scalar"),
    define_op<unary<Floor, Int>>("aten::floor.int(int a) -> int"),
    define_op<unary<Floor, double>>("aten::floor.float(float a) -> int"),
    define_op<scalar_unary<Floor>>("aten::floor.Scalar(Scalar a) -> Scalar"),
    define_op<unary<Exp, Int>>("aten::exp.int(int a) -> float"),
    define_op<unary<Exp, double>>("aten::exp.float(float a) -> float"),
    define_op<unary<Exp, Complex>>("aten::exp.complex(complex a) -> complex"),
    define_op<scalar_unary<Exp>>("aten::exp.Scalar(Scalar a) -> Scalar"),
    define_op<unary<Ceil, Int>>("aten::ceil.int(int a) -> int"),
    define_op<unary<Ceil, double>>("aten::ceil.float(float a) -> int"),
    define_op<scalar_unary<Ceil>>("aten::ceil.Scalar(Scalar a) -> Scalar"),
    define_op<unary<Cosh, Int>>("aten::cosh.int(int a) -> float"),
    define_op<unary<Cosh, double>>("aten::cosh.float(float a) -> float"),
    define_op<unary<Cosh, Complex>>("aten::cosh.complex(complex a) -> complex"),
    define_op<scalar_unary<Cosh>>("aten::cosh.Scalar(Scalar a) -> Scalar"),
    define_op<unary<Lgamma, Int>>("aten::lgamma.int(int a) -> float"),
    define_op<unary<Lgamma, double>>("aten::lgamma.float(float a) -> float"),
    define_op<scalar_unary<Lgamma>>("aten::lgamma.Scalar(Scalar a) -> Scalar"),
    define_op<unary<Log10, Int>>("aten::log10.int(int a) -> float"),
    define_op<unary<Log10, double>>("aten::log10.float(float a) -> float"),
    define_op<unary<Log10, Complex>>("aten::log10.complex(complex a) -> complex"),
    define_op<scalar_unary<Log10>>("aten::log10.Scalar(Scalar a) -> Scalar"),
    define_op<unary<Log1p, Int>>("aten::log1p.int(int a) -> float"),
    define_op<unary<Log1p, double>>("aten::log1p.float(float a) -> float"),
    define_op<scalar_unary<Log1p>>("aten::log1p.Scalar(Scalar a) -> Scalar"),
    define_op<unary<Neg, Int>>("aten::neg.int(int a) -> int"),
    define_op<unary<Neg, double>>("aten::neg.float(float a) -> float"),
    define_op<unary<Neg, Complex>>("aten::neg.complex(complex a) -> complex"),
    define_op<scalar_unary<Neg>>("aten::neg.Scalar(Scalar a) -> Scalar"),
    define_op<unary<Round, Int>>("aten::round.int(int a) -> float"),
    define_op<unary<Round, double>>("aten::round.float(float a) -> float"),
    define_op<scalar_unary<Round>>("aten::round.Scalar(Scalar a) -> Scalar"),
    define_op<unary<Sinh, Int>>("aten::sinh.int(int a) -> float"),
    define_op<unary<Sinh, double>>("aten::sinh.float(float a) -> float"),
    define_op<unary<Sinh, Complex>>("aten::sinh.complex(complex a) -> complex"),
    define_op<scalar_unary<Sinh>>("aten::sinh.Scalar(Scalar a) -> Scalar"),
    define_op<unary<Sqrt, Int>>("aten::sqrt.int(int a) -> float"),
    define_op<unary<Sqrt, double>>("aten::sqrt.float(float a) -> float"),
    define_op<unary<Sqrt, Complex>>("aten::sqrt.complex(complex a) -> complex"),
    define_op<scalar_unary<Sqrt>>("aten::sqrt.Scalar(Scalar a) -> Scalar"),
    define_op<unary<Tan, Int>>("aten::tan.int(int a) -> float"),
    define_op<unary<Tan, double>>("aten::tan.float(float a) -> float"),
    define_op<unary<Tan, Complex>>("aten::tan.complex(complex a) -> complex"),
    define_op<scalar_unary<Tan>>("aten::tan.Scalar(Scalar a) -> Scalar"),
    define_op<unary<Tanh, Int>>("aten::tanh.int(int a) -> float"),
    define_op<unary<Tanh, double>>("aten::tanh.float(float a) -> float"),
    define_op<unary<Tanh, Complex>>("aten::tanh.complex(complex a) -> complex"),
    define_op<scalar_unary<Tanh>>("aten::tanh.Scalar(Scalar a) -> Scalar"),
    define_op<unary<Expm1, Int>>("aten::expm1.int(int a) -> float"),
    define_op<unary<Expm1, double>>("aten::expm1.float(float a) -> float"),
    define_op<scalar_unary<Expm1>>("aten::expm1.Scalar(Scalar a) -> Scalar"),
    define_op<unary<Cos, Int>>("aten::cos.int(int a) -> float"),
    define_op<unary<Cos, double>>("aten::cos.float(float a) -> float"),
    define_op<unary<Cos, Complex>>("aten::cos.complex(complex a) -> complex"),
    define_op<scalar_unary<Cos>>("aten::cos.Scalar(Scalar a) -> Scalar"),
    define_op<unary<Radians, Int>>("aten::radians.int(int a) -> float"),
    define_op<unary<Radians, double>>("aten::radians.float(float a) -> float"),
    define_op<scalar_unary<Radians>>("aten::radians.Scalar(Scalar a) -> Scalar"),
    define_op<unary<Acosh, Int>>("aten::acosh.int(int a) -> float"),
    define_op<unary<Acosh, double>>("aten::acosh.float(float a) -> float"),
    define_op<unary<Acosh, Complex>>("aten::acosh.complex(complex a) -> complex"),
    define_op<scalar_unary<Acosh>>("aten::acosh.Scalar(Scalar a) -> Scalar"),
    define_op<unary<Angle, Int>>("aten::angle.int(int a) -> float"),
    define_op<unary<Angle, double>>("aten::angle.float(float a) -> float"),
    define_op<unary<Angle, Complex>>("aten::angle.complex(complex a) -> float"),
    define_op<scalar_unary<Angle>>("aten::angle.Scalar(Scalar a) -> Scalar"),
    define_op<unary<Asinh, Int>>("aten::asinh.int(int a) -> float"),
    define_op<unary<Asinh, double>>("aten::asinh.float(float a) -> float"),
    define_op<unary<Asinh, Complex>>("aten::asinh.complex(complex a) -> complex"),
    define_op<scalar_unary<Asinh>>("aten::asinh.Scalar(Scalar a) -> Scalar"),
    define_op<unary<Atanh, Int>>("aten::atanh.int(int a) -> float"),
    define_op<unary<Atanh, double>>("aten::atanh.float(float a) -> float"),
    define_op<unary<Atanh, Complex>>("aten::atanh.complex(complex a) -> complex"),
    define_op<scalar_unary<Atanh>>("aten::atanh.Scalar(Scalar a) -> Scalar"),
    define_op<unary<Erf, Int>>("aten::erf.int(int a) -> float"),
    define_op<unary<Erf, double>>("aten::erf.float(float a) -> float"),
    define_op<scalar_unary<Erf>>("aten::erf.Scalar(Scalar a) -> Scalar"),
    define_op<unary<IsNan, double>>("aten::isnan.float(float a) -> bool"),
    define_op<unary<IsNan, Complex>>("aten::isnan.complex(complex a) -> bool"),
    define_op<unary<IsInf, double>>("aten::isinf.float(float a) -> bool"),
    define_op<unary<IsInf, Complex>>("aten::isinf.complex(complex a) -> bool"),
    define_op<unary<Erfc, Int>>("aten::erfc.int(int a) -> float"),
    define_op<unary<Erfc, double>>("aten::erfc.float(float a) -> float"),
    define_op<scalar_unary<Erfc>>("aten::erfc.Scalar(Scalar a) -> Scalar"),
};

}  // namespace

std::span<const OpDefinition> language_math_ops() { return kOps; }

}  // namespace threadwheel
