// The OMP backend. An OpenMP runtime keeps a team of threads for every thread that ever led one, so callers must not
// each lead their own: the only caller leads in place; from the second caller on, regions and library calls go to one
// dedicated master thread, and run serially on their caller while the master is busy. Works with libgomp and with
// LLVM's or Intel's runtime; the object is the same.
#include <dlfcn.h>
#include <omp.h>
#include <sched.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <system_error>
#include <thread>
#include <vector>

#include "parallel/backend.h"
#include "parallel/libraries.h"
#include "parallel/own_threads.h"

namespace threadwheel::backend {
namespace {

// The thread that leads the team for everyone. One job at a time: the caller holds the token.
class Master {
 public:
  // Returns false when the system refuses the thread.
  bool execute(FunctionRef<void()> job) noexcept {
    std::unique_lock lock(mutex_);
    if (!started_ && !start()) return false;
    job_ = job;
    wake_.notify_one();
    // At once to sleep: a caller that spins here would take the CPU that a member of the team needs.
    done_.wait(lock, [&] { return !job_.has_value(); });
    return true;
  }

 private:
  bool start() noexcept {
    try {
      std::thread([this] { loop(); }).detach();
    } catch (const std::system_error&) {
      return false;
    }
    return started_ = true;
  }

  void loop() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [&] { return job_.has_value(); });
      lock.unlock();
      (*job_)();
      lock.lock();
      job_.reset();
      done_.notify_one();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_, done_;
  std::optional<FunctionRef<void()>> job_;
  bool started_ = false;
};

// The region that the team works at. Not on the caller's stack, where OpenMP would hand out a pointer to it: every line
// that a thread has to fetch from the caller's core before it can start is a tenth of what an empty region costs.
struct alignas(64) Job {
  std::optional<ChunkFunction> fn;
  std::int64_t num_chunks = 0;
  std::atomic<std::int64_t> next{0};
};

struct State {
  Job job;                              // of the thread that has the token
  int team_size = 0;                    // of the team that it leads; 0: none was formed yet
  std::atomic<bool> busy{false};        // the token: true while a team works
  std::atomic<std::thread::id> home{};  // the first caller
  std::atomic<bool> shared{false};      // a second caller has come
  Master master;
  detail::OwnThreads interop;  // apart from the team, whose members must be free when a region starts
  std::atomic<int> num_threads{omp_get_max_threads()};  // asking also brings the runtime up
};

State*& state_pointer() {
  static State* pointer = std::make_unique<State>().release();  // never destroyed: the master waits in it
  return pointer;
}

State& state() { return *state_pointer(); }

// OpenMP 5.0; looked up, because a process may have loaded an older runtime first.
using PauseFunction = int (*)(omp_pause_resource_t);

const auto kPauseFunction = reinterpret_cast<PauseFunction>(dlsym(RTLD_DEFAULT, "omp_pause_resource_all"));

// LLVM's and Intel's runtimes handle fork on their own, and a pause from inside their hooks deadlocks.
const bool kIsGnuRuntime = dlsym(RTLD_DEFAULT, "kmp_get_blocktime") == nullptr;

class Token {
 public:
  explicit Token(std::atomic<bool>& busy) noexcept : busy_(busy), owned_(!busy.exchange(true)) {}
  ~Token() {
    if (owned_) busy_.store(false);
  }
  Token(const Token&) = delete;
  Token& operator=(const Token&) = delete;

  bool owned() const noexcept { return owned_; }

