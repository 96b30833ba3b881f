// Pointwise ops: each output element depends on the elements at its place only.
#include <string>

#include "ops/elementwise.h"
#include "ops/families.h"
#include "ops/vector_math.h"
#include "threadwheel/error.h"

namespace threadwheel {
namespace {

// x + alpha * y. Integers wrap around, as in torch and numpy: computed without sign, where that is defined.
template <class T>
struct Add {
  T alpha;

  THREADWHEEL_INLINE T operator()(T x, T y) const {
    if constexpr (std::is_same_v<T, bool>) {
      return x || (alpha && y);
    } else if constexpr (std::is_integral_v<T>) {
      using Wide = std::uint64_t;
      return static_cast<T>(static_cast<Wide>(x) + static_cast<Wide>(alpha) * static_cast<Wide>(y));
    } else {
      return x + alpha * y;
    }
  }
};

template <class T>
struct PlainAdd {
  THREADWHEEL_INLINE T operator()(T x, T y) const { return x + y; }
};

// As torch has it: a bool is a factor for bools only, a float for floating dtypes only.
void check_alpha(DType dtype, Scalar alpha) {
  const bool is_bool = alpha.category() == DTypeCategory::kBool;
  const bool is_float = alpha.category() == DTypeCategory::kFloating;
  if ((is_bool && dtype != DType::kBool) || (is_float && dtype_info(dtype).category < DTypeCategory::kFloating))
    throw Error(ErrorCode::kValue, std::string("add: alpha is a ") + (is_bool ? "bool" : "float") +
                                       " and the result is " + dtype_name(dtype) + "; use an int");
}

// Calls visit<T>(x, y, function) with the operands in the result's dtype and the addition of two of its elements.
template <class Visitor>
void visit_add(DType dtype, const Tensor& self, const Tensor& other, Scalar alpha, Visitor visit) {
  check_alpha(dtype, alpha);
  visit_dtype(RealAndBoolTypes(), dtype, "add", [&]<class T>() {
    const Tensor x = convert(self, dtype, "add"), y = convert(other, dtype, "add");
    if constexpr (std::is_floating_point_v<T>)
      if (alpha.to<T>() == T(1)) return visit.template operator()<T>(x, y, PlainAdd<T>());
    visit.template operator()<T>(x, y, Add<T>{alpha.to<T>()});
  });
}

Tensor add_as(DType dtype, const Tensor& self, const Tensor& other, Scalar alpha) {
  const Dims sizes = broadcast_sizes("add", self.sizes(), other.sizes());
  Tensor out;
  visit_add(dtype, self, other, alpha, [&]<class T>(const Tensor& x, const Tensor& y, auto function) {
    out = map_binary<T>(x, y, sizes, function);
  });
  return out;
}

// self, other: of shapes that broadcast -> self + alpha * other, in their common dtype.
Tensor add_tensor(const Tensor& self, const Tensor& other, Scalar alpha) {
  return add_as(result_type(self, other), self, other, alpha);
}

Tensor add_scalar(const Tensor& self, Scalar other, Scalar alpha) {
  const DType dtype = result_type(self, other);
  return add_as(dtype, self, scalar_tensor(other, dtype), alpha);
}

// As add_tensor, into `out`, which has the result's dtype and sizes already: nothing is resized or converted.
Tensor add_out(const Tensor& self, const Tensor& other, Scalar alpha, const Tensor& out) {
  const DType dtype = result_type(self, other);
  check_out("add", out, dtype, broadcast_sizes("add", self.sizes(), other.sizes()));
  visit_add(dtype, self, other, alpha, [&]<class T>(const Tensor& x, const Tensor& y, auto function) {
    check_apart("add", out, x);
    check_apart("add", out, y);
    map_binary_into<T>(out, x, y, function);
  });
  return out;
}

template <class T>
struct Relu {
  // Not max(x, 0): NaN must stay NaN.
  THREADWHEEL_INLINE T operator()(T x) const { return x < T(0) ? T(0) : x; }
};

Tensor relu(const Tensor& self) {
  return visit_dtype(RealTypes(), self.dtype(), "relu", [&]<class T>() { return map_unary<T>(self, Relu<T>()); });
}

struct Exp {
  template <class T>
  THREADWHEEL_INLINE T operator()(T x) const {
    return vector_math::exp(x);
  }
};

// Of integers and bools in float32, the default dtype.
Tensor exp(const Tensor& self) {
  const bool floating = dtype_info(self.dtype()).category >= DTypeCategory::kFloating;
  const Tensor x = floating ? self : convert(self, DType::kFloat32, "exp");
  return visit_dtype(FloatingTypes(), x.dtype(), "exp", [&]<class T>() { return map_unary<T>(x, Exp()); });
}

constexpr OpDefinition kOps[] = {
    define_op<add_tensor>("aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor"),
    define_op<add_scalar>("aten::add.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor"),
    define_op<add_out>("aten::add.out(Tensor self, Tensor other, *, Scalar alpha=1, Tensor(a!) out) -> Tensor(a!)"),
    define_op<relu>("aten::relu(Tensor self) -> Tensor"),
    define_op<exp>("aten::exp(Tensor self) -> Tensor"),
};

}  // namespace

std::span<const OpDefinition> pointwise_ops() { return kOps; }

}  // namespace threadwheel
