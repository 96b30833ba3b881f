// Waiting for a moment without going to sleep: the backends, and those who wait for a future.
#pragma once

#include <chrono>
#include <thread>

namespace threadwheel::detail {

// Not a static of the function: the child of a fork beside its first use would wait for it for ever.
inline const bool kAlone = std::thread::hardware_concurrency() <= 1;

// About the cost of the sleep and the wake-up that this saves.
inline constexpr std::chrono::microseconds kSpinTime{20};

// Returns whether the condition came true in time. On one CPU it looks once: spinning would keep the other from it.
template <class Condition>
bool spin_until(Condition condition) {
  if (condition()) return true;
  if (kAlone) return false;
  const auto deadline = std::chrono::steady_clock::now() + kSpinTime;
  do {
    for (int i = 0; i < 16; ++i) {
      if (condition()) return true;
      __builtin_ia32_pause();
    }
    // Whoever is to make it true may be on this CPU: a thread just woken often is where its waker runs.
    std::this_thread::yield();
  } while (std::chrono::steady_clock::now() < deadline);
  return false;
}

}  // namespace threadwheel::detail
