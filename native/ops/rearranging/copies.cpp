// Copies in another order: repeats, rolls, flips, diagonals, scatters into a view.
#include <algorithm>
#include <vector>

#include "ops/families.h"
#include "ops/shared/checks.h"
#include "ops/shared/moves.h"
#include "ops/shared/views.h"
#include "tensor/layout.h"

namespace threadwheel {
namespace {

using views::Ints;

// The tensor `repeats[i]` times along dimension i; further repeats, in front, are new dimensions.
Tensor repeat(const Tensor& self, Ints repeats) {
  const auto rank = static_cast<std::size_t>(self.dim());
  if (repeats.size() < rank || std::ranges::any_of(repeats, [](std::int64_t n) { return n < 0; }))
    fail_value("repeat", "repeats are " + to_string(repeats) + " for sizes " + to_string(self.sizes()) +
                             "; give a number, 0 or more, for each dimension");
  const std::size_t lead = repeats.size() - rank;
  // Each dimension as [repeat, size]: the repeats have stride 0.
  Dims pairs(repeats.size() * 2, 1), strides(repeats.size() * 2), sizes(repeats.size());
  for (std::size_t i = 0; i < repeats.size(); ++i) {
    pairs[2 * i] = repeats[i];
    if (i >= lead) {
      pairs[2 * i + 1] = self.size(i - lead);
      strides[2 * i + 1] = self.stride(i - lead);
    }
    if (__builtin_mul_overflow(repeats[i], pairs[2 * i + 1], &sizes[i]))
      fail_value("repeat", "repeats " + to_string(repeats) + " do not fit in memory");
  }
  Tensor result = Tensor::empty(sizes, self.dtype());
  copy_elements(self.as_strided(pairs, std::move(strides)), result.as_strided(pairs, contiguous_strides(pairs)));
  return result;
}

Tensor tile(const Tensor& self, Ints dims) {
  const auto rank = static_cast<std::size_t>(self.dim());
  Dims repeats(std::max(rank, dims.size()), 1);
  std::ranges::copy(dims, repeats.end() - static_cast<std::ptrdiff_t>(dims.size()));
  return repeat(self, repeats);
}

Tensor flattened(const Tensor& self) { return views::reshape(self, Dims{self.numel()}); }

void check_output_size(std::optional<std::int64_t> expected, std::int64_t size) {
  if (expected && *expected != size)
    fail_value("repeat_interleave", "output_size is " + std::to_string(*expected) + " and the repeats sum to " +
                                        std::to_string(size) + "; they must be equal");
}

// Each position as often as `repeats` says: [0, 2, 1] -> [1, 1, 2].
std::vector<std::int64_t> repeated_positions(const Tensor& repeats) {
  if (repeats.dim() > 1)
    fail_value("repeat_interleave", "repeats have sizes " + to_string(repeats.sizes()) +
                                        "; they must have one dimension or none");
  const Tensor counts = to_index("repeat_interleave", repeats).contiguous();
  std::vector<std::int64_t> positions;
  for (std::int64_t i = 0; i < counts.numel(); ++i) {
    const std::int64_t count = counts.data<const std::int64_t>()[i];
    if (count < 0)
      fail_value("repeat_interleave", "repeats hold " + std::to_string(count) + "; each must be 0 or more");
    positions.insert(positions.end(), static_cast<std::size_t>(count), i);
  }
  return positions;
}

Tensor repeat_interleave(const Tensor& repeats, std::optional<std::int64_t> output_size) {
  check_rank_at_least("repeat_interleave", repeats, 1);
  const std::vector<std::int64_t> positions = repeated_positions(repeats);
  check_output_size(output_size, static_cast<std::int64_t>(positions.size()));
  Tensor result = Tensor::empty(Dims{static_cast<std::int64_t>(positions.size())}, DType::kInt64);
  std::ranges::copy(positions, result.data<std::int64_t>());
  return result;
}

Tensor repeat_interleave_int(const Tensor& self, std::int64_t repeats, std::optional<std::int64_t> dim,
                             std::optional<std::int64_t> output_size) {
  if (repeats < 0)
    fail_value("repeat_interleave", "repeats is " + std::to_string(repeats) + "; it must be 0 or more");
  const Tensor input = dim && self.dim() > 0 ? self : flattened(self);
  const std::size_t at = wrap_dim("repeat_interleave", dim.value_or(0), input.dim());
  std::vector<std::int64_t> positions;
  for (std::int64_t i = 0; i < input.size(at); ++i)
    positions.insert(positions.end(), static_cast<std::size_t>(repeats), i);
  check_output_size(output_size, static_cast<std::int64_t>(positions.size()));
  return take_slices(input, at, positions);
}

Tensor repeat_interleave_tensor(const Tensor& self, const Tensor& repeats, std::optional<std::int64_t> dim,
                                std::optional<std::int64_t> output_size) {
  const Tensor input = dim && self.dim() > 0 ? self : flattened(self);
  const std::size_t at = wrap_dim("repeat_interleave", dim.value_or(0), input.dim());
  if (repeats.numel() == 1) {
    const Tensor count = to_index("repeat_interleave", repeats);
    return repeat_interleave_int(input, *count.data<const std::int64_t>(), static_cast<std::int64_t>(at), output_size);
  }
  if (repeats.numel() != input.size(at))
    fail_value("repeat_interleave", "repeats have sizes " + to_string(repeats.sizes()) + " for a dimension of size " +
                                        std::to_string(input.size(at)) + "; give one for each position, or one");
  const std::vector<std::int64_t> positions = repeated_positions(repeats);
  check_output_size(output_size, static_cast<std::int64_t>(positions.size()));
  return take_slices(input, at, positions);
}

Tensor roll_one(const Tensor& self, std::int64_t shift, std::int64_t dim) {
  check_rank_at_least("roll", self, 1);
  const std::size_t at = wrap_dim("roll", dim, self.dim());
  const std::int64_t size = self.size(at);
  if (size == 0) return copy_of(self);
  const std::int64_t start = (size - shift % size) % size;  // the position that comes first afterwards
  const auto at_dim = static_cast<std::int64_t>(at);
  Tensor result = Tensor::empty(self.sizes(), self.dtype());
  copy_elements(views::narrow(self, at_dim, start, size - start), views::narrow(result, at_dim, 0, size - start));
  copy_elements(views::narrow(self, at_dim, 0, start), views::narrow(result, at_dim, size - start, start));
  return result;
}

Tensor roll(const Tensor& self, Ints shifts, Ints dims) {
  if (shifts.empty()) fail_value("roll", "shifts are []; give one or more");
  if (dims.empty() && shifts.size() == 1) return views::reshape(roll_one(flattened(self), shifts[0], 0), self.sizes());
  if (dims.size() != shifts.size())
    fail_value("roll", "shifts are " + to_string(shifts) + " and dims " + to_string(dims) + "; they must be as many");
  Tensor result = roll_one(self, shifts[0], dims[0]);
  for (std::size_t i = 1; i < shifts.size(); ++i) result = roll_one(result, shifts[i], dims[i]);
  return result;
}

Tensor flip_named(const char* op, const Tensor& self, Ints dims) {
  Dims strides = self.strides();
  std::int64_t start = 0;
  std::vector<bool> flipped(std::max<std::size_t>(self.sizes().size(), 1));
  for (const std::int64_t dim : dims) {
    const std::size_t at = wrap_dim(op, dim, self.dim());
    if (flipped[at]) fail_value(op, "dims " + to_string(dims) + " name a dimension twice; name each once");
    flipped[at] = true;
    if (self.dim() == 0 || self.numel() == 0) continue;
    start += (self.size(at) - 1) * self.stride(at);
    strides[at] = -self.stride(at);
  }
  return ordered_copy(self.as_strided(self.sizes(), std::move(strides), start));
}

Tensor flip(const Tensor& self, Ints dims) { return flip_named("flip", self, dims); }

Tensor fliplr(const Tensor& self) {
  check_rank_at_least("fliplr", self, 2);
  return flip(self, Dims{1});
}

Tensor flipud(const Tensor& self) {
  check_rank_at_least("flipud", self, 1);
  return flip(self, Dims{0});
}

Tensor rot90(const Tensor& self, std::int64_t k, Ints dims) {
  if (dims.size() != 2) fail_value("rot90", "dims are " + to_string(dims) + "; name two dimensions");
  check_rank_at_least("rot90", self, 2);
  if (wrap_dim("rot90", dims[0], self.dim()) == wrap_dim("rot90", dims[1], self.dim()))
    fail_value("rot90", "dims are " + to_string(dims) + "; they must differ");
  switch ((k % 4 + 4) % 4) {
    case 1: return views::transpose(flip(self, Dims{dims[1]}), dims[0], dims[1]);
    case 2: return flip(self, dims);
    case 3: return views::transpose(flip(self, Dims{dims[0]}), dims[0], dims[1]);
    default: return ordered_copy(self);
  }
}

// The last dimension of `self` as the diagonal of two new ones.
Tensor diag_embed(const Tensor& self, std::int64_t offset, std::int64_t dim1, std::int64_t dim2) {
  check_rank_at_least("diag_embed", self, 1);
  const std::int64_t rank = self.dim() + 1;
  const std::size_t a = wrap_dim("diag_embed", dim1, rank), b = wrap_dim("diag_embed", dim2, rank);
  if (a == b) fail_value("diag_embed", "dim1 and dim2 are both " + std::to_string(a) + "; they must differ");
  const std::int64_t length = self.size(self.sizes().size() - 1);
  std::int64_t side = 0;
  if (offset == INT64_MIN || __builtin_add_overflow(length, offset < 0 ? -offset : offset, &side))
    fail_value("diag_embed", "offset " + std::to_string(offset) + " does not fit in memory");
  Dims sizes(static_cast<std::size_t>(rank), side);
  for (std::size_t i = 0, k = 0; i < sizes.size(); ++i)
    if (i != a && i != b) sizes[i] = self.size(k++);
  Tensor result = zeros(sizes, self.dtype());
  copy_elements(self, views::diagonal(result, offset, dim1, dim2));
  return result;
}

Tensor diag(const Tensor& self, std::int64_t diagonal) {
  if (self.dim() == 1) return diag_embed(self, diagonal, 0, 1);
  if (self.dim() != 2)
    fail_value("diag", "the tensor has sizes " + to_string(self.sizes()) + "; it must have one dimension or two");
  return copy_of(views::diagonal(self, diagonal, 0, 1));
}

Tensor diagflat(const Tensor& self, std::int64_t offset) { return diag_embed(flattened(self), offset, 0, 1); }

// A copy of `self` with `src` in the place of one of its views.
template <class View>
Tensor scatter_into(const char* op, const Tensor& self, const Tensor& src, View view) {
  if (src.dtype() != self.dtype())
    fail_value(op, std::string("src is ") + dtype_name(src.dtype()) + " and self " + dtype_name(self.dtype()) +
                       "; they must have the same dtype");
  Tensor result = copy_of(self);
  const Tensor place = view(result);
  if (place.sizes() != src.sizes())
    fail_value(op, "src has sizes " + to_string(src.sizes()) + "; expected " + to_string(place.sizes()));
  copy_elements(src, place);
  return result;
}

Tensor select_scatter(const Tensor& self, const Tensor& src, std::int64_t dim, std::int64_t index) {
  return scatter_into("select_scatter", self, src, [&](const Tensor& x) { return views::select(x, dim, index); });
}

Tensor slice_scatter(const Tensor& self, const Tensor& src, std::int64_t dim, std::optional<std::int64_t> start,
                     std::optional<std::int64_t> end, std::int64_t step) {
  return scatter_into("slice_scatter", self, src,
                      [&](const Tensor& x) { return views::slice(x, dim, start, end, step); });
}

Tensor diagonal_scatter(const Tensor& self, const Tensor& src, std::int64_t offset, std::int64_t dim1,
                        std::int64_t dim2) {
  return scatter_into("diagonal_scatter", self, src,
                      [&](const Tensor& x) { return views::diagonal(x, offset, dim1, dim2); });
}

constexpr OpDefinition kOps[] = {
    define_op<repeat>("aten::repeat(Tensor self, SymInt[] repeats) -> Tensor"),
    define_op<tile>("aten::tile(Tensor self, SymInt[] dims) -> Tensor"),
    define_op<repeat_interleave>(
        "aten::repeat_interleave.Tensor(Tensor repeats, *, SymInt? output_size=None) -> Tensor"),
    define_op<repeat_interleave_tensor>("aten::repeat_interleave.self_Tensor(Tensor self, Tensor repeats, "
                                        "int? dim=None, *, SymInt? output_size=None) -> Tensor"),
    define_op<repeat_interleave_int>("aten::repeat_interleave.self_int(Tensor self, SymInt repeats, int? dim=None, "
                                     "*, SymInt? output_size=None) -> Tensor"),
    define_op<roll>("aten::roll(Tensor self, SymInt[1] shifts, int[1] dims=[]) -> Tensor"),
    define_op<flip>("aten::flip(Tensor self, int[] dims) -> Tensor"),
    define_op<fliplr>("aten::fliplr(Tensor self) -> Tensor"),
    define_op<flipud>("aten::flipud(Tensor self) -> Tensor"),
    define_op<rot90>("aten::rot90(Tensor self, int k=1, int[] dims=[0, 1]) -> Tensor"),
    define_op<diag>("aten::diag(Tensor self, int diagonal=0) -> Tensor"),
    define_op<diagflat>("aten::diagflat(Tensor self, int offset=0) -> Tensor"),
    define_op<diag_embed>("aten::diag_embed(Tensor self, int offset=0, int dim1=-2, int dim2=-1) -> Tensor"),
    define_op<select_scatter>("aten::select_scatter(Tensor self, Tensor src, int dim, SymInt index) -> Tensor"),
    define_op<slice_scatter>("aten::slice_scatter(Tensor self, Tensor src, int dim=0, SymInt? start=None, "
                             "SymInt? end=None, SymInt step=1) -> Tensor"),
    define_op<diagonal_scatter>(
        "aten::diagonal_scatter(Tensor self, Tensor src, int offset=0, int dim1=0, int dim2=1) -> Tensor"),
};

}  // namespace

std::span<const OpDefinition> copy_ops() { return kOps; }

}  // namespace threadwheel
