// What ops of several families share about shapes: dimensions counted from the end, views, copies into views, and
// the dtypes that are computed in another one.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "ops/shared/elementwise.h"
#include "ops/shared/moves.h"
#include "tensor/tensor.h"

namespace threadwheel {

// Throws Error(kValue).
[[noreturn]] void fail_value(const std::string& message);

// "input has sizes [2, 3]"
std::string describe(const char* name, const Tensor& tensor);
std::string describe(const char* name, const Dims& sizes);

// Dims of a list, each from the start and named once.
std::vector<std::size_t> wrap_dims(const char* op, std::span<const std::int64_t> dims, std::int64_t rank);

// Views. Arguments are in range: callers have checked.
Tensor transpose_view(const Tensor& tensor, std::size_t a, std::size_t b);
Tensor select_view(const Tensor& tensor, std::size_t dim, std::int64_t index);
Tensor narrow_view(const Tensor& tensor, std::size_t dim, std::int64_t start, std::int64_t length);
Tensor unsqueeze_view(const Tensor& tensor, std::size_t dim);
Tensor permute_view(const Tensor& tensor, std::span<const std::size_t> order);

// The elements in row-major order under other sizes: a view where the tensor is contiguous, otherwise of a copy.
Tensor reshaped(const Tensor& tensor, std::span<const std::int64_t> sizes);

// A tensor of `sizes` that holds one number everywhere.
Tensor filled(std::span<const std::int64_t> sizes, DType dtype, Scalar value);

// Writes `from`, of the same sizes after broadcasting and converted, through the strides of `to`.
void copy_into(const Tensor& to, const Tensor& from, const char* op);

inline bool is_half(DType dtype) { return dtype == DType::kFloat16 || dtype == DType::kBFloat16; }

namespace detail {

inline std::optional<DType> half_of(const Tensor& tensor) {
  return tensor.defined() && is_half(tensor.dtype()) ? std::optional(tensor.dtype()) : std::nullopt;
}
inline std::optional<DType> half_of(std::span<const Tensor> list) {
  return list.empty() ? std::nullopt : half_of(list.front());
}
template <class T>
std::optional<DType> half_of(const T&) {
  return std::nullopt;
}

inline Tensor widen(const Tensor& tensor, DType half) {
  return tensor.dtype() == half ? convert(tensor, DType::kFloat32, "convert") : tensor;
}
inline std::optional<Tensor> widen(const std::optional<Tensor>& tensor, DType half) {
  return tensor ? std::optional(widen(*tensor, half)) : std::nullopt;
}
inline std::vector<Tensor> widen(std::span<const Tensor> list, DType half) {
  std::vector<Tensor> wide;
  for (const Tensor& tensor : list) wide.push_back(widen(tensor, half));
  return wide;
}
template <class T>
const T& widen(const T& other, DType) {
  return other;
}

inline Tensor narrowed(const Tensor& tensor, DType half) {
  return tensor.dtype() == DType::kFloat32 ? convert(tensor, half, "convert") : tensor;
}
template <class... Ts>
std::tuple<Ts...> narrowed(const std::tuple<Ts...>& results, DType half) {
  return std::apply([&](const Ts&... each) { return std::tuple<Ts...>(narrowed(each, half)...); }, results);
}

template <auto Kernel, class Signature = decltype(Kernel)>
struct InFloat;

template <auto Kernel, class Result, class... Args>
struct InFloat<Kernel, Result (*)(Args...)> {
  static Result call(Args... args) {
    std::optional<DType> half;
    (void)((half || (half = half_of(args))) || ...);
    if (!half) return Kernel(args...);
    return narrowed(Kernel(widen(args, *half)...), *half);
  }
};

}  // namespace detail

// The kernel for float16 and bfloat16 too: their tensors are computed in float32 and results are rounded once. Not
// for kernels that write to their arguments.
template <auto Kernel>
inline constexpr auto in_float = &detail::InFloat<Kernel>::call;

}  // namespace threadwheel
