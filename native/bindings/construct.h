// Tensors from Python's data.
#pragma once

#include <optional>

#include "bindings/bindings.h"

namespace threadwheel::bindings {

// A copy of numbers, lists of lists of numbers, arrays or tensors, as of their own dtype where none is given: float32,
// int64, bool or complex64 of Python's numbers. Throws Error(kType) or Error(kValue) that names the element and begins
// with `where`.
Tensor construct(const char* where, py::handle data, std::optional<DType> dtype);

}  // namespace threadwheel::bindings
