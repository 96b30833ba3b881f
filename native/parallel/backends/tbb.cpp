// The TBB backend. Loops and library calls run isolated, in the arena that their caller is in, which costs nothing to
// enter, and where it has the wrong size in one of our own. Slots are ours: TBB's thread indices are neither contiguous
// within a loop nor meaningful outside one. arena.execute may run the functor on another OS thread. Inter-op work runs
// in our arena as far as TBB has workers for it.
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>
#include <tbb/task_scheduler_observer.h>
#include <tbb/version.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "parallel/backend.h"
#include "parallel/fork_gate.h"
#include "parallel/own_threads.h"

namespace threadwheel::backend {
namespace {

// In the child of a fork that was in the middle of a region: workers came and went, and one of them may have held a
// lock of TBB's, which nobody opens here.
bool tbb_is_off = false;

// In the child of a fork that could not end TBB's workers: TBB takes the dead ones for alive, and loops run on their
// callers.
bool workers_are_lost = false;

// MKL and oneDNN on TBB ignore MKL's thread setters: only an arena with one slot makes them serial. One per thread,
// because threads would queue for the slot of a common one.
tbb::task_arena& serial_arena() {
  thread_local tbb::task_arena arena(1, 1);
  return arena;
}

// TBB's workers, as the kernel numbers threads. A worker on its way out of an arena takes TBB's global lock for a
// moment; a fork in that moment would leave the child with a lock that nobody opens.
class Workers {
 public:
  void add(pid_t thread) {
    const std::lock_guard lock(mutex_);
    threads_.insert(thread);
  }

  // Waits until every worker sleeps but those that are `lent` to inter-op work: then none holds a lock. Gives up after
  // a while, as a region of somebody else's may keep them busy.
  void wait_until_asleep(const std::set<pid_t>& lent) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(2);
    const std::lock_guard lock(mutex_);
    // Twice the same: a worker seen asleep may have been woken by one that was looked at later.
    for (std::string before = "-"; std::chrono::steady_clock::now() < deadline;) {
      const std::string now = look(lent);
      if (!now.empty() && now == before) return;
      before = now;
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  }

 private:
  // How often each worker has gone to sleep so far, or nothing when one is awake.
  std::string look(const std::set<pid_t>& lent) {
    std::string switches = ".";
    for (const pid_t thread : threads_) {
      if (lent.contains(thread)) continue;
      std::ifstream status("/proc/self/task/" + std::to_string(thread) + "/status");
      for (std::string line; std::getline(status, line);) {
        if (line.starts_with("State:") && line.find('S', 6) == std::string::npos) return "";
        if (line.starts_with("voluntary_ctxt_switches:")) switches += line;
      }
    }
    return switches;
  }

  std::mutex mutex_;
  std::set<pid_t> threads_;
};

// Notes the workers that enter an arena: the given one, or that of the calling thread.
class Observer final : public tbb::task_scheduler_observer {
 public:
  explicit Observer(Workers& workers) : workers_(workers) { observe(true); }
  Observer(tbb::task_arena& arena, Workers& workers) : task_scheduler_observer(arena), workers_(workers) {
    observe(true);
  }
  ~Observer() override { observe(false); }

  void on_scheduler_entry(bool is_worker) override {
    thread_local bool known = false;
    if (is_worker && !std::exchange(known, true)) workers_.add(gettid());
  }

 private:
  Workers& workers_;
};

// The arenas, by size. They are made when first used and kept: a resize never destroys an arena that another thread
// is in, and an idle arena holds no thread. Never destroyed, as TBB may be gone by the time of exit handlers.
class Arenas {
 public:
  explicit Arenas(int num_threads) : size_(num_threads) {}

  void resize(int num_threads) {
    const std::lock_guard lock(mutex_);
    size_.store(num_threads, std::memory_order_relaxed);
    main_.store(nullptr, std::memory_order_relaxed);
  }

  int size() const noexcept { return size_.load(std::memory_order_relaxed); }

  // TBB gives a process as many threads as there are CPUs unless told otherwise. The control is for the whole process,
  // so it is touched only by whoever needs more than that.
  bool allows(int num_threads) const noexcept { return num_threads <= allowed_.load(std::memory_order_relaxed); }

  void allow(int num_threads) {
    const std::lock_guard lock(mutex_);
    if (allows(num_threads)) return;
    control_.reset();
    control_ = std::make_unique<tbb::global_control>(kThreads, static_cast<std::size_t>(num_threads));
    allowed_.store(num_threads, std::memory_order_relaxed);
  }

