// The NATIVE backend: one process-wide pool of own threads, for chunks and for inter-op work. A loop lives on its
// caller's stack; the caller takes part, helpers take chunks by fetch-and-add, and helpers that have not started when
// the chunks run out are revoked, so that a region never waits for a wake-up.
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "parallel/backend.h"
#include "parallel/fork_gate.h"
#include "parallel/spin.h"
#include "parallel/start_thread.h"

namespace threadwheel::backend {
namespace {

using detail::spin_until;

struct Loop {
  Loop(ChunkFunction function, std::int64_t count, int helpers)
      : fn(function), num_chunks(count), max_helpers(helpers) {}

  const ChunkFunction fn;
  const std::int64_t num_chunks;
  const int max_helpers;
  std::atomic<std::int64_t> next{0};
  std::atomic<int> running{0};  // helpers inside; changed under the pool's mutex, read without it
  int started = 0;              // helpers that ever joined; this and what follows is under the pool's mutex
  bool caller_sleeps = false;
  std::condition_variable done;
  Loop* previous = nullptr;  // neighbours in the pool's list of loops that still want helpers
  Loop* following = nullptr;
  bool listed = false;

  void work(int slot) {
    for (std::int64_t chunk; (chunk = next.fetch_add(1, std::memory_order_relaxed)) < num_chunks;) fn(chunk, slot);
  }
};

// Threads are started by the first loop or work that wants them, not by resize: setting a count costs nothing, and a
// forked child starts its own when it needs them. A thread is lent while it runs submitted work; the others help loops,
// at most `target_` at a time, or are idle. There are never more than the lent ones and `target_`, or `max_idle_`.
class Pool {
 public:
  explicit Pool(int num_threads) : target_(num_threads - 1) {}

  void resize(int num_threads) {
    const std::lock_guard lock(mutex_);
    target_ = num_threads - 1;
    if (surplus()) {  // it leaves
      epoch_.fetch_add(1, std::memory_order_relaxed);
      wake_.notify_all();
    }
  }

  int capacity() {
    const std::lock_guard lock(mutex_);
    return target_ + 1;
  }

  void run(Loop& loop) {
    submit(loop);
    loop.work(0);
    finish(loop);
  }

  // Each piece of pending work has an idle thread to itself, which will take it before it looks at any loop.
  bool submit(Work work, int max_idle) {
    std::unique_lock lock(mutex_);
    max_idle_ = max_idle;
    if (alive_ - helping_ <= lent() && !spawn()) return false;
    pending_.push_back(work);
    epoch_.fetch_add(1, std::memory_order_relaxed);
    const bool wake = sleeping_ > 0 && static_cast<int>(pending_.size()) > spinning_;
    lock.unlock();
    if (wake) wake_.notify_one();
    return true;
  }

  // Held across fork(2), so that no other thread changes the lists meanwhile.
  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }

 private:
  void submit(Loop& loop) {
    std::unique_lock lock(mutex_);
    target_ = std::max(target_, loop.max_helpers);
    const int at_once = std::min(loop.max_helpers, std::max(1, num_cpus_ - 1));
    while (alive_ - lent() < at_once && spawn()) {
    }
    append(loop);
    epoch_.fetch_add(1, std::memory_order_relaxed);
    const int wanted = std::min(sleeping_, loop.max_helpers);
    lock.unlock();
    if (wanted > 1) {
      wake_.notify_all();
    } else if (wanted == 1) {
      wake_.notify_one();
    }
  }

  // The loop is on the caller's stack: when this returns no helper may touch it again.
  void finish(Loop& loop) {
    std::unique_lock lock(mutex_);
    remove(loop);
    if (loop.running.load(std::memory_order_relaxed) == 0) return;
    lock.unlock();
    const auto ended = [&] { return loop.running.load(std::memory_order_acquire) == 0; };
    if (spin_until(ended)) return;
    lock.lock();
    loop.caller_sleeps = true;
    loop.done.wait(lock, ended);
  }

  void worker() {
    std::unique_lock lock(mutex_);
    for (;;) {
      if (!pending_.empty()) {
        work_for_others(lock);
      } else if (loop_wants_help()) {
        help(*first_, lock);
      } else if (!idle(lock)) {
        break;
      }
    }
    --alive_;
  }

  void work_for_others(std::unique_lock<std::mutex>& lock) {
    const Work work = pending_.front();
    pending_.pop_front();
    ++working_;
    // This thread may have been woken for the loop that it now leaves to another.
    if (first_ != nullptr && sleeping_ > 0) wake_.notify_one();
    lock.unlock();
    work();
    lock.lock();
    --working_;
  }

