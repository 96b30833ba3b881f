// Looking values up: embedding tables, sorted boundaries.
#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "ops/families.h"
#include "ops/shared/checks.h"
#include "ops/shared/elementwise.h"
#include "ops/shared/moves.h"
#include "ops/shared/shapes.h"
#include "ops/shared/views.h"
#include "threadwheel/parallel.h"

namespace threadwheel {
namespace {

using Positions = std::span<const std::int64_t>;

Positions as_positions(const Tensor& dense) {
  return {dense.data<const std::int64_t>(), static_cast<std::size_t>(dense.numel())};
}

void check_positions(const char* op, Positions positions, std::int64_t size) {
  for (const std::int64_t position : positions)
    if (position < 0 || position >= size)
      throw Error(ErrorCode::kIndex, std::string(op) + ": index " + std::to_string(position) +
                                         " is out of bounds for a table of " + std::to_string(size) + " rows");
}

// weight: [rows, columns], indices: any shape -> [..., columns]. The last three arguments matter to training only.
Tensor embedding(const Tensor& weight, const Tensor& indices, std::int64_t, bool, bool) {
  if (weight.dim() != 2)
    fail_value("embedding", "weight has sizes " + to_string(weight.sizes()) + "; it must have two dimensions");
  const Tensor positions = to_index("embedding", indices).contiguous();
  check_positions("embedding", as_positions(positions), weight.size(0));
  Dims sizes(indices.sizes().size() + 1, weight.size(1));
  std::ranges::copy(indices.sizes(), sizes.begin());
  return views::reshape(take_slices(weight, 0, as_positions(positions)), sizes);
}

enum BagMode : std::int64_t { kBagSum = 0, kBagMean = 1, kBagMax = 2 };

struct Bags {
  Tensor weight, indices, starts;  // dense; starts has one more than there are bags
  Tensor factors;                  // per index, or undefined
  std::int64_t mode;
  std::int64_t padding;  // rows of this number are left out; -1: none
};

// The bags' borders in the list of indices, the end of the last included.
Tensor bag_starts(const Tensor& offsets, std::int64_t num_indices, bool include_last_offset) {
  const Tensor given = to_index("embedding_bag", offsets).contiguous();
  const std::int64_t bags = given.numel() - (include_last_offset ? 1 : 0);
  if (bags < 0) fail_value("embedding_bag", "offsets are empty; with include_last_offset there must be one");
  Tensor starts = Tensor::empty(Dims{bags + 1}, DType::kInt64);
  auto* out = starts.data<std::int64_t>();
  std::copy_n(given.data<const std::int64_t>(), bags, out);
  out[bags] = include_last_offset ? given.data<const std::int64_t>()[bags] : num_indices;
  if (bags > 0 && out[0] != 0)
    fail_value("embedding_bag", "the first offset is " + std::to_string(out[0]) + "; it must be 0");
  if (out[bags] != num_indices)
    fail_value("embedding_bag", "the last offset is " + std::to_string(out[bags]) +
                                    "; with include_last_offset it must be " + std::to_string(num_indices) +
                                    ", the number of indices");
  for (std::int64_t i = 0; i <= bags; ++i)
    if (out[i] > num_indices || (i > 0 && out[i] < out[i - 1]))
      fail_value("embedding_bag", "offset " + std::to_string(out[i]) +
                                      " does not follow the one before or lies beyond " + std::to_string(num_indices) +
                                      " indices");
  return starts;
}

Bags make_bags(const Tensor& weight, const Tensor& indices, const Tensor& offsets, std::int64_t mode,
               const std::optional<Tensor>& factors, bool include_last_offset, std::int64_t padding) {
  if (weight.dim() != 2 || indices.dim() != 1 || offsets.dim() != 1)
    fail_value("embedding_bag", "weight has sizes " + to_string(weight.sizes()) + ", indices " +
                                    to_string(indices.sizes()) + " and offsets " + to_string(offsets.sizes()) +
                                    "; they must have 2, 1 and 1 dimensions");
  if (mode < kBagSum || mode > kBagMax)
    fail_value("embedding_bag", "mode is " + std::to_string(mode) + "; it must be 0 (sum), 1 (mean) or 2 (max)");
  if (factors && (mode != kBagSum || factors->sizes() != indices.sizes() || factors->dtype() != weight.dtype()))
    fail_value("embedding_bag", "per_sample_weights have sizes " + to_string(factors->sizes()) +
                                    "; they go with mode 0, the indices' sizes and weight's dtype");
  Bags bags{weight.contiguous(), to_index("embedding_bag", indices).contiguous(),
            bag_starts(offsets, indices.numel(), include_last_offset), factors ? factors->contiguous() : Tensor(),
            mode, padding};
  check_positions("embedding_bag", as_positions(bags.indices), weight.size(0));
  return bags;
}

// One bag: the rows' sum or greatest elements, in `out`; returns the number of rows that count.
template <class T>
std::int64_t fill_bag(const Bags& bags, std::int64_t begin, std::int64_t end, T* out, std::int64_t* greatest) {
  const std::int64_t columns = bags.weight.size(1);
  std::int64_t count = 0;
  for (std::int64_t i = begin; i < end; ++i) {
    const std::int64_t index = bags.indices.data<const std::int64_t>()[i];
    if (index == bags.padding) continue;
    const T* row = bags.weight.data<const T>() + index * columns;
    const T factor = bags.factors.defined() ? bags.factors.data<const T>()[i] : T(1);
    for (std::int64_t c = 0; c < columns; ++c) {
      if (bags.mode != kBagMax) {
        out[c] += bags.factors.defined() ? row[c] * factor : row[c];
      } else if (count == 0 || row[c] > out[c]) {
        out[c] = row[c];
        greatest[c] = index;
      }
    }
    ++count;
  }
  if (bags.mode == kBagMean && count > 0)
    for (std::int64_t c = 0; c < columns; ++c) out[c] /= static_cast<T>(count);
  return count;
}

using BagResult = std::tuple<Tensor, Tensor, Tensor, Tensor>;

// torch's three other results serve its backward pass: the bag of each index, the bags' sizes, and the rows of the
// greatest elements. A sum needs none of them, and they are zeros.
BagResult run_bags(const Bags& bags, std::int64_t num_offsets) {
  const std::int64_t num_bags = bags.starts.numel() - 1, columns = bags.weight.size(1);
  const bool sum = bags.mode == kBagSum, max = bags.mode == kBagMax;
  const auto* starts = bags.starts.data<const std::int64_t>();
  const Tensor result = zeros(Dims{num_bags, columns}, bags.weight.dtype());
  const Tensor sizes = zeros(Dims{num_bags}, DType::kInt64);
  const Tensor greatest = zeros(Dims{max ? num_bags : 0, columns}, DType::kInt64);
  const Tensor owners = zeros(Dims{sum && bags.padding < 0 ? 0 : bags.indices.numel()}, DType::kInt64);
  visit_dtype(FloatingTypes(), bags.weight.dtype(), "embedding_bag", [&]<class T>() {
    const std::int64_t grain = std::max<std::int64_t>(1, 8192 / std::max<std::int64_t>(1, columns));
    parallel_for(0, num_bags, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t bag = begin; bag < end; ++bag)
        sizes.data<std::int64_t>()[bag] =
            fill_bag(bags, starts[bag], starts[bag + 1], result.data<T>() + bag * columns,
                     greatest.data<std::int64_t>() + (max ? bag * columns : 0));
    });
  });
  for (std::int64_t bag = 0; bag < num_bags && owners.numel() > 0; ++bag)
    std::fill(owners.data<std::int64_t>() + starts[bag], owners.data<std::int64_t>() + starts[bag + 1], bag);
  if (sum) return {result, owners, zeros(Dims{num_offsets}, DType::kInt64), zeros(Dims{num_offsets}, DType::kInt64)};
  return {result, owners, sizes, max ? greatest : copy_of(sizes)};
}

