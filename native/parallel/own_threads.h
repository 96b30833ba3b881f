// Threads that do nothing but run inter-op workers: for the backends whose threading runtime cannot lend one.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "parallel/backend.h"

namespace threadwheel::detail {

// Never destroyed: threads may still wait in it while the process runs its exit handlers, and a forked child leaves
// its parent's behind.
class OwnThreads {
 public:
  // As backend::submit.
  bool submit(backend::Work work, int max_idle) noexcept;

  // Held across fork(2).
  void lock() noexcept { mutex_.lock(); }
  void unlock() noexcept { mutex_.unlock(); }

 private:
  void loop(backend::Work work) noexcept;
  backend::Work next() noexcept;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<backend::Work> pending_;  // no more than there are idle threads
  std::atomic<unsigned> epoch_{0};     // changes with pending_; spinning threads watch it
  int idle_ = 0;                       // threads without work, spinning or asleep
  int spinning_ = 0;
  int max_idle_ = 0;
};

}  // namespace threadwheel::detail
