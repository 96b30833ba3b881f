// The engine of reductions: which dimensions go, how the elements of the others are walked, how terms are combined.
// The order in which the terms of one output are combined depends on shapes only, never on the number of threads:
// long runs go through parallel_reduce, which promises that, and short ones are one loop.
//
// An op brings a reducer for the type that its dtype is computed in:
//   using Total;                                    what terms are combined into
//   static constexpr bool kOrdered;                 whether terms must come in order, as for the first of equals
//   Total identity() const;
//   Total add(Total, T term, std::int64_t index) const;   the index counts along the reduced dimensions
//   Total combine(Total, Total) const;
// and a function that stores output i, made from a total.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "ops/shared/elementwise.h"
#include "threadwheel/parallel.h"

namespace threadwheel {

using MaybeDims = std::optional<std::span<const std::int64_t>>;

// float32 is summed in double: exact enough for any length, and memory is the limit, not arithmetic.
template <class T>
using SumType = std::conditional_t<std::is_integral_v<T>, std::uint64_t,
                                   std::conditional_t<kIsComplex<T>, std::complex<double>, double>>;

namespace detail {

// Terms per chunk of one reduction; also the least work that is worth a second thread.
inline constexpr std::int64_t kReduceGrain = 32768;

// A run of n terms, `step` apart, the first of index `first`. Terms go round over a fixed set of lanes, so that the
// loop can use vectors of any width without changing a bit of the result.
template <class T, class Reducer>
THREADWHEEL_KERNEL typename Reducer::Total reduce_run(const T* x, std::int64_t step, std::int64_t n,
                                                      std::int64_t first, Reducer reducer) {
  constexpr std::int64_t kLanes = Reducer::kOrdered ? 1 : 32;
  typename Reducer::Total lanes[kLanes];
  for (auto& lane : lanes) lane = reducer.identity();
  const std::int64_t whole = n / kLanes * kLanes;
  if (step == 1) {
    for (std::int64_t i = 0; i < whole; i += kLanes)
      for (std::int64_t lane = 0; lane < kLanes; ++lane)
        lanes[lane] = reducer.add(lanes[lane], x[i + lane], first + i + lane);
  } else {
    for (std::int64_t i = 0; i < whole; i += kLanes)
      for (std::int64_t lane = 0; lane < kLanes; ++lane)
        lanes[lane] = reducer.add(lanes[lane], x[(i + lane) * step], first + i + lane);
  }
  for (std::int64_t i = whole; i < n; ++i) lanes[i - whole] = reducer.add(lanes[i - whole], x[i * step], first + i);
  for (std::int64_t width = kLanes / 2; width > 0; width /= 2)
    for (std::int64_t lane = 0; lane < width; ++lane) lanes[lane] = reducer.combine(lanes[lane], lanes[lane + width]);
  return lanes[0];
}

// Adds `rows` rows, `row_step` apart, each of `columns` dense elements, into `totals`.
template <class T, class Reducer>
THREADWHEEL_KERNEL void reduce_rows(const T* x, std::int64_t row_step, std::int64_t rows, std::int64_t columns,
                                    typename Reducer::Total* totals, Reducer reducer) {
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t column = 0; column < columns; ++column)
      totals[column] = reducer.add(totals[column], x[row * row_step + column], row);
}

}  // namespace detail

// Which dimensions of a tensor go, and what stays.
class Reduction {
 public:
  // `dims` counts from the end when negative; none given means all.
  Reduction(const char* op, const Tensor& input, MaybeDims dims, bool keepdim);

  const char* op() const noexcept { return op_; }
  // The result's sizes.
  const Dims& sizes() const noexcept { return sizes_; }
  // Terms of one output.
  std::int64_t length() const noexcept { return length_; }

  // Calls store(i, total) for each output, in parallel for large tensors. The input's dtype must be T's.
  template <class T, class Reducer, class Store>
  void run(const Tensor& input, const Reducer& reducer, const Store& store) const;

 private:
  // A view as [outer, length, inner], of which `length` is reduced. Strides count elements.
  struct Layout {
    std::int64_t outer, length, inner;
    std::int64_t outer_step, length_step, inner_step;
  };

  static bool merge(const Tensor& x, std::size_t first, std::size_t last, std::int64_t& size, std::int64_t& step);
  Tensor arrange(const Tensor& x, Layout& layout) const;
  template <class T, class Reducer, class Store>
  void run_columns(const T* x, const Layout& layout, const Reducer& reducer, const Store& store) const;

