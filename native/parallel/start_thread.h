// How the library starts a thread of its own.
#pragma once

#include <pthread.h>
#include <signal.h>

#include <system_error>
#include <thread>
#include <utility>

namespace threadwheel::detail {

// Runs work() on a new thread, which nobody joins; false when the system refuses one. `name` is what tools show.
template <class Work>
bool start_thread(const char* name, Work work) noexcept {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are the application's, not a worker's
  bool started = true;
  try {
    std::thread thread(std::move(work));
    pthread_setname_np(thread.native_handle(), name);
    thread.detach();
  } catch (const std::system_error&) {
    started = false;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

}  // namespace threadwheel::detail
