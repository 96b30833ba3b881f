// Moving elements without looking at them: fills, copies, and loads and stores at computed places. All of it works
// on any dtype. What joins, indexing and sorting are made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "ops/value.h"
#include "tensor/tensor.h"

namespace threadwheel {

struct Bits128 {
  std::uint64_t low, high;
};

// Calls visitor.operator()<T>() for an unsigned type as wide as an element.
template <class Visitor>
decltype(auto) visit_bits(DType dtype, Visitor&& visitor) {
  switch (dtype_size(dtype)) {
    case 1: return visitor.template operator()<std::uint8_t>();
    case 2: return visitor.template operator()<std::uint16_t>();
    case 4: return visitor.template operator()<std::uint32_t>();
    case 8: return visitor.template operator()<std::uint64_t>();
    default: return visitor.template operator()<Bits128>();
  }
}

Tensor zeros(std::span<const std::int64_t> sizes, DType dtype);
Tensor copy_of(const Tensor& tensor);
void fill(const Tensor& tensor, Scalar value);

// An index as int64. Throws Error(kIndex) for other dtypes than int32 and int64, unless it is empty.
Tensor to_index(const char* op, const Tensor& index);

// Positions in a dimension as distances in bytes: each of `index` (int64) times `stride` elements. Throws Error(kIndex)
// for one that is not in the dimension; negative ones count from the end if `negative` says so.
Tensor to_distances(const char* op, const Tensor& index, std::int64_t size, std::int64_t stride, DType dtype,
                    bool negative);

// For every element, out = *(address of base + distance), and the reverse. All of the same sizes; base and distances
// usually repeat (stride 0). Stores run in row-major order, so that of two to one place the later stays.
void load_at(const Tensor& out, const Tensor& base, const Tensor& distances);
void store_at(const Tensor& base, const Tensor& distances, const Tensor& source);

enum class Combine { kSum, kProduct, kMaximum, kMinimum };

// *(address of base + distance) = combine(that, source), in row-major order. Of complex numbers sums and products.
void combine_at(const char* op, Combine combine, const Tensor& base, const Tensor& distances, const Tensor& source);

// The slices of `self` at these positions of dimension `dim`, which the caller has checked.
Tensor take_slices(const Tensor& self, std::size_t dim, std::span<const std::int64_t> positions);

}  // namespace threadwheel
