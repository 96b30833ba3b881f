#include <tbb/blocked_range.h>
#include <tbb/parallel_reduce.h>

#include <functional>

#include "../engine.h"

double dot(const double* a, const double* b, long n) {
  const auto part = [&](const tbb::blocked_range<long>& range, double sum) {
    for (long i = range.begin(); i != range.end(); ++i) sum += a[i] * b[i];
    return sum;
  };
  return tbb::parallel_reduce(tbb::blocked_range<long>(0, n), 0.0, part, std::plus<>());
}
