// Futures: one word of state, an error, and the continuations. Without locks, so that a fork finds none held.
#include "threadwheel/future.h"

#include <cxxabi.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include "interop/pool.h"
#include "parallel/fork_gate.h"
#include "parallel/spin.h"
#include "parallel/thread_state.h"
#include "threadwheel/error.h"
#include "threadwheel/parallel.h"

namespace threadwheel {
namespace detail {
namespace {

enum Status : int { kPending, kSetting, kDone };

std::atomic<ErrorHook> error_hook{nullptr};

std::string describe(const std::exception_ptr& error) {
  const std::type_info* type = nullptr;
  std::string text;
  try {
    std::rethrow_exception(error);
  } catch (const Error& ours) {
    const std::string what = ours.what();
    return what.substr(0, what.find('\n'));  // what follows is the place in a program
  } catch (const std::exception& exception) {
    type = &typeid(exception);
    text = std::string(": ") + exception.what();
  } catch (...) {
    type = abi::__cxa_current_exception_type();
  }
  int status = 0;
  char* const name = type != nullptr ? abi::__cxa_demangle(type->name(), nullptr, nullptr, &status) : nullptr;
  text.insert(0, name != nullptr ? name : "an exception");
  std::free(name);
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

void print_error(const char* where, const std::exception_ptr& error) {
  std::fprintf(stderr,
               "threadwheel: %s: a task failed and nobody asked for its result: %s; ask a future for its value, or "
               "set an error hook\n",
               where, describe(error).c_str());
}

// A task's surroundings: the launching thread's number of threads; a region's flag where the task is one, or where
// the thread that waits for it is in one.
class TaskScope {
 public:
  TaskScope(TaskKind kind, int limit) : state_(thread_state()), previous_(state_) {
    if (kind == TaskKind::kIntraop) activity_.emplace();
    state_ = {previous_.in_region || kind == TaskKind::kIntraop, 0, limit};
  }
  ~TaskScope() { state_ = previous_; }  // before activity_, which looks at it
  TaskScope(const TaskScope&) = delete;
  TaskScope& operator=(const TaskScope&) = delete;

 private:
  std::optional<ActivityScope> activity_;
  ThreadState& state_;
  const ThreadState previous_;
};

// launch()'s task: nobody holds its future, so errors go to the hook.
class DetachedTask final : public FutureState {
 public:
  DetachedTask(const char* where, std::function<void()> function) : where_(where), function_(std::move(function)) {}

 private:
  void run() noexcept override {
    try {
      function_();
    } catch (...) {
      report_error(where_, std::current_exception());
    }
    function_ = nullptr;
    if (begin()) finish(nullptr);
  }

  const char* where_;
  std::function<void()> function_;
};

}  // namespace

void report_error(const char* where, const std::exception_ptr& error) noexcept {
  try {
    if (const ErrorHook hook = error_hook.load()) {
      hook(where, error);
    } else {
      print_error(where, error);
    }
  } catch (...) {  // a failure to report has nowhere to go
  }
}

struct FutureState::Continuation {
  std::function<void()> function;
  Continuation* next;

  // In the place of a list that takes no more: the future is done.
  static Continuation* closed() noexcept {
    static Continuation mark{{}, nullptr};
    return &mark;
  }
};

FutureState::FutureState() noexcept = default;

FutureState::~FutureState() {
  Continuation* continuation = continuations_.load(std::memory_order_acquire);
  while (continuation != nullptr && continuation != Continuation::closed())
    delete std::exchange(continuation, continuation->next);
  if (error_ != nullptr && !observed_.load(std::memory_order_relaxed)) report_error("future", error_);
}

bool FutureState::done() noexcept {
  InteropPool::instance().settle_orphans();
  return status_.load(std::memory_order_acquire) == kDone;
}

bool FutureState::try_run() {
  InteropPool& pool = InteropPool::instance();
  if (!done() && pool.claim(*this)) pool.run_here(*this);
  return done();
}

void FutureState::wait() {
  if (try_run()) return;
  if (InteropPool::is_running_here(*this))
    throw Error(ErrorCode::kRuntime, "future: a task waits for its own result; return before waiting for it");
  if (spin_until([&] { return status_.load(std::memory_order_acquire) == kDone; })) return;
  const BlockingScope blocking;
  for (int seen; (seen = status_.load(std::memory_order_acquire)) != kDone;) status_.wait(seen);
}

std::exception_ptr FutureState::error() {
  wait();
  observed_.store(true, std::memory_order_relaxed);
  return error_;
}

void FutureState::on_done(std::function<void()> continuation) {
  InteropPool::instance().settle_orphans();
  auto node = std::make_unique<Continuation>(std::move(continuation), nullptr);
  Continuation* head = continuations_.load(std::memory_order_acquire);
  do {
    if (head == Continuation::closed()) return node->function();
    node->next = head;
    // Release: whoever takes the list sees the node whole.
  } while (!continuations_.compare_exchange_weak(head, node.get(), std::memory_order_acq_rel));
  static_cast<void>(node.release());
}

bool FutureState::begin() noexcept {
  int pending = kPending;
  return status_.compare_exchange_strong(pending, kSetting, std::memory_order_acq_rel);
}

void FutureState::abandon() noexcept {
  if (!begin()) return;
  observed_.store(true, std::memory_order_relaxed);  // no task failed: a promise was not needed any more
  finish(std::make_exception_ptr(
      Error(ErrorCode::kRuntime, "future: its promise was dropped; set a value or an error before")));
}

void FutureState::finish(std::exception_ptr error) noexcept {
  error_ = std::move(error);
  status_.store(kDone, std::memory_order_release);
  status_.notify_all();
  Continuation* last = continuations_.exchange(Continuation::closed(), std::memory_order_acq_rel);
  Continuation* first = nullptr;
  while (last != nullptr) {  // the list has the newest first
    Continuation* const next = std::exchange(last->next, first);
    first = std::exchange(last, next);
  }
  while (first != nullptr) {
    const std::unique_ptr<Continuation> continuation(std::exchange(first, first->next));
    continuation->function();
  }
}

void FutureState::submit(TaskKind kind) {
  InteropPool& pool = InteropPool::instance();
  if (kind != TaskKind::kIntraop || region_limit() > 1) return pool.submit(*this, kind);
  kind_ = kind;
  thread_limit_ = thread_state().limit;
  execute();
}

void FutureState::execute() noexcept {
  const TaskScope scope(kind_, thread_limit_);
  run();
}

void refuse_second_completion() {
  throw Error(ErrorCode::kRuntime, "promise: the future is complete already; set a value or an error once");
}

}  // namespace detail

ErrorHook set_error_hook(ErrorHook hook) noexcept { return detail::error_hook.exchange(hook); }

void launch(std::function<void()> f) {
  std::make_shared<detail::DetachedTask>("launch", std::move(f))->submit(detail::TaskKind::kInterop);
}

void intraop_launch(std::function<void()> f) {
  std::make_shared<detail::DetachedTask>("intraop_launch", std::move(f))->submit(detail::TaskKind::kIntraop);
}

Future<void> intraop_launch_future(std::function<void()> f) {
  auto task = std::make_shared<detail::Task<void, std::function<void()>>>(std::move(f));
  task->submit(detail::TaskKind::kIntraop);
  return Future<void>(std::move(task));
}

}  // namespace threadwheel
