// The product of dynamically quantized layers, for recurrent nets.
#pragma once

#include "ops/value.h"
#include "tensor/tensor.h"

namespace threadwheel {

// x times the transposed weight of packed linear parameters, plus the bias, float32: [..., in] to [..., out]. The input
// is quantized by its own range, each call anew.
Tensor dynamic_product(const Tensor& x, const Value& params, bool reduce_range, bool relu);

}  // namespace threadwheel
