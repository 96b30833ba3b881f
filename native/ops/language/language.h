// What the ops of the scripting language share: numbers of mixed types meet here.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>

#include "ops/value.h"
#include "threadwheel/error.h"

namespace threadwheel::language {

using Int = std::int64_t;

template <class A, class B>
using Common =
    std::conditional_t<std::is_same_v<A, Complex> || std::is_same_v<B, Complex>, Complex,
                       std::conditional_t<std::is_same_v<A, double> || std::is_same_v<B, double>, double,
                                          std::conditional_t<std::is_same_v<A, B>, A, Int>>>;

template <class To, class From>
To widen(From value) {
  if constexpr (std::is_same_v<To, Complex> && !std::is_same_v<From, Complex>) {
    return Complex(static_cast<double>(value));
  } else {
    return static_cast<To>(value);
  }
}

template <class Op, class A, class B>
auto binary(A a, B b) {
  using Wide = Common<A, B>;
  return Op::call(widen<Wide>(a), widen<Wide>(b));
}

template <class Op, class A>
auto unary(A a) {
  return Op::call(a);
}

[[noreturn]] inline void fail_complex() {
  throw Error(ErrorCode::kUnsupported, "scalar: the op takes no complex number; use an int or a float");
}

// Numbers whose type shows only when the program runs.
template <class Op>
Value scalar_binary(Scalar a, Scalar b) {
  const DTypeCategory category = std::max(a.category(), b.category());
  if (category == DTypeCategory::kComplex) {
    if constexpr (requires { Op::call(Complex(), Complex()); }) return Op::call(a.to<Complex>(), b.to<Complex>());
    else fail_complex();
  }
  if (category == DTypeCategory::kFloating) {
    if constexpr (requires { Op::call(1.5, 1.5); }) return Op::call(a.to<double>(), b.to<double>());
  }
  return Op::call(a.to<Int>(), b.to<Int>());
}

template <class Op>
Value scalar_unary(Scalar a) {
  if (a.category() == DTypeCategory::kComplex) {
    if constexpr (requires { Op::call(Complex()); }) return Op::call(a.to<Complex>());
    else fail_complex();
  }
  return a.category() == DTypeCategory::kFloating ? Value(Op::call(a.to<double>())) : Value(Op::call(a.to<Int>()));
}

// A position in a list or a string of `size` as counted from its first element. Throws Error(kIndex) with `problem`.
inline std::size_t position(Int index, std::size_t size, const char* problem) {
  const auto count = static_cast<Int>(size);
  if (index < -count || index >= count) throw Error(ErrorCode::kIndex, problem);
  return static_cast<std::size_t>(index < 0 ? index + count : index);
}

// The positions that [start:end:step] names, by Python's rules: the first, the step, how many.
struct SliceRange {
  Int first, step, count;
};

inline SliceRange slice_range(std::size_t size, std::optional<Int> start, std::optional<Int> end, Int step) {
  if (step == 0) throw Error(ErrorCode::kValue, "slice step cannot be zero");
  const auto length = static_cast<Int>(size), least = step > 0 ? Int{0} : Int{-1},
             most = step > 0 ? length : length - 1;
  const auto place = [&](std::optional<Int> at, Int missing) {
    return at ? std::clamp(*at < 0 ? *at + length : *at, least, most) : missing;
  };
  const Int first = place(start, step > 0 ? least : most), last = place(end, step > 0 ? most : least);
  const Int distance = step > 0 ? last - first : first - last;
  if (distance <= 0) return {0, 1, 0};
  const auto stride = step > 0 ? static_cast<std::uint64_t>(step) : 0 - static_cast<std::uint64_t>(step);
  const auto count = static_cast<Int>((static_cast<std::uint64_t>(distance) - 1) / stride) + 1;
  return {first, count == 1 ? 1 : step, count};
}

}  // namespace threadwheel::language
