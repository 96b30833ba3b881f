// The OpenMP runtime alone, as a program would use it: one parallel loop with a static schedule.
#include <omp.h>

#include <future>

#include "harness.h"

namespace {

struct Runtime {
  static inline int num_threads = 1;

  static void configure(const bench::Arguments& arguments) { num_threads = arguments.threads(); }

  template <class Body>
  static void parallel_for(std::int64_t n, std::int64_t, const Body& body) {
#pragma omp parallel for schedule(static) num_threads(num_threads)
    for (int thread = 0; thread < num_threads; ++thread) body(n * thread / num_threads, n * (thread + 1) / num_threads);
  }

  // Not OpenMP's: it has no task that outlives its region. What a program without a pool does.
  static void launch_and_wait() { std::async(std::launch::async, [] {}).get(); }
};

}  // namespace

int main(int argc, char** argv) { return bench::main<Runtime>(argc, argv); }
