// The inter-op pool. Everything about who runs is under one mutex; tasks run without it, and no thread waits here.
#include "interop/pool.h"

#include <utility>

#include "parallel/backend.h"
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

InteropPool* const InteropPool::pool_ = make();

InteropPool* InteropPool::make() {
  static constexpr ForkListener listener{[] { instance().lock_for_fork(); }, [] { instance().unlock_in_parent(); },
                                         [] { instance().reset_in_child(); }};
  set_fork_listener(listener);
  return std::unique_ptr<InteropPool>(new InteropPool).release();
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

void InteropPool::settle_size() {
  if (size_.load(std::memory_order_acquire) != 0) return;
  // Takes the settings mutex, which goes before this pool's.
  size_.store(freeze_num_interop_threads(), std::memory_order_release);
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
  const bool wanted = plan_worker();
  lock.unlock();
  if (!wanted || start_worker()) return;
  // A system that gives no thread at all still gets the work done, here.
  lock.lock();
  const bool nobody = working() <= 0;
  lock.unlock();
  if (nobody && claim(task)) run_here(task);
}

// Whether one more worker may run; it counts from here on, so that the next task looks for another one.
bool InteropPool::plan_worker() noexcept {
  const int size = size_.load(std::memory_order_relaxed);
  if (queue_.first == nullptr || working() >= size || threads_ >= size + kMaxSpares) return false;
  ++threads_;
  return true;
}

bool InteropPool::start_worker() noexcept {
  if (backend::submit([] { instance().work(); }, size_.load(std::memory_order_relaxed))) return true;
  const std::lock_guard lock(mutex_);
  --threads_;
  return false;
}

// Runs tasks while there are any. The thread then goes back to the backend, which keeps it awake for a moment.
void InteropPool::work() noexcept {
  is_worker = true;
  std::shared_ptr<FutureState> finished;  // dropped without the mutex: that may run code of the user
  std::unique_lock lock(mutex_);
  for (;;) {
    FutureState* const task = working() <= size_.load(std::memory_order_relaxed) ? take() : nullptr;
    if (task == nullptr && finished == nullptr) break;
    lock.unlock();
    finished.reset();
    if (task != nullptr) execute(*task);
    lock.lock();
    if (task != nullptr) finished = retire(*task);
  }
  --threads_;
  is_worker = false;
}

FutureState* InteropPool::take() noexcept {
  FutureState* const task = queue_.first;
  if (task == nullptr) return nullptr;
  queue_.remove(*task);
  task->stage_.store(Stage::kRunning, std::memory_order_relaxed);
  running_.append(*task);
  return task;
}

bool InteropPool::claim(FutureState& task) {
  if (task.stage_.load(std::memory_order_relaxed) != Stage::kQueued) return false;
  const std::lock_guard lock(mutex_);
  if (task.stage_.load(std::memory_order_relaxed) != Stage::kQueued) return false;
  queue_.remove(task);
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
  const bool wanted = plan_worker();
  const int blocked = blocked_;
  const bool stuck = !wanted && queue_.first != nullptr && working() <= 0;
  lock.unlock();
  if (stuck || (wanted && !start_worker())) {
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
  threads_ = is_worker ? 1 : 0;
  blocked_ = blocking_depth;
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
