// fork(2): regions and library calls are counted, a fork stops new ones and waits until the running ones have
// ended, then lets the backend prepare. No runtime holds a lock at the fork, so the child can run regions again.
#pragma once

#include <mutex>

namespace threadwheel::detail {

// Counts one outermost region or library call of this thread; waits while another thread forks.
class ActivityScope {
 public:
  ActivityScope() noexcept;
  ~ActivityScope();
  ActivityScope(const ActivityScope&) = delete;
  ActivityScope& operator=(const ActivityScope&) = delete;
};

// Held while counts change, and across a fork, so that the child never inherits it locked by a thread it lacks.
std::mutex& settings_mutex() noexcept;

// Registers the hooks, once. To be called after the backend is up: prepare hooks run in reverse order, and ours
// must run before those of the threading runtime, which would otherwise wait on our callers with its locks held.
void register_fork_hooks();

}  // namespace threadwheel::detail
