// Tensors as text: tensor([[1., 2.], [3., 4.]]), by torch's rules for digits, widths and lines.
#pragma once

#include <string>

#include "tensor/tensor.h"

namespace threadwheel {

// Of more than 1000 elements, the first and last three of each dimension. The dtype is said where the elements do not
// say it themselves, a quantized tensor's scale and zero point always; its elements are the numbers they stand for.
std::string format_tensor(const Tensor& tensor);

}  // namespace threadwheel
