// Truth values and bits.
#include <string>

#include "ops/shared/pointwise.h"

namespace threadwheel {
namespace {

struct LogicalNot : OnNumbers<"logical_not"> {
  template <class T>
  THREADWHEEL_INLINE bool operator()(T x) const {
    return x == T(0);
  }
};
struct LogicalAnd : OnNumbers<"logical_and"> {
  template <class T>
  THREADWHEEL_INLINE bool operator()(T x, T y) const {
    return (x != T(0)) & (y != T(0));
  }
};
struct LogicalOr : OnNumbers<"logical_or"> {
  template <class T>
  THREADWHEEL_INLINE bool operator()(T x, T y) const {
    return (x != T(0)) | (y != T(0));
  }
};
struct LogicalXor : OnNumbers<"logical_xor"> {
  template <class T>
  THREADWHEEL_INLINE bool operator()(T x, T y) const {
    return (x != T(0)) != (y != T(0));
  }
};

struct BitwiseAnd : OnNumbers<"bitwise_and", ComputeIntegerTypes> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x, T y) const {
    return x & y;
  }
};
struct BitwiseOr : OnNumbers<"bitwise_or", ComputeIntegerTypes> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x, T y) const {
    return x | y;
  }
};
struct BitwiseXor : OnNumbers<"bitwise_xor", ComputeIntegerTypes> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x, T y) const {
    return x ^ y;
  }
};
struct BitwiseNot : OnNumbers<"bitwise_not", ComputeIntegerTypes> {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    return ~x;
  }
};

template <Into Where = Into::kNew>
Tensor bitwise_not(const Tensor& self) {  // a bool has one bit
  return self.dtype() == DType::kBool ? unary<LogicalNot, Where>(self) : unary<BitwiseNot, Where>(self);
}

// Of more bits than there are: zero, and for shifts to the right the sign. The computed type is int64, so that a
// narrower dtype takes the low bits; `width` is the dtype's own.
struct ShiftLeft {
  std::int64_t width;
  THREADWHEEL_INLINE std::int64_t operator()(std::int64_t x, std::int64_t y) const {
    return y < 0 || y >= width ? 0 : static_cast<std::int64_t>(static_cast<std::uint64_t>(x) << y);
  }
};
struct ShiftRight {
  std::int64_t width;
  THREADWHEEL_INLINE std::int64_t operator()(std::int64_t x, std::int64_t y) const {
    return x >> (y < 0 || y >= width ? 63 : y);
  }
};

template <class Function>
Tensor shift(const char* op, const Operand& x, const Operand& y, const Tensor* out) {
  const ElementwiseRule rule{.op = op, .bools = false};
  const auto width = static_cast<std::int64_t>(dtype_size(result_type(x, y)) * 8);
  return elementwise(ComputeIntegerTypes(), rule, {x, y}, out, [&]<class T>() { return Function{width}; });
}

template <Name Op, class Function, Into Where = Into::kNew>
Tensor shift_tensors(const Tensor& self, const Tensor& other) {
  return shift<Function>(Op.text, self, other, destination<Where>(self));
}
template <Name Op, class Function, Into Where = Into::kNew>
Tensor shift_by_number(const Tensor& self, Scalar other) {
  return shift<Function>(Op.text, self, other, destination<Where>(self));
}
template <Name Op, class Function>
Tensor shift_number(Scalar self, const Tensor& other) {
  return shift<Function>(Op.text, self, other, nullptr);
}

