// Padding: with a value, or with the tensor's own elements, mirrored, repeated or taken round.
#include <algorithm>
#include <string>
#include <vector>

#include "ops/families.h"
#include "ops/shared/checks.h"
#include "ops/shared/moves.h"
#include "ops/shared/views.h"

namespace threadwheel {
namespace {

using views::Ints;

// Paddings come in pairs (before, after), the last dimension's first.
void check_pairs(const char* op, const Tensor& self, Ints pad) {
  if (pad.size() % 2 != 0 || pad.size() / 2 > self.sizes().size())
    fail_value(op, "pad is " + to_string(pad) + " for sizes " + to_string(self.sizes()) +
                       "; give two numbers for each dimension to pad, the last dimension first");
}

std::int64_t padded_size(const char* op, std::int64_t size, std::int64_t before, std::int64_t after, Ints pad) {
  std::int64_t result = 0;
  if (__builtin_add_overflow(size, before, &result) || __builtin_add_overflow(result, after, &result) || result < 0)
    fail_value(op, "pad " + to_string(pad) + " leaves a dimension of size " + std::to_string(size) +
                       " with fewer than 0 elements");
  return result;
}

Tensor constant_pad(const Tensor& self, Ints pad, Scalar value) {
  check_pairs("constant_pad_nd", self, pad);
  Tensor source = self;
  Dims sizes = self.sizes();
  std::vector<std::int64_t> starts(sizes.size());
  for (std::size_t i = 0; i < pad.size() / 2; ++i) {
    const std::size_t dim = sizes.size() - 1 - i;
    const std::int64_t before = pad[2 * i], after = pad[2 * i + 1];
    sizes[dim] = padded_size("constant_pad_nd", sizes[dim], before, after, pad);
    starts[dim] = std::max<std::int64_t>(before, 0);
    // A negative padding cuts off.
    const std::int64_t cut = before < 0 ? -before : 0, rest = self.size(dim) - cut + std::min<std::int64_t>(after, 0);
    source = views::narrow(source, static_cast<std::int64_t>(dim), std::min(cut, self.size(dim)),
                           std::max<std::int64_t>(rest, 0));
  }
  Tensor result = Tensor::empty(sizes, self.dtype());
  fill(result, value);
  Tensor inside = result;
  for (std::size_t dim = 0; dim < sizes.size(); ++dim)
    inside = views::narrow(inside, static_cast<std::int64_t>(dim), source.size(dim) == 0 ? 0 : starts[dim],
                           source.size(dim));
  copy_elements(source, inside);
  return result;
}

enum class Border { kReflect, kReplicate, kCircular };

constexpr const char* border_name(Border border) {
  return border == Border::kReflect ? "reflect" : border == Border::kReplicate ? "replicate" : "circular";
}

// Which element of a dimension stands at each place of the padded one.
std::vector<std::int64_t> source_positions(Border border, std::int64_t size, std::int64_t before, std::int64_t after,
                                           Ints pad) {
  const std::int64_t least = border == Border::kReflect ? size - 1 : size;
  if (border != Border::kReplicate && (before > least || after > least))
    fail_value("pad", "pad " + to_string(pad) + " is too much for a dimension of size " + std::to_string(size) +
                          " in mode '" + border_name(border) + "'; it may be up to " + std::to_string(least));
  const std::int64_t length = padded_size("pad", size, before, after, pad);
  if (size == 0 && length > 0) fail_value("pad", "a dimension of size 0 has no elements to pad with");
  // What negative pads cut off takes no part in going around.
  const std::int64_t first = std::max<std::int64_t>(-before, 0), kept = size - first - std::max<std::int64_t>(-after, 0);
  if (border == Border::kCircular && kept < 1 && length > 0)
    fail_value("pad", "pad " + to_string(pad) + " leaves nothing of a dimension of size " + std::to_string(size) +
                          " to go around");
  std::vector<std::int64_t> positions(static_cast<std::size_t>(length));
  for (std::int64_t i = 0; i < length; ++i) {
    std::int64_t position = i - before;
    if (border == Border::kReflect) {
      if (position < 0) position = -position;
      if (position >= size) position = 2 * (size - 1) - position;
    } else if (border == Border::kReplicate) {
      position = std::clamp<std::int64_t>(position, 0, size - 1);
    } else {
      position = first + ((position - first) % kept + kept) % kept;
    }
    positions[static_cast<std::size_t>(i)] = position;
  }
  return positions;
}

Tensor pad_with_border(const Tensor& self, Ints pad, Border border) {
  check_pairs("pad", self, pad);
  // Inputs are [batch, channels, ...] or without the batch: one or two dimensions are not padded.
  const std::int64_t spatial = static_cast<std::int64_t>(pad.size()) / 2, others = self.dim() - spatial;
  if (spatial < 1 || spatial > 3 || others < 1 || others > 2)
    fail_value("pad", std::string("mode '") + border_name(border) + "' pads the last 1, 2 or 3 dimensions of a tensor "
                          "with one or two more; pad is " + to_string(pad) + " for sizes " + to_string(self.sizes()));
  Tensor result = self;
  for (std::size_t i = 0; i < pad.size() / 2; ++i) {
    const std::size_t dim = self.sizes().size() - 1 - i;
    if (pad[2 * i] == 0 && pad[2 * i + 1] == 0) continue;
    result = take_slices(result, dim, source_positions(border, self.size(dim), pad[2 * i], pad[2 * i + 1], pad));
  }
  return result.is(self) ? copy_of(self) : result;
}

template <Border Kind>
Tensor border_pad(const Tensor& self, Ints padding) {
  return pad_with_border(self, padding, Kind);
}

Tensor pad(const Tensor& self, Ints pad, const std::string& mode, std::optional<double> value) {
  if (mode == "constant") return constant_pad(self, pad, value.value_or(0.0));
  if (value && *value != 0)
    fail_value("pad", "value is " + std::to_string(*value) + " in mode '" + mode + "'; only 'constant' takes one");
  for (const Border border : {Border::kReflect, Border::kReplicate, Border::kCircular})
    if (mode == border_name(border)) return pad_with_border(self, pad, border);
  fail_value("pad", "mode is '" + mode + "'; it must be 'constant', 'reflect', 'replicate' or 'circular'");
}

constexpr OpDefinition kOps[] = {
    define_op<pad>("aten::pad(Tensor self, SymInt[] pad, str mode=\"constant\", float? value=None) -> Tensor"),
    define_op<constant_pad>("aten::constant_pad_nd(Tensor self, SymInt[] pad, Scalar value=0) -> Tensor"),
    define_op<border_pad<Border::kReflect>>("aten::reflection_pad1d(Tensor self, SymInt[2] padding) -> Tensor"),
    define_op<border_pad<Border::kReflect>>("aten::reflection_pad2d(Tensor self, SymInt[4] padding) -> Tensor"),
    define_op<border_pad<Border::kReflect>>("aten::reflection_pad3d(Tensor self, SymInt[6] padding) -> Tensor"),
    define_op<border_pad<Border::kReplicate>>("aten::replication_pad1d(Tensor self, SymInt[2] padding) -> Tensor"),
    define_op<border_pad<Border::kReplicate>>("aten::replication_pad2d(Tensor self, SymInt[4] padding) -> Tensor"),
    define_op<border_pad<Border::kReplicate>>("aten::replication_pad3d(Tensor self, SymInt[6] padding) -> Tensor"),
    define_op<border_pad<Border::kCircular>>("aten::_pad_circular(Tensor self, SymInt[] pad) -> Tensor"),
};

}  // namespace

std::span<const OpDefinition> padding_ops() { return kOps; }

}  // namespace threadwheel
