// Matrix products for other ops: what einsum, attention and recurrent nets are made of.
#pragma once

#include <optional>

#include "tensor/tensor.h"

namespace threadwheel {

// [m, k] x [k, n] -> [m, n]; of one dtype.
Tensor mm(const Tensor& self, const Tensor& mat2);

// [b, m, k] x [b, k, n] -> [b, m, n].
Tensor bmm(const Tensor& self, const Tensor& mat2);

// As Python's @: vectors, matrices, and batches of them that broadcast.
Tensor matmul(const Tensor& self, const Tensor& other);

// input: [..., in], weight: [out, in], bias: [out] -> input weight^T + bias: [..., out].
Tensor linear(const Tensor& input, const Tensor& weight, const std::optional<Tensor>& bias);

}  // namespace threadwheel
