// Where the number of threads comes from, for those who report it (info, the bindings).
#pragma once

#include <string>

#include "parallel/cpu_count.h"

namespace threadwheel {

struct DefaultCount {
  int num_threads = 1;
  const char* source = "";  // "MKL_NUM_THREADS", "OMP_NUM_THREADS" or "detected"
  CpuCount cpus;
};

// The count in force when nobody calls set_num_threads. Settled at the first use; bad values are warned of there.
const DefaultCount& default_count();

// How many of the pool's threads the CPUs can run at a time. 0 before the first use.
int num_useful_threads() noexcept;

// Returns "set_num_threads", or the source of the default.
std::string num_threads_source();

// Sets the calling thread's own number of threads, 0 for none, and returns the previous one: what a
// NumThreadsScope does, for callers whose scope is not a C++ one. Throws Error(kValue).
int exchange_thread_limit(int num_threads);

// Throws the Error(kValue) for a number of threads that is not allowed; `value` as the user wrote it.
[[noreturn]] void refuse_count(const char* where, const std::string& value);

}  // namespace threadwheel
