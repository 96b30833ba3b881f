// Arithmetic with two or more operands: sums, products, quotients, remainders, powers.
#include "ops/shared/pointwise.h"

#include <cmath>
#include <string>

#include "ops/shared/options.h"
#include "threadwheel/error.h"

namespace threadwheel {
namespace {

// Integers wrap around, as in torch and numpy: computed without sign, where that is defined.
template <class T>
using Unsigned = std::conditional_t<std::is_integral_v<T>, std::uint64_t, T>;

template <class T>
THREADWHEEL_INLINE T multiply(T x, T y) {
  if constexpr (kIsComplex<T>) {  // by the formula: the standard's operator looks for infinities
    return T(x.real() * y.real() - x.imag() * y.imag(), x.real() * y.imag() + x.imag() * y.real());
  } else {
    return static_cast<T>(static_cast<Unsigned<T>>(x) * static_cast<Unsigned<T>>(y));
  }
}

template <class T>
THREADWHEEL_INLINE T plus(T x, T y) {
  return static_cast<T>(static_cast<Unsigned<T>>(x) + static_cast<Unsigned<T>>(y));
}

template <class T>
struct PlainAdd {
  THREADWHEEL_INLINE T operator()(T x, T y) const { return plus(x, y); }
};

template <class T>
struct ScaledAdd {
  T alpha;
  THREADWHEEL_INLINE T operator()(T x, T y) const { return plus(x, multiply(alpha, y)); }
};

// As torch has it: a bool is a factor for bools only, a float for floating dtypes only.
void check_alpha(const char* op, DType dtype, Scalar alpha) {
  constexpr const char* kNames[] = {"bool", "int", "float", "complex"};
  const DTypeCategory category = alpha.category(), wanted = dtype_info(dtype).category;
  const bool is_bool = category == DTypeCategory::kBool;
  if ((is_bool && wanted != DTypeCategory::kBool) ||
      (category >= DTypeCategory::kFloating && wanted < category))
    throw Error(ErrorCode::kValue, std::string(op) + ": alpha is a " + kNames[static_cast<std::size_t>(category)] +
                                       " and the result is " + dtype_name(dtype) + "; use " +
                                       (category == DTypeCategory::kComplex && wanted == DTypeCategory::kFloating
                                            ? "a float"
                                            : "an int"));
  check_fits(op, alpha, dtype);
}

bool is_one(Scalar number) { return number.to<Complex>() == Complex(1); }

// x + alpha * y in their common dtype.
Tensor add_scaled(const ElementwiseRule& rule, const Operand& x, const Operand& y, Scalar alpha, const Tensor* out) {
  if (is_one(alpha) && alpha.category() == DTypeCategory::kInteger)
    return elementwise(ComputeTypes(), rule, {x, y}, out, []<class T>() { return PlainAdd<T>(); });
  check_alpha(rule.op, result_type(x, y), alpha);
  return elementwise(ComputeTypes(), rule, {x, y}, out, [&]<class T>() { return ScaledAdd<T>{alpha.to<T>()}; });
}

constexpr ElementwiseRule kAdd{.op = "add", .exact_numbers = true};
constexpr ElementwiseRule kSub{.op = "sub", .exact_numbers = true};
constexpr ElementwiseRule kRsub{.op = "rsub", .exact_numbers = true};

Scalar negated(Scalar number) {
  switch (number.category()) {
    case DTypeCategory::kFloating: return -number.to<double>();
    case DTypeCategory::kComplex: return -number.to<Complex>();
    default: return static_cast<std::int64_t>(-static_cast<std::uint64_t>(number.to<std::int64_t>()));
  }
}

bool is_bool(const Operand& operand) {
  return operand.is_number() ? operand.number().category() == DTypeCategory::kBool
                             : operand.tensor().dtype() == DType::kBool;
}

// The check of alpha wants its own kind; afterwards it is -alpha that y is multiplied with.
Tensor subtract(const ElementwiseRule& rule, const Operand& x, const Operand& y, Scalar alpha, const Tensor* out) {
  if (is_bool(x) || is_bool(y))
    throw Error(ErrorCode::kUnsupported,
                std::string(rule.op) + ": an operand is bool; use logical_not or bitwise_xor on bools");
  check_alpha(rule.op, result_type(x, y), alpha);
  return add_scaled(rule, x, y, negated(alpha), out);
}

// self, other: of shapes that broadcast -> self + alpha * other, in their common dtype.
template <Into Where = Into::kNew>
Tensor add_tensor(const Tensor& self, const Tensor& other, Scalar alpha) {
  return add_scaled(kAdd, self, other, alpha, destination<Where>(self));
}

// Into `out`, which must have the result's sizes already: nothing is resized.
Tensor add_out(const Tensor& self, const Tensor& other, Scalar alpha, const Tensor& out) {
  return add_scaled(kAdd, self, other, alpha, &out);
}

template <Into Where = Into::kNew>
Tensor add_number(const Tensor& self, Scalar other, Scalar alpha) {
  return add_scaled(kAdd, self, other, alpha, destination<Where>(self));
}

template <Into Where = Into::kNew>
Tensor sub_tensor(const Tensor& self, const Tensor& other, Scalar alpha) {
  return subtract(kSub, self, other, alpha, destination<Where>(self));
}

template <Into Where = Into::kNew>
Tensor sub_number(const Tensor& self, Scalar other, Scalar alpha) {
  return subtract(kSub, self, other, alpha, destination<Where>(self));
}

Tensor rsub_tensor(const Tensor& self, const Tensor& other, Scalar alpha) {
  return subtract(kRsub, other, self, alpha, nullptr);
}

Tensor rsub_number(const Tensor& self, Scalar other, Scalar alpha) {
  return subtract(kRsub, other, self, alpha, nullptr);
}

struct Multiply {
  using Types = ComputeTypes;
  static constexpr ElementwiseRule kRule{.op = "mul", .exact_numbers = true};
  template <class T>
  THREADWHEEL_INLINE T operator()(T x, T y) const {
    return multiply(x, y);
  }
};

struct Divide {
  using Types = ComputeFloatTypes;
  static constexpr ElementwiseRule kRule{.op = "div", .floating = true, .exact_numbers = true};
  template <class T>
  THREADWHEEL_INLINE T operator()(T x, T y) const {
    return x / y;
  }
};

[[noreturn]] void refuse_zero(const char* op) {
  throw Error(ErrorCode::kValue,
              std::string(op) + ": an integer is divided by zero; convert to a floating dtype first");
}

// Truncated quotient. The least integer divided by -1 wraps around, where the instruction would trap.
inline std::int64_t quotient(std::int64_t x, std::int64_t y, const char* op) {
  if (y == 0) refuse_zero(op);
  return y == -1 ? static_cast<std::int64_t>(-static_cast<std::uint64_t>(x)) : x / y;
}

inline std::int64_t remainder_of(std::int64_t x, std::int64_t y, const char* op) {
  if (y == 0) refuse_zero(op);
  return y == -1 ? 0 : x % y;
}

struct DivideTrunc : OnNumbers<"div", ComputeRealTypes, false> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x, T y) const {
    if constexpr (std::is_integral_v<T>) return quotient(x, y, "div");
    else return std::trunc(x / y);
  }
};