  // A thread has come to help a loop that wants `num_threads`: one more may, unless callers have the room. One by one,
  // as loops of many threads that end soon do with few.
  void welcome(int num_threads) {
    const int more = allowed_.load(std::memory_order_relaxed) + 1;
    if (more <= num_threads && detail::num_activities() + more - 1 <= std::max(size(), num_threads)) allow(more);
  }

  // The process's arena.
  tbb::task_arena& main() {
    tbb::task_arena* const arena = main_.load(std::memory_order_acquire);
    return arena != nullptr ? *arena : of_size(size());
  }

  // An arena with room for `limit` threads: the process's, except where a scope asks for more than it has.
  tbb::task_arena& at_least(int limit) { return limit <= size() ? main() : of_size(limit); }

  tbb::task_arena& exactly(int limit) { return limit == size() ? main() : of_size(limit); }

  void note_workers_of_current() {
    if (!current_observer()) {
      const std::lock_guard lock(mutex_);
      attach();
      current_observer().emplace(workers_);
    }
  }

  // Before a fork, when nobody uses an arena: ends TBB's workers, which the child will not have. TBB refuses when any
  // other live thread has used it, ours or not; then the child's regions run on one thread, a limit of TBB's, and the
  // workers must at least hold no lock. Whatever ended here starts again at its next use.
  // Returns whether they ended.
  bool end_workers() {
    const std::lock_guard lock(mutex_);
    main_.store(nullptr, std::memory_order_relaxed);
    for (auto& [size, room] : by_size_) {
      room->observer.reset();
      room->arena.terminate();
    }
    current_observer().reset();
    serial_arena().terminate();
    attach();  // a refusal takes the handle away, and TBB says yes to an empty one
    if (tbb::finalize(scheduler_, std::nothrow)) return true;
    workers_.wait_until_asleep({});
    return false;
  }

  // The same, where inter-op work is in the arena: its workers cannot end.
  void wait_until_asleep(const std::set<pid_t>& lent) { workers_.wait_until_asleep(lent); }

 private:
  struct Room {
    explicit Room(int num_threads) : arena(num_threads, 1) {}

    tbb::task_arena arena;
    std::optional<Observer> observer;
  };

  // A thread that ends takes it along.
  static std::optional<Observer>& current_observer() {
    thread_local std::optional<Observer> observer;
    return observer;
  }

  // Under the mutex.
  void attach() {
    if (!scheduler_) scheduler_ = tbb::task_scheduler_handle(tbb::attach());
  }

  tbb::task_arena& of_size(int num_threads) {
    allow(std::min(num_threads, 2));  // on one CPU nobody would come to be welcomed
    const std::lock_guard lock(mutex_);
    attach();
    auto& room = by_size_[num_threads];
    if (room == nullptr) room = std::make_unique<Room>(num_threads);
    if (!room->observer) room->observer.emplace(room->arena, workers_);
    if (num_threads == size()) main_.store(&room->arena, std::memory_order_release);
    return room->arena;
  }

  std::mutex mutex_;
  Workers workers_;
  tbb::task_scheduler_handle scheduler_;
  std::map<int, std::unique_ptr<Room>> by_size_;
  static constexpr auto kThreads = tbb::global_control::max_allowed_parallelism;
  std::unique_ptr<tbb::global_control> control_;
  std::atomic<int> allowed_{static_cast<int>(tbb::global_control::active_value(kThreads))};
  std::atomic<tbb::task_arena*> main_{nullptr};
  std::atomic<int> size_;
};

// Never destroyed; a forked child leaves its parent's behind.
Arenas*& arenas_pointer() {
  static Arenas* pointer = std::make_unique<Arenas>(1).release();
  return pointer;
}

Arenas& arenas() { return *arenas_pointer(); }

// Inter-op work: in the arena while no loop may want the worker that it takes, and another one is left, which is where
// a task's own loops find help; else on threads of our own, as TBB runs what it has no worker for much later.
class InteropWork {
 public:
  bool submit(Work work, int max_idle) { return enqueue(work) || own_.submit(work, max_idle); }

  // Held across fork(2): workers neither begin nor end inter-op work then; one that wants to sleeps.
  void lock() {
    mutex_.lock();
    own_.lock();
  }
  void unlock() {
    own_.unlock();
    mutex_.unlock();
  }
  // While locked: whether there is work in the arena, and the workers that run it.
  bool in_arena() const noexcept { return inside_ > 0; }
  const std::set<pid_t>& lent() const noexcept { return lent_; }

 private:
  bool enqueue(Work work) {
    const std::lock_guard lock(mutex_);
    const int threads = inside_ + 3;  // this work's, the one that is left, and a caller
    if (workers_are_lost || detail::num_activities() > 0 || threads > arenas().size()) return false;
    arenas().allow(threads);
    ++inside_;
    arenas().main().enqueue([this, work] { run(work); });
    return true;
  }

