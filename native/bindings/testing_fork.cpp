// threadwheel._core._testing, fork part: forks in places where Python code never runs, chunks and tasks.
#include <pybind11/stl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "bindings/bindings.h"
#include "ops/registry.h"
#include "threadwheel/at.h"
#include "threadwheel/error.h"

namespace threadwheel::bindings {
namespace {

constexpr int kWrongSum = 1, kWrongProduct = 2, kRefused = 3, kWrongTask = 4;

// What a child tries: a loop, tasks, and a layer, which any library does that there is. `ones` is square and full of
// them.
int use(const Tensor& ones) noexcept {
  std::atomic<std::int64_t> sum{0};
  parallel_for(0, 1000, 1, [&](std::int64_t begin, std::int64_t end) {
    for (; begin < end; ++begin) sum.fetch_add(begin);
  });
  if (sum != 499'500) return kWrongSum;
  if (launch_future([] { return launch_future([] { return 7; }).value(); }).value() != 7) return kWrongTask;
  try {
    const std::vector<Value> arguments{Value(ones), Value(ones), Value()};
    const Op& linear = *Registry::instance().find("aten::linear").front();
    const Tensor product = linear.call(std::span<const Value>(arguments)).to_tensor();
    return product.data<float>()[0] == static_cast<float>(ones.sizes()[0]) ? 0 : kWrongProduct;
  } catch (const Error& error) {
    return std::string(error.what()).starts_with("library call: ") ? kRefused : kWrongProduct;
  }
}

// Forks; the child uses everything and exits, or returns from here. Returns the child's wait status in the parent.
int fork_here(const Tensor& ones, bool leave) {
  const pid_t child = fork();
  if (child == 0) {
    // The watchdog: a child that hangs ends with SIGALRM, which threads of a pool block.
    sigset_t signal;
    sigemptyset(&signal);
    sigaddset(&signal, SIGALRM);
    pthread_sigmask(SIG_UNBLOCK, &signal, nullptr);
    alarm(20);
    if (leave) return 0;
    _exit(use(ones));
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

// In a chunk that the caller of the region runs, or a helper, if there is one.
int fork_in_chunk(const Tensor& ones, bool by_caller, bool leave) {
  const auto caller = std::this_thread::get_id();
  std::atomic<int> status{-1};
  std::atomic<bool> forked{false};
  parallel_for(0, 64, 1, [&](std::int64_t, std::int64_t) {
    const bool mine = (std::this_thread::get_id() == caller) == by_caller && !forked.exchange(true);
    if (mine) status = fork_here(ones, leave);
    for (int i = 0; i < 10'000 && !forked; ++i) std::this_thread::yield();
  });
  return status;
}

int fork_in(const std::string& place, const Tensor& ones, bool leave) {
  if (place == "chunk") return fork_in_chunk(ones, true, leave);
  if (place == "helper") return fork_in_chunk(ones, false, leave);
  int status = -1;
  const auto work = [&] { status = fork_here(ones, leave); };
  // Not waited for by value(): that would run it here, on no thread of the pool.
  const auto task = place == "task" ? launch_future(work) : intraop_launch_future(work);
  while (!task.done()) std::this_thread::yield();
  return status;
}

}  // namespace

void bind_testing_fork(py::module_& module) {
  module.def("fork_in", [](const std::string& place, const py::object& ones, bool leave) {
    const Tensor tensor = to_tensor(ones, false).value();
    const Unlocked unlocked;
    return fork_in(place, tensor, leave);
  });
}

}  // namespace threadwheel::bindings
