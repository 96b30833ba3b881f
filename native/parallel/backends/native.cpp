// The NATIVE backend: one process-wide pool of own threads. A loop lives on its caller's stack; the caller takes
// part, helpers take chunks by fetch-and-add, and helpers that have not started when the chunks run out are
// revoked, so that a region never waits for a wake-up.
#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

#include "parallel/backend.h"

namespace threadwheel::backend {
namespace {

// How long idle threads look for work before they sleep: about the cost of the wake-up that this saves.
constexpr std::chrono::microseconds kSpinTime{20};

template <class Condition>
bool spin_until(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + kSpinTime;
  do {
    for (int i = 0; i < 16; ++i) {
      if (condition()) return true;
      __builtin_ia32_pause();
    }
  } while (std::chrono::steady_clock::now() < deadline);
  return false;
}

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

// Threads are started by the first loop that wants them, not by resize: setting a count costs nothing, and a forked
// child starts its own when it needs them.
class Pool {
 public:
  explicit Pool(int num_threads) : target_(num_threads - 1) {}

  void resize(int num_threads) {
    const std::lock_guard lock(mutex_);
    target_ = num_threads - 1;
    if (alive_ > target_) {  // the surplus leaves
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

  // Held across fork(2), so that no other thread changes the lists meanwhile.
  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }

 private:
  void submit(Loop& loop) {
    std::unique_lock lock(mutex_);
    target_ = std::max(target_, loop.max_helpers);
    while (alive_ < loop.max_helpers && spawn()) ++alive_;
    append(loop);
    ++callers_;
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
    --callers_;
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
    while (alive_ <= target_) {
      if (first_ == nullptr) {
        idle(lock);
        continue;
      }
      Loop& loop = *first_;
      const int slot = ++loop.started;
      if (loop.started == loop.max_helpers) remove(loop);
      loop.running.fetch_add(1, std::memory_order_relaxed);
      lock.unlock();
      loop.work(slot);
      lock.lock();
      // The chunks have run out, so further helpers would find nothing.
      remove(loop);
      // A caller that spins may return as soon as it sees 0, so the loop is not touched after the decrement; one
      // that sleeps cannot return before this thread gives up the mutex.
      if (loop.caller_sleeps && loop.running.load(std::memory_order_relaxed) == 1) loop.done.notify_one();
      loop.running.fetch_sub(1, std::memory_order_release);
    }
    --alive_;
  }

  void idle(std::unique_lock<std::mutex>& lock) {
    // Spinning is only worth it on a CPU that nobody else could use.
    if (callers_ + alive_ <= num_cpus_) {
      const unsigned seen = epoch_.load(std::memory_order_relaxed);
      lock.unlock();
      const bool changed = spin_until([&] { return epoch_.load(std::memory_order_relaxed) != seen; });
      lock.lock();
      if (changed || first_ != nullptr || alive_ > target_) return;
    }
    ++sleeping_;
    wake_.wait(lock);  // spurious wake-ups are fine: the caller of idle() looks again
    --sleeping_;
  }

  // Fewer threads than asked is within the contract, so a refusal by the system is not an error.
  bool spawn() noexcept {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are the application's, not a worker's
    bool started = true;
    try {
      std::thread thread([this] { worker(); });
      pthread_setname_np(thread.native_handle(), "threadwheel");
      thread.detach();
    } catch (const std::system_error&) {
      started = false;
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return started;
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
  int target_;        // workers that should be, at most
  int alive_ = 0;     // workers that are
  int sleeping_ = 0;  // workers in wake_.wait
  int callers_ = 0;   // threads inside run()
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

void resize(int num_threads) { pool().resize(num_threads); }

int capacity() noexcept { return pool().capacity(); }

void init_thread(int) noexcept {}

Description describe() {
  return {"NATIVE", "native thread pool", "OpenMP not found\n",
          "own pool of " + std::to_string(capacity()) + " threads with the caller"};
}

void fork_prepare(bool) noexcept { pool().lock(); }

void fork_parent() noexcept { pool().unlock(); }

void fork_child() noexcept {
  // The old pool's threads do not exist here. It is left behind as it is: destroying it would wait for them.
  pool().unlock();
  pool_pointer() = make_pool(capacity());
}

}  // namespace threadwheel::backend
