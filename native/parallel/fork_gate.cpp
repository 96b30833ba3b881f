// The counter, the wait and the pthread_atfork hooks.
#include "parallel/fork_gate.h"

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <thread>

#include "parallel/backend.h"
#include "parallel/thread_state.h"

namespace threadwheel::detail {
namespace {

// A fork waits this long for a region that does not end; then it goes on, and the child may not run regions. So does
// whoever stops the others.
constexpr std::chrono::seconds kQuietTimeout{2};

// Written at each region's begin and end; in a line of its own, as its threads read what follows.
alignas(64) std::atomic<int> active{0};
alignas(64) std::atomic<bool> closed{false};  // while a thread forks, and when one has stopped the others
thread_local bool stops_others = false;
thread_local int depth = 0;  // library calls nest in regions and in each other; the outermost one counts

constinit std::mutex settings;
const ForkListener* fork_listener = nullptr;  // under the settings mutex

std::atomic<int> generation{0};
std::atomic<bool> serial{false};
std::atomic<bool> serial_reported{false};
bool quiet = false;  // of the fork that is going on, under the settings mutex

// The activities that a fork cannot wait for: the one that the forking thread is itself in, as its caller or helper.
int own_activities() noexcept { return depth > 0 || thread_state().in_region ? 1 : 0; }

// Lets nobody begin, and waits for those who have begun.
void close_gate() noexcept {
  closed.store(true);
  const auto deadline = std::chrono::steady_clock::now() + kQuietTimeout;
  while (active.load() > own_activities() && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::microseconds(50));
}

void prepare() noexcept {
  settings.lock();
  close_gate();
  if (fork_listener != nullptr) fork_listener->prepare();
  quiet = active.load() == 0;
  backend::fork_prepare(quiet);
}

void parent() noexcept {
  backend::fork_parent();
  if (fork_listener != nullptr) fork_listener->parent();
  closed.store(false);
  closed.notify_all();
  settings.unlock();
}

void child() noexcept {
  generation.fetch_add(1, std::memory_order_relaxed);
  if (!quiet) serial.store(true, std::memory_order_relaxed);
  backend::fork_child(quiet);
  if (fork_listener != nullptr) fork_listener->child();
  active.store(depth > 0 ? 1 : 0);  // the others belong to threads that do not exist here
  closed.store(false);
  settings.unlock();
}

// At load, when there are no threads yet: a fork beside a first use would leave the child with that half done. The
// backend's runtime comes up before: prepare hooks run last registered first, and ours must run before the runtime's,
// which would hold its lock while our callers are waited for.
[[maybe_unused]] const int registered = (backend::capacity(), pthread_atfork(prepare, parent, child));

}  // namespace

int fork_generation() noexcept { return generation.load(std::memory_order_relaxed); }

bool must_be_serial() noexcept {
  if (!serial.load(std::memory_order_relaxed)) return false;
  if (!serial_reported.exchange(true, std::memory_order_relaxed))
    std::fputs("threadwheel: fork: this process was forked while a parallel region ran, and runs its own regions "
               "serially; fork when no region runs\n", stderr);
  return true;
}

std::mutex& settings_mutex() noexcept { return settings; }

void set_fork_listener(const ForkListener& listener) {
  const std::lock_guard lock(settings);
  fork_listener = &listener;
}

void stop_others() noexcept {
  stops_others = true;
  close_gate();
}

int num_activities() noexcept { return active.load(std::memory_order_relaxed); }

int ActivityScope::begin() noexcept {
  // A chunk belongs to its region, which is counted already; waiting here would keep that region from ending.
  if (thread_state().in_region || depth++ > 0) return 0;
  for (;;) {
    // The increment comes before the look at `closed`, and close_gate() does the reverse: in the single order of
    // sequentially consistent operations one of the two sees the other.
    const int others = active.fetch_add(1);
    if (!closed.load() || stops_others) return others;
    active.fetch_sub(1);
    closed.wait(true);
  }
}

ActivityScope::~ActivityScope() {
  if (!thread_state().in_region && --depth == 0) active.fetch_sub(1);
}
}  // namespace threadwheel::detail
