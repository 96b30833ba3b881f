// The interpreter's lock, given up and taken. As pybind11's guards, but that a thread which wants the lock when the
// interpreter has ended sleeps for ever, as it does from Python 3.14 on: before, Python ends such a thread by unwinding
// its stack, which ends the process at the first function that lets no exception through.
#pragma once

#include <Python.h>
#include <cxxabi.h>
#include <unistd.h>

#include <atomic>

namespace threadwheel::bindings {

// From the interpreter's exit handlers on: a thread that Python does not know yet must not ask for the lock any more.
inline std::atomic<bool> interpreter_ends{false};

[[noreturn]] inline void sleep_for_ever() noexcept {
  for (;;) pause();
}

// fn(), which may want the interpreter's lock.
template <class Fn>
auto or_sleep(Fn&& fn) {
  try {
    return fn();
  } catch (abi::__forced_unwind&) {
    sleep_for_ever();
  }
}

// Without the lock from here to the end of the scope.
class Unlocked {
 public:
  Unlocked() noexcept : state_(PyEval_SaveThread()) {}
  ~Unlocked() {
    or_sleep([this] { PyEval_RestoreThread(state_); });
  }
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;

 private:
  PyThreadState* const state_;
};

// With the lock, on any thread. What calls Python inside of the scope does so in or_sleep.
class Locked {
 public:
  Locked() noexcept : state_(or_sleep(take)) {}
  ~Locked() { PyGILState_Release(state_); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  static PyGILState_STATE take() {
    if (interpreter_ends.load() && PyGILState_GetThisThreadState() == nullptr) sleep_for_ever();
    return PyGILState_Ensure();
  }

  const PyGILState_STATE state_;
};

}  // namespace threadwheel::bindings
