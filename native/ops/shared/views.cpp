#include "ops/shared/views.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "ops/shared/checks.h"

namespace threadwheel::views {
namespace {

// Strides that show the elements of `self` in another shape, or nothing. Dimensions that lie in memory as one are
// taken together, and each such chunk must be divided by the new sizes exactly.
std::optional<Dims> view_strides(const Tensor& self, const Dims& sizes) {
  if (self.sizes() == sizes) return self.strides();
  if (self.numel() == 0) return contiguous_strides(sizes);
  Dims strides(sizes.size(), 1);
  std::size_t open = sizes.size();  // new dimensions without a stride yet
  std::int64_t chunk = 1;
  for (std::size_t i = static_cast<std::size_t>(self.dim()), inner = i - 1; i-- > 0;) {
    chunk *= self.size(i);
    const std::int64_t base = self.stride(inner);
    if (i > 0 && (self.size(i - 1) == 1 || self.stride(i - 1) == chunk * base)) continue;
    std::int64_t covered = 1;
    while (open > 0 && (covered < chunk || sizes[open - 1] == 1)) {
      strides[--open] = covered * base;
      covered *= sizes[open];
    }
    if (covered != chunk) return std::nullopt;
    inner = i - 1;
    chunk = 1;
  }
  return strides;
}

// All dimensions for which `wanted(i)` is true and that have size 1 go.
template <class Wanted>
Tensor drop_dims(const Tensor& self, Wanted wanted) {
  const auto dropped = [&](std::size_t i) { return self.size(i) == 1 && wanted(i); };
  const auto rank = static_cast<std::size_t>(self.dim());
  std::size_t kept = 0;
  for (std::size_t i = 0; i < rank; ++i) kept += dropped(i) ? 0 : 1;
  Dims sizes(kept), strides(kept);
  for (std::size_t i = 0, k = 0; i < rank; ++i) {
    if (dropped(i)) continue;
    sizes[k] = self.size(i);
    strides[k++] = self.stride(i);
  }
  return self.as_strided(std::move(sizes), std::move(strides));
}

}  // namespace

Dims infer_sizes(const char* op, Ints sizes, std::int64_t numel) {
  Dims result(sizes);
  std::int64_t known = 1, unknown = -1;
  bool overflow = false;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] == -1 && unknown < 0) {
      unknown = static_cast<std::int64_t>(i);
    } else if (sizes[i] < 0) {
      fail_value(op, "sizes are " + to_string(sizes) + "; one may be -1, the others must be 0 or more");
    } else {
      overflow |= __builtin_mul_overflow(known, sizes[i], &known);
    }
  }
  if (unknown >= 0 && known == 0 && numel == 0)
    fail_value(op, "sizes " + to_string(sizes) + " leave -1 open for a tensor of 0 elements; name every size");
  const bool fits = !overflow && (unknown >= 0 ? known != 0 && numel % known == 0 : known == numel);
  if (!fits) fail_value(op, "sizes " + to_string(sizes) + " do not hold the tensor's " + std::to_string(numel) +
                                " elements; their product must be that");
  if (unknown >= 0) result[static_cast<std::size_t>(unknown)] = numel / known;
  return result;
}

Tensor view(const Tensor& self, Ints sizes) {
  Dims inferred = infer_sizes("view", sizes, self.numel());
  auto strides = view_strides(self, inferred);
  if (!strides)
    fail_value("view", "sizes " + to_string(self.sizes()) + " with strides " + to_string(self.strides()) +
                           " cannot be seen as " + to_string(inferred) + " without a copy; use reshape");
  return self.as_strided(std::move(inferred), *std::move(strides));
}

Tensor reshape(const Tensor& self, Ints sizes) {
  Dims inferred = infer_sizes("reshape", sizes, self.numel());
  if (auto strides = view_strides(self, inferred)) return self.as_strided(std::move(inferred), *std::move(strides));
  Dims strides = contiguous_strides(inferred);
  return self.contiguous().as_strided(std::move(inferred), std::move(strides));
}

Tensor permute(const Tensor& self, Ints dims) {
  const auto rank = static_cast<std::size_t>(self.dim());
  if (dims.size() != rank)
    fail_value("permute", "dims are " + to_string(dims) + " for a tensor of " + std::to_string(rank) +
                              " dimensions; name each dimension once");
  Dims sizes(rank), strides(rank);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < rank; ++i) {
    const std::size_t dim = wrap_dim("permute", dims[i], self.dim());
    const bool again = rank <= 64 ? (seen >> dim & 1) != 0 : std::ranges::count(dims, dims[i]) != 1;
    if (again) fail_value("permute", "dims " + to_string(dims) + " name a dimension twice; name each once");
    seen |= std::uint64_t{1} << (dim & 63);
    sizes[i] = self.size(dim);
    strides[i] = self.stride(dim);
  }
  return self.as_strided(std::move(sizes), std::move(strides));
}

