// Quantized weights as programs hold them: objects of the packed-parameter classes of torch.
#pragma once

#include <optional>
#include <span>

#include "ops/value.h"
#include "tensor/tensor.h"

namespace threadwheel {

// The numbers of a quantized tensor, float32; of other tensors a conversion.
Tensor dequantize(const Tensor& self);

// float32 values, quantized with the parameters of a tensor that is quantized as a whole.
Tensor quantize_like(const Tensor& values, const Tensor& other);

// An object of class __torch__.torch.classes.quantized.LinearPackedParamsBase. Its slots are weight: [out, in], qint8,
// per tensor or per channel of dimension 0; bias: a float32 vector or None; and the weight's integers as floats.
// What an archive stores as the state of that class, (weight, bias), becomes one through this.
Value linear_prepack(const Tensor& weight, const std::optional<Tensor>& bias);

// An object of class __torch__.torch.classes.quantized.Conv2dPackedParamsBase: slots as above, then stride, padding,
// dilation and groups.
Value conv2d_prepack(const Tensor& weight, const std::optional<Tensor>& bias, std::span<const std::int64_t> stride,
                     std::span<const std::int64_t> padding, std::span<const std::int64_t> dilation,
                     std::int64_t groups);

// An object of class __torch__.torch.classes.rnn.CellParamsBase, from its state: (kind, tensors, floats, ints, packed
// parameters of the input and the hidden product).
Value recurrent_cell_params(const Value& state);

}  // namespace threadwheel
