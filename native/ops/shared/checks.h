// Checks that ops on dimensions and positions share. A tensor without dimensions counts as having one, of size 1,
// where a dimension is named.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "tensor/tensor.h"
#include "threadwheel/error.h"

namespace threadwheel {

[[noreturn]] inline void fail_value(const char* op, const std::string& problem) {
  throw Error(ErrorCode::kValue, std::string(op) + ": " + problem);
}

// The position as counted from the first of `size`. Throws Error(kIndex).
inline std::int64_t wrap_index(const char* op, std::int64_t index, std::int64_t size) {
  if (index < -size || index >= size)
    throw Error(ErrorCode::kIndex, std::string(op) + ": index " + std::to_string(index) +
                                       " is out of bounds for a dimension of size " + std::to_string(size));
  return index < 0 ? index + size : index;
}

inline std::int64_t size_at(const Tensor& tensor, std::size_t dim) { return tensor.dim() == 0 ? 1 : tensor.size(dim); }

inline void check_rank_at_least(const char* op, const Tensor& tensor, std::int64_t rank) {
  if (tensor.dim() < rank)
    fail_value(op, "the tensor has sizes " + to_string(tensor.sizes()) + "; it must have " + std::to_string(rank) +
                       " dimensions or more");
}

inline void check_writable(const char* op, const Tensor& tensor) {
  if (!tensor.storage()->writable())
    fail_value(op, "the tensor is a read-only array; pass a copy of it");
}

}  // namespace threadwheel
