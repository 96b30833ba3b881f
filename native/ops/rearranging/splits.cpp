// One tensor as several views of it: split, chunk, unbind and their like.
#include <vector>

#include "ops/families.h"
#include "ops/shared/checks.h"
#include "ops/shared/elementwise.h"
#include "ops/shared/views.h"

namespace threadwheel {
namespace {

using views::Ints;

// Views of dimension `dim` between each two neighbours of `borders`.
std::vector<Tensor> cut(const Tensor& self, std::size_t dim, const std::vector<std::int64_t>& borders) {
  std::vector<Tensor> parts;
  parts.reserve(borders.size() - 1);
  for (std::size_t i = 0; i + 1 < borders.size(); ++i) {
    Dims sizes = self.sizes();
    sizes[dim] = borders[i + 1] - borders[i];
    parts.push_back(self.as_strided(std::move(sizes), self.strides(), borders[i] * self.stride(dim)));
  }
  return parts;
}

std::vector<Tensor> split(const Tensor& self, std::int64_t split_size, std::int64_t dim) {
  check_rank_at_least("split", self, 1);
  const std::size_t at = wrap_dim("split", dim, self.dim());
  const std::int64_t size = self.size(at);
  if (split_size < 0 || (split_size == 0 && size != 0))
    fail_value("split", "split_size is " + std::to_string(split_size) + " for a dimension of size " +
                            std::to_string(size) + "; it must be positive");
  std::vector<std::int64_t> borders{0};
  do {
    borders.push_back(size - borders.back() > split_size ? borders.back() + split_size : size);
  } while (borders.back() < size);
  return cut(self, at, borders);
}

std::vector<Tensor> split_with_sizes(const Tensor& self, Ints split_sizes, std::int64_t dim) {
  check_rank_at_least("split_with_sizes", self, 1);
  const std::size_t at = wrap_dim("split_with_sizes", dim, self.dim());
  std::vector<std::int64_t> borders{0};
  bool fits = true;
  for (const std::int64_t size : split_sizes) {
    fits = fits && size >= 0 && size <= self.size(at) - borders.back();
    if (fits) borders.push_back(borders.back() + size);
  }
  if (!fits || borders.back() != self.size(at))
    fail_value("split_with_sizes", "sizes are " + to_string(split_sizes) + " for a dimension of size " +
                                       std::to_string(self.size(at)) + "; they must be 0 or more and sum to it");
  return cut(self, at, borders);
}

std::vector<Tensor> chunk(const Tensor& self, std::int64_t chunks, std::int64_t dim) {
  check_rank_at_least("chunk", self, 1);
  if (chunks <= 0) fail_value("chunk", "chunks is " + std::to_string(chunks) + "; it must be positive");
  const std::size_t at = wrap_dim("chunk", dim, self.dim());
  const std::int64_t size = self.size(at);
  if (size == 0) return cut(self, at, std::vector<std::int64_t>(static_cast<std::size_t>(chunks) + 1, 0));
  return split(self, size / chunks + (size % chunks != 0 ? 1 : 0), dim);
}

std::vector<Tensor> tensor_split_sections(const Tensor& self, std::int64_t sections, std::int64_t dim) {
  check_rank_at_least("tensor_split", self, 1);
  if (sections <= 0) fail_value("tensor_split", "sections is " + std::to_string(sections) + "; it must be positive");
  const std::size_t at = wrap_dim("tensor_split", dim, self.dim());
  const std::int64_t size = self.size(at);
  std::vector<std::int64_t> borders{0};
  for (std::int64_t i = 0; i < sections; ++i)
    borders.push_back(borders.back() + size / sections + (i < size % sections ? 1 : 0));
  return cut(self, at, borders);
}

std::vector<Tensor> tensor_split_indices(const Tensor& self, Ints indices, std::int64_t dim) {
  check_rank_at_least("tensor_split", self, 1);
  std::vector<Tensor> parts;
  std::int64_t start = 0;
  for (const std::int64_t index : indices) {
    parts.push_back(views::slice(self, dim, start, index, 1));
    start = index;
  }
  parts.push_back(views::slice(self, dim, start, std::nullopt, 1));
  return parts;
}

std::vector<Tensor> tensor_split_tensor(const Tensor& self, const Tensor& indices, std::int64_t dim) {
  if (indices.dtype() != DType::kInt64 || indices.dim() > 1)
    fail_value("tensor_split", std::string("indices or sections are a ") + dtype_name(indices.dtype()) +
                                   " tensor of sizes " + to_string(indices.sizes()) +
                                   "; they must be int64 of one dimension or none");
  const Tensor dense = indices.contiguous();
  const Ints values(dense.data<const std::int64_t>(), static_cast<std::size_t>(dense.numel()));
  return indices.dim() == 0 ? tensor_split_sections(self, values[0], dim) : tensor_split_indices(self, values, dim);
}

std::vector<Tensor> unbind(const Tensor& self, std::int64_t dim) {
  check_rank_at_least("unbind", self, 1);
  const std::size_t at = wrap_dim("unbind", dim, self.dim());
  std::vector<Tensor> parts;
  parts.reserve(static_cast<std::size_t>(self.size(at)));
  for (std::int64_t i = 0; i < self.size(at); ++i) parts.push_back(views::select(self, dim, i));
  return parts;
}

// hsplit, vsplit and dsplit: along a fixed dimension, in equal parts or at indices.
struct Horizontal {
  static constexpr const char* kOp = "hsplit";
  static constexpr std::int64_t kRank = 1;
  static std::int64_t dim(const Tensor& self) { return self.dim() == 1 ? 0 : 1; }
};
struct Vertical {
  static constexpr const char* kOp = "vsplit";
  static constexpr std::int64_t kRank = 2;
  static std::int64_t dim(const Tensor&) { return 0; }
};
struct Depth {
  static constexpr const char* kOp = "dsplit";
  static constexpr std::int64_t kRank = 3;
  static std::int64_t dim(const Tensor&) { return 2; }
};

template <class Direction>
std::vector<Tensor> split_equally(const Tensor& self, std::int64_t sections) {
  check_rank_at_least(Direction::kOp, self, Direction::kRank);
  const std::int64_t size = self.size(static_cast<std::size_t>(Direction::dim(self)));
  if (sections <= 0 || size % sections != 0)
    fail_value(Direction::kOp, "sections is " + std::to_string(sections) + " for a dimension of size " +
                                   std::to_string(size) + "; it must divide it");
  return tensor_split_sections(self, sections, Direction::dim(self));
}

template <class Direction>
std::vector<Tensor> split_at(const Tensor& self, Ints indices) {
  check_rank_at_least(Direction::kOp, self, Direction::kRank);
  return tensor_split_indices(self, indices, Direction::dim(self));
}

std::vector<Tensor> broadcast_tensors(std::span<const Tensor> tensors) {
  Dims sizes;
  for (const Tensor& tensor : tensors) sizes = broadcast_sizes("broadcast_tensors", sizes, tensor.sizes());
  std::vector<Tensor> results;
  for (const Tensor& tensor : tensors) results.push_back(views::expand(tensor, sizes));
  return results;
}

template <auto Split, class... Args>
std::vector<Tensor> copies(const Tensor& self, Args... args) {
  std::vector<Tensor> parts = Split(self, args...);
  for (Tensor& part : parts) {
    Tensor copy = Tensor::empty(part.sizes(), part.dtype());
    copy_elements(part, copy);
    part = std::move(copy);
  }
  return parts;
}

constexpr OpDefinition kOps[] = {
    define_op<split>("aten::split.Tensor(Tensor(a -> *) self, SymInt split_size, int dim=0) -> Tensor(a)[]"),
    define_op<split_with_sizes>(
        "aten::split.sizes(Tensor(a -> *) self, SymInt[] split_size, int dim=0) -> Tensor(a)[]"),
    define_op<split_with_sizes>("aten::split(Tensor(a -> *) self, int[] split_sizes, int dim=0) -> Tensor(a)[]"),
    define_op<split_with_sizes>(
        "aten::split_with_sizes(Tensor(a -> *) self, SymInt[] split_sizes, int dim=0) -> Tensor(a)[]"),
    define_op<split>("aten::unsafe_split.Tensor(Tensor self, SymInt split_size, int dim=0) -> Tensor[]"),
    define_op<split_with_sizes>(
        "aten::unsafe_split_with_sizes(Tensor self, SymInt[] split_sizes, int dim=0) -> Tensor[]"),
    define_op<copies<split_with_sizes, Ints, std::int64_t>>(
        "aten::split_with_sizes_copy(Tensor self, SymInt[] split_sizes, int dim=0) -> Tensor[]"),
    define_op<chunk>("aten::chunk(Tensor(a -> *) self, int chunks, int dim=0) -> Tensor(a)[]"),
    define_op<chunk>("aten::unsafe_chunk(Tensor self, int chunks, int dim=0) -> Tensor[]"),
    define_op<tensor_split_sections>(
        "aten::tensor_split.sections(Tensor(a -> *) self, SymInt sections, int dim=0) -> Tensor(a)[]"),
    define_op<tensor_split_indices>(
        "aten::tensor_split.indices(Tensor(a -> *) self, SymInt[] indices, int dim=0) -> Tensor(a)[]"),
    define_op<tensor_split_tensor>("aten::tensor_split.tensor_indices_or_sections(Tensor(a -> *) self, "
                                   "Tensor tensor_indices_or_sections, int dim=0) -> Tensor(a)[]"),
    define_op<unbind>("aten::unbind.int(Tensor(a -> *) self, int dim=0) -> Tensor(a)[]"),
    define_op<copies<unbind, std::int64_t>>("aten::unbind_copy.int(Tensor self, int dim=0) -> Tensor[]"),
    define_op<split_equally<Horizontal>>("aten::hsplit.int(Tensor(a -> *) self, int sections) -> Tensor(a)[]"),
    define_op<split_at<Horizontal>>("aten::hsplit.array(Tensor(a -> *) self, int[] indices) -> Tensor(a)[]"),
    define_op<split_equally<Vertical>>("aten::vsplit.int(Tensor(a -> *) self, int sections) -> Tensor(a)[]"),
    define_op<split_at<Vertical>>("aten::vsplit.array(Tensor(a -> *) self, int[] indices) -> Tensor(a)[]"),
    define_op<split_equally<Depth>>("aten::dsplit.int(Tensor(a -> *) self, int sections) -> Tensor(a)[]"),
    define_op<split_at<Depth>>("aten::dsplit.array(Tensor(a -> *) self, int[] indices) -> Tensor(a)[]"),
    define_op<broadcast_tensors>("aten::broadcast_tensors(Tensor[] tensors) -> Tensor[]"),
};

}  // namespace

std::span<const OpDefinition> split_ops() { return kOps; }

}  // namespace threadwheel
