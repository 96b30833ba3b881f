// Comparisons of numbers and strings, minima and maxima, operations on bits.
#include <cmath>
#include <string>

#include "ops/families.h"
#include "ops/language/language.h"

namespace threadwheel {
namespace {

using namespace language;  // NOLINT: the vocabulary of these tables

#define THREADWHEEL_COMPARISON(Name, operation)                \
  struct Name {                                                \
    static bool call(Int a, Int b) { return a operation b; }   \
    static bool call(double a, double b) { return a operation b; } \
  }
THREADWHEEL_COMPARISON(Less, <);
THREADWHEEL_COMPARISON(LessEqual, <=);
THREADWHEEL_COMPARISON(Greater, >);
THREADWHEEL_COMPARISON(GreaterEqual, >=);
#undef THREADWHEEL_COMPARISON

struct Equal {
  template <class T>
  static bool call(T a, T b) {
    return a == b;
  }
};
struct NotEqual {
  template <class T>
  static bool call(T a, T b) {
    return a != b;
  }
};
struct Max {
  template <class T>
  static T call(T a, T b) requires std::is_arithmetic_v<T> {
    return b > a ? b : a;
  }
};
struct Min {
  template <class T>
  static T call(T a, T b) requires std::is_arithmetic_v<T> {
    return b < a ? b : a;
  }
};
struct And {
  static bool call(bool a, bool b) { return a && b; }
  static Int call(Int a, Int b) { return a & b; }
};
struct Or {
  static bool call(bool a, bool b) { return a || b; }
  static Int call(Int a, Int b) { return a | b; }
};
struct Xor {
  static bool call(bool a, bool b) { return a != b; }
  static Int call(Int a, Int b) { return a ^ b; }
};

template <class Compare>
bool compare_strings(const std::string& a, const std::string& b) {
  return Compare()(a.compare(b), 0);
}

bool same_device(const Value& a, const Value& b) { return a.to_string() == b.to_string(); }
bool other_device(const Value& a, const Value& b) { return !same_device(a, b); }

bool same_member(const Value& a, const Value& b) { return ValueEqual()(a, b); }
bool other_member(const Value& a, const Value& b) { return !ValueEqual()(a, b); }

constexpr OpDefinition kOps[] = {
    define_op<compare_strings<std::less<>>>("aten::lt.str(str a, str b) -> bool"),
    define_op<compare_strings<std::less_equal<>>>("aten::le.str(str a, str b) -> bool"),
    define_op<compare_strings<std::greater<>>>("aten::gt.str(str a, str b) -> bool"),
    define_op<compare_strings<std::greater_equal<>>>("aten::ge.str(str a, str b) -> bool"),
    define_op<compare_strings<std::equal_to<>>>("aten::eq.str(str a, str b) -> bool"),
    define_op<compare_strings<std::not_equal_to<>>>("aten::ne.str(str a, str b) -> bool"),
    define_op<same_device>("aten::eq.device(Device a, Device b) -> bool"),
    define_op<other_device>("aten::ne.device(Device a, Device b) -> bool"),
    define_op<same_member>("aten::eq.enum(AnyEnumType a, AnyEnumType b) -> bool"),
    define_op<other_member>("aten::ne.enum(AnyEnumType a, AnyEnumType b) -> bool"),
    define_op<binary<Max, Int, Int>>("prim::max.int(int a, int b) -> int"),
    define_op<binary<Max, double, double>>("prim::max.float(float a, float b) -> float"),
    define_op<binary<Max, Int, double>>("prim::max.int_float(int a, float b) -> float"),
    define_op<binary<Max, double, Int>>("prim::max.float_int(float a, int b) -> float"),
    define_op<scalar_binary<Max>>("prim::max(Scalar a, Scalar b) -> Scalar"),
    define_op<binary<Min, Int, Int>>("prim::min.int(int a, int b) -> int"),
    define_op<binary<Min, double, double>>("prim::min.float(float a, float b) -> float"),
    define_op<binary<Min, Int, double>>("prim::min.int_float(int a, float b) -> float"),
    define_op<binary<Min, double, Int>>("prim::min.float_int(float a, int b) -> float"),
    define_op<scalar_binary<Min>>("prim::min(Scalar a, Scalar b) -> Scalar"),
    define_op<binary<And, bool, bool>>("aten::__and__.bool(bool a, bool b) -> bool"),
    define_op<binary<And, Int, Int>>("aten::__and__.int(int a, int b) -> int"),
    define_op<binary<Xor, bool, bool>>("aten::__xor__.bool(bool a, bool b) -> bool"),
    define_op<binary<Xor, Int, Int>>("aten::__xor__.int(int a, int b) -> int"),
    define_op<binary<Or, bool, bool>>("aten::__or__.bool(bool a, bool b) -> bool"),
    define_op<binary<Or, Int, Int>>("aten::__or__.int(int a, int b) -> int"),
    define_op<binary<Less, Int, Int>>("aten::lt.int(int a, int b) -> bool"),
    define_op<binary<Less, double, double>>("aten::lt.float(float a, float b) -> bool"),
    define_op<binary<Less, Int, double>>("aten::lt.int_float(int a, float b) -> bool"),
    define_op<binary<Less, double, Int>>("aten::lt.float_int(float a, int b) -> bool"),
    define_op<scalar_binary<Less>>("aten::lt(Scalar a, Scalar b) -> bool"),
    define_op<binary<Equal, bool, bool>>("aten::eq.bool(bool a, bool b) -> bool"),
    define_op<binary<Equal, Int, Int>>("aten::eq.int(int a, int b) -> bool"),
    define_op<binary<Equal, Complex, Complex>>("aten::eq.complex(complex a, complex b) -> bool"),
    define_op<binary<Equal, double, double>>("aten::eq.float(float a, float b) -> bool"),
    define_op<binary<Equal, Int, double>>("aten::eq.int_float(int a, float b) -> bool"),
    define_op<binary<Equal, double, Int>>("aten::eq.float_int(float a, int b) -> bool"),
    define_op<binary<Equal, double, Complex>>("aten::eq.float_complex(float a, complex b) -> bool"),
    define_op<binary<Equal, Complex, double>>("aten::eq.complex_float(complex a, float b) -> bool"),
    define_op<scalar_binary<Equal>>("aten::eq(Scalar a, Scalar b) -> bool"),
    define_op<binary<Greater, Int, Int>>("aten::gt.int(int a, int b) -> bool"),
    define_op<binary<Greater, double, double>>("aten::gt.float(float a, float b) -> bool"),
    define_op<binary<Greater, Int, double>>("aten::gt.int_float(int a, float b) -> bool"),
    define_op<binary<Greater, double, Int>>("aten::gt.float_int(float a, int b) -> bool"),
    define_op<scalar_binary<Greater>>("aten::gt(Scalar a, Scalar b) -> bool"),
    define_op<binary<GreaterEqual, Int, Int>>("aten::ge.int(int a, int b) -> bool"),
    define_op<binary<GreaterEqual, double, double>>("aten::ge.float(float a, float b) -> bool"),
    define_op<binary<GreaterEqual, Int, double>>("aten::ge.int_float(int a, float b) -> bool"),
    define_op<binary<GreaterEqual, double, Int>>("aten::ge.float_int(float a, int b) -> bool"),
    define_op<scalar_binary<GreaterEqual>>("aten::ge(Scalar a, Scalar b) -> bool"),
    define_op<binary<LessEqual, Int, Int>>("aten::le.int(int a, int b) -> bool"),
    define_op<binary<LessEqual, double, double>>("aten::le.float(float a, float b) -> bool"),
    define_op<binary<LessEqual, Int, double>>("aten::le.int_float(int a, float b) -> bool"),
    define_op<binary<LessEqual, double, Int>>("aten::le.float_int(float a, int b) -> bool"),
    define_op<scalar_binary<LessEqual>>("aten::le(Scalar a, Scalar b) -> bool"),
    define_op<binary<NotEqual, bool, bool>>("aten::ne.bool(bool a, bool b) -> bool"),
    define_op<binary<NotEqual, Int, Int>>("aten::ne.int(int a, int b) -> bool"),
    define_op<binary<NotEqual, Complex, Complex>>("aten::ne.complex(complex a, complex b) -> bool"),
    define_op<binary<NotEqual, double, double>>("aten::ne.float(float a, float b) -> bool"),
    define_op<binary<NotEqual, Int, double>>("aten::ne.int_float(int a, float b) -> bool"),
    define_op<binary<NotEqual, double, Int>>("aten::ne.float_int(float a, int b) -> bool"),
    define_op<binary<NotEqual, double, Complex>>("aten::ne.float_complex(float a, complex b) -> bool"),
    define_op<binary<NotEqual, Complex, double>>("aten::ne.complex_float(complex a, float b) -> bool"),
    define_op<scalar_binary<NotEqual>>("aten::ne(Scalar a, Scalar b) -> bool"),
};

}  // namespace

std::span<const OpDefinition> language_comparison_ops() { return kOps; }

}  // namespace threadwheel
