// What elementwise ops share: the dtype of a result, conversion, and loops over one and two operands. An op brings a
// functor for one element; the loop around it is compiled for each instruction set and runs on the pool.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "ops/value.h"
#include "tensor/isa.h"
#include "tensor/strided_loop.h"
#include "tensor/stream.h"
#include "tensor/tensor.h"

namespace threadwheel {

// Returns the dtype of an op on these operands by torch's rules: tensors with dimensions come before tensors of one
// element without, and those before numbers; a lower rank decides only when its category is higher.
DType result_type(const Tensor& a, const Tensor& b);
DType result_type(const Tensor& a, Scalar b);

// Converts each element. Returns `tensor` itself when it has the dtype already.
Tensor convert(const Tensor& tensor, DType dtype, const char* op);

// A tensor without dimensions that holds one number.
Tensor scalar_tensor(Scalar value, DType dtype);

// Throws Error(kValue) naming `op` unless `out` is writable and has the result's dtype and sizes, with a place of its
// own for every element.
void check_out(const char* op, const Tensor& out, DType dtype, std::span<const std::int64_t> sizes);

// Throws Error(kValue) naming `op` when writing `out` would change elements of `operand` that are still to be read.
// An operand that is the very same view is fine: each element is read before it is written.
void check_apart(const char* op, const Tensor& out, const Tensor& operand);

namespace detail {

// One expression for dense and for strided runs, so that an element's bits do not depend on where its run began or
// ended: a compiler contracts a * b + c the same way in both.
template <class T, class Function>
THREADWHEEL_KERNEL void unary_kernel(std::byte* const* pointers, const std::int64_t* strides, std::int64_t n,
                                     Function function) {
  auto* out = reinterpret_cast<T*>(pointers[0]);
  const auto* x = reinterpret_cast<const T*>(pointers[1]);
  constexpr std::int64_t kDense = sizeof(T);
  if (strides[0] == kDense && strides[1] == kDense) {
    for (std::int64_t i = 0; i < n; ++i) out[i] = function(x[i]);
  } else {
    const std::int64_t step_out = strides[0] / kDense, step_x = strides[1] / kDense;
    for (std::int64_t i = 0; i < n; ++i) out[i * step_out] = function(x[i * step_x]);
  }
}

template <class T, class Function>
THREADWHEEL_KERNEL void binary_kernel(std::byte* const* pointers, const std::int64_t* strides, std::int64_t n,
                                      Function function) {
  auto* out = reinterpret_cast<T*>(pointers[0]);
  const auto* x = reinterpret_cast<const T*>(pointers[1]);
  const auto* y = reinterpret_cast<const T*>(pointers[2]);
  constexpr std::int64_t kDense = sizeof(T);
  const bool dense_x = strides[1] == kDense, dense_y = strides[2] == kDense;
  if (strides[0] == kDense && dense_x && dense_y) {
    for (std::int64_t i = 0; i < n; ++i) out[i] = function(x[i], y[i]);
  } else if (strides[0] == kDense && dense_x && strides[2] == 0) {
    const T value = *y;
    for (std::int64_t i = 0; i < n; ++i) out[i] = function(x[i], value);
  } else if (strides[0] == kDense && dense_y && strides[1] == 0) {
    const T value = *x;
    for (std::int64_t i = 0; i < n; ++i) out[i] = function(value, y[i]);
  } else {
    const std::int64_t step_out = strides[0] / kDense, step_x = strides[1] / kDense, step_y = strides[2] / kDense;
    for (std::int64_t i = 0; i < n; ++i) out[i * step_out] = function(x[i * step_x], y[i * step_y]);
  }
}

// As binary_kernel, for dense runs whose results are not soon read again: they go to memory around the caches. One
// line at a time, so that loads and stores overlap: with blocks of 4 KB it took 1.4 times as long.
template <class T, class Function>
THREADWHEEL_KERNEL void binary_stream_kernel(std::byte* const* pointers, const std::int64_t*, std::int64_t n,
                                             Function function) {
  constexpr std::int64_t kLine = kStreamAlignment / sizeof(T);
  auto* out = reinterpret_cast<T*>(pointers[0]);
  const auto* x = reinterpret_cast<const T*>(pointers[1]);
  const auto* y = reinterpret_cast<const T*>(pointers[2]);
  const std::size_t to_line = -reinterpret_cast<std::uintptr_t>(out) % kStreamAlignment / sizeof(T);
  const std::int64_t head = std::min(n, static_cast<std::int64_t>(to_line));
  std::int64_t i = 0;
  for (; i < head; ++i) out[i] = function(x[i], y[i]);
  for (; i + kLine <= n; i += kLine) {
    alignas(kStreamAlignment) T line[kLine];
    for (std::int64_t k = 0; k < kLine; ++k) line[k] = function(x[i + k], y[i + k]);
    stream_line(out + i, line);
  }
  for (; i < n; ++i) out[i] = function(x[i], y[i]);
  stream_fence();
}

// Runs one of the kernels above over two operands that have out's sizes.
template <class Kernel, class Function>
void run_binary(const Tensor& out, const Tensor& x, const Tensor& y, Kernel kernel, Function function) {
  StridedLoop({&out, &x, &y}).run([&](std::byte* const* pointers, const std::int64_t* strides, std::int64_t n) {
    kernel(pointers, strides, n, function);
  });
}

}  // namespace detail

// Returns function(x) of every element; `function` is a copyable object whose operator() is THREADWHEEL_INLINE.
template <class T, class Function>
Tensor map_unary(const Tensor& x, Function function) {
  Tensor out = Tensor::empty(x.sizes(), x.dtype());
  StridedLoop({&out, &x}).run([&](std::byte* const* pointers, const std::int64_t* strides, std::int64_t n) {
    detail::unary_kernel<T>(pointers, strides, n, function);
  });
  return out;
}

// Returns function(x, y) of the elements of two tensors of one dtype, broadcast to `sizes`.
template <class T, class Function>
Tensor map_binary(const Tensor& x, const Tensor& y, std::span<const std::int64_t> sizes, Function function) {
  Tensor out = Tensor::empty(sizes, x.dtype());
  const Tensor wide_x = broadcast_to(x, sizes), wide_y = broadcast_to(y, sizes);
  detail::run_binary(out, wide_x, wide_y, &detail::binary_kernel<T, Function>, function);
  return out;
}

// As map_binary, into memory that the caller keeps. If large, it is written around the caches: 64 MB take 0.7 of the
// time so. Not fresh memory, whose lines the kernel has just brought there to clear them: it would take 1.1.
template <class T, class Function>
void map_binary_into(const Tensor& out, const Tensor& x, const Tensor& y, Function function) {
  const Tensor wide_x = broadcast_to(x, out.sizes()), wide_y = broadcast_to(y, out.sizes());
  const bool dense = out.is_contiguous() && wide_x.is_contiguous() && wide_y.is_contiguous();
  const bool stream = dense && out.size_bytes() >= kStreamBytes;
  detail::run_binary(out, wide_x, wide_y,
                     stream ? &detail::binary_stream_kernel<T, Function> : &detail::binary_kernel<T, Function>,
                     function);
}

}  // namespace threadwheel
