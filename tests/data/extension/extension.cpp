// Compiled once, against one wheel, and run with each: what crosses the border is the at:: names, closures, values,
// futures, and exceptions of the library's own type and of the extension's.
#include <threadwheel/at.h>
#include <threadwheel/error.h>

#include <atomic>
#include <cstring>
#include <string>
#include <vector>

extern "C" {

// The sum of 0 .. n-1, by a reduction; the number of elements that a loop visits must be n too, or it is -1.
double extension_sum(long n) {
  std::atomic<long> visited{0};
  at::parallel_for(0, n, 100, [&](std::int64_t begin, std::int64_t end) { visited += end - begin; });
  if (visited != n) return -1;
  return at::parallel_reduce(
      0, n, 100, 0.0,
      [](std::int64_t begin, std::int64_t end, double total) {
        for (; begin < end; ++begin) total += static_cast<double>(begin);
        return total;
      },
      [](double a, double b) { return a + b; });
}

// The threads that a region would use after `n` were asked for.
int extension_set(int n) {
  at::init_num_threads();
  at::set_num_threads(n);
  return at::get_num_threads() + 100 * at::get_thread_num() + 1000 * static_cast<int>(at::in_parallel_region());
}

int extension_interop(int n) {
  at::set_num_interop_threads(n);
  return at::get_num_interop_threads();
}

// The text of the error for a bad number of threads: thrown in the library, caught here by its type.
int extension_error(char* text, int size) {
  try {
    at::set_num_threads(0);
  } catch (const threadwheel::Error& error) {
    std::strncpy(text, error.what(), static_cast<std::size_t>(size) - 1);
    return error.code() == threadwheel::ErrorCode::kValue ? 1 : 2;
  }
  return 0;
}

// 42 from a task and its continuation, plus 100 when an exception arrives with its type, plus 1000 for a collection.
int extension_futures() {
  int result = at::launch_future([] { return 40; }).then([](const auto& done) { return done.value() + 2; }).value();
  struct Own {};
  try {
    at::launch_future([]() -> int { throw Own(); }).value();
  } catch (const Own&) {
    result += 100;
  }
  std::vector<at::Future<void>> tasks;
  std::atomic<int> ran{0};
  for (int i = 0; i < 10; ++i) tasks.push_back(at::intraop_launch_future([&ran] { ran.fetch_add(1); }));
  at::collect_all(tasks).wait();
  return result + 100 * ran.load();
}

int extension_info(char* text, int size) {
  const std::string info = at::get_parallel_info();
  std::strncpy(text, info.c_str(), static_cast<std::size_t>(size) - 1);
  return static_cast<int>(info.size());
}
}
