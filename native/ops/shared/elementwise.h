// The engine of elementwise ops: promotion among operands, broadcasting, conversion, the loop. An op brings a functor
// for one element of the type that the dtype is computed in; one loop over dense elements is compiled for it, and
// everything else - strides, 16-bit floats, narrow integers, in-place results - happens around that loop, in blocks
// that stay in the first-level cache.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "ops/value.h"
#include "tensor/convert.h"
#include "tensor/isa.h"
#include "tensor/strided_loop.h"
#include "tensor/tensor.h"
#include "threadwheel/error.h"

namespace threadwheel {

// What an op computes with: a tensor, or a number of the host language.
class Operand {
 public:
  Operand(const Tensor& tensor) : tensor_(&tensor) {}     // NOLINT: these convert, as arguments do
  Operand(Scalar number) : number_(number) {}             // NOLINT

  bool is_number() const noexcept { return tensor_ == nullptr; }
  const Tensor& tensor() const noexcept { return *tensor_; }
  Scalar number() const noexcept { return number_; }

 private:
  const Tensor* tensor_ = nullptr;
  Scalar number_ = false;
};

// Returns the dtype of an op on these operands by torch's rules: tensors with dimensions come before tensors of one
// element without, and those before numbers; a lower rank decides only when its category is higher.
DType result_type(std::span<const Operand> operands);
inline DType result_type(const Operand& a, const Operand& b) { return result_type(std::array{a, b}); }

// The dtype of a tensor made from such a number: bool, int64, float32 or complex64.
DType default_dtype(DTypeCategory category);

// Whether an op on `from` may be asked to leave its result in `to`: not in a lower category.
bool can_cast(DType from, DType to);

// A tensor without dimensions that holds one number.
Tensor scalar_tensor(Scalar value, DType dtype);

// Throws Error(kValue) unless `out` may be written: not read-only, each element in memory of its own.
void check_writable(const Tensor& out, const char* op);

// Whether elements of the two may share memory: their extents meet.
bool may_overlap(const Tensor& a, const Tensor& b);

// Where a result goes: into memory of its own, or into the tensor that the op is called on.
enum class Into { kNew, kSelf };

template <Into Where>
const Tensor* destination(const Tensor& self) {
  return Where == Into::kSelf ? &self : nullptr;
}

// What dtype an op computes in, given the common dtype of its operands.
struct ElementwiseRule {
  const char* op;               // its name in errors
  bool floating = false;        // integers and bools are computed in float32, the default
  bool bools = true;            // bools are allowed
  bool exact_numbers = false;   // numbers are not rounded to a 16-bit common dtype first
  std::size_t conditions = 0;   // so many leading operands take no part in promotion
};

namespace detail {

class Elementwise {
 public:
  static constexpr std::size_t kMaxOperands = StridedLoop::kMaxOperands - 1;
  // Elements per block: five buffers of the widest type are 20 KB.
  static constexpr std::int64_t kBlock = 256;

  // Called with dense runs of the computed type: the result's, then one per operand.
  using Kernel = FunctionRef<void(std::byte* const* pointers, std::int64_t n)>;

  // Settles the dtype; `out` is null for a new tensor. Refers to its arguments until run().
  Elementwise(const ElementwiseRule& rule, std::span<const Operand> operands, const Tensor* out);

  DType compute() const { return compute_dtype(common_); }

  // Returns the result. `natural` is what the functor gives, a compute dtype or bool.
  Tensor run(DType natural, Kernel kernel);

  [[noreturn]] void refuse(const char* supported) const;

 private:
  DType result_dtype(DType natural) const;
  Tensor prepare_out(DType natural);
  Tensor operand_tensor(std::size_t k, const Tensor& out) const;
  bool is_simple(const Tensor& out) const;
  void settle_number(std::size_t k, StridedOperand& strided);
  void settle_tensor(std::size_t k, const Tensor& out, StridedOperand& strided);
  void run_dense(const Tensor& out, Kernel kernel) const;
  void run_blocks(std::byte* const* pointers, const std::int64_t* strides, std::int64_t n, Kernel kernel) const;

