// How the tables of the pointwise families turn functors into ops. A functor names its op and its types through one
// of the bases below; unary<>, binary<> and their like are the kernels.
#pragma once

#include <algorithm>
#include <cstddef>

#include "ops/families.h"
#include "ops/shared/elementwise.h"

namespace threadwheel {

// A name as a template argument.
template <std::size_t Size>
struct Name {
  constexpr Name(const char (&literal)[Size]) { std::copy_n(literal, Size, text); }  // NOLINT: a literal is a name
  char text[Size];
};

// The result has the operands' common dtype.
template <Name Text, class TypesOf = ComputeTypes, bool Bools = true>
struct OnNumbers {
  using Types = TypesOf;
  static constexpr ElementwiseRule kRule{.op = Text.text, .bools = Bools};
};

// As OnNumbers, and integers and bools become float32.
template <Name Text, class TypesOf = ComputeFloatTypes>
struct OnFloats {
  using Types = TypesOf;
  static constexpr ElementwiseRule kRule{.op = Text.text, .floating = true};
};

using RealFloats = TypeList<float, double>;

template <class Function, Into Where, std::size_t N>
Tensor apply(const Operand (&operands)[N], const Tensor& self, const Function& function = {}) {
  return elementwise(typename Function::Types(), Function::kRule, operands, destination<Where>(self),
                     [&]<class T>() { return function; });
}

template <class Function, Into Where = Into::kNew>
Tensor unary(const Tensor& self) {
  return apply<Function, Where>({self}, self);
}

template <class Function, Into Where = Into::kNew>
Tensor binary(const Tensor& self, const Tensor& other) {
  return apply<Function, Where>({self, other}, self);
}

template <class Function, Into Where = Into::kNew>
Tensor binary_number(const Tensor& self, Scalar other) {
  return apply<Function, Where>({self, other}, self);
}

template <class Function>
Tensor number_binary(Scalar self, const Tensor& other) {
  return apply<Function, Into::kNew>({self, other}, other);
}

}  // namespace threadwheel
