// Matrix products for other families.
#pragma once

#include "tensor/tensor.h"

namespace threadwheel {

// self: [m, k], mat2: [k, n] -> [m, n]; of one floating dtype.
Tensor mm(const Tensor& self, const Tensor& mat2);

}  // namespace threadwheel