  const char* op_;
  std::vector<bool> reduced_;
  Dims sizes_;
  std::int64_t length_ = 1, count_ = 1;
};

// Down the rows, a block of columns at a time: dense reads, and totals that stay in the first-level cache.
template <class T, class Reducer, class Store>
void Reduction::run_columns(const T* x, const Layout& layout, const Reducer& reducer, const Store& store) const {
  constexpr std::int64_t kBlock = 512;
  const std::int64_t blocks = (layout.inner + kBlock - 1) / kBlock;
  const std::int64_t work = std::max<std::int64_t>(1, layout.length * kBlock);
  const std::int64_t grain = std::max<std::int64_t>(1, detail::kReduceGrain / work);
  parallel_for(0, layout.outer * blocks, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t row = i / blocks, column = i % blocks * kBlock;
      const std::int64_t columns = std::min(kBlock, layout.inner - column);
      std::array<typename Reducer::Total, kBlock> totals;
      std::fill_n(totals.begin(), columns, reducer.identity());
      detail::reduce_rows(x + row * layout.outer_step + column, layout.length_step, layout.length, columns,
                          totals.data(), reducer);
      for (std::int64_t j = 0; j < columns; ++j)
        store(row * layout.inner + column + j, totals[static_cast<std::size_t>(j)]);
    }
  });
}

template <class T, class Reducer, class Store>
void Reduction::run(const Tensor& input, const Reducer& reducer, const Store& store) const {
  using Total = typename Reducer::Total;
  if (input.numel() == 0) {  // strides of empty tensors mean nothing
    for (std::int64_t i = 0; i < count_; ++i) store(i, reducer.identity());
    return;
  }
  Layout layout{};
  const Tensor arranged = arrange(input, layout);
  const T* const x = arranged.data<const T>();
  if (layout.inner > 1 && layout.inner_step == 1) return run_columns(x, layout, reducer, store);
  const auto one = [&](std::int64_t i) {
    const T* start = x + i / layout.inner * layout.outer_step + i % layout.inner * layout.inner_step;
    const auto chunk = [&](std::int64_t begin, std::int64_t end, const Total&) {
      return detail::reduce_run(start + begin * layout.length_step, layout.length_step, end - begin, begin, reducer);
    };
    store(i, parallel_reduce(0, layout.length, detail::kReduceGrain, reducer.identity(), chunk,
                             [&](const Total& a, const Total& b) { return reducer.combine(a, b); }));
  };
  if (count_ < get_num_threads()) {  // few outputs: each uses the pool on its own, with the same bits
    for (std::int64_t i = 0; i < count_; ++i) one(i);
    return;
  }
  const std::int64_t grain = std::max<std::int64_t>(1, detail::kReduceGrain / layout.length);
  parallel_for(0, count_, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) one(i);
  });
}

// Calls visitor.operator()<T>(input in T) for the type that `dtype` is computed in, of those in `Types`.
template <class... Ts, class Visitor>
void visit_computed(TypeList<Ts...> types, const char* op, const Tensor& input, Visitor&& visitor) {
  const DType compute = compute_dtype(input.dtype());
  if (((compute != DTypeOf<Ts>::value) && ...))
    throw Error(ErrorCode::kUnsupported, std::string(op) + ": unsupported dtype " + dtype_name(input.dtype()) +
                                             "; supported are " + detail::supported_types(types, true));
  const Tensor x = convert(input, compute, op);
  static_cast<void>(((compute == DTypeOf<Ts>::value && (visitor.template operator()<Ts>(x), true)) || ...));
}

// The result of a reduction with one output per total: finish(total) of each, a Result, in `dtype`.
template <class T, class Result, class Reducer, class Finish>
Tensor reduce_to(const Reduction& reduction, const Tensor& x, DType dtype, const Reducer& reducer, Finish finish) {
  const Tensor out = Tensor::empty(reduction.sizes(), DTypeOf<Result>::value);
  Result* const data = out.data<Result>();
  reduction.run<T>(x, reducer, [&](std::int64_t i, const typename Reducer::Total& total) {
    data[i] = convert_value<Result>(finish(total));
  });
  return convert(out, dtype, reduction.op());
}

}  // namespace threadwheel
