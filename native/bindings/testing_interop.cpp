// threadwheel._core._testing, inter-op part: futures of one int, and tasks to combine in tests. No task runs Python.
#include <pybind11/stl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "bindings/bindings.h"
#include "threadwheel/at.h"
#include "threadwheel/error.h"

namespace threadwheel::bindings {
namespace {

using IntFuture = Future<long>;
using IntPromise = Promise<long>;
using Clock = std::chrono::steady_clock;
using unlocked = py::call_guard<Unlocked>;

// A type of the test's own, which nothing between its throw and its catch can know.
struct OwnError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

[[noreturn]] void raise(const std::string& kind) {
  if (kind == "value") throw Error(ErrorCode::kValue, "test: thrown in a task");
  if (kind == "index") throw std::out_of_range("test: index");
  if (kind == "own") throw OwnError("test: own");
  throw 42;  // not a std::exception
}

// The type of an exception, as the catch clauses of a caller would find it.
std::string kind_of(const std::exception_ptr& error) {
  if (error == nullptr) return "";
  try {
    std::rethrow_exception(error);
  } catch (const Error& caught) {
    return std::string(caught.code() == ErrorCode::kValue ? "value" : "runtime") + ": " + caught.what();
  } catch (const std::out_of_range&) {
    return "index";
  } catch (const OwnError&) {
    return "own";
  } catch (int number) {
    return "int " + std::to_string(number);
  }
}

std::mutex reports_mutex;
std::vector<std::string> reports;

void record_report(const char* where, std::exception_ptr error) {
  const std::lock_guard lock(reports_mutex);
  reports.push_back(std::string(where) + ": " + kind_of(error));
  if (reports.back() == "launch: index") throw 1;  // a hook that throws must do no harm
}

// Tasks in tasks: each waits for `width` others of the level below; returns how many ran.
long nested(int depth, int width) {
  if (depth == 0) return 1;
  std::vector<IntFuture> children;
  for (int i = 0; i < width; ++i) children.push_back(launch_future([=] { return nested(depth - 1, width); }));
  long total = 1;
  for (const IntFuture& child : children) total += child.value();
  return total;
}

// Two tasks that each set a flag and then wait, by spinning, for the other's: it takes two threads at once.
void exchange_flags() {
  struct Flags {
    std::atomic<bool> mine[2]{};
  };
  const auto flags = std::make_shared<Flags>();
  std::vector<Future<void>> tasks;
  for (int i = 0; i < 2; ++i)
    tasks.push_back(launch_future([flags, i] {
      flags->mine[i] = true;
      while (!flags->mine[1 - i]) std::this_thread::yield();
    }));
  // From a thread that may run neither: the wait takes a queued task, and would be the second thread.
  while (!tasks[0].done() || !tasks[1].done()) std::this_thread::yield();
}

// The same while a region, in a thread of its own, occupies all the threads that it gets.
void exchange_flags_beside_region() {
  std::atomic<bool> stop{false};
  std::atomic<int> inside{0};
  std::thread caller([&] {
    parallel_for(0, 64, 1, [&](std::int64_t, std::int64_t) {
      inside.fetch_add(1);
      while (!stop) std::this_thread::yield();
    });
  });
  const auto deadline = Clock::now() + std::chrono::seconds(5);  // the system may give fewer threads than the limit
  while (inside < get_num_threads() && Clock::now() < deadline) std::this_thread::yield();
  for (int i = 0; i < 20; ++i) exchange_flags();
  stop = true;
  caller.join();
}

// `num_tasks` tasks that each run loops and check them; returns how many found a wrong sum.
int loops_in_tasks(int num_tasks) {
  std::atomic<int> wrong{0};
  std::vector<Future<void>> tasks;
  for (int i = 0; i < num_tasks; ++i)
    tasks.push_back(launch_future([&, n = std::int64_t{500} + i] {
      for (int round = 0; round < 20; ++round) {
        std::atomic<std::int64_t> sum{0};
        parallel_for(0, n, 8, [&](std::int64_t begin, std::int64_t end) {
          for (; begin < end; ++begin) sum.fetch_add(begin);
        });
        if (sum != n * (n - 1) / 2) wrong.fetch_add(1);
      }
    }));
  for (const auto& task : tasks)
    while (!task.done()) std::this_thread::yield();
  return wrong;
}

// A task that blocks on a condition which a later task of the same pool fulfils.
void block_on_condition() {
  struct Gate {
    std::mutex mutex;
    std::condition_variable condition;
    bool open = false;
  };
  const auto gate = std::make_shared<Gate>();
  const auto first = launch_future([gate] {
    const BlockingScope blocking;
    std::unique_lock lock(gate->mutex);
    gate->condition.wait(lock, [&] { return gate->open; });
  });
  launch([gate] {
    const std::lock_guard lock(gate->mutex);
    gate->open = true;
    gate->condition.notify_all();
  });
  first.value();
}

// What a task sees around it, launched under a limit of 3: (limit, in a region, OS threads that a loop ran on).
py::tuple surroundings(bool intraop) {
  int limit = 0;
  bool in_region = false;
  long calls = 0;
  {
    const Unlocked unlocked;
    const NumThreadsScope scope(3);
    const auto look = [&] {
      limit = get_num_threads();
      in_region = in_parallel_region();
      std::atomic<long> count{0};
      parallel_for(0, 1000, 1, [&](std::int64_t, std::int64_t) { count.fetch_add(1); });
      calls = count;
    };
    if (intraop) {
      intraop_launch_future(look).value();
    } else {
      launch_future(look).value();
    }
  }
  return py::make_tuple(limit, in_region, calls);
}

// Two intra-op tasks, launched outside and inside a region; returns how many of the four ran.
int intraop_futures() {
  std::atomic<int> ran{0};
  const auto two = [&] {
    const auto a = intraop_launch_future([&] { ran.fetch_add(1); });
    const auto b = intraop_launch_future([&] { ran.fetch_add(1); });
    a.value();
    b.value();
  };
  two();
  parallel_for(0, 2, 1, [&](std::int64_t begin, std::int64_t) {
    if (begin == 0) two();
  });
  return ran;
}

// The most tasks that ran at the same time, of `num_tasks` that each look around for a while.
int concurrency(int num_tasks) {
  std::atomic<int> inside{0}, most{0};
  std::vector<Future<void>> tasks;
  for (int i = 0; i < num_tasks; ++i)
    tasks.push_back(launch_future([&] {
      const int now = inside.fetch_add(1) + 1;
      for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {}
      for (int k = 0; k < 200; ++k) std::this_thread::yield();
      inside.fetch_sub(1);
    }));
  for (const auto& task : tasks)
    while (!task.done()) std::this_thread::yield();
  return most;
}

// A task that waits for its own future.
std::string wait_for_itself() {
  const auto holder = std::make_shared<std::atomic<const IntFuture*>>(nullptr);
  const IntFuture task = launch_future([holder]() -> long {
    while (holder->load() == nullptr) std::this_thread::yield();
    return holder->load()->value();
  });
  holder->store(&task);
  return kind_of(task.error());
}

// The order in which continuations ran.
std::vector<int> continuation_order(int count) {
  std::vector<int> order;
  IntPromise promise;
  for (int i = 0; i < count; ++i) promise.future().then([&order, i](const IntFuture&) { order.push_back(i); });
  promise.set_value(0L);
  return order;
}

// Nanoseconds of launch + wait, the median of `count`, when the task is run by: the "waiter" (the pool is busy), a
// "spinning" worker, or a "parked" one.
double launch_ns(const std::string& by, int count) {
  std::atomic<bool> release{false};
  std::vector<Future<void>> busy;
  for (int i = 0; by == "waiter" && i < get_num_interop_threads(); ++i)
    busy.push_back(launch_future([&] {
      while (!release) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }));
  std::vector<double> times;
  for (int i = 0; i < count; ++i) {
    if (by == "parked") std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const auto start = Clock::now();
    const IntFuture future = launch_future([]() -> long { return 1; });
    while (by != "waiter" && !future.done()) std::this_thread::yield();
    future.value();
    times.push_back(std::chrono::duration<double, std::nano>(Clock::now() - start).count());
  }
  release = true;
  for (const auto& task : busy) task.wait();
  std::nth_element(times.begin(), times.begin() + count / 2, times.end());
  return times[static_cast<std::size_t>(count) / 2];
}

void bind_futures(py::module_& module) {
  py::class_<IntFuture>(module, "IntFuture")
      .def("done", &IntFuture::done)
      .def("wait", &IntFuture::wait, unlocked())
      .def("value", [](const IntFuture& future) { return future.value(); }, unlocked())
      .def("error", [](const IntFuture& future) { return kind_of(future.error()); }, unlocked())
      .def("then_add", [](const IntFuture& future, long n) {
        return future.then([n](const IntFuture& done) { return done.value() + n; });
      }, unlocked());
  py::class_<IntPromise>(module, "IntPromise")
      .def(py::init<>())
      .def("future", &IntPromise::future)
      .def("set_value", [](IntPromise& promise, long value) { promise.set_value(value); }, unlocked())
      .def("set_error", [](IntPromise& promise, const std::string& kind) {
        try {
          raise(kind);
        } catch (...) {
          promise.set_error(std::current_exception());
        }
      }, unlocked());
}

}  // namespace

void bind_testing_interop(py::module_& module) {
  bind_futures(module);
  module.def("launch_value", [](long value) { return launch_future([value] { return value; }); }, unlocked());
  module.def("launch_raise", [](const std::string& kind) {
    return launch_future([kind]() -> long { raise(kind); });
  }, unlocked());
  module.def("launch_waiting", [](const IntFuture& future) {
    return launch_future([future] { return future.value() + 1; });
  }, unlocked());
  module.def("launch_detached", [](const std::string& kind) { launch([kind] { raise(kind); }); }, unlocked());
  module.def("intraop_launch_raise", [](const std::string& kind) {
    return kind_of(intraop_launch_future([kind] { raise(kind); }).error());
  }, unlocked());
  module.def("sum_of_all", [](const std::vector<IntFuture>& futures) {
    return collect_all(futures).then([](const Future<std::vector<IntFuture>>& all) {
      long total = 0;
      for (const IntFuture& future : all.value()) total += future.value();
      return total;
    });
  }, unlocked());
  module.def("start_recording", [] { set_error_hook(record_report); });
  module.def("stop_recording", [] {
    set_error_hook(nullptr);
    const std::lock_guard lock(reports_mutex);
    return std::exchange(reports, {});
  });
  module.def("nested_tasks", [](int depth, int width) {
    return launch_future([=] { return nested(depth, width); }).value();
  }, unlocked());
  module.def("exchange_flags", &exchange_flags, unlocked());
  module.def("exchange_flags_beside_region", &exchange_flags_beside_region, unlocked());
  module.def("loops_in_tasks", &loops_in_tasks, unlocked());
  module.def("launch_os_thread", [] { return launch_future([]() -> long { return gettid(); }); }, unlocked());
  module.def("hold_region", [](const IntFuture& until) {
    parallel_for(0, 64, 1, [&](std::int64_t, std::int64_t) {
      while (!until.done()) std::this_thread::yield();
    });
  }, unlocked());
  module.def("block_on_condition", &block_on_condition, unlocked());
  module.def("surroundings", &surroundings);
  module.def("intraop_futures", &intraop_futures, unlocked());
  module.def("concurrency", &concurrency, unlocked());
  module.def("wait_for_itself", &wait_for_itself, unlocked());
  module.def("continuation_order", &continuation_order, unlocked());
  module.def("launch_ns", &launch_ns, unlocked());
}

}  // namespace threadwheel::bindings
