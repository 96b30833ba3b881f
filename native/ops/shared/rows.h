// Reductions of a dense row, for kernels. Terms go round over a fixed set of lanes, so that vectors of any width give
// the same bits.
#pragma once

#include <cstdint>
#include <limits>

#include "tensor/isa.h"

namespace threadwheel::rows {

// join of `first` and term(x[i]) over all i.
template <class T, class Total, class Term, class Join>
THREADWHEEL_INLINE Total fold(const T* x, std::int64_t n, Total first, Term term, Join join) {
  constexpr std::int64_t kLanes = 32;
  Total lanes[kLanes];
  for (Total& lane : lanes) lane = first;
  const std::int64_t whole = n / kLanes * kLanes;
  for (std::int64_t i = 0; i < whole; i += kLanes)
    for (std::int64_t lane = 0; lane < kLanes; ++lane) lanes[lane] = join(lanes[lane], term(x[i + lane]));
  for (std::int64_t i = whole; i < n; ++i) lanes[i - whole] = join(lanes[i - whole], term(x[i]));
#pragma GCC unroll 5  // with known widths the lanes stay in registers
  for (std::int64_t width = kLanes / 2; width > 0; width /= 2)
    for (std::int64_t lane = 0; lane < width; ++lane) lanes[lane] = join(lanes[lane], lanes[lane + width]);
  return lanes[0];
}

// The largest element other than NaN; -inf of none.
template <class T>
THREADWHEEL_INLINE T max(const T* x, std::int64_t n) {
  return fold(
      x, n, -std::numeric_limits<T>::infinity(), [](T term) { return term; },
      [](T most, T term) { return term > most ? term : most; });
}

template <class Total, class T, class Term>
THREADWHEEL_INLINE Total sum(const T* x, std::int64_t n, Term term) {
  return fold(x, n, Total(0), term, [](Total total, Total value) { return total + value; });
}

template <class Total, class T>
THREADWHEEL_INLINE Total sum(const T* x, std::int64_t n) {
  return sum<Total>(x, n, [](T term) { return static_cast<Total>(term); });
}

}  // namespace threadwheel::rows
