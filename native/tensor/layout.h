// The order in memory of what is new: copies and results of pointwise ops have their dimensions in their operands'
// order, as torch's have. Programs see it: `reshape` and `contiguous` of such a result are views or copies by it.
#pragma once

#include <span>

#include "tensor/tensor.h"

namespace threadwheel {

// Uninitialised, with its dimensions in the order of the operands', which broadcast to these sizes: of two dimensions
// the one with the smaller stride lies inside, in the first operand whose strides tell. Throws as Tensor::empty does.
Tensor empty_like(const Dims& sizes, DType dtype, std::span<const Tensor* const> operands);
Tensor empty_like(const Tensor& tensor, DType dtype);

// The memory of `fresh`, contiguous and with elements that are all alike, with its dimensions in `tensor`'s order.
Tensor ordered_as(const Tensor& tensor, const Tensor& fresh);

Tensor ordered_copy(const Tensor& tensor);

// A tensor's dimensions from the outermost in memory to the innermost; empty: in their own order.
Dims memory_order(const Tensor& tensor);

// A view of `tensor`, which broadcasts to `sizes`, with its dimensions in that order: loops along memory are fast.
Tensor reordered(const Tensor& tensor, const Dims& sizes, const Dims& order);

}  // namespace threadwheel