  void help(Loop& loop, std::unique_lock<std::mutex>& lock) {
    const int slot = ++loop.started;
    if (loop.started == loop.max_helpers) remove(loop);
    loop.running.fetch_add(1, std::memory_order_relaxed);
    ++helping_;
    // Threads beyond the CPUs come one by one, each started by the one before while the loop still wants help: callers
    // that are many have the CPUs already.
    const int helpers = alive_ - lent();
    if (loop.listed && helpers < loop.max_helpers && detail::num_activities() + helpers <= target_) spawn();
    lock.unlock();
    loop.work(slot);
    lock.lock();
    --helping_;
    // The chunks have run out, so further helpers would find nothing.
    remove(loop);
    // A caller that spins may return as soon as it sees 0, so the loop is not touched after the decrement; one
    // that sleeps cannot return before this thread gives up the mutex.
    if (loop.caller_sleeps && loop.running.load(std::memory_order_relaxed) == 1) loop.done.notify_one();
    loop.running.fetch_sub(1, std::memory_order_release);
  }

  // Returns whether to look for something to do again; false: this thread is one too many, even for sleeping.
  bool idle(std::unique_lock<std::mutex>& lock) {
    // Spinning is only worth it on a CPU that nobody else could use.
    if (detail::num_activities() + alive_ - sleeping_ <= num_cpus_) {
      const unsigned seen = epoch_.load(std::memory_order_relaxed);
      ++spinning_;
      lock.unlock();
      const bool changed = spin_until([&] { return epoch_.load(std::memory_order_relaxed) != seen; });
      lock.lock();
      --spinning_;
      if (changed || loop_wants_help() || !pending_.empty()) return true;
    }
    if (surplus()) return false;
    ++sleeping_;
    wake_.wait(lock);  // spurious wake-ups are fine: the caller of idle() looks again
    --sleeping_;
    return true;
  }

  bool loop_wants_help() const { return first_ != nullptr && helping_ < target_; }

  int lent() const { return working_ + static_cast<int>(pending_.size()); }

  bool surplus() const { return alive_ > std::max(lent() + target_, max_idle_); }

  // Fewer threads than asked is within the contract, so a refusal by the system is not an error.
  bool spawn() noexcept {
    if (!detail::start_thread("threadwheel", [this] { worker(); })) return false;
    ++alive_;
    return true;
  }

  void append(Loop& loop) {
    loop.previous = last_;
    (last_ != nullptr ? last_->following : first_) = &loop;
    last_ = &loop;
    loop.listed = true;
  }

  void remove(Loop& loop) {
    if (!loop.listed) return;
    (loop.previous != nullptr ? loop.previous->following : first_) = loop.following;
    (loop.following != nullptr ? loop.following->previous : last_) = loop.previous;
    loop.listed = false;
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<unsigned> epoch_{0};  // changes when there may be something to do; spinning workers watch it
  Loop* first_ = nullptr;
  Loop* last_ = nullptr;
  std::deque<Work> pending_;  // submitted, and not yet taken
  int target_;                // workers that should help loops at a time, at most
  int max_idle_ = 0;          // workers that inter-op work wants to find idle
  int alive_ = 0;             // workers that are
  int working_ = 0;           // of them, in submitted work
  int helping_ = 0;           // of them, in a loop
  int spinning_ = 0;          // of them, looking at epoch_
  int sleeping_ = 0;          // of them, in wake_.wait
  const int num_cpus_ = static_cast<int>(std::thread::hardware_concurrency());
};

// Never destroyed: workers may still wait in it while the process runs its exit handlers.
Pool* make_pool(int num_threads) { return std::make_unique<Pool>(num_threads).release(); }

Pool*& pool_pointer() {
  static Pool* pointer = make_pool(1);
  return pointer;
}

Pool& pool() { return *pool_pointer(); }

}  // namespace

void run(std::int64_t num_chunks, int limit, ChunkFunction fn) noexcept {
  const auto helpers = std::min<std::int64_t>(num_chunks, limit) - 1;
  Loop loop(fn, num_chunks, static_cast<int>(helpers));
  if (helpers <= 0) {
    loop.work(0);
  } else {
    pool().run(loop);
  }
}

// The libraries of this family are sequential: they run where they are called.
void run_library(int, LibraryFunction fn) noexcept { fn(1); }

bool submit(Work work, int max_idle) noexcept { return pool().submit(work, max_idle); }

void resize(int num_threads) { pool().resize(num_threads); }

int capacity() noexcept { return pool().capacity(); }

void init_thread(int) noexcept {}

std::vector<int> bound_cpus() { return {}; }

Description describe() {
  return {"NATIVE", "native thread pool", "OpenMP not found\n",
          "own pool of " + std::to_string(capacity()) + " threads with the caller"};
}

void fork_prepare(bool) noexcept { pool().lock(); }

void fork_parent() noexcept { pool().unlock(); }

void fork_child(bool) noexcept {
  // The old pool's threads do not exist here. It is left behind as it is: destroying it would wait for them.
  pool().unlock();
  pool_pointer() = make_pool(capacity());
}

}  // namespace threadwheel::backend
