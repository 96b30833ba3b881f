// The counter, the wait and the pthread_atfork hooks.
#include "parallel/fork_gate.h"

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include "parallel/backend.h"
#include "parallel/thread_state.h"

namespace threadwheel::detail {
namespace {

// A fork waits this long for a region that does not end; then it goes on, and the child may not run regions.
constexpr std::chrono::seconds kQuietTimeout{2};

std::atomic<int> active{0};
std::atomic<bool> forking{false};
thread_local int depth = 0;  // library calls nest in regions and in each other; the outermost one counts

constinit std::mutex settings;
const ForkListener* fork_listener = nullptr;  // under the settings mutex

// Whether the forking thread is itself inside a region or call: then waiting for quiet would wait for itself. Its
// child may exec or exit, no more.
bool inside() noexcept { return depth > 0 || thread_state().in_region; }

void prepare() noexcept {
  if (inside()) return;
  settings.lock();
  forking.store(true);
  const auto deadline = std::chrono::steady_clock::now() + kQuietTimeout;
  while (active.load() > 0 && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  if (fork_listener != nullptr) fork_listener->prepare();
  backend::fork_prepare(active.load() == 0);
}

void parent() noexcept {
  if (inside()) return;
  backend::fork_parent();
  if (fork_listener != nullptr) fork_listener->parent();
  forking.store(false);
  forking.notify_all();
  settings.unlock();
}

void child() noexcept {
  if (inside()) return;
  backend::fork_child();
  if (fork_listener != nullptr) fork_listener->child();
  active.store(0);  // regions that did not end in time belong to threads that do not exist here
  forking.store(false);
  settings.unlock();
}

}  // namespace

std::mutex& settings_mutex() noexcept { return settings; }

void set_fork_listener(const ForkListener& listener) {
  register_fork_hooks();
  const std::lock_guard lock(settings);
  fork_listener = &listener;
}

ActivityScope::ActivityScope() noexcept {
  // A chunk belongs to its region, which is counted already; waiting here would keep that region from ending.
  if (thread_state().in_region || depth++ > 0) return;
  for (;;) {
    // The increment comes before the look at `forking`, and prepare() does the reverse: in the single order of
    // sequentially consistent operations one of the two sees the other.
    active.fetch_add(1);
    if (!forking.load()) return;
    active.fetch_sub(1);
    forking.wait(true);
  }
}

ActivityScope::~ActivityScope() {
  if (!thread_state().in_region && --depth == 0) active.fetch_sub(1);
}

void register_fork_hooks() {
  static const int registered = (backend::capacity(), pthread_atfork(prepare, parent, child));
  static_cast<void>(registered);
}

}  // namespace threadwheel::detail
