// The inter-op pool: a queue of tasks and the threads that run them, at most as many at a time as the inter-op count
// says. Threads that block inside a task are not counted, spares take their place. One per process, never destroyed.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

#include "threadwheel/future.h"

namespace threadwheel::detail {

class InteropPool {
 public:
  // Threads that may be beyond the count because others block; a program that needs more has lost control of itself.
  static constexpr int kMaxSpares = 256;

  static InteropPool& instance();

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
  enum class Wake { kNobody, kSleeper, kNewThread };

  InteropPool() : wake_(std::make_unique<std::condition_variable>()) {}

  int settle_size();
  Wake plan_wake() noexcept;
  bool perform(Wake wake) noexcept;
  bool start_thread() noexcept;
  void work() noexcept;
  bool idle(std::unique_lock<std::mutex>& lock) noexcept;
  FutureState* take() noexcept;
  std::shared_ptr<FutureState> retire(FutureState& task) noexcept;
  void execute(FutureState& task) noexcept;
  void fail_orphans() noexcept;
  int working() const noexcept { return threads_ - blocked_ - sleeping_; }

  std::mutex mutex_;
  std::unique_ptr<std::condition_variable> wake_;  // a child leaves the old one behind: its waiters never wake
  List queue_, running_, orphans_;
  std::atomic<int> queued_{0};  // length of queue_; spinning threads watch it
  std::atomic<int> size_{0};    // 0: not started
  std::atomic<bool> has_orphans_{false};
  int threads_ = 0;   // workers that exist or are being started
  int blocked_ = 0;   // of them, in a BlockingScope
  int sleeping_ = 0;  // of them, asleep and not yet told to wake
  int spinning_ = 0;  // of them, looking for work before they sleep
  int tokens_ = 0;    // sleepers told to wake that have not done so
};

// Reports an exception that no caller can see.
void report_error(const char* where, const std::exception_ptr& error) noexcept;

// Settles the inter-op count for good and returns it.
int freeze_num_interop_threads();

}  // namespace threadwheel::detail
