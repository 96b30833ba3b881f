// The seam between the parallel layer and its backends: each file in backends/ defines exactly these functions,
// and the link step picks the file. A backend knows chunks, slots and threads; ranges, grain, region flags,
// exceptions, reductions and counts are above it, written once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "threadwheel/function_ref.h"

namespace threadwheel::backend {

using ChunkFunction = FunctionRef<void(std::int64_t chunk, int slot)>;
using LibraryFunction = FunctionRef<void(int num_threads)>;
using Work = void (*)();

struct Description {
  const char* family;      // "OMP", "TBB" or "NATIVE", as in the build info
  const char* title;       // what parallel_info prints after "ATen parallel backend: "
  std::string openmp;      // the OpenMP lines of parallel_info, each ended by a newline
  std::string runtime;     // the threading runtime and its version, one line for the extended block
};

// Calls fn(chunk, slot) once for each chunk in [0, num_chunks), on at most `limit` threads, the caller's work
// included, and returns when all have ended. Slots are in [0, limit); no two chunks that run at the same time
// share one. fn never throws and may run on any OS thread. Called outside regions only, from any number of
// threads at once; `limit` may differ from the size.
void run(std::int64_t num_chunks, int limit, ChunkFunction fn) noexcept;

// Calls fn(num_threads) once, on some OS thread, set up so that MKL and oneDNN use exactly num_threads threads
// there: 1 <= num_threads <= limit. A limit of 1 means serial. In the child of a fork that was not quiet, fn(0) says
// that the libraries cannot be entered. fn never throws.
void run_library(int limit, LibraryFunction fn) noexcept;

// Calls work() once on a thread that is not the caller's, and soon: it never waits behind anything that may block.
// Where the runtime allows it that is one of the threads that also run chunks; work() returns it when it has nothing
// to do. It may block, fork and call everything here. Of the threads kept for this, at most `max_idle` are idle for
// long. False: no thread could be had. work never throws.
bool submit(Work work, int max_idle) noexcept;

// Makes `num_threads` the size of the process-wide pool, from the next region on. Called under one lock.
void resize(int num_threads);

// Returns the size of the pool, the caller included. The first call brings the threading runtime up; no thread starts.
int capacity() noexcept;

// Tells the threading runtime of the calling thread how many threads to use (OpenMP counts per thread).
void init_thread(int num_threads) noexcept;

// The CPUs that the threading runtime spreads its threads over, where it has bound the process's first thread to a part
// of them, as libgomp does when it is loaded with OMP_PROC_BIND or OMP_PLACES; else none: the affinity mask tells.
std::vector<int> bound_cpus();

Description describe();

// Called around fork(2), in the forking thread. `quiet` says that all regions and library calls have ended and none
// can start; otherwise one did not end in time, or the fork is in the middle of one, and the backend must leave alone
// what it may be using. Inter-op work may be running. Afterwards regions work in the parent as before, and in the
// child, if quiet, on threads of its own; if not, run() is not called there any more.
void fork_prepare(bool quiet) noexcept;
void fork_parent() noexcept;
void fork_child(bool quiet) noexcept;

}  // namespace threadwheel::backend
