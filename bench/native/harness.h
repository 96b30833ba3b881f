// What every contender of bench/parallel.py has in common: the workloads, the clocks, the command line. A contender
// is one file that defines a Runtime and calls bench::main<Runtime>(); a run measures one thing and prints it as JSON.
//
//   struct Runtime {
//     static void configure(const Arguments&);                    // "threads" and settings of its own
//     static void parallel_for(std::int64_t n, std::int64_t grain, const auto& body);  // body(begin, end)
//     static void launch_and_wait();                              // an empty task
//   };
#pragma once

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace bench {

using Clock = std::chrono::steady_clock;
using Results = std::vector<std::pair<const char*, double>>;

// name=value words.
class Arguments {
 public:
  Arguments(int argc, char** argv) {
    for (int i = 2; i < argc; ++i) {
      const std::string word = argv[i];
      const auto equals = word.find('=');
      values_[word.substr(0, equals)] = word.substr(equals + 1);
    }
  }

  std::string text(const char* name, const char* otherwise) const {
    const auto found = values_.find(name);
    return found == values_.end() ? otherwise : found->second;
  }
  double number(const char* name, double otherwise) const {
    return std::atof(text(name, std::to_string(otherwise).c_str()).c_str());
  }
  int threads() const { return static_cast<int>(number("threads", 2)); }

 private:
  std::map<std::string, std::string> values_;
};

inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

inline void sleep_ms(double ms) { std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(ms)); }

inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// CPU seconds of the process (RUSAGE_SELF) or of the calling thread (RUSAGE_THREAD).
inline double cpu_seconds(int who) {
  rusage usage{};
  getrusage(who, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

inline int count_os_threads() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == "Threads:") {
      int count = 0;
      status >> count;
      return count;
    }
  return 0;
}

// The loop that all contenders run where a loop with work in it is asked for: about 25 us on one thread.
class Work {
 public:
  static constexpr std::int64_t kElements = 60'000, kGrain = 1024;

  void operator()(std::int64_t begin, std::int64_t end) const {
    float* const out = y_.get();
    const float* const in = x_.get();
    for (std::int64_t i = begin; i < end; ++i) out[i] = in[i] / (1.0F + out[i]);
  }

 private:
  std::unique_ptr<float[]> x_ = std::make_unique<float[]>(kElements), y_ = std::make_unique<float[]>(kElements);
};

// The body of a region that is empty but for this: the chunk that comes first waits until the other one has begun. So
// no thread can run both, and a region lasts as long as it takes to bring the second thread in.
class alignas(64) Handshake {
 public:
  void reset() { arrived_.store(0, std::memory_order_relaxed); }

  void arrive() {
    thread_local char identity;
    who_[arrived_.fetch_add(1)] = &identity;
    for (int looks = 0; arrived_.load(std::memory_order_acquire) < 2; ++looks)
      looks < kLooks ? __builtin_ia32_pause() : std::this_thread::yield();
  }

  bool two_threads() const { return arrived_.load() == 2 && who_[0] != who_[1]; }

 private:
  // Afterwards the CPU is offered to the other thread, which may have been put on this very one.
  static constexpr int kLooks = 500;

  std::atomic<int> arrived_{0};
  const char* who_[2]{};
};

// Microseconds of a region of two chunks, and how many regions two threads took part in. pause_ms before each region
// lets the runtime's threads go to sleep; without one they spin, where they do.
template <class Runtime>
Results forkjoin(const Arguments& arguments) {
  const double pause_ms = arguments.number("pause_ms", 0), seconds = arguments.number("seconds", 0.2);
  const int batch = pause_ms > 0 ? 1 : 20;
  Handshake handshake;
  // In lines of their own: it would be luck otherwise what else goes to and fro with them in one contender or another.
  struct alignas(64) Body {
    Handshake& handshake;
    void operator()(std::int64_t begin, std::int64_t end) const {
      for (; begin < end; ++begin) handshake.arrive();
    }
  };
  const Body body{handshake};
  double shared = 0, regions = 0;
  const auto region = [&] {
    handshake.reset();
    Runtime::parallel_for(2, 1, body);
    shared += handshake.two_threads();
    ++regions;
  };
  for (int i = 0; i < 100; ++i) region();
  shared = regions = 0;
  std::vector<double> times;
  for (const auto start = Clock::now(); seconds_since(start) < seconds;) {
    if (pause_ms > 0) sleep_ms(pause_ms);
    const auto begin = Clock::now();
    for (int i = 0; i < batch; ++i) region();
    times.push_back(seconds_since(begin) / batch * 1e6);
  }
  return {{"us", median(times)}, {"regions", regions}, {"regions_of_two_threads", shared}};
}

// `callers` threads that each run loops one after the other. The main thread only watches: it counts neither as a
// thread nor as CPU time.
template <class Runtime>
Results server(const Arguments& arguments) {
  const auto callers = static_cast<std::size_t>(arguments.number("callers", 8));
  const double seconds = arguments.number("seconds", 0.5);
  std::atomic<bool> stop{false};
  std::atomic<long> regions{0};
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < callers; ++i)
    threads.emplace_back([&] {
      for (const Work work; !stop; regions.fetch_add(1, std::memory_order_relaxed))
        Runtime::parallel_for(Work::kElements, Work::kGrain, work);
    });
  sleep_ms(200);  // until the runtime has started all threads that it wants
  const auto cpu = [] { return cpu_seconds(RUSAGE_SELF) - cpu_seconds(RUSAGE_THREAD); };
  const double cpu_before = cpu();
  const long before = regions;
  const auto start = Clock::now();
  int peak = 0;
  for (; seconds_since(start) < seconds; sleep_ms(5)) peak = std::max(peak, count_os_threads() - 1);
  const double elapsed = seconds_since(start), used = cpu() - cpu_before;
  const auto done = static_cast<double>(regions - before);
  stop = true;
  for (std::thread& thread : threads) thread.join();
  return {{"regions_per_s", done / elapsed}, {"cpu_us_per_region", used / done * 1e6}, {"peak_threads", peak}};
}

