// How many CPUs this process may use: affinity, cgroup quota, physical cores. Knows nothing of environment
// variables or of what the count is used for.
#pragma once

#include <string>

namespace threadwheel {

struct CpuCount {
  int affinity = 1;        // CPUs in the affinity mask, or those that the threading runtime binds to
  int physical_cores = 0;  // distinct cores among them; 0: not known
  int quota = 0;           // cgroup CPU quota, rounded up, the least of the group and its ancestors; 0: none
  int usable = 1;          // the least of the known ones
};

// Reads `root`/proc and `root`/sys; tests give a fake tree, everyone else "".
CpuCount count_cpus(const std::string& root = "");

// Lets the calling thread, one of our own, run on all these CPUs, where it was made by a thread that is bound to one.
void leave_bound_cpu() noexcept;

}  // namespace threadwheel
