// Stores that go to memory around the caches, for outputs too large to be found there later. They save reading each
// line before it is written, a third of the traffic of an addition. For kernels; see isa.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "tensor/isa.h"

namespace threadwheel {

// A cache line: only whole lines leave the processor in one piece.
inline constexpr std::size_t kStreamAlignment = 64;

// Outputs of fewer bytes may still be in the caches when they are read next.
inline constexpr std::size_t kStreamBytes = std::size_t{32} << 20;

// Copies `size_bytes` from a block in the cache. Streams if `out` is aligned to kStreamAlignment, and whole lines only.
THREADWHEEL_INLINE void stream_copy(void* out, const void* block, std::size_t size_bytes) {
  std::size_t done = 0;
#if defined(__SSE2__)
  if (reinterpret_cast<std::uintptr_t>(out) % kStreamAlignment == 0) {
    auto* to = static_cast<__m128i*>(out);
    const auto* from = static_cast<const __m128i*>(block);
    for (; done + kStreamAlignment <= size_bytes; done += kStreamAlignment)
      for (std::size_t i = 0; i < kStreamAlignment / sizeof(__m128i); ++i)
        _mm_stream_si128(to++, _mm_loadu_si128(from++));
  }
#endif
  std::memcpy(static_cast<std::byte*>(out) + done, static_cast<const std::byte*>(block) + done, size_bytes - done);
}

// Streamed stores are not ordered by the atomics at the end of a region: to be called after the last of a chunk.
THREADWHEEL_INLINE void stream_fence() {
#if defined(__SSE2__)
  _mm_sfence();
#endif
}

}  // namespace threadwheel
