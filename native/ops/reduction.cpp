// Reductions. The order in which the terms of one output are combined depends on shapes only, never on the number
// of threads: long runs go through parallel_reduce, which promises that, and short ones are one loop.
#include <algorithm>
#include <array>
#include <string>

#include "ops/elementwise.h"
#include "ops/families.h"
#include "threadwheel/error.h"
#include "threadwheel/parallel.h"

namespace threadwheel {
namespace {

// Terms per chunk of one sum; also the least work that is worth a second thread.
constexpr std::int64_t kGrain = 32768;

// float32 is summed in double: exact enough for any length, and memory is the limit, not arithmetic.
template <class T>
using Accumulator = std::conditional_t<std::is_floating_point_v<T>, double, std::uint64_t>;

// A sum of n elements, `step` apart. Terms go round over a fixed set of lanes, so that the loop can use vectors of
// any width without changing a bit of the result.
template <class T>
THREADWHEEL_KERNEL Accumulator<T> sum_run(const T* x, std::int64_t step, std::int64_t n) {
  constexpr std::int64_t kLanes = 32;
  Accumulator<T> lanes[kLanes] = {};
  const std::int64_t whole = n / kLanes * kLanes;
  if (step == 1) {
    for (std::int64_t i = 0; i < whole; i += kLanes)
      for (std::int64_t lane = 0; lane < kLanes; ++lane) lanes[lane] += static_cast<Accumulator<T>>(x[i + lane]);
  } else {
    for (std::int64_t i = 0; i < whole; i += kLanes)
      for (std::int64_t lane = 0; lane < kLanes; ++lane)
        lanes[lane] += static_cast<Accumulator<T>>(x[(i + lane) * step]);
  }
  for (std::int64_t i = whole; i < n; ++i) lanes[i - whole] += static_cast<Accumulator<T>>(x[i * step]);
  for (std::int64_t width = kLanes / 2; width > 0; width /= 2)
    for (std::int64_t lane = 0; lane < width; ++lane) lanes[lane] += lanes[lane + width];
  return lanes[0];
}

// Adds `rows` rows, `row_step` apart, each of `columns` dense elements, into `totals`.
template <class T>
THREADWHEEL_KERNEL void sum_rows(const T* x, std::int64_t row_step, std::int64_t rows, std::int64_t columns,
                                 Accumulator<T>* totals) {
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t column = 0; column < columns; ++column)
      totals[column] += static_cast<Accumulator<T>>(x[row * row_step + column]);
}

template <class T>
Accumulator<T> sum_long_run(const T* x, std::int64_t step, std::int64_t n) {
  using A = Accumulator<T>;
  const auto sum_chunk = [&](std::int64_t begin, std::int64_t end, A) {
    return sum_run(x + begin * step, step, end - begin);
  };
  return parallel_reduce(0, n, kGrain, A(0), sum_chunk, [](A a, A b) { return a + b; });
}

// A view as [outer, length, inner], of which `length` is summed over. Strides count elements.
struct Layout {
  std::int64_t outer, length, inner;
  std::int64_t outer_step, length_step, inner_step;
};

template <class T, class Out>
void sum_into(const T* x, const Layout& layout, Out* out) {
  using A = Accumulator<T>;
  if (layout.inner > 1 && layout.inner_step == 1) {
    // Down the rows, a block of columns at a time: dense reads, and totals that stay in the first-level cache.
    constexpr std::int64_t kBlock = 512;
    const std::int64_t blocks = (layout.inner + kBlock - 1) / kBlock;
    const std::int64_t grain = std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, layout.length * kBlock));
    parallel_for(0, layout.outer * blocks, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t row = i / blocks, column = i % blocks * kBlock;
        const std::int64_t columns = std::min(kBlock, layout.inner - column);
        std::array<A, kBlock> totals{};
        sum_rows(x + row * layout.outer_step + column, layout.length_step, layout.length, columns, totals.data());
        for (std::int64_t j = 0; j < columns; ++j) out[row * layout.inner + column + j] = static_cast<Out>(totals[j]);
      }
    });
    return;
  }
  const auto one = [&](std::int64_t i) {
    const T* start = x + i / layout.inner * layout.outer_step + i % layout.inner * layout.inner_step;
    out[i] = static_cast<Out>(sum_long_run(start, layout.length_step, layout.length));
  };
  const std::int64_t count = layout.outer * layout.inner;
  if (count < get_num_threads()) {  // few sums: each uses the pool on its own, with the same bits
    for (std::int64_t i = 0; i < count; ++i) one(i);
    return;
  }
  const std::int64_t grain = std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, layout.length));
  parallel_for(0, count, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) one(i);
  });
}

