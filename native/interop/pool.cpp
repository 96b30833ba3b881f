// The inter-op pool. Everything about who runs and who sleeps is under one mutex; tasks run without it.
#include "interop/pool.h"

#include <pthread.h>
#include <signal.h>

#include <system_error>
#include <thread>

#include "interop/spin.h"
#include "parallel/fork_gate.h"
#include "parallel/thread_state.h"
#include "threadwheel/error.h"

namespace threadwheel {
namespace detail {
namespace {

thread_local bool is_worker = false;
thread_local int blocking_depth = 0;
thread_local FutureState* innermost = nullptr;  // the task that this thread is in

std::exception_ptr orphaned() {
  return std::make_exception_ptr(Error(
      ErrorCode::kRuntime,
      "future: the process forked while its task was pending, and the task's thread is not in this child; "
      "launch it again here"));
}

[[noreturn]] void refuse_spare(int num_blocked) {
  throw Error(ErrorCode::kRuntime, "inter-op pool: " + std::to_string(num_blocked) +
                                       " of its threads are blocked, and no further one could be started for the tasks "
                                       "they wait for; let fewer tasks block at a time");
}

}  // namespace

InteropPool& InteropPool::instance() {
  // Never destroyed: workers may still wait in it while the process runs its exit handlers.
  static InteropPool* const pool = [] {
    auto* made = std::unique_ptr<InteropPool>(new InteropPool).release();
    static constexpr ForkListener listener{[] { instance().lock_for_fork(); }, [] { instance().unlock_in_parent(); },
                                           [] { instance().reset_in_child(); }};
    set_fork_listener(listener);
    return made;
  }();
  return *pool;
}

void InteropPool::List::append(FutureState& task) noexcept {
  task.previous_ = last;
  task.next_ = nullptr;
  (last != nullptr ? last->next_ : first) = &task;
  last = &task;
}

void InteropPool::List::remove(FutureState& task) noexcept {
  (task.previous_ != nullptr ? task.previous_->next_ : first) = task.next_;
  (task.next_ != nullptr ? task.next_->previous_ : last) = task.previous_;
}

int InteropPool::settle_size() {
  if (const int size = size_.load(std::memory_order_acquire)) return size;
  const int size = freeze_num_interop_threads();  // takes the settings mutex, which goes before this pool's
  size_.store(size, std::memory_order_release);
  return size;
}

void InteropPool::submit(FutureState& task, TaskKind kind) {
  settle_orphans();
  settle_size();
  task.kind_ = kind;
  task.thread_limit_ = thread_state().limit;
  auto self = task.shared_from_this();
  std::unique_lock lock(mutex_);
  task.self_ = std::move(self);
  task.stage_.store(Stage::kQueued, std::memory_order_relaxed);
  queue_.append(task);
  queued_.fetch_add(1, std::memory_order_relaxed);
  const Wake wake = plan_wake();
  lock.unlock();
  // A system that gives no thread at all still gets the work done, here.
  if (!perform(wake)) {
    lock.lock();
    const bool nobody = threads_ == 0;
    lock.unlock();
    if (nobody && claim(task)) run_here(task);
  }
}

InteropPool::Wake InteropPool::plan_wake() noexcept {
  const int queued = queued_.load(std::memory_order_relaxed);
  if (queued == 0 || spinning_ >= queued || working() >= size_.load(std::memory_order_relaxed)) return Wake::kNobody;
  if (sleeping_ > 0) {
    // From here on the sleeper counts as working, so that the next task looks for another thread.
    --sleeping_;
    ++tokens_;
    return Wake::kSleeper;
  }
  if (threads_ >= size_.load(std::memory_order_relaxed) + kMaxSpares) return Wake::kNobody;
  ++threads_;
  return Wake::kNewThread;
}

bool InteropPool::perform(Wake wake) noexcept {
  if (wake == Wake::kSleeper) wake_->notify_one();
  if (wake != Wake::kNewThread || start_thread()) return true;
  const std::lock_guard lock(mutex_);
  --threads_;
  return false;
}

bool InteropPool::start_thread() noexcept {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are the application's, not a worker's
  bool started = true;
  try {
    std::thread thread([this] { work(); });
    pthread_setname_np(thread.native_handle(), "threadwheel-op");
    thread.detach();
  } catch (const std::system_error&) {
    started = false;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

void InteropPool::work() noexcept {
  is_worker = true;
  std::shared_ptr<FutureState> finished;  // dropped without the mutex: that may run code of the user
  std::unique_lock lock(mutex_);
  for (;;) {
    FutureState* const task = working() <= size_.load(std::memory_order_relaxed) ? take() : nullptr;
    if (task == nullptr && finished == nullptr) {
      if (idle(lock)) continue;
      break;
    }
    lock.unlock();
    finished.reset();
    if (task != nullptr) execute(*task);
    lock.lock();
    if (task != nullptr) finished = retire(*task);
  }
  --threads_;
}

FutureState* InteropPool::take() noexcept {
  FutureState* const task = queue_.first;
  if (task == nullptr) return nullptr;
  queue_.remove(*task);
  queued_.fetch_sub(1, std::memory_order_relaxed);
  task->stage_.store(Stage::kRunning, std::memory_order_relaxed);
  running_.append(*task);
  return task;
}

// Returns whether to look for work again; false: this thread is one too many, even for sleeping.
bool InteropPool::idle(std::unique_lock<std::mutex>& lock) noexcept {
  const int size = size_.load(std::memory_order_relaxed);
  if (working() <= size) {
    ++spinning_;
    lock.unlock();
    spin_until([&] { return queued_.load(std::memory_order_relaxed) > 0; });
    lock.lock();
    --spinning_;
    if (queue_.first != nullptr) return true;
  }
  if (sleeping_ >= size) return false;
  ++sleeping_;
  wake_->wait(lock, [&] { return tokens_ > 0; });
  --tokens_;
  return true;
}

bool InteropPool::claim(FutureState& task) {
  if (task.stage_.load(std::memory_order_relaxed) != Stage::kQueued) return false;
  const std::lock_guard lock(mutex_);
  if (task.stage_.load(std::memory_order_relaxed) != Stage::kQueued) return false;
  queue_.remove(task);
  queued_.fetch_sub(1, std::memory_order_relaxed);
  task.stage_.store(Stage::kRunning, std::memory_order_relaxed);
  running_.append(task);
  return true;
}

void InteropPool::run_here(FutureState& task) noexcept {
  execute(task);
  std::shared_ptr<FutureState> finished;
  const std::lock_guard lock(mutex_);
  finished = retire(task);
}

void InteropPool::execute(FutureState& task) noexcept {
  task.outer_ = std::exchange(innermost, &task);
  task.execute();
  innermost = task.outer_;
}

std::shared_ptr<FutureState> InteropPool::retire(FutureState& task) noexcept {
  running_.remove(task);
  task.stage_.store(Stage::kNone, std::memory_order_relaxed);
  return std::move(task.self_);
}

bool InteropPool::enter_blocking() {
  if (!is_worker || blocking_depth > 0) return false;
  std::unique_lock lock(mutex_);
  ++blocked_;
  const Wake wake = plan_wake();
  const int blocked = blocked_;
  const bool stuck = wake == Wake::kNobody && queue_.first != nullptr && working() <= 0;
  lock.unlock();
  if (stuck || !perform(wake)) {
    leave_blocking();
    refuse_spare(blocked);
  }
  blocking_depth = 1;
  return true;
}

void InteropPool::leave_blocking() noexcept {
  const std::lock_guard lock(mutex_);
  --blocked_;
  blocking_depth = 0;
}

bool InteropPool::is_running_here(const FutureState& task) noexcept {
  const FutureState* running = innermost;
  while (running != nullptr && running != &task) running = running->outer_;
  return running != nullptr;
}

// The child has the forking thread only. Tasks of other threads are set aside and failed at the next call into this
// file, not here: their continuations are the user's code, and a fork handler is no place for it.
void InteropPool::reset_in_child() noexcept {
  for (List* list : {&queue_, &running_}) {
    for (FutureState* task = list->first; task != nullptr;) {
      FutureState* const next = task->next_;
      if (!is_running_here(*task)) {
        list->remove(*task);
        orphans_.append(*task);
        if (list == &queue_) task->stage_.store(Stage::kNone, std::memory_order_relaxed);
      }
      task = next;
    }
  }
  queued_.store(0, std::memory_order_relaxed);
  threads_ = is_worker ? 1 : 0;
  blocked_ = blocking_depth;
  sleeping_ = spinning_ = tokens_ = 0;
  static_cast<void>(wake_.release());
  wake_ = std::make_unique<std::condition_variable>();
  has_orphans_.store(orphans_.first != nullptr, std::memory_order_release);
  mutex_.unlock();
}

void InteropPool::fail_orphans() noexcept {
  List orphans;
  {
    const std::lock_guard lock(mutex_);
    std::swap(orphans, orphans_);
    has_orphans_.store(false, std::memory_order_relaxed);
  }
  for (FutureState* task = orphans.first; task != nullptr;) {
    FutureState* const next = task->next_;
    std::shared_ptr<FutureState> self;
    // A task that was running stays for ever: what it holds is half changed by a thread that is no more.
    if (task->stage_.load(std::memory_order_relaxed) == Stage::kNone) self = std::move(task->self_);
    if (!task->done()) {
      task->observed_.store(true, std::memory_order_relaxed);  // the parent still runs it: nothing failed there
      task->finish(orphaned());
    }
    task = next;
  }
}

}  // namespace detail

BlockingScope::BlockingScope() : counted_(detail::InteropPool::instance().enter_blocking()) {}

BlockingScope::~BlockingScope() {
  if (counted_) detail::InteropPool::instance().leave_blocking();
}

}  // namespace threadwheel