Tensor transpose(const Tensor& self, std::int64_t dim0, std::int64_t dim1) {
  const std::size_t a = wrap_dim("transpose", dim0, self.dim()), b = wrap_dim("transpose", dim1, self.dim());
  Dims sizes = self.sizes(), strides = self.strides();
  if (self.dim() > 0) {
    std::swap(sizes[a], sizes[b]);
    std::swap(strides[a], strides[b]);
  }
  return self.as_strided(std::move(sizes), std::move(strides));
}

Tensor movedim_list(const Tensor& self, Ints source, Ints destination) {
  if (source.size() != destination.size())
    fail_value("movedim", "source is " + to_string(source) + " and destination " + to_string(destination) +
                              "; they must be as many");
  const auto rank = static_cast<std::size_t>(self.dim());
  if (rank == 0) {
    for (const Ints dims : {source, destination})
      for (const std::int64_t dim : dims) wrap_dim("movedim", dim, 0);
    return self.as_strided(self.sizes(), self.strides());
  }
  Dims order(rank, -1);
  std::vector<bool> moved(rank);
  for (std::size_t i = 0; i < source.size(); ++i) {
    const std::size_t from = wrap_dim("movedim", source[i], self.dim());
    const std::size_t to = wrap_dim("movedim", destination[i], self.dim());
    if (moved[from] || order[to] >= 0)
      fail_value("movedim", "source " + to_string(source) + " or destination " + to_string(destination) +
                                " names a dimension twice; name each once");
    moved[from] = true;
    order[to] = static_cast<std::int64_t>(from);
  }
  std::size_t next = 0;
  for (std::int64_t& dim : order) {
    if (dim >= 0) continue;
    while (moved[next]) ++next;
    dim = static_cast<std::int64_t>(next++);
  }
  return permute(self, order);
}

Tensor movedim(const Tensor& self, std::int64_t source, std::int64_t destination) {
  return movedim_list(self, Ints(&source, 1), Ints(&destination, 1));
}

Tensor expand(const Tensor& self, Ints sizes) {
  const auto rank = static_cast<std::size_t>(self.dim());
  const auto refuse = [&] {
    fail_value("expand", "sizes " + to_string(self.sizes()) + " do not expand to " + to_string(sizes) +
                             "; each size, from the last on, must be equal, 1 before, or -1 to keep it");
  };
  if (sizes.size() < rank) refuse();
  const std::size_t lead = sizes.size() - rank;
  Dims wide(sizes), strides(sizes.size());
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (i < lead) {
      if (wide[i] < 0) refuse();
      continue;
    }
    const std::int64_t size = self.size(i - lead);
    if (wide[i] == -1) wide[i] = size;
    if (wide[i] < 0 || (wide[i] != size && size != 1)) refuse();
    strides[i] = wide[i] == size ? self.stride(i - lead) : 0;
  }
  return self.as_strided(std::move(wide), std::move(strides));
}

Tensor squeeze_all(const Tensor& self) {
  return drop_dims(self, [](std::size_t) { return true; });
}

Tensor squeeze_dims(const Tensor& self, Ints dims) {
  std::vector<bool> named(std::max<std::size_t>(static_cast<std::size_t>(self.dim()), 1));
  for (const std::int64_t dim : dims) {
    const std::size_t i = wrap_dim("squeeze", dim, self.dim());
    if (named[i]) fail_value("squeeze", "dim " + std::to_string(dim) + " is given twice; name each dimension once");
    named[i] = true;
  }
  return drop_dims(self, [&](std::size_t i) { return named[i]; });
}

Tensor squeeze(const Tensor& self, std::int64_t dim) {
  const std::size_t named = wrap_dim("squeeze", dim, self.dim());
  return drop_dims(self, [&](std::size_t i) { return i == named; });
}

Tensor unsqueeze(const Tensor& self, std::int64_t dim) {
  const std::size_t at = wrap_dim("unsqueeze", dim, self.dim() + 1), rank = self.sizes().size();
  Dims sizes(rank + 1, 1), strides(rank + 1, at < rank ? self.size(at) * self.stride(at) : 1);
  for (std::size_t i = 0; i < rank; ++i) {
    sizes[i < at ? i : i + 1] = self.size(i);
    strides[i < at ? i : i + 1] = self.stride(i);
  }
  return self.as_strided(std::move(sizes), std::move(strides));
}

