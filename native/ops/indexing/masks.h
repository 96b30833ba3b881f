// Positions of true elements, for ops that index.
#pragma once

#include "tensor/tensor.h"

namespace threadwheel {

// [n, dimensions] int64: the positions of elements that are not zero, in row-major order.
Tensor nonzero(const Tensor& self);

}  // namespace threadwheel
