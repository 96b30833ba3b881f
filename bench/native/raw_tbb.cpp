// oneTBB alone, as a program would use it: a parallel loop in the implicit arena of each caller, or in one arena
// that all share (arena=shared), with the partitioner asked for.
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include <optional>

#include "harness.h"

namespace {

using Range = tbb::blocked_range<std::int64_t>;

struct Runtime {
  static inline std::unique_ptr<tbb::global_control> control;
  static inline std::optional<tbb::task_arena> shared;
  static inline std::string partitioner;

  static void configure(const bench::Arguments& arguments) {
    const int num_threads = arguments.threads();
    control = std::make_unique<tbb::global_control>(tbb::global_control::max_allowed_parallelism, num_threads);
    partitioner = arguments.text("partitioner", "auto");
    if (arguments.text("arena", "own") == "shared") shared.emplace(num_threads, 1);
  }

  template <class Body>
  static void parallel_for(std::int64_t n, std::int64_t grain, const Body& body) {
    const auto loop = [&] {
      const Range range(0, n, static_cast<std::size_t>(grain));
      const auto part = [&](const Range& r) { body(r.begin(), r.end()); };
      if (partitioner == "static") return tbb::parallel_for(range, part, tbb::static_partitioner());
      if (partitioner == "simple") return tbb::parallel_for(range, part, tbb::simple_partitioner());
      tbb::parallel_for(range, part);
    };
    if (shared) return shared->execute(loop);
    loop();
  }

  static void launch_and_wait() {
    tbb::task_group group;
    group.run([] {});
    group.wait();
  }
};

}  // namespace

int main(int argc, char** argv) { return bench::main<Runtime>(argc, argv); }
