// Hand a piece of work to an idle thread, or start one: there is no queue to wait in.
#include "parallel/own_threads.h"

#include "parallel/cpu_count.h"
#include "parallel/spin.h"
#include "parallel/start_thread.h"

namespace threadwheel::detail {

bool OwnThreads::submit(backend::Work work, int max_idle) noexcept {
  std::unique_lock lock(mutex_);
  max_idle_ = max_idle;
  if (idle_ <= static_cast<int>(pending_.size())) {
    lock.unlock();
    return start_thread("threadwheel-op", [this, work] {
      leave_bound_cpu();
      loop(work);
    });
  }
  pending_.push_back(work);
  epoch_.fetch_add(1, std::memory_order_relaxed);
  const bool wake = static_cast<int>(pending_.size()) > spinning_;
  lock.unlock();
  if (wake) wake_.notify_one();
  return true;
}

void OwnThreads::loop(backend::Work work) noexcept {
  for (; work != nullptr; work = next()) work();
}

// Null: this thread is one too many, even for sleeping.
backend::Work OwnThreads::next() noexcept {
  std::unique_lock lock(mutex_);
  ++idle_;
  if (pending_.empty()) {
    ++spinning_;
    const unsigned seen = epoch_.load(std::memory_order_relaxed);
    lock.unlock();
    spin_until([&] { return epoch_.load(std::memory_order_relaxed) != seen; });
    lock.lock();
    --spinning_;
  }
  if (pending_.empty() && idle_ > max_idle_) {
    --idle_;
    return nullptr;
  }
  wake_.wait(lock, [&] { return !pending_.empty(); });
  --idle_;
  const backend::Work work = pending_.front();
  pending_.pop_front();
  return work;
}

}  // namespace threadwheel::detail