BagResult embedding_bag_padding(const Tensor& weight, const Tensor& indices, const Tensor& offsets, bool,
                                std::int64_t mode, bool, const std::optional<Tensor>& per_sample_weights,
                                bool include_last_offset, std::optional<std::int64_t> padding_idx) {
  std::int64_t padding = -1;
  if (padding_idx && weight.dim() == 2) padding = wrap_index("embedding_bag", *padding_idx, weight.size(0));
  return run_bags(make_bags(weight, indices, offsets, mode, per_sample_weights, include_last_offset, padding),
                  offsets.numel());
}

BagResult embedding_bag(const Tensor& weight, const Tensor& indices, const Tensor& offsets, bool, std::int64_t mode,
                        bool, const std::optional<Tensor>& per_sample_weights, bool include_last_offset) {
  return run_bags(make_bags(weight, indices, offsets, mode, per_sample_weights, include_last_offset, -1),
                  offsets.numel());
}

// --- sorted boundaries ----------------------------------------------------------------------------------------------

// The first place in `row`, read through `order` if given, where the value could stand; behind its equals if `right`.
// NaN stands behind all numbers.
template <class T>
std::int64_t find_place(const T* row, const std::int64_t* order, std::int64_t size, T value, bool right) {
  std::int64_t low = 0, high = size;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    const T at = row[order != nullptr ? order[middle] : middle];
    if (right ? !(at > value) : !(at >= value)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

void check_boundaries(const char* op, const Tensor& sorted, const Tensor& values) {
  bool fits = sorted.dim() == 1 || (sorted.dim() >= 1 && sorted.dim() == values.dim());
  for (std::size_t i = 0; sorted.dim() > 1 && fits && i + 1 < sorted.sizes().size(); ++i)
    fits = sorted.size(i) == values.size(i);
  if (!fits)
    fail_value(op, "the boundaries have sizes " + to_string(sorted.sizes()) + " and the values " +
                       to_string(values.sizes()) + "; boundaries must have one dimension, or all but the last alike");
}

bool parse_side(bool right, const std::optional<std::string>& side) {
  if (!side) return right;
  if (*side != "left" && *side != "right")
    fail_value("searchsorted", "side is '" + *side + "'; it must be 'left' or 'right'");
  if (*side == "left" && right) fail_value("searchsorted", "side is 'left' and right is True; give one of them");
  return *side == "right";
}

Tensor search(const char* op, const Tensor& sorted, const Tensor& values, bool out_int32, bool right,
              const std::optional<Tensor>& sorter) {
  check_boundaries(op, sorted, values);
  if (sorter && (sorter->sizes() != sorted.sizes() || sorter->dtype() != DType::kInt64))
    fail_value(op, std::string("the sorter is ") + dtype_name(sorter->dtype()) + " of sizes " +
                       to_string(sorter->sizes()) + "; it must be int64 of the boundaries' sizes");
  const DType common = result_type(sorted, values);
  const bool half = common == DType::kFloat16 || common == DType::kBFloat16;
  const DType dtype = half ? DType::kFloat32 : common;
  const Tensor rows = convert(sorted, dtype, op).contiguous(), x = convert(values, dtype, op).contiguous();
  const Tensor order = sorter ? sorter->contiguous() : Tensor();
  const std::int64_t size = rows.size(rows.sizes().size() - 1);
  if (sorter) check_positions(op, as_positions(order), size);
  Tensor places = Tensor::empty(values.sizes(), DType::kInt64);
  const std::int64_t per_row = sorted.dim() == 1 ? x.numel() : x.dim() > 0 ? x.size(x.sizes().size() - 1) : 1;
  visit_dtype(RealAndBoolTypes(), dtype, op, [&]<class T>() {
    parallel_for(0, x.numel(), 1024, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t start = i / per_row * size;
        places.data<std::int64_t>()[i] =
            find_place(rows.data<const T>() + start, sorter ? order.data<const std::int64_t>() + start : nullptr, size,
                       x.data<const T>()[i], right);
      }
    });
  });
  return out_int32 ? convert(places, DType::kInt32, op) : places;
}

