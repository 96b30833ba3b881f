// The elements of tensors as numbers of the host language.
#pragma once

#include "ops/value.h"

namespace threadwheel {

// The elements as numbers, in lists of lists; of a tensor without dimensions the number itself. Quantized elements are
// the numbers they stand for.
Value nested_list(const Tensor& tensor);

}  // namespace threadwheel
