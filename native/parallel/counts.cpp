// Thread counts. One process-wide number, read at region entry, so that set_num_threads reaches every thread;
// a thread may override it for a scope. Precedence: set > MKL_NUM_THREADS > OMP_NUM_THREADS > detected.
#include "parallel/counts.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <string_view>

#include "parallel/backend.h"
#include "parallel/fork_gate.h"
#include "parallel/libraries.h"
#include "parallel/thread_state.h"
#include "threadwheel/error.h"
#include "threadwheel/parallel.h"

namespace threadwheel {
namespace {

// All of it is written under the settings mutex only; 0 and nothing until the first use.
std::atomic<int> process_num_threads{0};
std::atomic<int> useful_threads{0};
std::atomic<bool> was_set{false};
std::optional<CpuCount> cpus_settled;
std::optional<DefaultCount> default_settled;

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<int> parse_count(std::string_view text) {
  text = trim(text);
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1 || value > kMaxNumThreads)
    return std::nullopt;
  return value;
}

// OpenMP allows one number per nesting level, "4,2"; ours is the outermost.
std::optional<int> parse_openmp_count(std::string_view text) { return parse_count(text.substr(0, text.find(','))); }

struct Variable {
  const char* name;
  std::optional<int> (*parse)(std::string_view);
};

constexpr Variable kVariables[] = {{"MKL_NUM_THREADS", parse_count}, {"OMP_NUM_THREADS", parse_openmp_count}};

// One line per bad value, when it is known what is used in its place.
void warn(const char* name, const char* value, const DefaultCount& used) {
  std::fprintf(stderr, "threadwheel: %s: '%s' is not a number of threads from 1 to %d; using %d (%s)\n", name, value,
               kMaxNumThreads, used.num_threads, used.source);
}

// Under the settings mutex, as settled_default. Never changes once it is there.
const CpuCount& settled_cpus() {
  if (!cpus_settled) cpus_settled = count_cpus();
  return *cpus_settled;
}

DefaultCount settle_default() {
  DefaultCount result;
  result.cpus = settled_cpus();
  result.num_threads = result.cpus.usable < kMaxNumThreads ? result.cpus.usable : kMaxNumThreads;
  result.source = "detected";
  const Variable* bad[std::size(kVariables)];
  std::size_t num_bad = 0;
  for (const Variable& variable : kVariables) {
    const char* text = std::getenv(variable.name);
    if (text == nullptr || *text == '\0') continue;
    if (const auto value = variable.parse(text)) {
      result.num_threads = *value;
      result.source = variable.name;
      break;
    }
    bad[num_bad++] = &variable;
  }
  for (std::size_t i = 0; i < num_bad; ++i) warn(bad[i]->name, std::getenv(bad[i]->name), result);
  return result;
}

void check_count(const char* where, int num_threads) {
  if (num_threads < 1 || num_threads > kMaxNumThreads) refuse_count(where, std::to_string(num_threads));
}

// Gives one number to the pool and to the libraries. Under the settings mutex, so that two setters leave one result.
void apply(int num_threads) {
  backend::resize(num_threads);
  backend::init_thread(num_threads);
  libraries::set_blas_threads(num_threads);
  useful_threads.store(std::min(settled_cpus().usable, num_threads), std::memory_order_relaxed);
  process_num_threads.store(num_threads, std::memory_order_release);
}

const DefaultCount& settled_default() {
  if (!default_settled) default_settled = settle_default();
  return *default_settled;
}

int process_count() {
  // Acquire: whoever sees the number also sees the pool resized to it.
  const int known = process_num_threads.load(std::memory_order_acquire);
  if (known != 0) return known;
  const std::lock_guard lock(detail::settings_mutex());
  if (process_num_threads.load(std::memory_order_relaxed) == 0) apply(settled_default().num_threads);
  return process_num_threads.load(std::memory_order_relaxed);
}

}  // namespace

int num_useful_threads() noexcept { return useful_threads.load(std::memory_order_relaxed); }

const DefaultCount& default_count() {
  const std::lock_guard lock(detail::settings_mutex());
  return settled_default();
}

void refuse_count(const char* where, const std::string& value) {
  throw Error(ErrorCode::kValue, std::string(where) + ": the number of threads is " + value +
                                     "; expected positive number of threads, from 1 to " +
                                     std::to_string(kMaxNumThreads));
}

std::string num_threads_source() { return was_set.load() ? "set_num_threads" : default_count().source; }

int get_num_threads() {
  const int own = detail::thread_state().limit;
  return own != 0 ? own : process_count();
}

void set_num_threads(int num_threads) {
  check_count("set_num_threads", num_threads);
  const std::lock_guard lock(detail::settings_mutex());
  apply(num_threads);
  was_set.store(true);
}

void init_num_threads() {
  process_count();
  backend::init_thread(get_num_threads());
}

int exchange_thread_limit(int num_threads) {
  if (num_threads != 0) check_count("num_threads", num_threads);
  process_count();  // the pool must be up before a limit can be asked of it
  int& limit = detail::thread_state().limit;
  const int previous = limit;
  limit = num_threads;
  return previous;
}

NumThreadsScope::NumThreadsScope(int num_threads) : previous_(0) {
  check_count("num_threads", num_threads);
  previous_ = exchange_thread_limit(num_threads);
}

NumThreadsScope::~NumThreadsScope() { detail::thread_state().limit = previous_; }

}  // namespace threadwheel
