// Stores that go to memory around the caches, for outputs too large to be found there later. They save reading each
// line before it is written, a third of the traffic of an addition. For kernels; see isa.h.
#pragma once

#include <cstddef>
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

// Copies one line; both addresses are aligned to kStreamAlignment.
THREADWHEEL_INLINE void stream_line(void* out, const void* line) {
#if defined(__SSE2__)
  auto* const to = static_cast<__m128i*>(out);
  const auto* const from = static_cast<const __m128i*>(line);
  for (std::size_t i = 0; i < kStreamAlignment / sizeof(__m128i); ++i)
    _mm_stream_si128(to + i, _mm_load_si128(from + i));
#else
  std::memcpy(out, line, kStreamAlignment);
#endif
}

// Streamed stores are not ordered by the atomics at the end of a region: to be called after the last of a chunk.
THREADWHEEL_INLINE void stream_fence() {
#if defined(__SSE2__)
  _mm_sfence();
#endif
}

}  // namespace threadwheel
