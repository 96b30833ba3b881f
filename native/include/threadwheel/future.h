// Futures and inter-op tasks. One process-wide pool runs tasks; a future is the value or the exception that a task,
// a promise or a continuation leaves. Private state is here only because templates need it: its code is in the library.
//
// A thread that waits for a task still in the queue runs it itself. A pool thread that has to wait lends its place to
// a spare thread meanwhile, so a pool of one thread cannot deadlock on its own tasks.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace threadwheel {

// Where failures go that no caller can see: those of launch() and intraop_launch(), and of futures that failed and
// were dropped before anyone asked. Called on any thread; what it throws is ignored.
using ErrorHook = void (*)(const char* where, std::exception_ptr error);

// Sets the hook and returns the previous one; nullptr is the default, one line on stderr.
ErrorHook set_error_hook(ErrorHook hook) noexcept;

// Marks a stretch in which a task blocks by other means than Future::wait: a lock, a condition, I/O. Its place in the
// pool goes to another thread meanwhile. Without effect on threads that are not the pool's. Throws Error(kRuntime)
// when the pool has no thread left to give.
class BlockingScope {
 public:
  BlockingScope();
  ~BlockingScope();
  BlockingScope(const BlockingScope&) = delete;
  BlockingScope& operator=(const BlockingScope&) = delete;

 private:
  const bool counted_;
};

namespace detail {

class InteropPool;

enum class TaskKind : std::uint8_t {
  kInterop,  // may run parallel regions
  kIntraop,  // counts as a region itself: regions inside are serial
};

// What a future refers to, and the task that will complete it, if there is one.
class FutureState : public std::enable_shared_from_this<FutureState> {
 public:
  FutureState() noexcept;
  virtual ~FutureState();
  FutureState(const FutureState&) = delete;
  FutureState& operator=(const FutureState&) = delete;

  bool done() noexcept;
  void wait();
  // Runs the task here if it is still in the queue; returns whether the future is done.
  bool try_run();
  // Waits; the error, null for none. Whoever calls it is taken to have seen the error.
  std::exception_ptr error();
  // The error of a future that is done, without having seen it.
  std::exception_ptr peek_error() const noexcept { return error_; }

  // Called once when done: by the thread that completes, in the order of registration, or at once. Must not throw.
  void on_done(std::function<void()> continuation);

  // Completing: whoever gets true from begin() stores the value, and calls finish() next.
  bool begin() noexcept;
  void finish(std::exception_ptr error) noexcept;
  // Fails it, if it is not complete, for want of anyone who could complete it.
  void abandon() noexcept;

  // Puts the task, run(), into the pool's queue.
  void submit(TaskKind kind);

 protected:
  virtual void run() noexcept {}

 private:
  friend class InteropPool;
  enum class Stage : std::uint8_t { kNone, kQueued, kRunning };
  struct Continuation;

  void execute() noexcept;

  std::atomic<int> status_{0};
  std::atomic<bool> observed_{false};
  std::atomic<Stage> stage_{Stage::kNone};  // changed under the pool's mutex
  TaskKind kind_ = TaskKind::kInterop;
  int thread_limit_ = 0;                    // the launching thread's own
  std::exception_ptr error_;
  std::atomic<Continuation*> continuations_{nullptr};
  std::shared_ptr<FutureState> self_;  // while queued or running
  FutureState* previous_ = nullptr;    // neighbours in the pool's list of its stage
  FutureState* next_ = nullptr;
  FutureState* outer_ = nullptr;  // the task that this one interrupts on its thread
};

// Throws the Error(kRuntime) of a future that is completed twice.
[[noreturn]] void refuse_second_completion();

template <class T>
class ResultState : public FutureState {
 public:
  template <class Produce>
  void complete_with(Produce&& produce) noexcept {
    if (!begin()) return;
    std::exception_ptr error;
    try {
      if constexpr (std::is_void_v<T>) {
        std::forward<Produce>(produce)();
        value_.emplace();
      } else {
        value_.emplace(std::forward<Produce>(produce)());
      }
    } catch (...) {
      error = std::current_exception();
    }
    finish(std::move(error));
  }

  struct Nothing {};
  std::optional<std::conditional_t<std::is_void_v<T>, Nothing, T>> value_;
};

template <class T, class F>
class Task final : public ResultState<T> {
 public:
  explicit Task(F&& function) : function_(std::move(function)) {}

 private:
  void run() noexcept override {
    this->complete_with([this]() -> T {
      struct Release {  // what the closure holds is given up before anyone sees the task done
        std::optional<F>& function;
        ~Release() { function.reset(); }
      } release{function_};
      return (*function_)();
    });
  }

  std::optional<F> function_;
};

}  // namespace detail

// A value of type T, or void, that is or will be there, or the exception in its place. Copies refer to the same one;
// all members may be called from any thread. An empty Future may only be assigned to or destroyed.
template <class T>
class Future {
 public:
  Future() = default;
  explicit Future(std::shared_ptr<detail::ResultState<T>> state) : state_(std::move(state)) {}

