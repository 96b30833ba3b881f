// Indexing by tensors: x[i, :, mask], reading and writing. Positions of all index tensors together make one distance
// in memory for each index element; the rest of the dimensions are walked as they are.
#include <algorithm>
#include <string>
#include <vector>

#include "ops/families.h"
#include "ops/indexing/masks.h"
#include "ops/shared/checks.h"
#include "ops/shared/elementwise.h"
#include "ops/shared/moves.h"
#include "ops/shared/views.h"
#include "tensor/layout.h"

namespace threadwheel {
namespace {

using OptionalTensors = std::span<const std::optional<Tensor>>;

// The elements that an index names, as three operands of one shape.
struct Selection {
  Dims sizes;        // of the result
  Tensor base;       // the indexed tensor, not moving along index dimensions
  Tensor distances;  // int64 bytes, not moving along the others
};

// Masks become one index tensor per dimension they cover; what is not indexed stays empty.
std::vector<std::optional<Tensor>> expand_masks(const char* op, const Tensor& self, OptionalTensors indices) {
  std::vector<std::optional<Tensor>> expanded;
  for (const auto& index : indices) {
    if (!index || !index->defined()) {
      expanded.emplace_back();
      continue;
    }
    if (index->dtype() != DType::kBool && index->dtype() != DType::kUInt8) {
      expanded.emplace_back(to_index(op, *index));
      continue;
    }
    const std::size_t first = expanded.size(), rank = index->sizes().size();
    bool fits = first + rank <= self.sizes().size();
    for (std::size_t i = 0; i < rank && fits; ++i) fits = index->size(i) == self.size(first + i);
    if (!fits)
      throw Error(ErrorCode::kIndex, std::string(op) + ": a mask has sizes " + to_string(index->sizes()) +
                                         " at dimension " + std::to_string(first) + " of sizes " +
                                         to_string(self.sizes()) + "; they must be equal");
    const Tensor positions = nonzero(*index);
    // A mask without dimensions adds one, of size 0 or 1: positions in nothing.
    if (rank == 0) expanded.emplace_back(zeros(Dims{positions.size(0)}, DType::kInt64));
    for (std::size_t i = 0; i < rank; ++i)
      expanded.emplace_back(views::select(positions, 1, static_cast<std::int64_t>(i)));
  }
  return expanded;
}

// A view of `tensor` over [before, index, after]: sizes of the dimensions in `dims`, then the strides of each part.
Tensor spread(const Tensor& tensor, const Dims& sizes, std::size_t at, std::span<const std::int64_t> strides) {
  Dims all(sizes.size());
  std::ranges::copy(strides, all.begin() + at);
  return tensor.as_strided(sizes, std::move(all));
}

// A mask without dimensions indexes a new dimension of size 1, put before all others.
Tensor with_mask_dims(const Tensor& self, OptionalTensors indices) {
  Tensor result = self;
  std::int64_t at = 0;
  for (const auto& index : indices) {
    const bool mask = index && index->defined() && (index->dtype() == DType::kBool || index->dtype() == DType::kUInt8);
    if (mask && index->dim() == 0) result = views::unsqueeze(result, at);
    at += mask ? std::max<std::int64_t>(index->dim(), 1) : 1;
  }
  return result;
}

Dims broadcast_indices(const char* op, const std::vector<std::optional<Tensor>>& indices) {
  Dims sizes;
  for (const auto& index : indices)
    if (index) sizes = broadcast_sizes(op, sizes, index->sizes());
  return sizes;
}

// Where the dimensions of the indices go in the result: in the place of the first indexed dimension when the indexed
// dimensions are neighbours, in front of all otherwise.
std::size_t index_place(const std::vector<std::optional<Tensor>>& indices) {
  const auto first = std::ranges::find_if(indices, [](const auto& index) { return index.has_value(); });
  const auto gap = std::find_if(first, indices.end(), [](const auto& index) { return !index.has_value(); });
  const bool apart = std::any_of(gap, indices.end(), [](const auto& index) { return index.has_value(); });
  return apart ? 0 : static_cast<std::size_t>(first - indices.begin());
}

// The sum over all indices of position * stride, [index sizes].
Tensor total_distances(const char* op, const Tensor& x, const std::vector<std::optional<Tensor>>& indices,
                       const Dims& sizes) {
  Tensor total;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    if (!indices[i]) continue;
    const Tensor part = to_distances(op, *indices[i], x.size(i), x.stride(i), x.dtype(), true);
    if (!total.defined() && part.sizes() == sizes) {
      total = part;
      continue;
    }
    if (!total.defined()) total = zeros(sizes, DType::kInt64);
    const Tensor wide = broadcast_to(part, sizes);
    StridedLoop({&total, &wide}).run([](std::byte* const* pointers, const std::int64_t* strides, std::int64_t n) {
      for (std::int64_t k = 0; k < n; ++k)
        *reinterpret_cast<std::int64_t*>(pointers[0] + k * strides[0]) +=
            *reinterpret_cast<const std::int64_t*>(pointers[1] + k * strides[1]);
    });
  }
  return total;
}

Selection select_by(const char* op, const Tensor& self, OptionalTensors given) {
  const Tensor x = with_mask_dims(self, given);
  std::vector<std::optional<Tensor>> indices = expand_masks(op, x, given);
  if (indices.size() > x.sizes().size())
    throw Error(ErrorCode::kIndex, std::string(op) + ": " + std::to_string(indices.size()) +
                                       " indices for a tensor of " + std::to_string(self.dim()) + " dimensions");
  if (std::ranges::none_of(indices, [](const auto& index) { return index.has_value(); }))
    return {x.sizes(), x, zeros(Dims(x.sizes().size(), 1), DType::kInt64)};
  indices.resize(x.sizes().size());
  const Dims index_sizes = broadcast_indices(op, indices);
  const std::size_t place = index_place(indices), rank = index_sizes.size();
  const auto others =
      static_cast<std::size_t>(std::ranges::count_if(indices, [](const auto& index) { return !index; }));
  Selection result;
  result.sizes = Dims(others + rank);
  Dims strides(others + rank);
  std::ranges::copy(index_sizes, result.sizes.begin() + place);
  for (std::size_t i = 0, k = 0; i < indices.size(); ++i) {
    if (indices[i]) continue;
    const std::size_t to = k < place ? k : k + rank;
    result.sizes[to] = x.size(i);
    strides[to] = x.stride(i);
    ++k;
  }
  result.base = x.as_strided(result.sizes, std::move(strides));
  const Tensor distances = total_distances(op, x, indices, index_sizes);
  result.distances = spread(distances, result.sizes, place, distances.strides());
  return result;
}

Tensor index(const Tensor& self, OptionalTensors indices) {
  const Selection selection = select_by("index", self, indices);
  Tensor result = Tensor::empty(selection.sizes, self.dtype());
  load_at(result, selection.base, broadcast_to(selection.distances, selection.sizes));
  return result;
}

Tensor index_put_(const Tensor& self, OptionalTensors indices, const Tensor& values, bool accumulate) {
  check_writable("index_put_", self);
  if (values.dtype() != self.dtype())
    throw Error(ErrorCode::kIndex, std::string("index_put_: values are ") + dtype_name(values.dtype()) +
                                       " and self " + dtype_name(self.dtype()) + "; they must have the same dtype");
  const Selection selection = select_by("index_put_", self, indices);
  if (broadcast_sizes("index_put_", values.sizes(), selection.sizes) != selection.sizes)
    fail_value("index_put_", "values have sizes " + to_string(values.sizes()) + "; they must broadcast to " +
                                 to_string(selection.sizes));
  const Tensor source = broadcast_to(values, selection.sizes);
  const Tensor distances = broadcast_to(selection.distances, selection.sizes);
  if (accumulate) {
    combine_at("index_put_", Combine::kSum, selection.base, distances, source);
  } else {
    store_at(selection.base, distances, source);
  }
  return self;
}

Tensor index_put(const Tensor& self, OptionalTensors indices, const Tensor& values, bool accumulate) {
  return index_put_(ordered_copy(self), indices, values, accumulate);
}

std::vector<std::optional<Tensor>> all_given(std::span<const Tensor> indices) {
  return {indices.begin(), indices.end()};
}

Tensor index_twin(const Tensor& self, std::span<const Tensor> indices) { return index(self, all_given(indices)); }

Tensor index_put_twin(const Tensor& self, std::span<const Tensor> indices, const Tensor& values, bool accumulate) {
  return index_put(self, all_given(indices), values, accumulate);
}

Tensor index_put_twin_(const Tensor& self, std::span<const Tensor> indices, const Tensor& values, bool accumulate) {
  return index_put_(self, all_given(indices), values, accumulate);
}

constexpr OpDefinition kOps[] = {
    define_op<index>("aten::index.Tensor(Tensor self, Tensor?[] indices) -> Tensor"),
    define_op<index_twin>("aten::index.Tensor_hacked_twin(Tensor self, Tensor[] indices) -> Tensor"),
    define_op<index_put>(
        "aten::index_put(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False) -> Tensor"),
    define_op<index_put_twin>("aten::index_put.hacked_twin(Tensor self, Tensor[] indices, Tensor values, "
                              "bool accumulate=False) -> Tensor"),
    define_op<index_put_>("aten::index_put_(Tensor(a!) self, Tensor?[] indices, Tensor values, "
                          "bool accumulate=False) -> Tensor(a!)"),
    define_op<index_put_twin_>("aten::index_put_.hacked_twin(Tensor(a!) self, Tensor[] indices, Tensor values, "
                               "bool accumulate=False) -> Tensor(a!)"),
};

}  // namespace

std::span<const OpDefinition> indexing_ops() { return kOps; }

}  // namespace threadwheel
