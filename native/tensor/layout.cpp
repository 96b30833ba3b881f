// Orders of dimensions in memory.
#include "tensor/layout.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <utility>

#include "tensor/strided_loop.h"

namespace threadwheel {
namespace {

// How far a step along a result's dimension moves in the operand's memory; 0 where the operand repeats.
std::int64_t step_along(const Tensor& operand, const Dims& sizes, std::size_t dim) {
  const std::size_t lead = sizes.size() - operand.sizes().size();
  if (dim < lead || (operand.size(dim - lead) == 1 && sizes[dim] != 1)) return 0;
  return std::abs(operand.stride(dim - lead));
}

// Less than 0: dimension a lies inside of b; more: outside; 0: no operand tells. Of equal steps the longer dimension
// lies outside: the other has one element.
int compare_dims(const Dims& sizes, std::span<const Tensor* const> operands, std::size_t a, std::size_t b) {
  for (const Tensor* operand : operands) {
    const std::int64_t step_a = step_along(*operand, sizes, a), step_b = step_along(*operand, sizes, b);
    if (step_a == 0 || step_b == 0) continue;
    if (step_a != step_b) return step_a < step_b ? -1 : 1;
    if (sizes[a] > sizes[b]) return 1;
  }
  return 0;
}

// Dimensions from the innermost on. Comparing is not transitive where operands leave pairs open, so that the order of
// the comparisons, TensorIterator's, is part of the result.
Dims inside_out(const Dims& sizes, std::span<const Tensor* const> operands) {
  Dims order(sizes.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(order.size() - 1 - i);
  for (std::size_t i = 1; i < order.size(); ++i) {
    std::size_t moving = i;
    for (std::size_t k = i; k-- > 0;) {
      const int compared = compare_dims(sizes, operands, static_cast<std::size_t>(order[k]),
                                        static_cast<std::size_t>(order[moving]));
      if (compared < 0) break;
      if (compared > 0) std::swap(order[k], order[std::exchange(moving, k)]);
    }
  }
  return order;
}

// Strides without gaps for a result of these sizes.
Dims dense_strides(const Dims& sizes, std::span<const Tensor* const> operands) {
  Dims strides(sizes.size());
  std::int64_t stride = 1;
  for (const std::int64_t dim : inside_out(sizes, operands)) {
    const auto at = static_cast<std::size_t>(dim);
    strides[at] = stride;
    if (sizes[at] > 1) stride *= sizes[at];
  }
  return strides;
}

}  // namespace

Tensor empty_like(const Dims& sizes, DType dtype, std::span<const Tensor* const> operands) {
  const Tensor result = Tensor::empty(sizes, dtype);
  if (std::ranges::all_of(operands, [](const Tensor* operand) { return operand->is_contiguous(); })) return result;
  return result.as_strided(sizes, dense_strides(sizes, operands));
}

Tensor ordered_as(const Tensor& tensor, const Tensor& fresh) {
  if (tensor.is_contiguous()) return fresh;
  const Tensor* const operands[] = {&tensor};
  return fresh.as_strided(tensor.sizes(), dense_strides(tensor.sizes(), operands));
}

Tensor empty_like(const Tensor& tensor, DType dtype) {
  return ordered_as(tensor, Tensor::empty(tensor.sizes(), dtype));
}

Dims memory_order(const Tensor& tensor) {
  if (tensor.is_contiguous()) return {};
  Dims order(tensor.sizes().size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return std::abs(tensor.stride(static_cast<std::size_t>(a))) > std::abs(tensor.stride(static_cast<std::size_t>(b)));
  });
  return order;
}

Tensor reordered(const Tensor& tensor, const Dims& result_sizes, const Dims& order) {
  if (order.empty()) return tensor;
  const Tensor wide = broadcast_to(tensor, result_sizes);
  Dims sizes(order.size()), strides(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    sizes[i] = wide.size(static_cast<std::size_t>(order[i]));
    strides[i] = wide.stride(static_cast<std::size_t>(order[i]));
  }
  return wide.as_strided(std::move(sizes), std::move(strides));
}

Tensor ordered_copy(const Tensor& tensor) {
  const Tensor copy = empty_like(tensor, tensor.dtype());
  copy_elements(tensor, copy);
  return tensor.quantizer() ? copy.with_quantizer(tensor.quantizer()) : copy;
}

}  // namespace threadwheel
