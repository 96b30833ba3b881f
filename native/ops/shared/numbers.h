// Tensors from numbers of the host language in lists of lists, and back.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "ops/value.h"

namespace threadwheel {

// The elements as numbers, in lists of lists; of a tensor without dimensions the number itself. Quantized elements are
// the numbers they stand for.
Value nested_list(const Tensor& tensor);

// A number, or lists of lists of numbers and tensors, all of one depth and, in that depth, of one length. Where no
// dtype is given: what all numbers fit in, float32 of none. Throws Error(kValue) that begins with `where` and names the
// element that differs.
Tensor tensor_of(const char* where, const Value& data, std::optional<DType> dtype);

// "element [1][0]", as errors name it; "the data" itself without any index.
std::string place_name(std::span<const std::int64_t> place);

}  // namespace threadwheel