 private:
  std::atomic<bool>& busy_;
  const bool owned_;
};

thread_local bool leads_team = false;

// The CPUs that no member of the team is on yet.
class FreeCpus {
 public:
  // Moves the calling thread to one of them, if it is on a CPU that another member has.
  void take() {
    const std::lock_guard lock(mutex_);
    const int here = sched_getcpu();
    cpu_set_t allowed;
    if (here < 0 || sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return;
    int cpu = here;
    if (CPU_ISSET(here, &taken_))
      for (cpu = 0; cpu < CPU_SETSIZE && (CPU_ISSET(cpu, &taken_) || !CPU_ISSET(cpu, &allowed));) ++cpu;
    if (cpu == CPU_SETSIZE) return;  // more members than CPUs
    CPU_SET(cpu, &taken_);
    if (cpu == here) return;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    if (sched_setaffinity(0, sizeof(one), &one) == 0) sched_setaffinity(0, sizeof(allowed), &allowed);
  }

 private:
  std::mutex mutex_;
  cpu_set_t taken_{};
};

// Starts the threads of a new team, each on a CPU of its own. The kernel may put a thread on the CPU of the one that
// makes it, which spins at the end of a region: then they take turns, tens of milliseconds, until it parts them.
void form_team(int size) {
  State& s = state();
  if (s.team_size == size) return;
  s.team_size = size;
  if (omp_get_proc_bind() != omp_proc_bind_false) return;  // they are where the user wants them
  FreeCpus cpus;
  cpus.take();
  std::atomic<int> placed{1};
#pragma omp parallel num_threads(size)
  {
    if (omp_get_thread_num() > 0) {
      cpus.take();
      ++placed;
    } else {
      while (placed < omp_get_num_threads()) std::this_thread::yield();  // they may need this CPU to start
    }
  }
}

// Runs `parallel` on the one team, or `serial` on the caller when the team is busy or this already is a team.
template <class Parallel, class Serial>
void dispatch(Parallel parallel, Serial serial) {
  if (omp_in_parallel()) return serial();
  State& s = state();
  const Token token(s.busy);
  if (!token.owned()) return serial();
  const auto me = std::this_thread::get_id();
  std::thread::id nobody{};
  if (!s.shared && (s.home == me || s.home.compare_exchange_strong(nobody, me))) {
    leads_team = true;
    return parallel();
  }
  s.shared = true;
  // The first caller's own team would idle for ever beside the master's.
  if (leads_team) {
    if (kPauseFunction != nullptr) kPauseFunction(omp_pause_soft);
    s.team_size = 0;
  }
  leads_team = false;
  if (!s.master.execute(parallel)) serial();
}

// Runs the job's chunks on a team that this thread leads. Always `limit` threads, also for fewer chunks: libgomp ends
// and restarts threads when a team changes its size.
void lead_team(int limit) {
#pragma omp parallel num_threads(limit)
  {
    Job& job = state().job;
    const ChunkFunction fn = *job.fn;
    const std::int64_t num_chunks = job.num_chunks;
    const int slot = omp_get_thread_num(), team = omp_get_num_threads();
    // The first chunk of each thread is its own: the join waits for every thread anyway, and a region of few chunks
    // needs no counter that goes to and fro between the cores.
    if (slot < num_chunks) fn(slot, slot);
    if (num_chunks > team)
      for (std::int64_t chunk; (chunk = team + job.next.fetch_add(1, std::memory_order_relaxed)) < num_chunks;)
        fn(chunk, slot);
  }
}

// Sets how many threads OpenMP and MKL use for calls from this thread.
class LibraryScope {
 public:
  explicit LibraryScope(int num_threads)
      : openmp_(omp_get_max_threads()), blas_(libraries::exchange_blas_threads_local(num_threads)) {
    omp_set_num_threads(num_threads);
  }
  ~LibraryScope() {
    omp_set_num_threads(openmp_);
    libraries::exchange_blas_threads_local(blas_);
  }
  LibraryScope(const LibraryScope&) = delete;
  LibraryScope& operator=(const LibraryScope&) = delete;

 private:
  int openmp_;
  int blas_;
};

void call_library(int num_threads, LibraryFunction fn) {
  const LibraryScope scope(num_threads);
  fn(num_threads);
}

// "201511 (a.k.a. OpenMP 4.5)"; versions outside the documented list are printed as the number alone.
std::string openmp_version() {
  struct Alias {
    int date;
    const char* name;
  };
  constexpr Alias kAliases[] = {{200505, "2.5"}, {200805, "3.0"}, {201107, "3.1"}, {201307, "4.0"}, {201511, "4.5"}};
  for (const Alias& alias : kAliases)
    if (alias.date == _OPENMP) return std::to_string(_OPENMP) + " (a.k.a. OpenMP " + alias.name + ")";
  return std::to_string(_OPENMP);
}

}  // namespace

void run(std::int64_t num_chunks, int limit, ChunkFunction fn) noexcept {
  const auto parallel = [&] {
    Job& job = state().job;
    job.fn = fn;
    job.num_chunks = num_chunks;
    job.next.store(0, std::memory_order_relaxed);
    form_team(limit);
    lead_team(limit);
  };
  const auto serial = [&] {
    for (std::int64_t chunk = 0; chunk < num_chunks; ++chunk) fn(chunk, 0);
  };
  dispatch(parallel, serial);
}

void run_library(int limit, LibraryFunction fn) noexcept {
  const auto serial = [&] { call_library(1, fn); };
  if (limit == 1) return serial();
  const auto parallel = [&] {
    form_team(limit);
    call_library(limit, fn);
  };
  dispatch(parallel, serial);
}

bool submit(Work work, int max_idle) noexcept { return state().interop.submit(work, max_idle); }

void resize(int num_threads) {
  omp_set_dynamic(0);
  state().num_threads = num_threads;
}

int capacity() noexcept { return state().num_threads; }

void init_thread(int num_threads) noexcept { omp_set_num_threads(num_threads); }

std::vector<int> bound_cpus() {
  std::set<int> cpus;
  const int num_places = omp_get_proc_bind() == omp_proc_bind_false ? 0 : omp_get_num_places();
  for (int place = 0; place < num_places; ++place) {
    std::vector<int> ids(static_cast<std::size_t>(omp_get_place_num_procs(place)));
    omp_get_place_proc_ids(place, ids.data());
    cpus.insert(ids.begin(), ids.end());
  }
  return {cpus.begin(), cpus.end()};
}

Description describe() {
  return {"OMP", "OpenMP",
          "OpenMP " + openmp_version() + "\n\tomp_get_max_threads() : " + std::to_string(omp_get_max_threads()) + "\n",
          kIsGnuRuntime ? "GNU OpenMP" : "LLVM or Intel OpenMP"};
}

void fork_prepare(bool quiet) noexcept {
  // libgomp has no fork hooks of its own: a team that this thread leads would be waited for in the child.
  if (quiet && kIsGnuRuntime && kPauseFunction != nullptr) kPauseFunction(omp_pause_hard);
  state().interop.lock();
}

void fork_parent() noexcept {
  state().team_size = 0;
  state().interop.unlock();
}

void fork_child(bool) noexcept {
  state().interop.unlock();  // this thread may be one of them, and ends there
  const int num_threads = capacity();
  state_pointer() = std::make_unique<State>().release();  // the old one's master does not exist here
  state().num_threads = num_threads;
}

}  // namespace threadwheel::backend
