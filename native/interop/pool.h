// The inter-op pool: a queue of tasks, and the rule of how many threads run them, at most as many at a time as the
// inter-op count says. The threads are the backend's, lent while there are tasks. Threads that block inside a task are
// not counted, spares take their place. One per process, never destroyed.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>

#include "threadwheel/future.h"

namespace threadwheel::detail {

class InteropPool {
 public:
  // Threads that may be beyond the count because others block; a program that needs more has lost control of itself.
  static constexpr int kMaxSpares = 256;

  static InteropPool& instance() noexcept { return *pool_; }

  void submit(FutureState& task, TaskKind kind);
  // Takes a task out of the queue to run it on the calling thread; false if it is not there.
  bool claim(FutureState& task);
  void run_here(FutureState& task) noexcept;

  // Around a stretch in which the calling thread blocks; returns whether it is a worker, and counted.
  bool enter_blocking();
  void leave_blocking() noexcept;

  // Fails the tasks that a fork left behind in this process, if it is a child.
  void settle_orphans() noexcept {
    if (has_orphans_.load(std::memory_order_acquire)) fail_orphans();
  }
  // Whether the calling thread is in the middle of this task.
  static bool is_running_here(const FutureState& task) noexcept;

  // Around fork(2).
  void lock_for_fork() noexcept { mutex_.lock(); }
  void unlock_in_parent() noexcept { mutex_.unlock(); }
  void reset_in_child() noexcept;

 private:
  using Stage = FutureState::Stage;

  // A list of tasks, linked through them.
  struct List {
    FutureState* first = nullptr;
    FutureState* last = nullptr;

    void append(FutureState& task) noexcept;
    void remove(FutureState& task) noexcept;
  };

  InteropPool() = default;

  // Made at load, when there are no threads yet: a fork beside a first use would leave the child with that half done.
  // Never destroyed: workers may still wait in it while the process runs its exit handlers.
  static InteropPool* make();
  static InteropPool* const pool_;

  void settle_size();
  bool plan_worker() noexcept;
  bool start_worker() noexcept;
  void work() noexcept;
  FutureState* take() noexcept;
  std::shared_ptr<FutureState> retire(FutureState& task) noexcept;
  void execute(FutureState& task) noexcept;
  void fail_orphans() noexcept;
  int working() const noexcept { return threads_ - blocked_; }

  std::mutex mutex_;
  List queue_, running_, orphans_;
  std::atomic<int> size_{0};  // 0: not started
  std::atomic<bool> has_orphans_{false};
  int threads_ = 0;  // threads in work(), or asked for
  int blocked_ = 0;  // of them, in a BlockingScope
};

// Reports an exception that no caller can see.
void report_error(const char* where, const std::exception_ptr& error) noexcept;

// Settles the inter-op count for good and returns it.
int freeze_num_interop_threads();

}  // namespace threadwheel::detail
