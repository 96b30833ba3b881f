// Views: another shape of the same memory, for ops to build on.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "tensor/tensor.h"

namespace threadwheel::views {

using Ints = std::span<const std::int64_t>;

// Sizes with -1 replaced by what makes `numel` elements.
Dims infer_sizes(const char* op, Ints sizes, std::int64_t numel);

// One size may be -1: what the others leave. `view` throws where the strides do not allow it, `reshape` copies.
Tensor view(const Tensor& self, Ints sizes);
Tensor reshape(const Tensor& self, Ints sizes);

Tensor permute(const Tensor& self, Ints dims);
Tensor transpose(const Tensor& self, std::int64_t dim0, std::int64_t dim1);
Tensor movedim(const Tensor& self, std::int64_t source, std::int64_t destination);
Tensor movedim_list(const Tensor& self, Ints source, Ints destination);  // the others stay in their order
Tensor expand(const Tensor& self, Ints sizes);
Tensor squeeze(const Tensor& self, std::int64_t dim);
Tensor squeeze_all(const Tensor& self);
Tensor squeeze_dims(const Tensor& self, Ints dims);
Tensor unsqueeze(const Tensor& self, std::int64_t dim);
Tensor select(const Tensor& self, std::int64_t dim, std::int64_t index);
Tensor slice(const Tensor& self, std::int64_t dim, std::optional<std::int64_t> start, std::optional<std::int64_t> end,
             std::int64_t step);
Tensor narrow(const Tensor& self, std::int64_t dim, std::int64_t start, std::int64_t length);
Tensor diagonal(const Tensor& self, std::int64_t offset, std::int64_t dim1, std::int64_t dim2);
Tensor flatten(const Tensor& self, std::int64_t start_dim, std::int64_t end_dim);

}  // namespace threadwheel::views
