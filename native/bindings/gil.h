// The interpreter's lock, given up and taken. As pybind11's guards, but that a thread which wants the lock when the
// interpreter has ended sleeps for ever: Python up to 3.13 ends such a thread by unwinding its stack, and that ends the
// process at the first function that lets no exception through.
#pragma once

#include <Python.h>
#include <cxxabi.h>
#include <unistd.h>

namespace threadwheel::bindings {

namespace detail {

template <class Take>
auto take_lock(Take take) noexcept {
  try {
    return take();
  } catch (abi::__forced_unwind&) {
    for (;;) pause();
  }
}

}  // namespace detail

// Without the lock from here to the end of the scope.
class Unlocked {
 public:
  Unlocked() noexcept : state_(PyEval_SaveThread()) {}
  ~Unlocked() {
    detail::take_lock([this] { PyEval_RestoreThread(state_); });
  }
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;

 private:
  PyThreadState* const state_;
};

// With the lock, on any thread.
class Locked {
 public:
  Locked() noexcept : state_(detail::take_lock(PyGILState_Ensure)) {}
  ~Locked() { PyGILState_Release(state_); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  const PyGILState_STATE state_;
};

}  // namespace threadwheel::bindings
