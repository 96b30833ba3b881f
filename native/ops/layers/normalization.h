// Normalisation for ops that contain it.
#pragma once

#include <optional>
#include <span>

#include "tensor/tensor.h"

namespace threadwheel {

// input: [..., normalized]; each row of `normalized` elements gets mean 0 and variance 1, then weight and bias.
Tensor layer_norm(const Tensor& input, std::span<const std::int64_t> normalized, const std::optional<Tensor>& weight,
                  const std::optional<Tensor>& bias, double eps, bool cudnn_enable);

}  // namespace threadwheel
