// The TBB backend: one explicit arena, isolated. Slots are ours: TBB's thread indices are neither contiguous within
// a loop nor meaningful outside one. arena.execute may run the functor on another OS thread.
#include <tbb/global_control.h>
#include <tbb/info.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>
#include <tbb/version.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>

#include "parallel/backend.h"

namespace threadwheel::backend {
namespace {

// The arenas, by size. They are made when first used and kept: a resize never destroys an arena that another thread
// is in, and an idle arena holds no thread. Never destroyed, as TBB may be gone by the time of exit handlers.
class Arenas {
 public:
  void resize(int num_threads) {
    tbb::task_arena& arena = of_size(num_threads);
    size_.store(num_threads, std::memory_order_relaxed);
    main_.store(&arena, std::memory_order_release);
  }

  int size() const noexcept { return size_.load(std::memory_order_relaxed); }

  tbb::task_arena& main() noexcept { return *main_.load(std::memory_order_acquire); }

  tbb::task_arena& of_size(int num_threads) {
    const std::lock_guard lock(mutex_);
    auto& arena = by_size_[num_threads];
    if (arena == nullptr) {
      raise_process_limit(num_threads);
      arena = std::make_unique<tbb::task_arena>(num_threads, 1);
    }
    return *arena;
  }

 private:
  // TBB gives a process as many workers as there are cores unless told otherwise; the control is for the whole
  // process, so it is touched only by whoever asks for more threads than that.
  void raise_process_limit(int num_threads) {
    const auto wanted = static_cast<std::size_t>(num_threads);
    if (wanted <= tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism)) return;
    control_.reset();
    control_ = std::make_unique<tbb::global_control>(tbb::global_control::max_allowed_parallelism, wanted);
  }

  std::mutex mutex_;
  std::map<int, std::unique_ptr<tbb::task_arena>> by_size_;
  std::unique_ptr<tbb::global_control> control_;
  std::atomic<tbb::task_arena*> main_{nullptr};
  std::atomic<int> size_{0};
};

Arenas& arenas() {
  static Arenas* const instance = std::make_unique<Arenas>().release();
  return *instance;
}

tbb::task_arena& arena_for(int limit) {
  return limit == arenas().size() ? arenas().main() : arenas().of_size(limit);
}

}  // namespace

void run(std::int64_t num_chunks, int limit, ChunkFunction fn) noexcept {
  // As many runners as threads may take part, each with its own slot; the runner, not the thread, owns the slot, so
  // it does not matter which thread takes it. Runners that start late find no chunk left.
  const int num_runners = static_cast<int>(std::min<std::int64_t>(num_chunks, limit));
  std::atomic<std::int64_t> next{0};
  const auto runner = [&](int slot) {
    for (std::int64_t chunk; (chunk = next.fetch_add(1, std::memory_order_relaxed)) < num_chunks;) fn(chunk, slot);
  };
  tbb::task_arena& arena = limit <= arenas().size() ? arenas().main() : arenas().of_size(limit);
  arena.execute([&] {
    // Isolated: while a thread waits for this loop it must not pick up somebody else's task.
    tbb::this_task_arena::isolate([&] { tbb::parallel_for(0, num_runners, 1, runner, tbb::simple_partitioner()); });
  });
}

void run_library(int limit, LibraryFunction fn) noexcept {
  if (limit == 1) {
    // MKL and oneDNN on TBB ignore MKL's thread setters: only an arena with one slot makes them serial. One per
    // thread, because threads would queue for the slot of a common one.
    thread_local tbb::task_arena serial(1, 1);
    serial.execute([&] { fn(1); });
    return;
  }
  arena_for(limit).execute([&] { tbb::this_task_arena::isolate([&] { fn(limit); }); });
}

void resize(int num_threads) { arenas().resize(num_threads); }

int capacity() noexcept { return arenas().size(); }

void init_thread(int) noexcept {}

Description describe() {
  return {"TBB", "native thread pool and TBB", "OpenMP not found\n",
          std::string("oneTBB ") + TBB_runtime_version() + ", built with " TBB_VERSION_STRING};
}

void fork_prepare() noexcept {}

void fork_parent() noexcept {}

void fork_child() noexcept {}

}  // namespace threadwheel::backend
