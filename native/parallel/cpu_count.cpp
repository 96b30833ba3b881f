// Detection of usable CPUs on Linux. cgroup v1 and v2, also both at once (hybrid), with the whole chain of
// ancestors: a quota on a parent group limits its children although their own files say "max".
#include "parallel/cpu_count.h"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <thread>
#include <vector>

#include "parallel/backend.h"

namespace threadwheel {
namespace {

// The affinity mask as a list of CPU numbers. The mask of the kernel may be larger than cpu_set_t's 1024 bits.
std::vector<int> allowed_cpus() {
  for (int num_cpus = 1024; num_cpus <= 1 << 18; num_cpus *= 4) {
    std::vector<cpu_set_t> mask(static_cast<std::size_t>(num_cpus) / (8 * sizeof(cpu_set_t)));
    const std::size_t size_bytes = mask.size() * sizeof(cpu_set_t);
    if (sched_getaffinity(0, size_bytes, mask.data()) != 0) continue;
    std::vector<int> cpus;
    for (int cpu = 0; cpu < num_cpus; ++cpu)
      if (CPU_ISSET_S(static_cast<std::size_t>(cpu), size_bytes, mask.data())) cpus.push_back(cpu);
    return cpus;
  }
  return {};
}

std::optional<std::string> first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  return line;
}

// The CPUs of one core name each other in a list, the same text for each: distinct texts are distinct cores.
int count_physical_cores(const std::string& root, const std::vector<int>& cpus) {
  std::set<std::string> cores;
  for (const int cpu : cpus) {
    const std::string topology = root + "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/";
    auto siblings = first_line(topology + "core_cpus_list");
    if (!siblings) siblings = first_line(topology + "thread_siblings_list");  // the name before Linux 5.3
    if (!siblings) return 0;
    cores.insert(*siblings);
  }
  return static_cast<int>(cores.size());
}

struct Mount {
  std::string root;   // which directory of the cgroup hierarchy is mounted
  std::string point;  // and where
};

bool has_word(const std::string& comma_list, const std::string& word) {
  std::istringstream words(comma_list);
  for (std::string item; std::getline(words, item, ',');)
    if (item == word) return true;
  return false;
}

// Finds the mount of the unified hierarchy, or of the v1 hierarchy with the cpu controller, in proc(5)'s mountinfo:
// "36 35 98:0 <root> <mount point> <options> [optional fields] - <type> <source> <super options>".
std::optional<Mount> find_cgroup_mount(const std::string& root, bool unified) {
  std::ifstream file(root + "/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    const auto separator = line.find(" - ");
    if (separator == std::string::npos) continue;
    std::istringstream head(line.substr(0, separator)), tail(line.substr(separator + 3));
    std::string id, parent, device, type, source, super_options;
    Mount mount;
    head >> id >> parent >> device >> mount.root >> mount.point;
    tail >> type >> source >> super_options;
    if (unified ? type == "cgroup2" : type == "cgroup" && has_word(super_options, "cpu")) return mount;
  }
  return std::nullopt;
}

// This process's group in that hierarchy, from lines "0::<path>" (v2) or "<n>:cpu,cpuacct:<path>" (v1).
std::optional<std::string> find_cgroup_path(const std::string& root, bool unified) {
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (unified ? controllers.empty() : has_word(controllers, "cpu")) return line.substr(second + 1);
  }
  return std::nullopt;
}

// One group's quota in CPUs, rounded up: half a CPU still needs one thread.
int read_quota(const std::string& directory, bool unified) {
  double quota_us = 0, period_us = 0;
  if (unified) {
    std::istringstream line(first_line(directory + "/cpu.max").value_or(""));
    line >> quota_us >> period_us;  // "max 100000" leaves both at 0
  } else {
    std::istringstream(first_line(directory + "/cpu.cfs_quota_us").value_or("")) >> quota_us;  // -1: no quota
    std::istringstream(first_line(directory + "/cpu.cfs_period_us").value_or("")) >> period_us;
  }
  if (!(quota_us > 0) || !(period_us > 0)) return 0;
  const double cpus = std::min(quota_us / period_us, 1e6);
  const int whole = static_cast<int>(cpus);
  return std::max(whole + (cpus > whole), 1);
}

int least_known(int a, int b) { return a == 0 ? b : b == 0 ? a : std::min(a, b); }

int hierarchy_quota(const std::string& root, bool unified) {
  const auto mount = find_cgroup_mount(root, unified);
  auto path = find_cgroup_path(root, unified);
  if (!mount || !path) return 0;
  // In a container the mount may start at the container's group while the path counts from the real root; a path
  // that leaves the mount ("/../..") shows nothing but the mount point itself.
  if (mount->root != "/") *path = path->starts_with(mount->root) ? path->substr(mount->root.size()) : "";
  if (path->find("..") != std::string::npos) path->clear();
  int quota = 0;
  for (std::string group = *path;;) {
    quota = least_known(quota, read_quota(root + mount->point + group, unified));
    const auto slash = group.rfind('/');
    if (slash == std::string::npos) return quota;
    group.resize(slash);
  }
}

}  // namespace

CpuCount count_cpus(const std::string& root) {
  std::vector<int> cpus = backend::bound_cpus();
  if (cpus.empty()) cpus = allowed_cpus();
  CpuCount count;
  count.affinity = cpus.empty() ? static_cast<int>(std::max(1U, std::thread::hardware_concurrency()))
                                : static_cast<int>(cpus.size());
  count.physical_cores = count_physical_cores(root, cpus);
  count.quota = least_known(hierarchy_quota(root, true), hierarchy_quota(root, false));
  count.usable = least_known(least_known(count.affinity, count.physical_cores), count.quota);
  return count;
}

void leave_bound_cpu() noexcept {
  const std::vector<int> cpus = backend::bound_cpus();
  if (cpus.empty()) return;
  std::vector<cpu_set_t> mask(static_cast<std::size_t>(std::ranges::max(cpus)) / CPU_SETSIZE + 1);
  const std::size_t size_bytes = mask.size() * sizeof(cpu_set_t);
  CPU_ZERO_S(size_bytes, mask.data());
  for (const int cpu : cpus) CPU_SET_S(static_cast<std::size_t>(cpu), size_bytes, mask.data());
  sched_setaffinity(0, size_bytes, mask.data());  // refused where a container's CPUs have changed: then all stays
}

}  // namespace threadwheel
