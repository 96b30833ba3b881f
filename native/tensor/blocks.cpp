// The list of kept blocks.
#include "tensor/blocks.h"

#include <malloc.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdlib>

namespace threadwheel {
namespace {

// Smaller blocks malloc keeps itself.
constexpr std::size_t kSmallest = 64 << 10;
// What is kept at most, by all threads together.
constexpr std::size_t kCapacityBytes = 64 << 20;

struct Block {
  void* data;
  std::size_t size_bytes;
};

// The oldest first. A thread that finds the list in use does without: nobody waits, and the child of a fork that came
// while another thread was here does without for ever.
class Kept {
 public:
  // The smallest that is large enough, but for what would leave three quarters of it unused: a request for all of it
  // may come next.
  void* take(std::size_t size_bytes) noexcept {
    if (busy_.test_and_set(std::memory_order_acquire)) return nullptr;
    std::size_t best = count_;
    for (std::size_t i = count_; i-- > 0;) {
      const std::size_t size = blocks_[i].size_bytes;
      if (size >= size_bytes && size / 4 <= size_bytes && (best == count_ || size < blocks_[best].size_bytes)) best = i;
    }
    void* const data = best < count_ ? remove(best).data : nullptr;
    busy_.clear(std::memory_order_release);
    return data;
  }

  // Whether it took the block.
  bool put(const Block& block) noexcept {
    if (block.size_bytes > kCapacityBytes || busy_.test_and_set(std::memory_order_acquire)) return false;
    while (count_ == blocks_.size() || size_bytes_ + block.size_bytes > kCapacityBytes) std::free(remove(0).data);
    blocks_[count_++] = block;
    size_bytes_ += block.size_bytes;
    busy_.clear(std::memory_order_release);
    return true;
  }

 private:
  Block remove(std::size_t index) noexcept {
    const Block block = blocks_[index];
    std::copy(blocks_.begin() + index + 1, blocks_.begin() + count_, blocks_.begin() + index);
    --count_;
    size_bytes_ -= block.size_bytes;
    return block;
  }

  std::atomic_flag busy_;
  std::array<Block, 128> blocks_{};
  std::size_t count_ = 0, size_bytes_ = 0;
};

constinit Kept kept;

// Those that may be kept come in few sizes, four to each doubling, so that one fits many requests.
std::size_t rounded(std::size_t size_bytes) noexcept {
  const bool may_be_kept = size_bytes >= kSmallest && size_bytes <= kCapacityBytes;
  const std::size_t step = may_be_kept ? std::bit_floor(size_bytes) / 4 : kBlockAlignment;
  return (size_bytes + step - 1) / step * step;
}

}  // namespace

void* allocate_block(std::size_t size_bytes) noexcept {
  if (size_bytes >= kSmallest)
    if (void* const data = kept.take(size_bytes)) return data;
  return std::aligned_alloc(kBlockAlignment, rounded(size_bytes));
}

// By what the block can hold, which may be more than was asked for.
void free_block(void* block, std::size_t size_bytes) noexcept {
  if (size_bytes < kSmallest || !kept.put({block, malloc_usable_size(block)})) std::free(block);
}

}  // namespace threadwheel