// As Python's //, exact where the quotient is near an integer.
template <class T>
THREADWHEEL_INLINE T floor_quotient(T x, T y) {
  if constexpr (std::is_integral_v<T>) {
    const T q = quotient(x, y, "floor_divide");
    return q - static_cast<T>(remainder_of(x, y, "floor_divide") != 0 && (x < 0) != (y < 0));
  } else {
    if (y == 0) return x / y;
    const T mod = std::fmod(x, y);
    T div = (x - mod) / y;
    if (mod != 0 && (y < 0) != (mod < 0)) div -= 1;
    if (div == 0) return std::copysign(T(0), x / y);
    const T floor = std::floor(div);
    return div - floor > T(0.5) ? floor + 1 : floor;
  }
}

struct DivideFloor : OnNumbers<"floor_divide", ComputeRealTypes, false> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x, T y) const {
    return floor_quotient(x, y);
  }
};

// The result has the divisor's sign.
struct Remainder : OnNumbers<"remainder", ComputeRealTypes, false> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x, T y) const {
    T mod;
    if constexpr (std::is_integral_v<T>) mod = remainder_of(x, y, "remainder");
    else mod = std::fmod(x, y);
    return mod != 0 && (mod < 0) != (y < 0) ? mod + y : mod;
  }
};

