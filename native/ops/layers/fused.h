// The weights of fused products, for the passes that make these.
#pragma once

#include "ops/value.h"

namespace threadwheel {

// An object of class __torch__.torch.classes.threadwheel.Weight, of a float32 tensor that nothing writes.
Value constant_weight(const Tensor& tensor);

}  // namespace threadwheel
