// The order in memory of what is new: copies and results of pointwise ops have their dimensions in their operands'
// order, as torch's have. Programs see it: `reshape` and `contiguous` of such a result are views or copies by it.
#pragma once

#include <span>

#include "tensor/tensor.h"

namespace threadwheel {

// Strides without gaps for a result of these sizes, to which the operands broadcast. Of two dimensions the one with
// the smaller stride lies inside, in the first operand whose strides tell.
Dims dense_strides(const Dims& sizes, std::span<const Tensor* const> operands);

// Uninitialised, with its dimensions in the order of the operands'. Throws as Tensor::empty does.
Tensor empty_like(const Dims& sizes, DType dtype, std::span<const Tensor* const> operands);
Tensor empty_like(const Tensor& tensor, DType dtype);

Tensor ordered_copy(const Tensor& tensor);

// A tensor's dimensions from the outermost in memory to the innermost; empty: in their own order.
Dims memory_order(const Tensor& tensor);

// A view of `tensor`, which broadcasts to `sizes`, with its dimensions in that order: loops along memory are fast.
Tensor reordered(const Tensor& tensor, const Dims& sizes, const Dims& order);

}  // namespace threadwheel