  void run(Work work) {
    const pid_t thread = gettid();
    {
      const std::lock_guard lock(mutex_);
      lent_.insert(thread);
    }
    work();
    const std::lock_guard lock(mutex_);
    lent_.erase(thread);
    --inside_;
  }

  std::mutex mutex_;
  int inside_ = 0;        // pieces of work in the arena
  std::set<pid_t> lent_;  // the workers that run them
  detail::OwnThreads own_;
};

// Never destroyed; a forked child leaves its parent's behind.
InteropWork* interop = std::make_unique<InteropWork>().release();

bool workers_ended = false;  // by the fork that is going on

// Whether the arena that the caller is in will do: it has room for that many threads, and the process's arenas together
// no more workers than the size allows. Libraries and loops then share it, as a worker that is called from one arena
// into another comes tens of microseconds later.
bool current_arena_has(int least, int most) noexcept {
  const int room = tbb::this_task_arena::max_concurrency();
  return least <= room && room <= std::min(most, arenas().size());
}

// As many runners as threads may take part, each with its own slot; the runner, not the thread, owns the slot, so it
// does not matter which thread takes it. Runners that start late find no chunk left. By value in TBB's tasks: a thread
// that joins waits for each line that it has to fetch from the caller's core.
struct Job {
  ChunkFunction fn;
  std::int64_t num_chunks;
  int num_runners;
  std::thread::id caller;
  std::atomic<std::int64_t>* next;

  // The first chunk of each slot is its own, so that regions with a chunk per thread share no counter.
  void operator()(const tbb::blocked_range<int>& slots) const {
    for (int slot = slots.begin(); slot < slots.end(); ++slot) run(slot);
  }

  void run(int slot) const {
    if (!arenas().allows(num_runners) && std::this_thread::get_id() != caller) arenas().welcome(num_runners);
    for (std::int64_t chunk = slot; chunk < num_chunks; chunk = next->fetch_add(1, std::memory_order_relaxed)) {
      fn(chunk, slot);
      if (num_chunks == num_runners) return;
    }
  }
};

}  // namespace

void run(std::int64_t num_chunks, int limit, ChunkFunction fn) noexcept {
  const int num_runners = static_cast<int>(std::min<std::int64_t>(num_chunks, limit));
  alignas(64) std::atomic<std::int64_t> next{num_runners};
  const Job job{fn, num_chunks, num_runners, std::this_thread::get_id(), &next};
  // Isolated: while a thread waits for this loop it must not pick up somebody else's task.
  const auto loop = [&] {
    tbb::this_task_arena::isolate([&] { tbb::parallel_for(tbb::blocked_range<int>(0, num_runners), job, tbb::simple_partitioner()); });
  };
  if (current_arena_has(num_runners, arenas().size())) {
    arenas().note_workers_of_current();
    loop();
  } else {
    arenas().at_least(limit).execute(loop);
  }
}

void run_library(int limit, LibraryFunction fn) noexcept {
  if (tbb_is_off) return fn(0);
  if (limit == 1) return serial_arena().execute([&] { fn(1); });
  const auto call = [&] { tbb::this_task_arena::isolate([&] { fn(limit); }); };
  if (current_arena_has(limit, limit)) {
    arenas().note_workers_of_current();
    call();
  } else {
    arenas().exactly(limit).execute(call);
  }
}

bool submit(Work work, int max_idle) noexcept { return interop->submit(work, max_idle); }

void resize(int num_threads) { arenas().resize(num_threads); }

int capacity() noexcept { return arenas().size(); }

void init_thread(int) noexcept {}

std::vector<int> bound_cpus() { return {}; }

Description describe() {
  return {"TBB", "native thread pool and TBB", "OpenMP not found\n",
          std::string("oneTBB ") + TBB_runtime_version() + ", built with " TBB_VERSION_STRING};
}

void fork_prepare(bool quiet) noexcept {
  interop->lock();
  workers_ended = false;
  if (!quiet) return;
  if (interop->in_arena()) {
    arenas().wait_until_asleep(interop->lent());
  } else {
    workers_ended = arenas().end_workers();
  }
}

void fork_parent() noexcept { interop->unlock(); }

void fork_child(bool quiet) noexcept {
  interop->unlock();  // this thread may be in the middle of inter-op work, and ends there
  interop = std::make_unique<InteropWork>().release();
  arenas_pointer() = std::make_unique<Arenas>(capacity()).release();
  tbb_is_off = tbb_is_off || !quiet;
  workers_are_lost = workers_are_lost || !workers_ended;
}

}  // namespace threadwheel::backend