Tensor select(const Tensor& self, std::int64_t dim, std::int64_t index) {
  if (self.dim() == 0)
    throw Error(ErrorCode::kIndex, "select: the tensor has no dimensions to select from; it must have one or more");
  const std::size_t at = wrap_dim("select", dim, self.dim()), rank = self.sizes().size();
  const std::int64_t position = wrap_index("select", index, self.size(at));
  Dims sizes(rank - 1), strides(rank - 1);
  for (std::size_t i = 0, k = 0; i < rank; ++i) {
    if (i == at) continue;
    sizes[k] = self.size(i);
    strides[k++] = self.stride(i);
  }
  return self.as_strided(std::move(sizes), std::move(strides), position * self.stride(at));
}

Tensor slice(const Tensor& self, std::int64_t dim, std::optional<std::int64_t> start, std::optional<std::int64_t> end,
             std::int64_t step) {
  check_rank_at_least("slice", self, 1);
  if (step <= 0) fail_value("slice", "step is " + std::to_string(step) + "; it must be positive");
  const std::size_t at = wrap_dim("slice", dim, self.dim());
  const std::int64_t size = self.size(at);
  const auto clamp = [&](std::int64_t position) {
    return std::clamp<std::int64_t>(position < 0 ? position + size : position, 0, size);
  };
  const std::int64_t first = clamp(start.value_or(0)), last = std::max(first, clamp(end.value_or(size)));
  Dims sizes = self.sizes(), strides = self.strides();
  sizes[at] = (last - first) / step + ((last - first) % step != 0 ? 1 : 0);
  // The stride of one element is never used; a huge step must not overflow it.
  strides[at] = sizes[at] > 1 ? strides[at] * step : strides[at];
  return self.as_strided(std::move(sizes), std::move(strides), first * self.stride(at));
}

Tensor narrow(const Tensor& self, std::int64_t dim, std::int64_t start, std::int64_t length) {
  check_rank_at_least("narrow", self, 1);
  const std::size_t at = wrap_dim("narrow", dim, self.dim());
  const std::int64_t size = self.size(at);
  const std::int64_t first = start == size ? start : wrap_index("narrow", start, size);
  if (length < 0 || length > size - first)
    fail_value("narrow", "start " + std::to_string(start) + " and length " + std::to_string(length) +
                             " reach beyond a dimension of size " + std::to_string(size));
  Dims sizes = self.sizes();
  sizes[at] = length;
  return self.as_strided(std::move(sizes), self.strides(), first * self.stride(at));
}

Tensor diagonal(const Tensor& self, std::int64_t offset, std::int64_t dim1, std::int64_t dim2) {
  check_rank_at_least("diagonal", self, 2);
  const std::size_t a = wrap_dim("diagonal", dim1, self.dim()), b = wrap_dim("diagonal", dim2, self.dim());
  if (a == b) fail_value("diagonal", "dim1 and dim2 are both " + std::to_string(a) + "; they must differ");
  const std::int64_t rows = self.size(a), columns = self.size(b);
  const std::int64_t down = offset < 0 ? std::min(rows, offset < -rows ? rows : -offset) : 0;
  const std::int64_t right = offset > 0 ? std::min(columns, offset) : 0;
  const std::int64_t length = std::min(rows - down, columns - right), rank = self.dim();
  Dims sizes(static_cast<std::size_t>(rank) - 1), strides(static_cast<std::size_t>(rank) - 1);
  std::size_t k = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(rank); ++i) {
    if (i == a || i == b) continue;
    sizes[k] = self.size(i);
    strides[k++] = self.stride(i);
  }
  sizes[k] = length;
  strides[k] = self.stride(a) + self.stride(b);
  return self.as_strided(std::move(sizes), std::move(strides),
                         length == 0 ? 0 : down * self.stride(a) + right * self.stride(b));
}

Tensor flatten(const Tensor& self, std::int64_t start_dim, std::int64_t end_dim) {
  const std::size_t first = wrap_dim("flatten", start_dim, self.dim()), last = wrap_dim("flatten", end_dim, self.dim());
  if (first > last)
    fail_value("flatten", "start_dim is " + std::to_string(start_dim) + " and end_dim " + std::to_string(end_dim) +
                              "; the end must not come before the start");
  if (self.dim() == 0) return reshape(self, Dims{1});
  if (first == last) return self;
  Dims sizes(self.sizes().size() - (last - first), 1);
  for (std::size_t i = 0; i < self.sizes().size(); ++i) {
    const std::size_t to = i <= first ? i : i <= last ? first : i - (last - first);
    sizes[to] *= self.size(i);
  }
  return reshape(self, sizes);
}

}  // namespace threadwheel::views
