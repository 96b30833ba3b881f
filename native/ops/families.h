// The tables of the op families, one per file of this folder; registry.cpp lists them.
#pragma once

#include <span>

#include "ops/registry.h"

namespace threadwheel {

std::span<const OpDefinition> linalg_ops();
std::span<const OpDefinition> convolution_ops();
std::span<const OpDefinition> pooling_ops();
std::span<const OpDefinition> normalization_ops();
std::span<const OpDefinition> pointwise_ops();
std::span<const OpDefinition> reduction_ops();
std::span<const OpDefinition> attention_ops();
std::span<const OpDefinition> recurrent_ops();
std::span<const OpDefinition> resampling_ops();
std::span<const OpDefinition> fft_ops();
std::span<const OpDefinition> quantized_ops();
std::span<const OpDefinition> decomposition_ops();
std::span<const OpDefinition> loss_ops();

}  // namespace threadwheel