Tensor bucketize(const Tensor& self, const Tensor& boundaries, bool out_int32, bool right) {
  if (boundaries.dim() != 1)
    fail_value("bucketize", "the boundaries have sizes " + to_string(boundaries.sizes()) +
                                "; they must have one dimension");
  return search("bucketize", boundaries, self, out_int32, right, std::nullopt);
}

// A number is compared in its common dtype with the boundaries.
Tensor number_like(const Tensor& boundaries, Scalar number) {
  return scalar_tensor(number, result_type(boundaries, number));
}

Tensor bucketize_scalar(Scalar self, const Tensor& boundaries, bool out_int32, bool right) {
  return bucketize(number_like(boundaries, self), boundaries, out_int32, right);
}

std::optional<std::string> to_side(const Value& side) {
  return side.is_none() ? std::nullopt : std::optional(side.to_string());
}

Tensor searchsorted_tensor(const Tensor& sorted_sequence, const Tensor& self, bool out_int32, bool right,
                           const Value& side, const std::optional<Tensor>& sorter) {
  return search("searchsorted", sorted_sequence, self, out_int32, parse_side(right, to_side(side)), sorter);
}

Tensor searchsorted_scalar(const Tensor& sorted_sequence, Scalar self, bool out_int32, bool right, const Value& side,
                           const std::optional<Tensor>& sorter) {
  return search("searchsorted", sorted_sequence, number_like(sorted_sequence, self), out_int32,
                parse_side(right, to_side(side)), sorter);
}

constexpr OpDefinition kOps[] = {
    define_op<embedding>("aten::embedding(Tensor weight, Tensor indices, SymInt padding_idx=-1, "
                         "bool scale_grad_by_freq=False, bool sparse=False) -> Tensor"),
    define_op<in_float<embedding_bag>>(
        "aten::embedding_bag(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq=False, "
        "int mode=0, bool sparse=False, Tensor? per_sample_weights=None, bool include_last_offset=False) -> "
        "(Tensor, Tensor, Tensor, Tensor)"),
    define_op<in_float<embedding_bag_padding>>(
        "aten::embedding_bag.padding_idx(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq, "
        "int mode, bool sparse, Tensor? per_sample_weights, bool include_last_offset, int? padding_idx) -> "
        "(Tensor, Tensor, Tensor, Tensor)"),
    define_op<searchsorted_tensor>(
        "aten::searchsorted.Tensor(Tensor sorted_sequence, Tensor self, *, bool out_int32=False, bool right=False, "
        "str? side=None, Tensor? sorter=None) -> Tensor"),
    define_op<searchsorted_scalar>(
        "aten::searchsorted.Scalar(Tensor sorted_sequence, Scalar self, *, bool out_int32=False, bool right=False, "
        "str? side=None, Tensor? sorter=None) -> Tensor"),
    define_op<bucketize>(
        "aten::bucketize.Tensor(Tensor self, Tensor boundaries, *, bool out_int32=False, bool right=False) -> Tensor"),
    define_op<bucketize_scalar>(
        "aten::bucketize.Scalar(Scalar self, Tensor boundaries, *, bool out_int32=False, bool right=False) -> Tensor"),
};

}  // namespace

std::span<const OpDefinition> lookup_ops() { return kOps; }

}  // namespace threadwheel
