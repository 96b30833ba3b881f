#include <algorithm>
#include <numeric>
#include <thread>
#include <vector>

#include "../backend.h"

std::int64_t sum_of_squares(std::int64_t n) {
  const std::int64_t count = std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::int64_t> sums(count);
  std::vector<std::thread> threads;
  for (std::int64_t part = 0; part < count; ++part) {
    threads.emplace_back([&, part] {
      std::int64_t sum = 0;
      for (std::int64_t i = part; i < n; i += count) sum += i * i;
      sums[part] = sum;
    });
  }
  for (std::thread& thread : threads) thread.join();
  return std::accumulate(sums.begin(), sums.end(), std::int64_t{0});
}