// The result has the dividend's sign.
struct Fmod : OnNumbers<"fmod", ComputeRealTypes, false> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x, T y) const {
    if constexpr (std::is_integral_v<T>) return remainder_of(x, y, "fmod");
    else return std::fmod(x, y);
  }
};

template <Into Where>
Tensor divide_with_mode(const Tensor& self, const Operand& other, const std::optional<std::string>& mode) {
  if (!mode) return apply<Divide, Where>({self, other}, self);
  if (*mode == "trunc") return apply<DivideTrunc, Where>({self, other}, self);
  if (*mode == "floor") return apply<DivideFloor, Where>({self, other}, self);
  throw Error(ErrorCode::kValue, "div: rounding_mode is '" + *mode + "'; expected None, 'trunc' or 'floor'");
}

template <Into Where = Into::kNew>
Tensor div_tensor_mode(const Tensor& self, const Tensor& other, std::optional<std::string> mode) {
  return divide_with_mode<Where>(self, other, mode);
}

template <Into Where = Into::kNew>
Tensor div_number_mode(const Tensor& self, Scalar other, std::optional<std::string> mode) {
  return divide_with_mode<Where>(self, other, mode);
}

// div before file format 4: without a float among the operands, the quotient of integers.
template <Into Where = Into::kNew>
Tensor legacy_div(const Tensor& self, const Tensor& other) {
  const bool floats = is_floating(self.dtype()) || is_floating(other.dtype());
  return divide_with_mode<Where>(self, other, floats ? std::nullopt : std::optional<std::string>("trunc"));
}

template <Into Where = Into::kNew>
Tensor legacy_div_number(const Tensor& self, Scalar other) {
  const bool floats = is_floating(self.dtype()) || other.category() == DTypeCategory::kFloating;
  return divide_with_mode<Where>(self, other, floats ? std::nullopt : std::optional<std::string>("trunc"));
}

// x^y of integers, modulo 2^64. With a negative y: 1 / x^|y|, rounded towards zero.
inline std::int64_t integer_power(std::int64_t x, std::int64_t y) {
  if (y < 0) {
    if (x == 1) return 1;
    return x == -1 ? (y % 2 != 0 ? -1 : 1) : 0;
  }
  std::uint64_t result = 1;
  for (auto base = static_cast<std::uint64_t>(x); y != 0; y /= 2, base *= base)
    if (y % 2 != 0) result *= base;
  return static_cast<std::int64_t>(result);
}

struct Power : OnNumbers<"pow", ComputeTypes, false> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x, T y) const {
    if constexpr (std::is_integral_v<T>) return integer_power(x, y);
    else return std::pow(x, y);
  }
};

struct Square : OnNumbers<"pow", ComputeTypes, false> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    return multiply(x, x);
  }
};

struct Cube : OnNumbers<"pow", ComputeTypes, false> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    return multiply(multiply(x, x), x);
  }
};

template <Into Where = Into::kNew>
Tensor pow_number(const Tensor& self, Scalar exponent) {
  const DType dtype = result_type(self, exponent);
  if (is_integral(dtype) && exponent.to<std::int64_t>() < 0)
    throw Error(ErrorCode::kValue, "pow: the exponent is " + std::to_string(exponent.to<std::int64_t>()) +
                                       " for integers; use a floating dtype or an exponent of 0 or more");
  if (dtype == self.dtype()) {
    if (exponent.to<Complex>() == Complex(2)) return unary<Square, Where>(self);
    if (exponent.to<Complex>() == Complex(3)) return unary<Cube, Where>(self);
  }
  return binary_number<Power, Where>(self, exponent);
}

