// threadwheel, through its installed CMake package. Built once, run with the library of each wheel.
#include <threadwheel/at.h>

#include "harness.h"

namespace {

struct Runtime {
  static void configure(const bench::Arguments& arguments) { at::set_num_threads(arguments.threads()); }

  template <class Body>
  static void parallel_for(std::int64_t n, std::int64_t grain, const Body& body) {
    at::parallel_for(0, n, grain, body);
  }

  static void launch_and_wait() { at::launch_future([] {}).wait(); }
};

// How much faster a reduction over 16M floats is on the threads set than on one. In turns.
bench::Results reduce(const bench::Arguments& arguments) {
  constexpr std::int64_t kElements = 1 << 24, kGrain = 32768, kLanes = 16;
  const std::vector<float> x(kElements, 0.5F);
  float result[2]{};
  const auto sum = [&](std::int64_t begin, std::int64_t end, float total) {
    float lanes[kLanes]{};
    for (; begin + kLanes <= end; begin += kLanes)
      for (std::int64_t i = 0; i < kLanes; ++i) lanes[i] += x[static_cast<std::size_t>(begin + i)];
    for (; begin < end; ++begin) total += x[static_cast<std::size_t>(begin)];
    for (const float lane : lanes) total += lane;
    return total;
  };
  const auto seconds = [&](int place) {
    const auto start = bench::Clock::now();
    result[place] = at::parallel_reduce(0, kElements, kGrain, 0.0F, sum, [](float a, float b) { return a + b; });
    return bench::seconds_since(start);
  };
  std::vector<double> serial, parallel, ratios;
  for (const auto start = bench::Clock::now(); bench::seconds_since(start) < arguments.number("seconds", 0.5);) {
    {
      const threadwheel::NumThreadsScope one(1);
      serial.push_back(seconds(0));
    }
    parallel.push_back(seconds(1));
    ratios.push_back(serial.back() / parallel.back());
  }
  return {{"speedup", bench::median(ratios)},
          {"serial_ms", bench::median(serial) * 1e3},
          {"parallel_ms", bench::median(parallel) * 1e3},
          {"same_bits", result[0] == result[1]}};
}

}  // namespace

int main(int argc, char** argv) { return bench::main<Runtime>(argc, argv, {{"reduce", reduce}}); }
