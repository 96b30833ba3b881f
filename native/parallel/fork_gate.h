// fork(2): regions and library calls are counted, a fork stops new ones and waits until the running ones have
// ended, then lets the backend prepare. No runtime holds a lock at the fork, so the child can run regions again.
#pragma once

#include <mutex>

namespace threadwheel::detail {

// Counts one outermost region or library call of this thread; waits while another thread forks, or has stopped others.
class ActivityScope {
 public:
  ActivityScope() noexcept : others_(begin()) {}
  ~ActivityScope();
  ActivityScope(const ActivityScope&) = delete;
  ActivityScope& operator=(const ActivityScope&) = delete;

  // How many others ran when this one began.
  int others() const noexcept { return others_; }

 private:
  static int begin() noexcept;

  const int others_;
};

// Holds a mutex that no child may inherit locked: a fork waits until it is free.
class ForkSafeLock {
 public:
  explicit ForkSafeLock(std::mutex& mutex) : lock_(mutex) {}

 private:
  const ActivityScope activity_;
  const std::lock_guard<std::mutex> lock_;
};

// Waits until the others' regions and library calls have ended, and keeps them out for ever. For a process that ends:
// oneDNN destroys its tables then, whoever uses them.
void stop_others() noexcept;

// How many outermost regions and library calls run now.
int num_activities() noexcept;

// How many forks this process is away from the first one: what began under another number began in another process.
int fork_generation() noexcept;

// Whether regions must be serial here: the process was forked while a region or a library call ran, of this thread or
// one that did not end in time. The first one that asks reads why on stderr.
bool must_be_serial() noexcept;

// Held while counts change, and across a fork, so that the child never inherits it locked by a thread it lacks.
std::mutex& settings_mutex() noexcept;

// Whoever else has locks and threads to look after. Called in the forking thread, with the settings mutex held, before
// the backend's hooks and, after the fork, after them.
struct ForkListener {
  void (*prepare)();
  void (*parent)();
  void (*child)();
};

// Sets the one listener. It must live for ever.
void set_fork_listener(const ForkListener& listener);

}  // namespace threadwheel::detail
