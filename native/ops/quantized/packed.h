// Quantized weights as programs hold them: objects of torch's packed-parameter classes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "ops/type.h"
#include "ops/value.h"
#include "tensor/tensor.h"

// The classes, as schemas write them.
#define THREADWHEEL_LINEAR_PARAMS "__torch__.torch.classes.quantized.LinearPackedParamsBase"
#define THREADWHEEL_CONV2D_PARAMS "__torch__.torch.classes.quantized.Conv2dPackedParamsBase"

namespace threadwheel {

// An object of class __torch__.torch.classes.quantized.LinearPackedParamsBase. Its slots are weight: [out, in], qint8,
// per tensor or per channel of dimension 0; bias: a float32 vector or None; and the weight's integers as floats.
// What an archive stores as the state of that class, (weight, bias), becomes one through this.
Value linear_prepack(const Tensor& weight, const std::optional<Tensor>& bias);

// An object of class __torch__.torch.classes.quantized.Conv2dPackedParamsBase: slots as above, then stride, padding,
// dilation and groups.
Value conv2d_prepack(const Tensor& weight, const std::optional<Tensor>& bias, std::span<const std::int64_t> stride,
                     std::span<const std::int64_t> padding, std::span<const std::int64_t> dilation,
                     std::int64_t groups);

// The same from what an archive stores as the state of that class, ("2", [numbers, weight], [bias]); None for a state of
// another form, such as that of a transposed convolution.
Value conv2d_of_state(const Value& state);

// An object of class __torch__.torch.classes.rnn.CellParamsBase, from its state: (kind, tensors, floats, ints, packed
// parameters of the input and the hidden product).
Value recurrent_cell_params(const Value& state);

namespace packed {

// The positions of the slots.
enum Slot : std::size_t { kWeight, kBias, kIntegers, kStride, kPadding, kDilation, kGroups };

const TypePtr& linear_class();
const TypePtr& conv2d_class();

// An object of the class that is asked for, as kernels see it.
struct Params {
  const Tensor& weight;
  const Tensor& integers;
  std::optional<Tensor> bias;

  // Throws for an object of another class.
  Params(const char* op, const Value& value, const TypePtr& type);

  double scale(std::int64_t channel) const {
    const Quantizer& q = *weight.quantizer();
    return q.per_channel() ? q.scales.data<const double>()[channel] : q.scale;
  }
  float bias_at(std::int64_t channel) const { return bias ? bias->data<const float>()[channel] : 0.0F; }
};

}  // namespace packed
}  // namespace threadwheel
