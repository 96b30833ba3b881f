// Calls every public entry point from several threads at once, at random, while others change the limits and fork, and
// checks each result. Sanitizers see what a right result hides. `stress [--seconds S] [--seed N]` prints one line with
// its seed, which repeats the choices of each thread, not their timing; exit code 1 on a wrong result.
#include <signal.h>
#include <sys/wait.h>
#include <threadwheel/at.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using Random = std::mt19937_64;

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
// A sanitizer's own locks are not forked safely: a child's new threads were seen to wait in them for ever.
constexpr bool kForks = false;
#else
constexpr bool kForks = true;
#endif
constexpr int kCallers = 6;
constexpr int kChildTimeoutSeconds = 60;

unsigned long long seed = 0;

void check(bool right, const char* what) {
  if (right) return;
  std::fprintf(stderr, "stress: wrong: %s; seed %llu\n", what, seed);
  std::_Exit(1);
}

int up_to(Random& random, int most) { return static_cast<int>(random() % static_cast<unsigned>(most)); }

void loop(Random& random) {
  std::vector<int> seen(static_cast<std::size_t>(1 + up_to(random, 5000)));
  at::parallel_for(0, static_cast<std::int64_t>(seen.size()), up_to(random, 64), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) ++seen[static_cast<std::size_t>(i)];
    at::parallel_for(0, 10, 1, [](std::int64_t, std::int64_t) {});
  });
  for (const int times : seen) check(times == 1, "an index was not visited once");
}

void sum(Random& random) {
  const std::int64_t n = 1 + up_to(random, 5000);
  const std::int64_t total = at::parallel_reduce(
      std::int64_t{0}, n, std::int64_t{16}, std::int64_t{0},
      [](std::int64_t begin, std::int64_t end, std::int64_t start) {
        for (std::int64_t i = begin; i < end; ++i) start += i;
        return start;
      },
      [](std::int64_t a, std::int64_t b) { return a + b; });
  check(total == n * (n - 1) / 2, "a sum");
}

void exception(Random& random) {
  const std::int64_t last = 1000 - up_to(random, 900);
  try {
    at::parallel_for(0, last, 1, [&](std::int64_t, std::int64_t end) {
      if (end == last) throw std::out_of_range("chunk");
    });
    check(false, "an exception was lost");
  } catch (const std::out_of_range&) {
  }
}

int nested(int depth) { return depth == 0 ? 1 : 1 + at::launch_future([=] { return nested(depth - 1); }).value(); }

void tasks(Random& random) {
  const int depth = up_to(random, 6);
  check(nested(depth) == depth + 1, "a nested task");
  const unsigned task_seed = static_cast<unsigned>(random());
  at::launch_future([=] {
    Random own(task_seed);
    loop(own);
    sum(own);
  }).wait();
  at::intraop_launch_future([] { at::parallel_for(0, 100, 1, [](std::int64_t, std::int64_t) {}); }).wait();
}

void futures(Random& random) {
  const int count = up_to(random, 9);
  std::vector<at::Future<int>> many;
  for (int i = 0; i < count; ++i)
    many.push_back(at::launch_future([i] { return i; }).then([](const at::Future<int>& f) { return f.value() * 2; }));
  int total = 0;
  for (const auto& done : at::collect_all(many).value()) total += done.value();
  check(total == count * (count - 1), "continuations");
  const auto failed = at::launch_future([]() -> int { throw std::domain_error("task"); });
  try {
    failed.value();
    check(false, "a failure was lost");
  } catch (const std::domain_error&) {
  }
}

// A waiter that drops the promise as soon as it sees the value: set_value must not touch it afterwards.
void dropped_promise(Random&) {
  auto promise = std::make_unique<threadwheel::Promise<int>>();
  auto* const raw = promise.get();
  const auto future = promise->future();
  std::thread setter([raw] { raw->set_value(7); });
  while (!future.done()) std::this_thread::yield();
  promise.reset();
  check(future.value() == 7, "a promised value");
  setter.join();
}

void resize(Random& random) { at::set_num_threads(1 + up_to(random, 4)); }

void limited(Random& random) {
  const threadwheel::NumThreadsScope scope(1 + up_to(random, 4));
  loop(random);
  tasks(random);
}

using Action = void (*)(Random&);
constexpr Action kActions[] = {loop, sum, exception, tasks, futures, dropped_promise, resize, limited};

void act(Random& random) { kActions[random() % std::size(kActions)](random); }

// Forks; the child acts a few times and ends well, or is ended by its alarm.
void fork_and_act(Random& random) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(kChildTimeoutSeconds);
    for (int i = 0; i < 5; ++i) act(random);
    std::_Exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  check(status == 0, WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? "a forked child hangs" : "a forked child failed");
}

void fail_usage(const char* program) {
  std::fprintf(stderr, "usage: %s [--seconds S] [--seed N]\n", program);
  std::exit(2);
}

}  // namespace

int main(int count, char** arguments) {
  int seconds = 5;
  seed = std::random_device()();
  for (int i = 1; i < count; i += 2) {
    const std::string name = arguments[i];
    if (i + 1 == count || (name != "--seconds" && name != "--seed")) fail_usage(arguments[0]);
    const auto value = std::strtoull(arguments[i + 1], nullptr, 10);
    if (name == "--seed") seed = value;
    else seconds = static_cast<int>(value);
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  std::atomic<long> actions{0}, forks{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < kCallers; ++i)
    callers.emplace_back([&, i] {
      Random random(seed + static_cast<unsigned>(i));
      for (; std::chrono::steady_clock::now() < deadline; actions.fetch_add(1)) act(random);
    });
  Random random(seed + kCallers);
  while (kForks && std::chrono::steady_clock::now() < deadline) {
    fork_and_act(random);
    forks.fetch_add(1);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // so that the callers get to act between forks
  }
  for (std::thread& caller : callers) caller.join();
  std::printf("stress: seed %llu, %d s, %ld actions, %ld forks, 0 failed\n", seed, seconds, actions.load(), forks.load());
  return 0;
}
