// Nested tensors: sequences of several lengths as one value, which transformer encoders make of a padded batch. Their
// dtype is one of their own, so that every op that does not know them refuses them. float32.
#pragma once

#include "tensor/tensor.h"

namespace threadwheel::nested {

inline bool is_nested(const Tensor& tensor) { return tensor.dtype() == DType::kNested; }

// The tensor; throws for a nested one, whose sizes are not those that its memory has.
const Tensor& even(const char* op, const Tensor& tensor);

// The sequences, padded: [batch, longest, width]. What stands in the padding is undefined.
// Throws for a view of a nested tensor, which no longer knows the lengths.
Tensor padded(const char* op, const Tensor& nested);

// Which positions are padding: [batch, longest], bool.
Tensor padding_mask(const char* op, const Tensor& nested);

// The same lengths with other values, [batch, longest, any width], float32.
Tensor with_values(const char* op, const Tensor& nested, const Tensor& values);

}  // namespace threadwheel::nested
