// The parallel layer's thread-local state, and the guard that sets it for one chunk. Private to parallel/ and interop/.
#pragma once

namespace threadwheel::detail {

struct ThreadState {
  bool in_region = false;
  int thread_num = 0;
  int limit = 0;  // this thread's own number of threads; 0: the process-wide one
};

ThreadState& thread_state() noexcept;

// A chunk's surroundings: whichever OS thread runs it sees the region's flag, its slot and its caller's limit.
class ChunkScope {
 public:
  ChunkScope(int slot, int limit) noexcept : state_(thread_state()), previous_(state_) { state_ = {true, slot, limit}; }
  ~ChunkScope() { state_ = previous_; }
  ChunkScope(const ChunkScope&) = delete;
  ChunkScope& operator=(const ChunkScope&) = delete;

 private:
  ThreadState& state_;
  ThreadState previous_;
};

}  // namespace threadwheel::detail
