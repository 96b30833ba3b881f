// The list of kept blocks.
#include "tensor/blocks.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <new>

namespace threadwheel {
namespace {

constexpr std::align_val_t kAlignment{kBlockAlignment};

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
  void* take(std::size_t size_bytes) noexcept {
    if (busy_.test_and_set(std::memory_order_acquire)) return nullptr;
    void* data = nullptr;
    for (std::size_t i = count_; i-- > 0 && data == nullptr;)
      if (blocks_[i].size_bytes == size_bytes) data = remove(i).data;
    busy_.clear(std::memory_order_release);
    return data;
  }

  // Whether it took the block, which is of kCapacityBytes at most.
  bool put(const Block& block) noexcept {
    if (busy_.test_and_set(std::memory_order_acquire)) return false;
    while (count_ == blocks_.size() || size_bytes_ + block.size_bytes > kCapacityBytes)
      ::operator delete(remove(0).data, kAlignment);
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

// Blocks come in few sizes, four to each doubling, so that one fits many requests and none is too large for its own.
std::size_t rounded(std::size_t size_bytes) noexcept {
  const std::size_t step = std::bit_floor(size_bytes) / 4;
  return (size_bytes + step - 1) / step * step;
}

bool is_kept(std::size_t size_bytes) noexcept {
  return size_bytes >= kSmallest && rounded(size_bytes) <= kCapacityBytes;
}

}  // namespace

void* allocate_block(std::size_t size_bytes) noexcept {
  if (!is_kept(size_bytes)) return ::operator new(size_bytes, kAlignment, std::nothrow);
  size_bytes = rounded(size_bytes);
  if (void* const data = kept.take(size_bytes)) return data;
  return ::operator new(size_bytes, kAlignment, std::nothrow);
}

void free_block(void* block, std::size_t size_bytes) noexcept {
  if (!is_kept(size_bytes) || !kept.put({block, rounded(size_bytes)})) ::operator delete(block, kAlignment);
}

}  // namespace threadwheel