  bool valid() const noexcept { return state_ != nullptr; }
  bool done() const { return state_->done(); }

  // Runs the task on the calling thread if nobody has begun it; returns whether the future is done. Never blocks.
  bool try_run() const { return state_->try_run(); }

  // Returns when done, failed or not. Throws Error(kRuntime) in a task that waits for itself.
  void wait() const { state_->wait(); }

  // Waits; the exception that it failed with, null for none.
  std::exception_ptr error() const { return state_->error(); }

  // Waits; returns the value, which lives as long as any copy of the future, or throws the exception with its type.
  std::add_lvalue_reference_t<std::add_const_t<T>> value() const& {
    if (const auto failed = state_->error()) std::rethrow_exception(failed);
    if constexpr (!std::is_void_v<T>) return *state_->value_;
  }

  // Of a temporary a copy, where there can be one: a reference would dangle in `for (x : launch_future(f).value())`.
  T value() &&
    requires(std::is_void_v<T> || std::is_copy_constructible_v<T>)
  {
    return static_cast<const Future&>(*this).value();
  }

  // Returns the future of f(*this), called when this one is done, failed or not: by the thread that completes it, in
  // the order of registration, or at once. What f throws, value() of a failed future included, fails the new one.
  template <class F>
  auto then(F f) const {
    using Result = std::invoke_result_t<F&, const Future&>;
    auto derived = std::make_shared<detail::ResultState<Result>>();
    // The state waits in its own list: a pointer that owns would keep it alive for ever.
    state_->on_done([raw = state_.get(), derived, f = std::move(f)]() mutable {
      const Future self(std::static_pointer_cast<detail::ResultState<T>>(raw->shared_from_this()));
      derived->complete_with([&]() -> Result { return f(self); });
    });
    return Future<Result>(std::move(derived));
  }

 private:
  template <class U>
  friend Future<std::vector<Future<U>>> collect_all(std::vector<Future<U>> futures);

  std::shared_ptr<detail::ResultState<T>> state_;
};

// The other end of a future, for values that no task computes.
template <class T>
class Promise {
 public:
  Promise() : state_(std::make_shared<detail::ResultState<T>>()) {}
  // A promise that is dropped fails its future; those who ask or continue see it, nothing is reported.
  ~Promise() {
    if (state_ != nullptr) state_->abandon();
  }
  Promise(Promise&&) noexcept = default;
  Promise& operator=(Promise&& other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }

  Future<T> future() const { return Future<T>(state_); }

  // Complete the future. Throw Error(kRuntime) when it is complete already.
  template <class... Value>
  void set_value(Value&&... value) {
    const auto state = state_;  // a waiter may drop the promise as soon as it sees the value
    if (!state->begin()) detail::refuse_second_completion();
    std::exception_ptr error;
    try {
      state->value_.emplace(std::forward<Value>(value)...);
    } catch (...) {
      error = std::current_exception();
    }
    state->finish(std::move(error));
  }
  void set_error(std::exception_ptr error) {
    const auto state = state_;
    if (!state->begin()) detail::refuse_second_completion();
    state->finish(std::move(error));
  }

 private:
  std::shared_ptr<detail::ResultState<T>> state_;
};

// Returns a future that is done when all are: with all of them as its value, or with the first error by position. The
// errors of others stay theirs.
template <class T>
Future<std::vector<Future<T>>> collect_all(std::vector<Future<T>> futures) {
  using All = std::vector<Future<T>>;
  auto derived = std::make_shared<detail::ResultState<All>>();
  struct Shared {
    All futures;
    std::atomic<std::size_t> missing;
  };
  const auto shared = std::make_shared<Shared>();
  shared->futures = std::move(futures);
  shared->missing = shared->futures.size() + 1;  // one for this function, so that an empty list completes too
  const auto arrive = [shared, derived] {
    if (shared->missing.fetch_sub(1) != 1) return;
    derived->complete_with([&]() -> All {
      All done = std::move(shared->futures);
      for (const Future<T>& future : done)
        if (future.state_->peek_error() != nullptr) future.value();
      return done;
    });
  };
  // A copy of the list: the last arrival takes the shared one away.
  for (const Future<T>& future : All(shared->futures)) future.state_->on_done(arrive);
  arrive();
  return Future<All>(derived);
}

// Runs f() on the inter-op pool, with the calling thread's own number of threads; starts the pool. What f throws goes
// to the error hook.
void launch(std::function<void()> f);

// Runs f() on the inter-op pool and returns the future of its result. What f throws fails the future.
template <class F>
auto launch_future(F f) {
  using Result = std::invoke_result_t<F&>;
  auto task = std::make_shared<detail::Task<Result, F>>(std::move(f));
  task->submit(detail::TaskKind::kInterop);
  return Future<Result>(std::move(task));
}

// As launch and launch_future, for work that counts as a parallel region itself: regions in f run serially. Inside a
// region, and when the number of threads is 1, f runs at once on the caller.
void intraop_launch(std::function<void()> f);
Future<void> intraop_launch_future(std::function<void()> f);

}  // namespace threadwheel
