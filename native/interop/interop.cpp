// The number of inter-op threads: detected cores unless set; set once, before the pool starts, the same value
// again being fine. Never aborts, and reading the number starts nothing.
#include "interop/pool.h"

#include <algorithm>
#include <mutex>
#include <string>

#include "parallel/counts.h"
#include "parallel/fork_gate.h"
#include "threadwheel/error.h"
#include "threadwheel/parallel.h"

namespace threadwheel {
namespace {

int chosen = 0;  // 0: neither set nor settled by the start of the pool; under the settings mutex

}  // namespace

void set_num_interop_threads(int num_threads) {
  if (num_threads < 1 || num_threads > kMaxNumThreads)
    refuse_count("set_num_interop_threads", std::to_string(num_threads));
  const std::lock_guard lock(detail::settings_mutex());
  if (chosen != 0 && chosen != num_threads)
    throw Error(ErrorCode::kRuntime,
                "Error: cannot set number of interop threads after parallel work has started or "
                "set_num_interop_threads called: it is " + std::to_string(chosen) + ", " +
                    std::to_string(num_threads) + " was asked; set it once, before the first task");
  chosen = num_threads;
}

int get_num_interop_threads() {
  const int detected = std::min(default_count().cpus.usable, kMaxNumThreads);
  const std::lock_guard lock(detail::settings_mutex());
  return chosen != 0 ? chosen : detected;
}

int detail::freeze_num_interop_threads() {
  const int detected = std::min(default_count().cpus.usable, kMaxNumThreads);
  const std::lock_guard lock(detail::settings_mutex());
  if (chosen == 0) chosen = detected;
  return chosen;
}

}  // namespace threadwheel
