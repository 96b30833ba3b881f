// Tensors as text: tensor([[1., 2.], [3., 4.]]), by torch's rules for digits, widths and lines.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tensor/tensor.h"

namespace threadwheel {

// torch's, by its names: digits behind the point; of more elements than the threshold, so many at each edge of a
// dimension; characters in a line; whether numbers have exponents, where they do not decide it themselves.
struct FormatOptions {
  std::int64_t precision = 4, threshold = 1000, edgeitems = 3, linewidth = 80;
  std::optional<bool> sci_mode;
};

// Those of the process, for every thread.
FormatOptions format_options();

// Throws Error(kValue) unless precision is 0 to 100, the threshold 0 or more, the others 1 or more.
void set_format_options(const FormatOptions& options);

// Of more elements than the threshold, the first and last ones of each dimension. The dtype is said where the elements do not
// say it themselves, a quantized tensor's scale and zero point always; its elements are the numbers they stand for.
std::string format_tensor(const Tensor& tensor);

}  // namespace threadwheel
