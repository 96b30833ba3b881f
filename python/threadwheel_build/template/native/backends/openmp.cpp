#include "../backend.h"

std::int64_t sum_of_squares(std::int64_t n) {
  std::int64_t sum = 0;
#pragma omp parallel for reduction(+ : sum)
  for (std::int64_t i = 0; i < n; ++i) sum += i * i;
  return sum;
}