// Of bools: integers, because the exponent is one.
template <Into Where = Into::kNew>
Tensor square(const Tensor& self) {
  return pow_number<Where>(self, std::int64_t{2});
}

// Both factors and the sum in the common dtype.
template <class T>
struct AddProduct {
  T value;
  THREADWHEEL_INLINE T operator()(T x, T y, T z) const { return plus(x, multiply(multiply(value, y), z)); }
};

template <class T>
struct AddQuotient {
  T value;
  THREADWHEEL_INLINE T operator()(T x, T y, T z) const { return x + multiply(value, y / z); }
};

template <Into Where = Into::kNew>
Tensor addcmul(const Tensor& self, const Tensor& tensor1, const Tensor& tensor2, Scalar value) {
  static constexpr ElementwiseRule kRule{.op = "addcmul", .bools = false};
  return elementwise(ComputeTypes(), kRule, {self, tensor1, tensor2}, destination<Where>(self),
                     [&]<class T>() { return AddProduct<T>{value.to<T>()}; });
}

template <Into Where = Into::kNew>
Tensor addcdiv(const Tensor& self, const Tensor& tensor1, const Tensor& tensor2, Scalar value) {
  static constexpr ElementwiseRule kRule{.op = "addcdiv", .bools = false};
  return elementwise(ComputeFloatTypes(), kRule, {self, tensor1, tensor2}, destination<Where>(self),
                     [&]<class T>() { return AddQuotient<T>{value.to<T>()}; });
}

// From the nearer end, so that weight 1 gives `end` exactly.
struct Lerp : OnNumbers<"lerp", ComputeFloatTypes> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x, T y, T weight) const {
    if constexpr (kIsComplex<T>) {
      const bool low = std::norm(weight) < typename T::value_type(0.25);
      return low ? x + multiply(weight, y - x) : y - multiply(y - x, T(1) - weight);
    } else {
      return std::abs(weight) < T(0.5) ? x + weight * (y - x) : y - (y - x) * (T(1) - weight);
    }
  }
};

void check_same_dtypes(const char* op, const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype())
    throw Error(ErrorCode::kValue, std::string(op) + ": the tensors are " + dtype_name(a.dtype()) + " and " +
                                       dtype_name(b.dtype()) + "; they must have the same dtype");
}

template <Into Where = Into::kNew>
Tensor lerp_number(const Tensor& self, const Tensor& end, Scalar weight) {
  check_same_dtypes("lerp", self, end);
  if (is_integral(self.dtype()))  // a float weight would make floats of integers
    throw Error(ErrorCode::kUnsupported, std::string("lerp: unsupported dtype ") + dtype_name(self.dtype()) +
                                             "; supported are floats, complex");
  return apply<Lerp, Where>({self, end, weight}, self);
}

template <Into Where = Into::kNew>
Tensor lerp_tensor(const Tensor& self, const Tensor& end, const Tensor& weight) {
  check_same_dtypes("lerp", self, end);
  check_same_dtypes("lerp", self, weight);
  return apply<Lerp, Where>({self, end, weight}, self);
}

// Contiguous, as torch's, unlike other results.
Tensor power_of_number(Scalar self, const Tensor& exponent) {
  return number_binary<Power>(self, exponent).contiguous();
}

