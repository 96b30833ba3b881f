// Merging of dimensions, the walk over runs, broadcasting.
#include "tensor/strided_loop.h"

#include <algorithm>
#include <vector>

#include "threadwheel/parallel.h"

namespace threadwheel {
namespace {

std::vector<StridedOperand> operands_of(std::initializer_list<const Tensor*> tensors) {
  std::vector<StridedOperand> operands;
  for (const Tensor* tensor : tensors) operands.emplace_back(*tensor);
  return operands;
}

}  // namespace

StridedLoop::StridedLoop(std::initializer_list<const Tensor*> tensors)
    : StridedLoop((*tensors.begin())->sizes(), std::span<const StridedOperand>(operands_of(tensors))) {}

StridedLoop::StridedLoop(std::span<const std::int64_t> sizes, std::span<const StridedOperand> operands)
    : num_operands_(operands.size()), numel_(1), sizes_(std::max<std::size_t>(sizes.size(), 1), 1) {
  if (sizes.size() > kInline) {
    many_ = std::make_unique<Strides[]>(sizes.size());
    strides_ = many_.get();
  }
  for (std::size_t k = 0; k < num_operands_; ++k) pointers_[k] = operands[k].data;
  for (std::size_t from_last = 0; from_last < sizes.size(); ++from_last) {
    const std::int64_t size = sizes[sizes.size() - 1 - from_last];
    numel_ *= size;
    if (size == 1) continue;
    Strides strides{};
    for (std::size_t k = 0; k < num_operands_; ++k) {
      const StridedOperand& operand = operands[k];
      if (from_last >= operand.sizes.size()) continue;  // broadcast: a stride of 0
      const std::size_t i = operand.sizes.size() - 1 - from_last;
      if (operand.sizes[i] != 1) strides[k] = operand.strides[i] * static_cast<std::int64_t>(operand.item_bytes);
    }
    add_dimension(size, strides);
  }
  if (num_dims_ == 0) num_dims_ = 1;  // a single element: one run of length 1
}

void StridedLoop::add_dimension(std::int64_t size, const Strides& strides) {
  if (num_dims_ > 0) {
    const std::size_t inner = num_dims_ - 1;
    const auto continues = [&](std::size_t k) { return strides[k] == strides_[inner][k] * sizes_[inner]; };
    bool merge = true;
    for (std::size_t k = 0; k < num_operands_; ++k) merge &= continues(k);
    if (merge) {
      sizes_[inner] *= size;
      return;
    }
  }
  sizes_[num_dims_] = size;
  strides_[num_dims_] = strides;
  ++num_dims_;
}

void StridedLoop::run(Kernel kernel, std::int64_t grain) const {
  parallel_for(0, numel_, grain, [&](std::int64_t begin, std::int64_t end) { run_range(kernel, begin, end); });
}

void StridedLoop::run_range(Kernel kernel, std::int64_t begin, std::int64_t end) const {
  Dims index(num_dims_);
  Pointers pointers = pointers_;
  const auto move = [&](std::size_t d, std::int64_t steps) {
    for (std::size_t k = 0; k < num_operands_; ++k) pointers[k] += steps * strides_[d][k];
  };
  std::int64_t rest = begin;
  for (std::size_t d = 0; d < num_dims_; ++d) {
    index[d] = rest % sizes_[d];
    rest /= sizes_[d];
    move(d, index[d]);
  }
  for (std::int64_t position = begin; position < end;) {
    const std::int64_t n = std::min(sizes_[0] - index[0], end - position);
    kernel(pointers.data(), strides_[0].data(), n);
    position += n;
    if (position == end) return;
    // The run ended with its dimension: back to its start, and one step in the next that is not at its end.
    move(0, -index[0]);
    index[0] = 0;
    for (std::size_t d = 1; d < num_dims_; ++d) {
      move(d, 1);
      if (++index[d] < sizes_[d]) break;
      move(d, -sizes_[d]);
      index[d] = 0;
    }
  }
}

Dims broadcast_sizes(const char* op, std::span<const std::int64_t> a, std::span<const std::int64_t> b) {
  Dims result(std::max(a.size(), b.size()));
  for (std::size_t i = 0; i < result.size(); ++i) {  // i counts from the last dimension
    const std::int64_t size_a = i < a.size() ? a[a.size() - 1 - i] : 1, size_b = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (size_a != size_b && size_a != 1 && size_b != 1)
      throw Error(ErrorCode::kValue, std::string(op) + ": sizes " + to_string(a) + " and " + to_string(b) +
                                         " do not broadcast; each pair of sizes, from the last on, must be equal or 1");
    result[result.size() - 1 - i] = size_a == 1 ? size_b : size_a;
  }
  return result;
}

Tensor broadcast_to(const Tensor& tensor, std::span<const std::int64_t> sizes) {
  const auto rank = static_cast<std::size_t>(tensor.dim()), lead = sizes.size() - rank;
  if (lead == 0 && std::ranges::equal(tensor.sizes(), sizes)) return tensor;
  Dims strides(sizes.size());
  for (std::size_t i = 0; i < rank; ++i) strides[lead + i] = tensor.size(i) == sizes[lead + i] ? tensor.stride(i) : 0;
  return tensor.as_strided(Dims(sizes), std::move(strides));
}

}  // namespace threadwheel
