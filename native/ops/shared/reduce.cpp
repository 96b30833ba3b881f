// Dimensions of reductions, and how tensors are laid out for them.
#include "ops/shared/reduce.h"

#include <string>

#include "threadwheel/error.h"

namespace threadwheel {

Reduction::Reduction(const char* op, const Tensor& input, MaybeDims dims, bool keepdim)
    : op_(op), reduced_(input.sizes().size(), !dims || dims->empty()) {
  if (dims) {
    std::uint64_t seen_number = 0;  // of a tensor without dimensions, dimension 0 may be named, once
    for (const std::int64_t dim : *dims) {
      const std::size_t index = wrap_dim(op, dim, input.dim());
      if (reduced_.empty() ? seen_number++ > 0 : reduced_[index])
        throw Error(ErrorCode::kValue, std::string(op) + ": dim " + std::to_string(dim) +
                                           " is given twice; name each dimension once");
      if (!reduced_.empty()) reduced_[index] = true;
    }
  }
  sizes_ = Dims(static_cast<std::size_t>(keepdim ? input.dim() : std::ranges::count(reduced_, false)), 1);
  for (std::size_t i = 0, k = 0; i < reduced_.size(); ++i) {
    (reduced_[i] ? length_ : count_) *= input.size(i);
    if (!reduced_[i]) sizes_[k] = input.size(i);
    if (!reduced_[i] || keepdim) ++k;
  }
}

// One run of dimensions [first, last) as a single size and step; false when their strides do not continue each other.
bool Reduction::merge(const Tensor& x, std::size_t first, std::size_t last, std::int64_t& size, std::int64_t& step) {
  size = 1;
  step = 1;
  for (std::size_t i = last; i-- > first;) {
    if (x.size(i) == 1) continue;
    if (x.size(i) == 0) {  // nothing to step over, whatever the strides are
      size = 0;
      return true;
    }
    if (size == 1) {
      step = x.stride(i);
    } else if (x.stride(i) != step * size) {
      return false;
    }
    size *= x.size(i);
  }
  return true;
}

// The tensor as a Layout. Reductions over dimensions that do not lie together get a copy with those last.
Tensor Reduction::arrange(const Tensor& x, Layout& layout) const {
  const std::vector<bool>& reduced = reduced_;
  const std::size_t rank = reduced.size();
  std::size_t first = 0, last = rank;
  while (first < rank && !reduced[first]) ++first;
  while (last > first && !reduced[last - 1]) --last;
  const bool together = std::all_of(reduced.begin() + static_cast<std::ptrdiff_t>(first),
                                    reduced.begin() + static_cast<std::ptrdiff_t>(last), [](bool r) { return r; });
  if (together && merge(x, 0, first, layout.outer, layout.outer_step) &&
      merge(x, first, last, layout.length, layout.length_step) && merge(x, last, rank, layout.inner, layout.inner_step))
    return x;
  Dims sizes(rank), strides(rank);
  std::size_t k = 0;
  for (const bool wanted : {false, true})
    for (std::size_t i = 0; i < rank; ++i)
      if (reduced[i] == wanted) {
        sizes[k] = x.size(i);
        strides[k++] = x.stride(i);
      }
  Tensor copy = x.as_strided(std::move(sizes), std::move(strides)).contiguous();
  const auto kept = static_cast<std::size_t>(std::ranges::count(reduced, false));
  merge(copy, 0, kept, layout.outer, layout.outer_step);
  merge(copy, kept, rank, layout.length, layout.length_step);
  layout.inner = layout.inner_step = 1;
  return copy;
}

}  // namespace threadwheel
