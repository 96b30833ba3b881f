// Several tensors as one: cat, stack and their like.
#include <algorithm>
#include <vector>

#include "ops/families.h"
#include "ops/shared/checks.h"
#include "ops/shared/elementwise.h"
#include "ops/shared/moves.h"
#include "ops/shared/views.h"

namespace threadwheel {
namespace {

using Tensors = std::span<const Tensor>;

void check_not_empty(const char* op, Tensors tensors) {
  if (tensors.empty()) fail_value(op, "the list of tensors is empty; give one or more");
}

// By the rules of promotion among any number of tensors: those with dimensions, then those without.
DType common_dtype(Tensors tensors) {
  Tensor joined = tensors[0];
  for (const Tensor& tensor : tensors.subspan(1)) {
    const DType dtype = result_type(joined, tensor);
    if (dtype != joined.dtype() || tensor.dim() > joined.dim()) {
      const Tensor& shape = joined.dim() > 0 ? joined : tensor;
      joined = Tensor::empty(Dims(shape.dim() > 0 ? 1 : 0), dtype);
    }
  }
  return joined.dtype();
}

// Tensors of sizes [0] join anything: what programs begin a list of rows with.
bool is_nothing(const Tensor& tensor) { return tensor.dim() == 1 && tensor.size(0) == 0; }

// self: tensors of the same sizes but for `dim` -> one after the other along it, in their common dtype.
Tensor cat(Tensors tensors, std::int64_t dim) {
  check_not_empty("cat", tensors);
  const DType dtype = common_dtype(tensors);
  const auto first = std::ranges::find_if_not(tensors, is_nothing);
  if (first == tensors.end()) return Tensor::empty(Dims{0}, dtype);
  check_rank_at_least("cat", *first, 1);
  const std::size_t at = wrap_dim("cat", dim, first->dim());
  Dims sizes = first->sizes();
  sizes[at] = 0;
  for (const Tensor& tensor : tensors) {
    if (is_nothing(tensor)) continue;
    bool fits = tensor.dim() == first->dim();
    for (std::size_t i = 0; i < sizes.size() && fits; ++i) fits = i == at || tensor.size(i) == sizes[i];
    if (!fits)
      fail_value("cat", "sizes " + to_string(first->sizes()) + " and " + to_string(tensor.sizes()) +
                            " differ; they must be equal but for dimension " + std::to_string(at));
    sizes[at] += tensor.size(at);
  }
  Tensor result = Tensor::empty(sizes, dtype);
  std::int64_t position = 0;
  for (const Tensor& tensor : tensors) {
    if (is_nothing(tensor)) continue;
    copy_elements(convert(tensor, dtype, "cat"),
                  result.as_strided(tensor.sizes(), result.strides(), position * result.stride(at)));
    position += tensor.size(at);
  }
  return result;
}

Tensor stack(Tensors tensors, std::int64_t dim) {
  check_not_empty("stack", tensors);
  const auto at = static_cast<std::int64_t>(wrap_dim("stack", dim, tensors[0].dim() + 1));
  std::vector<Tensor> rows;
  rows.reserve(tensors.size());
  for (const Tensor& tensor : tensors) {
    if (tensor.sizes() != tensors[0].sizes())
      fail_value("stack", "sizes " + to_string(tensors[0].sizes()) + " and " + to_string(tensor.sizes()) +
                              " differ; they must be equal");
    rows.push_back(views::unsqueeze(tensor, at));
  }
  // With a dimension each, all take part in promotion alike, which is torch's result too.
  return cat(rows, at);
}

// At least `rank` dimensions, as atleast_1d to atleast_3d have it: a row becomes [1, n], a matrix [m, n, 1].
Tensor with_rank(const Tensor& tensor, std::int64_t rank) {
  if (tensor.dim() >= rank) return tensor;
  const Tensor row = tensor.dim() == 0 ? views::reshape(tensor, Dims{1}) : tensor;
  if (rank == 1) return row;
  const Tensor matrix = row.dim() == 1 ? views::unsqueeze(row, 0) : row;
  return rank == 2 ? matrix : views::unsqueeze(matrix, -1);
}

std::vector<Tensor> all_with_rank(const char* op, Tensors tensors, std::int64_t rank) {
  check_not_empty(op, tensors);
  std::vector<Tensor> results;
  for (const Tensor& tensor : tensors) results.push_back(with_rank(tensor, rank));
  return results;
}

Tensor hstack(Tensors tensors) {
  const std::vector<Tensor> rows = all_with_rank("hstack", tensors, 1);
  return cat(rows, rows[0].dim() == 1 ? 0 : 1);
}

Tensor vstack(Tensors tensors) { return cat(all_with_rank("vstack", tensors, 2), 0); }
Tensor dstack(Tensors tensors) { return cat(all_with_rank("dstack", tensors, 3), 2); }

Tensor column_stack(Tensors tensors) {
  check_not_empty("column_stack", tensors);
  std::vector<Tensor> columns;
  for (const Tensor& tensor : tensors)
    columns.push_back(tensor.dim() <= 1 ? views::reshape(tensor, Dims{tensor.numel(), 1}) : tensor);
  return cat(columns, 1);
}

Tensor flatten_dense_tensors(Tensors tensors) {
  check_not_empty("flatten_dense_tensors", tensors);
  std::vector<Tensor> flat;
  for (const Tensor& tensor : tensors) flat.push_back(views::reshape(tensor, Dims{tensor.numel()}));
  return cat(flat, 0);
}

Tensor block_diag(Tensors tensors) {
  check_not_empty("block_diag", tensors);
  std::int64_t rows = 0, columns = 0;
  for (const Tensor& tensor : tensors) {
    if (tensor.dim() > 2)
      fail_value("block_diag", "a tensor has sizes " + to_string(tensor.sizes()) +
                                   "; each must have 2 dimensions or fewer");
    const Tensor block = with_rank(tensor, 2);
    rows += block.size(0);
    columns += block.size(1);
  }
  const DType dtype = common_dtype(tensors);
  Tensor result = zeros(Dims{rows, columns}, dtype);
  rows = columns = 0;
  for (const Tensor& tensor : tensors) {
    const Tensor block = with_rank(convert(tensor, dtype, "block_diag"), 2);
    copy_elements(block, result.as_strided(block.sizes(), result.strides(), rows * result.stride(0) + columns));
    rows += block.size(0);
    columns += block.size(1);
  }
  return result;
}

// Each tensor along a dimension of its own, repeated over the others'.
std::vector<Tensor> meshgrid(Tensors tensors, const std::string& indexing) {
  check_not_empty("meshgrid", tensors);
  if (indexing != "ij" && indexing != "xy")
    fail_value("meshgrid", "indexing is '" + indexing + "'; it must be 'ij' or 'xy'");
  Dims sizes(tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i].dim() > 1)
      fail_value("meshgrid", "a tensor has sizes " + to_string(tensors[i].sizes()) +
                                 "; each must have one dimension or none");
    if (tensors[i].dtype() != tensors[0].dtype())
      fail_value("meshgrid", std::string("dtypes are ") + dtype_name(tensors[0].dtype()) + " and " +
                                 dtype_name(tensors[i].dtype()) + "; all must have the same");
    sizes[i] = tensors[i].numel();
  }
  std::vector<Tensor> grids;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    Dims strides(sizes.size());
    strides[i] = tensors[i].dim() == 0 ? 1 : tensors[i].stride(0);
    const Tensor grid = tensors[i].as_strided(sizes, std::move(strides));
    grids.push_back(indexing == "xy" && sizes.size() > 1 ? views::transpose(grid, 0, 1) : grid);
  }
  return grids;
}