  const ElementwiseRule& rule_;
  std::span<const Operand> operands_;
  const Tensor* given_out_;
  DType common_;
  // Settled by run(): the operands after conversion to the common dtype, and the steps to and from dense blocks.
  std::array<Tensor, kMaxOperands> tensors_;
  alignas(16) std::array<std::array<std::byte, 16>, kMaxOperands> numbers_;
  std::array<RunConverter, kMaxOperands> loads_{};
  std::array<bool, kMaxOperands + 1> direct_{};  // already of the computed type; the result first
  std::array<std::int64_t, kMaxOperands + 1> item_bytes_{};
  RunConverter store_ = nullptr;
};

template <class T, class Out, class Function, std::size_t... I>
THREADWHEEL_KERNEL void dense_kernel(std::byte* const* pointers, std::int64_t n, Function function,
                                     std::index_sequence<I...>) {
  auto* out = reinterpret_cast<Out*>(pointers[0]);
  for (std::int64_t i = 0; i < n; ++i) out[i] = function(reinterpret_cast<const T*>(pointers[I + 1])[i]...);
}

// A functor that is right for some elements only says which, covers(x), and brings the slow way for the others,
// exact(x). Which way an element goes is a matter of its value, never of its neighbours.
template <class T, class Out, class Function>
  requires requires(const Function& function, T x) { function.covers(x); }
THREADWHEEL_KERNEL void dense_kernel(std::byte* const* pointers, std::int64_t n, Function function,
                                     std::index_sequence<0>) {
  constexpr std::int64_t kChunk = 64;
  auto* out = reinterpret_cast<Out*>(pointers[0]);
  const auto* in = reinterpret_cast<const T*>(pointers[1]);
  for (std::int64_t start = 0; start < n; start += kChunk) {
    const std::int64_t size = n - start < kChunk ? n - start : kChunk;
    T chunk[kChunk];  // the result may go where the operand is
    bool all = true;
    for (std::int64_t i = 0; i < size; ++i) chunk[i] = in[start + i];
    for (std::int64_t i = 0; i < size; ++i) all &= function.covers(chunk[i]);
    for (std::int64_t i = 0; i < size; ++i) out[start + i] = function(chunk[i]);
    for (std::int64_t i = 0; !all && i < size; ++i)
      if (!function.covers(chunk[i])) out[start + i] = function.exact(chunk[i]);
  }
}

template <class T>
inline const char* const kTypeNames = std::is_integral_v<T>         ? "integers"
                                      : std::is_floating_point_v<T> ? "floats"
                                                                    : "complex";

// "bools, integers and floats"
template <class... Ts>
std::string supported_types(TypeList<Ts...>, bool bools) {
  std::string names = bools && (std::is_integral_v<Ts> || ...) ? "bools" : "";
  ((names.find(kTypeNames<Ts>) == std::string::npos ? names += (names.empty() ? "" : ", ") + std::string(kTypeNames<Ts>)
                                                    : names),
   ...);
  return names;
}

}  // namespace detail

// Returns make<T>()(operands...) of every element, for the T of `Types` that the operands' common dtype is computed
// in. The functor's operator() is THREADWHEEL_INLINE; it returns T, a bool, or the part type of a complex T. With
// `out`, the result is converted into it, by torch's rules for in-place ops.
template <class... Ts, std::size_t N, class Make>
Tensor elementwise(TypeList<Ts...> types, const ElementwiseRule& rule, const Operand (&operands)[N], const Tensor* out,
                   Make make) {
  detail::Elementwise work(rule, operands, out);
  Tensor result;
  const auto run = [&]<class T>() {
    const auto function = make.template operator()<T>();
    using Out = decltype([&]<std::size_t... I>(std::index_sequence<I...>) {
      return function((static_cast<void>(I), T())...);
    }(std::make_index_sequence<N>()));
    result = work.run(DTypeOf<Out>::value, [&](std::byte* const* pointers, std::int64_t n) {
      detail::dense_kernel<T, Out>(pointers, n, function, std::make_index_sequence<N>());
    });
  };
  if (!((work.compute() == DTypeOf<Ts>::value && (run.template operator()<Ts>(), true)) || ...))
    work.refuse(detail::supported_types(types, rule.bools).c_str());
  return result;
}

}  // namespace threadwheel
