// The public parallel layer: loops, reductions, thread counts. One contract for every backend; which backend is
// behind it is a matter of the link step, and nothing here names one. `num_threads` always counts the caller.
//
// A region is parallel iff  n > grain_size && n > 1 && !in_parallel_region() && get_num_threads() > 1.
// Nested regions run serially. Code inside a region may run on another OS thread: it must not rely on the
// caller's thread-local state.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <threadwheel/function_ref.h>

namespace threadwheel {

// More than this is taken for a mistake: runtimes abort the process when the system refuses a thread.
inline constexpr int kMaxNumThreads = 1024;

// Returns the most threads that a region entered now by this thread may use, the caller included.
int get_num_threads();

// Sets the process-wide number of threads. Reaches every thread, without a scope of its own, at its next region.
// Throws Error(kValue) unless 1 <= num_threads <= kMaxNumThreads.
void set_num_threads(int num_threads);

// Settles the default count and gives it to the runtime of the calling thread. Regions do so on their own;
// a thread that calls a threading library directly may want it earlier.
void init_num_threads();

// Overrides the number of threads for the calling thread until destroyed. Scopes nest.
class NumThreadsScope {
 public:
  explicit NumThreadsScope(int num_threads);
  ~NumThreadsScope();
  NumThreadsScope(const NumThreadsScope&) = delete;
  NumThreadsScope& operator=(const NumThreadsScope&) = delete;

 private:
  int previous_;
};

// Returns the slot of the running chunk, in [0, get_num_threads()); 0 outside regions. No two chunks that run at
// the same time in one region share a slot; chunks that run one after the other may.
int get_thread_num() noexcept;

// Returns whether the calling thread runs a chunk of a parallel region.
bool in_parallel_region() noexcept;

// Sets the number of threads that run inter-op tasks: once, before the first task; the same value again is fine.
// Throws Error(kValue) for a bad count and Error(kRuntime) when it is too late.
void set_num_interop_threads(int num_threads);

// Returns the number of inter-op threads. Starts none.
int get_num_interop_threads();

// Returns the documented text about counts, libraries, environment and backend.
std::string get_parallel_info();

namespace detail {

// Throws the Error(kValue) for a range or a grain that is not allowed.
[[noreturn]] void refuse_range(const char* where, std::int64_t begin, std::int64_t end, std::int64_t grain_size);

// [begin, end) as a length; an unsigned 64-bit number holds the longest range, INT64_MIN to INT64_MAX.
inline std::uint64_t checked_length(const char* where, std::int64_t begin, std::int64_t end, std::int64_t grain_size) {
  if (begin > end || grain_size < 0) [[unlikely]] refuse_range(where, begin, end, grain_size);
  return static_cast<std::uint64_t>(end) - static_cast<std::uint64_t>(begin);
}

// How many threads a region entered now may use; 1 inside a region.
int region_limit();

// The parallel paths. The caller has decided that the region is parallel.
void run_range(std::int64_t begin, std::uint64_t length, std::int64_t grain_size,
               FunctionRef<void(std::int64_t, std::int64_t)> body);
void run_chunks(std::int64_t num_chunks, FunctionRef<void(std::int64_t)> body);

// Where the calling thread's number is kept.
int& thread_num() noexcept;

// Marks a serial loop: its body sees thread number 0, and the old number comes back afterwards. Inline, because a loop
// below its grain must cost no more than a call.
class ThreadNumScope {
 public:
  ThreadNumScope() noexcept : number_(thread_num()), previous_(number_) { number_ = 0; }
  ~ThreadNumScope() { number_ = previous_; }
  ThreadNumScope(const ThreadNumScope&) = delete;
  ThreadNumScope& operator=(const ThreadNumScope&) = delete;

 private:
  int& number_;
  const int previous_;
};

// Chunks of a reduction. They depend on the length and the grain only, never on threads: this, and the fixed
// order of combination, is why a reduction has the same bits for every thread count.
struct ReduceChunks {
  // Enough to feed the largest machines, and few enough for partials that need no second pass.
  static constexpr std::uint64_t kMaxChunks = 256;

  ReduceChunks(std::uint64_t length, std::int64_t grain_size) noexcept {
    const std::uint64_t smallest = length / kMaxChunks + (length % kMaxChunks != 0);
    size = static_cast<std::uint64_t>(grain_size) > smallest ? static_cast<std::uint64_t>(grain_size) : smallest;
    count = static_cast<std::int64_t>(length / size + (length % size != 0));
  }

  std::uint64_t size;
  std::int64_t count;
};

// Offsets are added as unsigned numbers, so that ranges over the whole of int64 do not overflow.
inline std::int64_t advance(std::int64_t begin, std::uint64_t offset) noexcept {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(begin) + offset);
}

}  // namespace detail

// Calls body(b, e) on disjoint ranges that cover [begin, end) exactly once, each at least grain_size long except
// the last; serially, body(begin, end) is called once. Equal to `for (i = begin; i < end; ++i)` in any order.
// Throws Error(kValue) for begin > end or a negative grain. The first exception of a body wins, keeps its type
// and stops the hand-out of further chunks; it is thrown when all running chunks have ended.
template <class Body>
void parallel_for(std::int64_t begin, std::int64_t end, std::int64_t grain_size, const Body& body) {
  const std::uint64_t length = detail::checked_length("parallel_for", begin, end, grain_size);
  if (length == 0) return;
  if (length > static_cast<std::uint64_t>(grain_size) && length > 1 && detail::region_limit() > 1) {
    detail::run_range(begin, length, grain_size, body);
    return;
  }
  const detail::ThreadNumScope scope;
  body(begin, end);
}

// Returns combine(...) over body(b, e, identity) of the chunks of [begin, end); identity for an empty range.
// Chunks depend on (end - begin, grain_size) only and are combined in a fixed pairwise tree, left operand first:
// the result has the same bits for every thread count, on every backend, inside and outside regions.
// Errors as parallel_for.
template <class T, class Body, class Combine>
T parallel_reduce(std::int64_t begin, std::int64_t end, std::int64_t grain_size, const T& identity, const Body& body,
                  const Combine& combine) {
  const std::uint64_t length = detail::checked_length("parallel_reduce", begin, end, grain_size);
  if (length == 0) return identity;
  const detail::ReduceChunks chunks(length, grain_size);
  if (chunks.count == 1) {
    const detail::ThreadNumScope scope;
    return body(begin, end, identity);
  }
  struct Partial {  // a wrapper, because std::vector<bool> has no addressable elements
    T value;
  };
  std::vector<Partial> partials(static_cast<std::size_t>(chunks.count), Partial{identity});
  const auto run_one = [&](std::int64_t chunk) {
    const std::uint64_t offset = static_cast<std::uint64_t>(chunk) * chunks.size;
    const std::int64_t chunk_end =
        length - offset > chunks.size ? detail::advance(begin, offset + chunks.size) : end;
    partials[static_cast<std::size_t>(chunk)].value = body(detail::advance(begin, offset), chunk_end, identity);
  };
  if (detail::region_limit() > 1) {
    detail::run_chunks(chunks.count, run_one);
  } else {
    const detail::ThreadNumScope scope;
    for (std::int64_t chunk = 0; chunk < chunks.count; ++chunk) run_one(chunk);
  }
  for (std::size_t step = 1; step < partials.size(); step *= 2)
    for (std::size_t i = 0; i + step < partials.size(); i += 2 * step)
      partials[i].value = combine(partials[i].value, partials[i + step].value);
  return partials[0].value;
}

}  // namespace threadwheel