std::vector<Tensor> meshgrid_ij(Tensors tensors) { return meshgrid(tensors, "ij"); }

Tensor cartesian_prod(Tensors tensors) {
  check_not_empty("cartesian_prod", tensors);
  for (const Tensor& tensor : tensors)
    if (tensor.dim() != 1)
      fail_value("cartesian_prod", "a tensor has sizes " + to_string(tensor.sizes()) +
                                       "; each must have one dimension");
  if (tensors.size() == 1) return tensors[0];
  std::vector<Tensor> columns;
  for (const Tensor& grid : meshgrid(tensors, "ij")) columns.push_back(views::reshape(grid, Dims{grid.numel()}));
  return stack(columns, 1);
}

constexpr OpDefinition kOps[] = {
    define_op<cat>("aten::cat(Tensor[] tensors, int dim=0) -> Tensor"),
    define_op<cat>("aten::concat(Tensor[] tensors, int dim=0) -> Tensor"),
    define_op<cat>("aten::concatenate(Tensor[] tensors, int dim=0) -> Tensor"),
    define_op<stack>("aten::stack(Tensor[] tensors, int dim=0) -> Tensor"),
    define_op<hstack>("aten::hstack(Tensor[] tensors) -> Tensor"),
    define_op<vstack>("aten::vstack(Tensor[] tensors) -> Tensor"),
    define_op<vstack>("aten::row_stack(Tensor[] tensors) -> Tensor"),
    define_op<dstack>("aten::dstack(Tensor[] tensors) -> Tensor"),
    define_op<column_stack>("aten::column_stack(Tensor[] tensors) -> Tensor"),
    define_op<flatten_dense_tensors>("aten::flatten_dense_tensors(Tensor[] tensors) -> Tensor"),
    define_op<block_diag>("aten::block_diag(Tensor[] tensors) -> Tensor"),
    define_op<meshgrid_ij>("aten::meshgrid(Tensor[] tensors) -> Tensor[]"),
    define_op<meshgrid>("aten::meshgrid.indexing(Tensor[] tensors, *, str indexing) -> Tensor[]"),
    define_op<cartesian_prod>("aten::cartesian_prod(Tensor[] tensors) -> Tensor"),
};

}  // namespace

std::span<const OpDefinition> join_ops() { return kOps; }

}  // namespace threadwheel