// CPU use in per cent of one core, from 100 ms after the last region on.
template <class Runtime>
Results idle(const Arguments& arguments) {
  const Work work;
  for (const auto start = Clock::now(); seconds_since(start) < 0.05;)
    Runtime::parallel_for(Work::kElements, Work::kGrain, work);
  sleep_ms(100);
  const double seconds = arguments.number("seconds", 0.5), before = cpu_seconds(RUSAGE_SELF);
  sleep_ms(seconds * 1e3);
  return {{"idle_percent", (cpu_seconds(RUSAGE_SELF) - before) / seconds * 100}};
}

// CPU seconds of loops with 2 ms pauses between them, as a multiple of what plain loops with the same pauses take. In
// turns, so that a change of the machine's speed meets both.
template <class Runtime>
Results pauses(const Arguments& arguments) {
  const Work work;
  const int loops = 50, turns = static_cast<int>(std::max(1.0, arguments.number("seconds", 0.5) / 0.2));
  double parallel = 0, plain = 0;
  const auto cpu_of = [&](const auto& loop) {
    const double before = cpu_seconds(RUSAGE_SELF);
    for (int i = 0; i < loops; ++i) {
      sleep_ms(2);
      loop();
    }
    return cpu_seconds(RUSAGE_SELF) - before;
  };
  Runtime::parallel_for(Work::kElements, Work::kGrain, work);
  for (int turn = 0; turn < turns; ++turn) {
    plain += cpu_of([&] { work(0, Work::kElements); });
    parallel += cpu_of([&] { Runtime::parallel_for(Work::kElements, Work::kGrain, work); });
    sleep_ms(20);  // what still spins is the parallel loops', not the plain ones' of the next turn
  }
  return {{"cpu_ratio", parallel / plain}, {"cpu_us_per_loop", parallel / loops / turns * 1e6}};
}

// Nanoseconds that a parallel_for with no more elements than its grain takes over the plain loop in its body.
template <class Runtime>
Results grain(const Arguments& arguments) {
  constexpr int kCalls = 100'000;
  std::int64_t sum = 0, length = 8;
  const auto body = [&](std::int64_t begin, std::int64_t end) {
    for (; begin < end; ++begin) asm volatile("" : "+r"(sum));  // a loop that no compiler removes or unrolls away
  };
  const auto time_ns = [&](const auto& call) {
    const auto start = Clock::now();
    for (int i = 0; i < kCalls; ++i) {
      asm volatile("" : "+r"(length));  // not a constant, so that the range is decided at run time
      call();
    }
    return seconds_since(start) / kCalls * 1e9;
  };
  std::vector<double> over;
  for (const auto start = Clock::now(); seconds_since(start) < arguments.number("seconds", 0.2);) {
    const double plain = time_ns([&] { body(0, length); });
    over.push_back(time_ns([&] { Runtime::parallel_for(length, 1000, body); }) - plain);
  }
  return {{"ns", median(over)}};
}

// Microseconds from the launch of an empty task until its caller knows that it ran.
template <class Runtime>
Results launch(const Arguments& arguments) {
  const double pause_ms = arguments.number("pause_ms", 0);
  std::vector<double> times;
  for (const auto start = Clock::now(); seconds_since(start) < arguments.number("seconds", 0.2);) {
    if (pause_ms > 0) sleep_ms(pause_ms);
    const auto begin = Clock::now();
    Runtime::launch_and_wait();
    times.push_back(seconds_since(begin) * 1e6);
  }
  return {{"us", median(times)}};
}

using Measures = std::map<std::string, Results (*)(const Arguments&)>;

// Runs the measure named by the first argument, one of the above or of the contender's own.
template <class Runtime>
int main(int argc, char** argv, const Measures& own = {}) {
  Measures measures = {{"forkjoin", forkjoin<Runtime>}, {"server", server<Runtime>}, {"idle", idle<Runtime>},
                       {"pauses", pauses<Runtime>},     {"grain", grain<Runtime>},   {"launch", launch<Runtime>}};
  measures.insert(own.begin(), own.end());
  const auto measure = argc > 1 ? measures.find(argv[1]) : measures.end();
  if (measure == measures.end()) {
    std::fprintf(stderr, "%s: expected the name of a measure, then name=value words; measures are:\n", argv[0]);
    for (const auto& [name, function] : measures) std::fprintf(stderr, "  %s\n", name.c_str());
    return 2;
  }
  const Arguments arguments(argc, argv);
  Runtime::configure(arguments);
  const char* separator = "{";
  for (const auto& [name, value] : measure->second(arguments)) {
    std::printf("%s\"%s\": %.9g", separator, name, value);
    separator = ", ";
  }
  std::printf("}\n");
  return 0;
}

}  // namespace bench
