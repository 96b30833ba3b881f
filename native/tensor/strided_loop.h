// StridedLoop: one pass over several tensors of one shape, whatever their strides. It merges dimensions where it
// can, so that contiguous operands become one long run, and spreads the runs over the pool. The engine under every
// elementwise op and under copies.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>

#include "tensor/tensor.h"
#include "threadwheel/function_ref.h"

namespace threadwheel {

// One operand: a tensor, or a single number in memory that every step reads again.
struct StridedOperand {
  explicit StridedOperand(const Tensor& tensor)
      : data(tensor.raw_data()),
        sizes(tensor.sizes()),
        strides(tensor.strides()),
        item_bytes(dtype_size(tensor.dtype())) {}
  explicit StridedOperand(std::byte* number) : data(number), item_bytes(0) {}

  std::byte* data;
  std::span<const std::int64_t> sizes, strides;  // strides count elements
  std::size_t item_bytes;
};

class StridedLoop {
 public:
  static constexpr std::size_t kMaxOperands = 4;

  // Elements per chunk below which another thread costs more than it brings.
  static constexpr std::int64_t kGrain = 32768;

  // Called with one pointer and one stride in bytes per operand, and a number of elements.
  using Kernel = FunctionRef<void(std::byte* const* pointers, const std::int64_t* strides, std::int64_t n)>;

  // The operands broadcast to `sizes`.
  StridedLoop(std::span<const std::int64_t> sizes, std::span<const StridedOperand> operands);
  StridedLoop(std::span<const std::int64_t> sizes, std::initializer_list<StridedOperand> operands)
      : StridedLoop(sizes, std::span(operands.begin(), operands.size())) {}
  // Tensors of the first one's sizes.
  explicit StridedLoop(std::initializer_list<const Tensor*> tensors);
  StridedLoop(const StridedLoop&) = delete;
  StridedLoop& operator=(const StridedLoop&) = delete;

  // Calls the kernel on runs that cover every element once, in parallel for large tensors.
  void run(Kernel kernel, std::int64_t grain = kGrain) const;

 private:
  using Pointers = std::array<std::byte*, kMaxOperands>;
  using Strides = std::array<std::int64_t, kMaxOperands>;

  void run_range(Kernel kernel, std::int64_t begin, std::int64_t end) const;
  void add_dimension(std::int64_t size, const Strides& strides);

  std::size_t num_operands_;
  std::int64_t numel_;
  Pointers pointers_{};
  // Merged dimensions, innermost first.
  std::size_t num_dims_ = 0;
  Dims sizes_;
  // Of each merged dimension. On the heap for tensors of more dimensions than fit: small tensors are many.
  static constexpr std::size_t kInline = 6;
  std::array<Strides, kInline> few_{};
  std::unique_ptr<Strides[]> many_;
  Strides* strides_ = few_.data();
};

// The shape that `a` and `b` broadcast to by numpy's rules. Throws Error(kValue) naming `op`.
Dims broadcast_sizes(const char* op, std::span<const std::int64_t> a, std::span<const std::int64_t> b);

// A view of `tensor` in a shape it broadcasts to, with stride 0 where it repeats.
Tensor broadcast_to(const Tensor& tensor, std::span<const std::int64_t> sizes);

}  // namespace threadwheel
