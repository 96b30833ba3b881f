// Memory of tensors. malloc gives large blocks back to the system, and each page of the next one costs a fault: a tenth
// of the time of a network. A few large blocks are kept for the next tensor instead.
#pragma once

#include <cstddef>

namespace threadwheel {

// A cache line, and the width of an AVX-512 register.
inline constexpr std::size_t kBlockAlignment = 64;

// Uninitialised; null when there is no memory. Any thread may free what another one allocated.
void* allocate_block(std::size_t size_bytes) noexcept;
void free_block(void* block, std::size_t size_bytes) noexcept;

}  // namespace threadwheel
