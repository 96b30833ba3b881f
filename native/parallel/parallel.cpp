// The front end: everything that the contract of parallel.h promises above the backends. A backend is only asked
// to run chunks.
#include "threadwheel/parallel.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "parallel/backend.h"
#include "parallel/counts.h"
#include "parallel/fork_gate.h"
#include "parallel/library_call.h"
#include "parallel/thread_state.h"
#include "threadwheel/error.h"

namespace threadwheel {
namespace detail {
namespace {

// Initial-exec: a few bytes of the room that the loader keeps for libraries opened late, and no call to find them.
constinit thread_local ThreadState state __attribute__((tls_model("initial-exec")));

// Chunks per thread in parallel_for: more than one evens out threads that start late or run slowly; each costs
// one atomic addition.
constexpr std::uint64_t kChunksPerThread = 4;

// Keeps the first exception of a region. Later ones are dropped, as in the serial loop they would not have happened.
class FirstException {
 public:
  bool caught() const noexcept { return caught_.load(std::memory_order_relaxed); }

  void capture() noexcept {
    if (!caught_.exchange(true, std::memory_order_relaxed)) exception_ = std::current_exception();
  }

  // To be called after the region's join, which orders the write of exception_ before this read.
  void rethrow() const {
    if (exception_) std::rethrow_exception(exception_);
  }

 private:
  std::atomic<bool> caught_{false};
  std::exception_ptr exception_;
};

// The other threads of the region do not exist in this process: its end would be waited for in vain.
[[noreturn]] void refuse_to_leave_region() {
  std::fputs("threadwheel: fork: a child left the region that it was forked in, whose other threads it does not have; "
             "exec or _exit inside of the region, or fork outside\n", stderr);
  std::abort();
}

// What the threads of a region share. By value and in one cache line: a thread that joins waits for each line that it
// has to fetch from the caller's core, and for little else.
template <class Body>
struct alignas(64) Region {
  const Body body;
  const int limit;
  const int generation = fork_generation();
  FirstException first{};

  void operator()(std::int64_t chunk, int slot) noexcept {
    if (first.caught()) return;
    const ChunkScope scope(slot, limit);
    try {
      body(chunk);
    } catch (...) {
      first.capture();
    }
    if (fork_generation() != generation) refuse_to_leave_region();
  }
};

// Whether others have the CPUs that the pool may use: then a helper would take one from them, and looking for it costs.
bool is_crowded(const ActivityScope& activity) {
  return activity.others() > 0 && activity.others() >= num_useful_threads() - 1;
}

template <class Body>
void run_region(std::int64_t num_chunks, int limit, const Body& body) {
  Region<Body> region{body, limit};
  static_assert(sizeof region == alignof(Region<Body>));
  {
    const ActivityScope activity;
    if (is_crowded(activity)) {
      for (std::int64_t chunk = 0; chunk < num_chunks; ++chunk) region(chunk, 0);
    } else {
      backend::run(num_chunks, limit, region);
    }
  }
  region.first.rethrow();
}

}  // namespace

ThreadState& thread_state() noexcept { return state; }

int& thread_num() noexcept { return state.thread_num; }

void refuse_range(const char* where, std::int64_t begin, std::int64_t end, std::int64_t grain_size) {
  if (begin > end)
    throw Error(ErrorCode::kValue, std::string(where) + ": begin is " + std::to_string(begin) + " and end is " +
                                       std::to_string(end) + "; begin must not be greater than end");
  throw Error(ErrorCode::kValue, std::string(where) + ": grain_size is " + std::to_string(grain_size) +
                                     "; it must be 0 or more");
}

int region_limit() { return state.in_region || must_be_serial() ? 1 : get_num_threads(); }

void run_chunks(std::int64_t num_chunks, FunctionRef<void(std::int64_t)> body) {
  run_region(num_chunks, get_num_threads(), body);
}

void run_range(std::int64_t begin, std::uint64_t length, std::int64_t grain_size,
               FunctionRef<void(std::int64_t, std::int64_t)> body) {
  const int limit = get_num_threads();
  const std::uint64_t most = kChunksPerThread * static_cast<std::uint64_t>(limit);
  const std::uint64_t even = length / most + (length % most != 0);
  const std::uint64_t size = std::max(static_cast<std::uint64_t>(grain_size), even);
  const std::uint64_t count = length / size + (length % size != 0);
  run_region(static_cast<std::int64_t>(count), limit, [=](std::int64_t chunk) {
    const std::uint64_t offset = static_cast<std::uint64_t>(chunk) * size;
    body(advance(begin, offset), advance(begin, offset + std::min(size, length - offset)));
  });
}

}  // namespace detail

namespace {

[[noreturn]] void refuse_library_call() {
  throw Error(ErrorCode::kRuntime,
              "library call: this process was forked while a parallel region ran, and its threading runtime cannot be "
              "used any more; fork when no region runs");
}

}  // namespace

int get_thread_num() noexcept { return detail::state.thread_num; }

bool in_parallel_region() noexcept { return detail::state.in_region; }

void library_call(double work, FunctionRef<void(int num_threads)> fn) {
  const int limit = work < kParallelWork ? 1 : detail::region_limit();
  std::exception_ptr exception;
  const auto guarded = [&](int num_threads) noexcept {
    try {
      if (num_threads == 0) refuse_library_call();
      fn(num_threads);
    } catch (...) {
      exception = std::current_exception();
    }
  };
  {
    const detail::ActivityScope activity;
    backend::run_library(detail::is_crowded(activity) ? 1 : limit, guarded);
  }
  if (exception) std::rethrow_exception(exception);
}

}  // namespace threadwheel