constexpr OpDefinition kOps[] = {
    define_op<add_tensor<>>("aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor"),
    define_op<add_number<>>("aten::add.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor"),
    define_op<add_out>("aten::add.out(Tensor self, Tensor other, *, Scalar alpha=1, Tensor(a!) out) -> Tensor(a!)"),
    define_op<add_tensor<Into::kSelf>>(
        "aten::add_.Tensor(Tensor(a!) self, Tensor other, *, Scalar alpha=1) -> Tensor(a!)"),
    define_op<add_number<Into::kSelf>>(
        "aten::add_.Scalar(Tensor(a!) self, Scalar other, Scalar alpha=1) -> Tensor(a!)"),
    define_op<sub_tensor<>>("aten::sub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor"),
    define_op<sub_number<>>("aten::sub.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor"),
    define_op<sub_tensor<Into::kSelf>>(
        "aten::sub_.Tensor(Tensor(a!) self, Tensor other, *, Scalar alpha=1) -> Tensor(a!)"),
    define_op<sub_number<Into::kSelf>>(
        "aten::sub_.Scalar(Tensor(a!) self, Scalar other, Scalar alpha=1) -> Tensor(a!)"),
    define_op<rsub_tensor>("aten::rsub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor"),
    define_op<rsub_number>("aten::rsub.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor"),
    define_op<binary<Multiply>>("aten::mul.Tensor(Tensor self, Tensor other) -> Tensor"),
    define_op<binary_number<Multiply>>("aten::mul.Scalar(Tensor self, Scalar other) -> Tensor"),
    define_op<binary<Multiply, Into::kSelf>>("aten::mul_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<binary_number<Multiply, Into::kSelf>>("aten::mul_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)"),
    define_op<binary<Divide>>("aten::div.Tensor(Tensor self, Tensor other) -> Tensor"),
    define_op<binary_number<Divide>>("aten::div.Scalar(Tensor self, Scalar other) -> Tensor"),
    define_op<div_tensor_mode<>>("aten::div.Tensor_mode(Tensor self, Tensor other, *, str? rounding_mode) -> Tensor"),
    define_op<div_number_mode<>>("aten::div.Scalar_mode(Tensor self, Scalar other, *, str? rounding_mode) -> Tensor"),
    define_op<binary<Divide, Into::kSelf>>("aten::div_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<div_tensor_mode<Into::kSelf>>(
        "aten::div_.Tensor_mode(Tensor(a!) self, Tensor other, *, str? rounding_mode) -> Tensor(a!)"),
    define_op<binary_number<Divide, Into::kSelf>>("aten::div_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)"),
    define_op<div_number_mode<Into::kSelf>>(
        "aten::div_.Scalar_mode(Tensor(a!) self, Scalar other, *, str? rounding_mode) -> Tensor(a!)"),
    define_op<legacy_div<>>("legacy::div.Tensor(Tensor self, Tensor other) -> Tensor"),
    define_op<legacy_div_number<>>("legacy::div.Scalar(Tensor self, Scalar other) -> Tensor"),
    define_op<legacy_div<Into::kSelf>>("legacy::div_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<legacy_div_number<Into::kSelf>>("legacy::div_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)"),
    define_op<binary<Divide>>("aten::true_divide.Tensor(Tensor self, Tensor other) -> Tensor"),
    define_op<binary_number<Divide>>("aten::true_divide.Scalar(Tensor self, Scalar other) -> Tensor"),
    define_op<binary<Divide, Into::kSelf>>("aten::true_divide_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<binary_number<Divide, Into::kSelf>>(
        "aten::true_divide_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)"),
    define_op<binary<DivideFloor>>("aten::floor_divide(Tensor self, Tensor other) -> Tensor"),
    define_op<binary_number<DivideFloor>>("aten::floor_divide.Scalar(Tensor self, Scalar other) -> Tensor"),
    define_op<binary<DivideFloor, Into::kSelf>>(
        "aten::floor_divide_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<binary_number<DivideFloor, Into::kSelf>>(
        "aten::floor_divide_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)"),
    define_op<binary<Remainder>>("aten::remainder.Tensor(Tensor self, Tensor other) -> Tensor"),
    define_op<binary_number<Remainder>>("aten::remainder.Scalar(Tensor self, Scalar other) -> Tensor"),
    define_op<number_binary<Remainder>>("aten::remainder.Scalar_Tensor(Scalar self, Tensor other) -> Tensor"),
    define_op<binary<Remainder, Into::kSelf>>("aten::remainder_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<binary_number<Remainder, Into::kSelf>>(
        "aten::remainder_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)"),
    define_op<binary<Fmod>>("aten::fmod.Tensor(Tensor self, Tensor other) -> Tensor"),
    define_op<binary_number<Fmod>>("aten::fmod.Scalar(Tensor self, Scalar other) -> Tensor"),
    define_op<binary<Fmod, Into::kSelf>>("aten::fmod_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<binary_number<Fmod, Into::kSelf>>("aten::fmod_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)"),
    define_op<binary<Power>>("aten::pow.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor"),
    define_op<pow_number<>>("aten::pow.Tensor_Scalar(Tensor self, Scalar exponent) -> Tensor"),
    define_op<power_of_number>("aten::pow.Scalar(Scalar self, Tensor exponent) -> Tensor"),
    define_op<pow_number<Into::kSelf>>("aten::pow_.Scalar(Tensor(a!) self, Scalar exponent) -> Tensor(a!)"),
    define_op<binary<Power, Into::kSelf>>("aten::pow_.Tensor(Tensor(a!) self, Tensor exponent) -> Tensor(a!)"),
    define_op<square<>>("aten::square(Tensor self) -> Tensor"),
    define_op<square<Into::kSelf>>("aten::square_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<addcmul<>>("aten::addcmul(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor"),
    define_op<addcmul<Into::kSelf>>(
        "aten::addcmul_(Tensor(a!) self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor(a!)"),
    define_op<addcdiv<>>("aten::addcdiv(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor"),
    define_op<addcdiv<Into::kSelf>>(
        "aten::addcdiv_(Tensor(a!) self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor(a!)"),
    define_op<lerp_number<>>("aten::lerp.Scalar(Tensor self, Tensor end, Scalar weight) -> Tensor"),
    define_op<lerp_tensor<>>("aten::lerp.Tensor(Tensor self, Tensor end, Tensor weight) -> Tensor"),
    define_op<lerp_number<Into::kSelf>>("aten::lerp_.Scalar(Tensor(a!) self, Tensor end, Scalar weight) -> Tensor(a!)"),
    define_op<lerp_tensor<Into::kSelf>>("aten::lerp_.Tensor(Tensor(a!) self, Tensor end, Tensor weight) -> Tensor(a!)"),
    define_op<sub_tensor<>>("aten::subtract.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor"),
    define_op<sub_number<>>("aten::subtract.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor"),
    define_op<sub_tensor<Into::kSelf>>(
        "aten::subtract_.Tensor(Tensor(a!) self, Tensor other, *, Scalar alpha=1) -> Tensor(a!)"),
    define_op<sub_number<Into::kSelf>>(
        "aten::subtract_.Scalar(Tensor(a!) self, Scalar other, Scalar alpha=1) -> Tensor(a!)"),
    define_op<binary<Multiply>>("aten::multiply.Tensor(Tensor self, Tensor other) -> Tensor"),
    define_op<binary_number<Multiply>>("aten::multiply.Scalar(Tensor self, Scalar other) -> Tensor"),
    define_op<binary<Multiply, Into::kSelf>>("aten::multiply_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<binary_number<Multiply, Into::kSelf>>(
        "aten::multiply_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)"),
    define_op<binary<Divide>>("aten::divide.Tensor(Tensor self, Tensor other) -> Tensor"),
    define_op<binary_number<Divide>>("aten::divide.Scalar(Tensor self, Scalar other) -> Tensor"),
    define_op<div_tensor_mode<>>(
        "aten::divide.Tensor_mode(Tensor self, Tensor other, *, str? rounding_mode) -> Tensor"),
    define_op<div_number_mode<>>(
        "aten::divide.Scalar_mode(Tensor self, Scalar other, *, str? rounding_mode) -> Tensor"),
    define_op<binary<Divide, Into::kSelf>>("aten::divide_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<div_tensor_mode<Into::kSelf>>(
        "aten::divide_.Tensor_mode(Tensor(a!) self, Tensor other, *, str? rounding_mode) -> Tensor(a!)"),
    define_op<binary_number<Divide, Into::kSelf>>("aten::divide_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)"),
    define_op<div_number_mode<Into::kSelf>>(
        "aten::divide_.Scalar_mode(Tensor(a!) self, Scalar other, *, str? rounding_mode) -> Tensor(a!)"),
};

}  // namespace

std::span<const OpDefinition> arithmetic_ops() { return kOps; }

}  // namespace threadwheel
