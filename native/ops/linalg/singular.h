// Singular values and vectors, in double.
#pragma once

#include "tensor/tensor.h"

namespace threadwheel {

struct Svd {
  Tensor left, values, right;  // of each matrix: left^T diag(values) right, the vectors in rows; the values descend
};

// self: [*, m, n] -> left: [*, l, m], values: [*, k], right: [*, r, n] with k = min(m, n), l and r the same, or m and n
// where `full`.
Svd svd_in_double(const char* op, const Tensor& self, bool full);

}  // namespace threadwheel
