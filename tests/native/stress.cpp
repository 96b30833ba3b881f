// Calls every public entry point from several threads at once, while others change the limits, and checks each
// result. Meant for sanitizers, which see what a right result hides. Prints one line; exit code 1 on a wrong result.
#include <threadwheel/at.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

constexpr int kRounds = 1000;

void check(bool right, const char* what) {
  if (right) return;
  std::fprintf(stderr, "stress: wrong: %s\n", what);
  std::_Exit(1);
}

void loops() {
  for (int round = 0; round < kRounds; ++round) {
    std::vector<int> seen(static_cast<std::size_t>(1 + round * 37 % 5000));
    const auto n = static_cast<std::int64_t>(seen.size());
    at::parallel_for(0, n, round % 64, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) ++seen[static_cast<std::size_t>(i)];
      at::parallel_for(0, 10, 1, [](std::int64_t, std::int64_t) {});
    });
    for (const int times : seen) check(times == 1, "an index was not visited once");
    const auto add = [](std::int64_t a, std::int64_t b) { return a + b; };
    const std::int64_t sum = at::parallel_reduce(
        std::int64_t{0}, n, std::int64_t{16}, std::int64_t{0},
        [](std::int64_t begin, std::int64_t end, std::int64_t start) {
          for (std::int64_t i = begin; i < end; ++i) start += i;
          return start;
        },
        add);
    check(sum == n * (n - 1) / 2, "a sum");
  }
}

void exceptions() {
  for (int round = 0; round < kRounds; ++round) {
    try {
      at::parallel_for(0, 1000, 1, [](std::int64_t, std::int64_t end) {
        if (end == 1000) throw std::out_of_range("chunk");
      });
      check(false, "an exception was lost");
    } catch (const std::out_of_range&) {
    }
  }
}

void resizing(const std::atomic<bool>& stop) {
  for (int n = 1; !stop; n = n % 4 + 1) {
    at::set_num_threads(n);
    std::this_thread::yield();
  }
}

int nested(int depth) { return depth == 0 ? 1 : 1 + at::launch_future([=] { return nested(depth - 1); }).value(); }

void futures() {
  for (int round = 0; round < kRounds; ++round) {
    check(nested(5) == 6, "a nested task");
    std::vector<at::Future<int>> many;
    for (int i = 0; i < 8; ++i) many.push_back(at::launch_future([i] { return i; }).then([](const at::Future<int>& f) { return f.value() * 2; }));
    int sum = 0;
    for (const auto& done : at::collect_all(many).value()) sum += done.value();
    check(sum == 56, "continuations");
    const auto failed = at::launch_future([]() -> int { throw std::domain_error("task"); });
    try {
      failed.value();
      check(false, "a failure was lost");
    } catch (const std::domain_error&) {
    }
    at::intraop_launch_future([] { at::parallel_for(0, 100, 1, [](std::int64_t, std::int64_t) {}); }).wait();
  }
}

// A waiter that drops the promise as soon as it sees the value: set_value must not touch it afterwards.
void dropped_promises() {
  for (int round = 0; round < kRounds; ++round) {
    auto promise = std::make_unique<threadwheel::Promise<int>>();
    auto* const raw = promise.get();
    const auto future = promise->future();
    std::thread setter([raw] { raw->set_value(7); });
    while (!future.done()) std::this_thread::yield();
    promise.reset();
    check(future.value() == 7, "a promised value");
    setter.join();
  }
}

}  // namespace

int main() {
  std::atomic<bool> stop{false};
  std::thread resizer([&] { resizing(stop); });
  std::vector<std::thread> callers;
  for (void (*work)() : {loops, loops, exceptions, futures, futures, dropped_promises}) callers.emplace_back(work);
  for (std::thread& caller : callers) caller.join();
  stop = true;
  resizer.join();
  std::puts("stress: 6 passed, 0 failed");
  return 0;
}
