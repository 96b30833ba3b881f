// The tables of the op families, one per file; registry.cpp lists them.
#pragma once

#include <span>

#include "ops/registry.h"

namespace threadwheel {

// elementwise/
std::span<const OpDefinition> activation_ops();
std::span<const OpDefinition> arithmetic_ops();
std::span<const OpDefinition> bessel_ops();
std::span<const OpDefinition> cast_ops();
std::span<const OpDefinition> comparison_ops();
std::span<const OpDefinition> logic_ops();
std::span<const OpDefinition> math_ops();
std::span<const OpDefinition> polynomial_ops();
std::span<const OpDefinition> special_ops();

// reductions/
std::span<const OpDefinition> extreme_ops();
std::span<const OpDefinition> scan_ops();
std::span<const OpDefinition> series_ops();
std::span<const OpDefinition> set_ops();
std::span<const OpDefinition> softmax_ops();
std::span<const OpDefinition> sorting_ops();
std::span<const OpDefinition> statistics_ops();
std::span<const OpDefinition> sum_ops();

// rearranging/
std::span<const OpDefinition> copy_ops();
std::span<const OpDefinition> join_ops();
std::span<const OpDefinition> padding_ops();
std::span<const OpDefinition> split_ops();
std::span<const OpDefinition> view_ops();

// indexing/
std::span<const OpDefinition> gather_ops();
std::span<const OpDefinition> indexing_ops();
std::span<const OpDefinition> lookup_ops();
std::span<const OpDefinition> mask_ops();

// creation/
std::span<const OpDefinition> factory_ops();
std::span<const OpDefinition> random_ops();

// linalg/
std::span<const OpDefinition> decomposition_ops();
std::span<const OpDefinition> distance_ops();
std::span<const OpDefinition> einsum_ops();
std::span<const OpDefinition> orthogonal_ops();
std::span<const OpDefinition> product_ops();
std::span<const OpDefinition> singular_ops();
std::span<const OpDefinition> spectral_ops();
std::span<const OpDefinition> symmetric_ops();

// signal/
std::span<const OpDefinition> fft_ops();
std::span<const OpDefinition> window_ops();

// layers/
std::span<const OpDefinition> attention_ops();
std::span<const OpDefinition> convolution_ops();
std::span<const OpDefinition> detection_ops();
std::span<const OpDefinition> dropout_ops();
std::span<const OpDefinition> fused_ops();
std::span<const OpDefinition> loss_ops();
std::span<const OpDefinition> nested_ops();
std::span<const OpDefinition> normalization_ops();
std::span<const OpDefinition> patch_ops();
std::span<const OpDefinition> pooling_ops();
std::span<const OpDefinition> recurrent_ops();
std::span<const OpDefinition> resampling_ops();

// quantized/
std::span<const OpDefinition> quantized_arithmetic_ops();
std::span<const OpDefinition> quantized_layer_ops();
std::span<const OpDefinition> quantized_product_ops();
std::span<const OpDefinition> quantized_recurrent_ops();
std::span<const OpDefinition> quantized_tensor_ops();

// language/
std::span<const OpDefinition> language_comparison_ops();
std::span<const OpDefinition> language_dict_ops();
std::span<const OpDefinition> language_list_ops();
std::span<const OpDefinition> language_math_ops();
std::span<const OpDefinition> language_string_ops();
std::span<const OpDefinition> language_tensor_ops();
std::span<const OpDefinition> text_ops();

}  // namespace threadwheel
