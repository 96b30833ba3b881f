// PyTorch's own parallel layer, through the C++ library inside its wheel.
#include <ATen/Parallel.h>

#include <future>

#include "harness.h"

namespace {

struct Runtime {
  static void configure(const bench::Arguments& arguments) { at::set_num_threads(arguments.threads()); }

  template <class Body>
  static void parallel_for(std::int64_t n, std::int64_t grain, const Body& body) {
    at::parallel_for(0, n, grain, body);
  }

  static void launch_and_wait() {
    std::promise<void> done;
    at::launch([&done] { done.set_value(); });
    done.get_future().wait();
  }
};

}  // namespace

int main(int argc, char** argv) { return bench::main<Runtime>(argc, argv); }
