// Convolution for ops that contain it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "providers/dnn.h"
#include "tensor/tensor.h"

namespace threadwheel {

// input: [batch, channels, spatial dimensions], or without the batch; of as many dimensions as the weight has.
Tensor convolution(const Tensor& input, const Tensor& weight, const std::optional<Tensor>& bias,
                   std::span<const std::int64_t> stride, std::span<const std::int64_t> padding,
                   std::span<const std::int64_t> dilation, bool transposed,
                   std::span<const std::int64_t> output_padding, std::int64_t groups);

// The sizes of a convolution that is not transposed, of an input with its batch and a weight of these sizes. Throws
// Error(kValue) for operands that do not go together.
dnn::ConvShape convolution_shape(const Tensor& input, const Dims& weight, const std::optional<Tensor>& bias,
                                 std::span<const std::int64_t> stride, std::span<const std::int64_t> padding,
                                 std::span<const std::int64_t> dilation, std::int64_t groups);

}  // namespace threadwheel