constexpr OpDefinition kOps[] = {
    define_op<unary<LogicalNot>>("aten::logical_not(Tensor self) -> Tensor"),
    define_op<unary<LogicalNot, Into::kSelf>>("aten::logical_not_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<bitwise_not<>>("aten::bitwise_not(Tensor self) -> Tensor"),
    define_op<bitwise_not<Into::kSelf>>("aten::bitwise_not_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<binary<LogicalAnd>>("aten::logical_and(Tensor self, Tensor other) -> Tensor"),
    define_op<binary<LogicalAnd, Into::kSelf>>("aten::logical_and_(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<binary<BitwiseAnd>>("aten::bitwise_and.Tensor(Tensor self, Tensor other) -> Tensor"),
    define_op<binary_number<BitwiseAnd>>("aten::bitwise_and.Scalar(Tensor self, Scalar other) -> Tensor"),
    define_op<number_binary<BitwiseAnd>>("aten::bitwise_and.Scalar_Tensor(Scalar self, Tensor other) -> Tensor"),
    define_op<binary<BitwiseAnd, Into::kSelf>>(
        "aten::bitwise_and_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<binary_number<BitwiseAnd, Into::kSelf>>(
        "aten::bitwise_and_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)"),
    define_op<binary_number<BitwiseAnd>>("aten::__and__.Scalar(Tensor self, Scalar other) -> Tensor"),
    define_op<binary<BitwiseAnd>>("aten::__and__.Tensor(Tensor self, Tensor other) -> Tensor"),
    define_op<binary<BitwiseAnd, Into::kSelf>>("aten::__iand__.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<binary_number<BitwiseAnd, Into::kSelf>>(
        "aten::__iand__.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)"),
    define_op<binary<LogicalOr>>("aten::logical_or(Tensor self, Tensor other) -> Tensor"),
    define_op<binary<LogicalOr, Into::kSelf>>("aten::logical_or_(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<binary<BitwiseOr>>("aten::bitwise_or.Tensor(Tensor self, Tensor other) -> Tensor"),
    define_op<binary_number<BitwiseOr>>("aten::bitwise_or.Scalar(Tensor self, Scalar other) -> Tensor"),
    define_op<number_binary<BitwiseOr>>("aten::bitwise_or.Scalar_Tensor(Scalar self, Tensor other) -> Tensor"),
    define_op<binary<BitwiseOr, Into::kSelf>>("aten::bitwise_or_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<binary_number<BitwiseOr, Into::kSelf>>(
        "aten::bitwise_or_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)"),
    define_op<binary<BitwiseOr>>("aten::__or__.Tensor(Tensor self, Tensor other) -> Tensor"),
    define_op<binary_number<BitwiseOr>>("aten::__or__.Scalar(Tensor self, Scalar other) -> Tensor"),
    define_op<binary<BitwiseOr, Into::kSelf>>("aten::__ior__.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<binary_number<BitwiseOr, Into::kSelf>>(
        "aten::__ior__.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)"),
    define_op<binary<LogicalXor>>("aten::logical_xor(Tensor self, Tensor other) -> Tensor"),
    define_op<binary<LogicalXor, Into::kSelf>>("aten::logical_xor_(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<binary<BitwiseXor>>("aten::bitwise_xor.Tensor(Tensor self, Tensor other) -> Tensor"),
    define_op<binary_number<BitwiseXor>>("aten::bitwise_xor.Scalar(Tensor self, Scalar other) -> Tensor"),
    define_op<number_binary<BitwiseXor>>("aten::bitwise_xor.Scalar_Tensor(Scalar self, Tensor other) -> Tensor"),
    define_op<binary<BitwiseXor, Into::kSelf>>(
        "aten::bitwise_xor_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<binary_number<BitwiseXor, Into::kSelf>>(
        "aten::bitwise_xor_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)"),
    define_op<binary<BitwiseXor>>("aten::__xor__.Tensor(Tensor self, Tensor other) -> Tensor"),
    define_op<binary_number<BitwiseXor>>("aten::__xor__.Scalar(Tensor self, Scalar other) -> Tensor"),
    define_op<binary<BitwiseXor, Into::kSelf>>("aten::__ixor__.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<binary_number<BitwiseXor, Into::kSelf>>(
        "aten::__ixor__.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)"),
    define_op<shift_tensors<"bitwise_left_shift", ShiftLeft>>(
        "aten::bitwise_left_shift.Tensor(Tensor self, Tensor other) -> Tensor"),
    define_op<shift_by_number<"bitwise_left_shift", ShiftLeft>>(
        "aten::bitwise_left_shift.Tensor_Scalar(Tensor self, Scalar other) -> Tensor"),
    define_op<shift_number<"bitwise_left_shift", ShiftLeft>>(
        "aten::bitwise_left_shift.Scalar_Tensor(Scalar self, Tensor other) -> Tensor"),
    define_op<shift_by_number<"bitwise_left_shift", ShiftLeft, Into::kSelf>>(
        "aten::bitwise_left_shift_.Tensor_Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)"),
    define_op<shift_tensors<"bitwise_left_shift", ShiftLeft, Into::kSelf>>(
        "aten::bitwise_left_shift_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<shift_tensors<"bitwise_left_shift", ShiftLeft>>(
        "aten::__lshift__.Tensor(Tensor self, Tensor other) -> Tensor"),
    define_op<shift_by_number<"bitwise_left_shift", ShiftLeft>>(
        "aten::__lshift__.Scalar(Tensor self, Scalar other) -> Tensor"),
    define_op<shift_tensors<"bitwise_right_shift", ShiftRight>>(
        "aten::bitwise_right_shift.Tensor(Tensor self, Tensor other) -> Tensor"),
    define_op<shift_by_number<"bitwise_right_shift", ShiftRight>>(
        "aten::bitwise_right_shift.Tensor_Scalar(Tensor self, Scalar other) -> Tensor"),
    define_op<shift_number<"bitwise_right_shift", ShiftRight>>(
        "aten::bitwise_right_shift.Scalar_Tensor(Scalar self, Tensor other) -> Tensor"),
    define_op<shift_by_number<"bitwise_right_shift", ShiftRight, Into::kSelf>>(
        "aten::bitwise_right_shift_.Tensor_Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)"),
    define_op<shift_tensors<"bitwise_right_shift", ShiftRight, Into::kSelf>>(
        "aten::bitwise_right_shift_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<shift_tensors<"bitwise_right_shift", ShiftRight>>(
        "aten::__rshift__.Tensor(Tensor self, Tensor other) -> Tensor"),
    define_op<shift_by_number<"bitwise_right_shift", ShiftRight>>(
        "aten::__rshift__.Scalar(Tensor self, Scalar other) -> Tensor"),
    define_op<shift_by_number<"bitwise_left_shift", ShiftLeft, Into::kSelf>>(
        "aten::__ilshift__.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)"),
    define_op<shift_tensors<"bitwise_left_shift", ShiftLeft, Into::kSelf>>(
        "aten::__ilshift__.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<shift_by_number<"bitwise_right_shift", ShiftRight, Into::kSelf>>(
        "aten::__irshift__.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)"),
    define_op<shift_tensors<"bitwise_right_shift", ShiftRight, Into::kSelf>>(
        "aten::__irshift__.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
};

}  // namespace

std::span<const OpDefinition> logic_ops() { return kOps; }

}  // namespace threadwheel