// One run of dimensions [first, last) as a single size and step; false when their strides do not continue each other.
bool merge(const Tensor& x, std::size_t first, std::size_t last, std::int64_t& size, std::int64_t& step) {
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

// Which dimensions are summed over: `dims` counts from the end when negative; none given means all.
std::vector<bool> reduced_dims(std::int64_t rank, std::optional<std::span<const std::int64_t>> dims) {
  const auto size = static_cast<std::size_t>(rank);
  if (!dims || dims->empty()) return std::vector<bool>(size, true);
  std::vector<bool> reduced(size, false);
  const std::int64_t most = std::max<std::int64_t>(rank, 1) - 1, least = -most - 1;  // a number has dimension 0 here
  for (const std::int64_t dim : *dims) {
    if (dim < least || dim > most)
      throw Error(ErrorCode::kValue, "sum: dim is " + std::to_string(dim) + " for a tensor of " + std::to_string(rank) +
                                         " dimensions; expected " + std::to_string(least) + " to " +
                                         std::to_string(most));
    if (rank == 0) continue;
    const auto index = static_cast<std::size_t>(dim < 0 ? dim + rank : dim);
    if (reduced[index])
      throw Error(ErrorCode::kValue, "sum: dim " + std::to_string(dim) + " is given twice; name each dimension once");
    reduced[index] = true;
  }
  return reduced;
}

// The tensor as a Layout. Sums over dimensions that do not lie together get a copy with those last.
Tensor arrange(const Tensor& x, const std::vector<bool>& reduced, Layout& layout) {
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

Tensor zeros(const Dims& sizes) {
  const Tensor zero = scalar_tensor(false, DType::kBool);
  return broadcast_to(zero, sizes);
}

// self: any shape -> without the dimensions of `dim` (size 1 each with keepdim). Integers and bools sum to int64.
Tensor sum_dims(const Tensor& self, std::optional<std::span<const std::int64_t>> dim, bool keepdim,
                std::optional<DType> dtype) {
  const bool integral = dtype_info(self.dtype()).category <= DTypeCategory::kInteger;
  const DType result_dtype = dtype.value_or(integral ? DType::kInt64 : self.dtype());
  const Tensor input = dtype ? convert(self, *dtype, "sum") : self;
  const std::vector<bool> reduced = reduced_dims(self.dim(), dim);
  Dims kept(static_cast<std::size_t>(keepdim ? self.dim() : std::ranges::count(reduced, false)), 1);
  for (std::size_t i = 0, k = 0; i < reduced.size(); ++i) {
    if (!reduced[i]) kept[k] = self.size(i);
    if (!reduced[i] || keepdim) ++k;
  }
  if (input.numel() == 0) return convert(zeros(kept), result_dtype, "sum");  // strides of empty tensors mean nothing
  Tensor out = Tensor::empty(kept, result_dtype);
  Layout layout{};
  const Tensor x = arrange(input, reduced, layout);
  visit_dtype(RealAndBoolTypes(), x.dtype(), "sum", [&]<class T>() {
    using Own = std::conditional_t<std::is_floating_point_v<T>, T, std::int64_t>;
    if (DTypeOf<Own>::value == result_dtype) {
      sum_into(x.data<const T>(), layout, out.data<Own>());
    } else {  // an integer dtype that was asked for: the low bits of the sum
      Tensor wide = Tensor::empty(out.sizes(), DTypeOf<Own>::value);
      sum_into(x.data<const T>(), layout, wide.data<Own>());
      out = convert(wide, result_dtype, "sum");
    }
  });
  return out;
}

Tensor sum(const Tensor& self, std::optional<DType> dtype) { return sum_dims(self, std::nullopt, false, dtype); }

constexpr OpDefinition kOps[] = {
    define_op<sum>("aten::sum(Tensor self, *, ScalarType? dtype=None) -> Tensor"),
    define_op<sum_dims>(
        "aten::sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor"),
};

}  // namespace

std::span<const OpDefinition> reduction_ops() { return kOps; }

}  // namespace threadwheel
