// Allocation and views.
#include "tensor/tensor.h"

#include <sys/mman.h>

#include <new>
#include <string>
#include <utility>

#include "tensor/blocks.h"
#include "tensor/convert.h"
#include "tensor/layout.h"
#include "tensor/strided_loop.h"

namespace threadwheel {
namespace {

bool has_contiguous_strides(const Dims& sizes, const Dims& strides) {
  if (std::ranges::find(sizes, 0) != sizes.end()) return true;
  std::int64_t expected = 1;
  for (std::size_t i = sizes.size(); i-- > 0;) {
    if (sizes[i] != 1 && strides[i] != expected) return false;
    expected *= sizes[i];
  }
  return true;
}

[[noreturn]] void refuse_size(std::size_t size_bytes) {
  throw Error(ErrorCode::kRuntime, "tensor: cannot allocate " + std::to_string(size_bytes) + " bytes");
}

// Gives std::allocate_shared a block with room for the bytes behind the object, and says where: small tensors are many,
// and this is one allocation for what would be two.
template <class T>
class WithBytes {
 public:
  using value_type = T;

  WithBytes(std::size_t size_bytes, std::byte*& bytes) : size_bytes_(size_bytes), bytes_(&bytes) {}
  template <class U>
  WithBytes(const WithBytes<U>& other) : size_bytes_(other.size_bytes_), bytes_(other.bytes_) {}  // NOLINT: rebinding

  T* allocate(std::size_t count) {
    void* const block = size_bytes_ > PTRDIFF_MAX ? nullptr : allocate_block(head(count) + size_bytes_);
    if (block == nullptr) refuse_size(size_bytes_);
    *bytes_ = static_cast<std::byte*>(block) + head(count);
    return static_cast<T*>(block);
  }
  void deallocate(T* block, std::size_t count) noexcept { free_block(block, head(count) + size_bytes_); }

  template <class U>
  bool operator==(const WithBytes<U>&) const noexcept {
    return true;
  }

 private:
  template <class U>
  friend class WithBytes;

  static constexpr std::size_t head(std::size_t count) {
    return (count * sizeof(T) + kBlockAlignment - 1) / kBlockAlignment * kBlockAlignment;
  }

  std::size_t size_bytes_;
  std::byte** bytes_;  // looked at by allocate() only
};

}  // namespace

std::shared_ptr<Storage> Storage::allocate(std::size_t size_bytes) {
  std::byte* data = nullptr;
  return std::allocate_shared<Storage>(WithBytes<Storage>(size_bytes, data), data, size_bytes, true, nullptr);
}

std::shared_ptr<Storage> Storage::allocate_lasting(std::size_t size_bytes) {
  constexpr std::size_t kLarge = 64 << 10, kHugePage = 2 << 20;
  if (size_bytes < kLarge) return allocate(size_bytes);
  const bool huge = size_bytes >= kHugePage;  // MiniLM's weights, of 2.3 MB, are 5 % faster to read in these
  const std::size_t room = size_bytes > PTRDIFF_MAX ? 0 : size_bytes + (huge ? kHugePage : 0);
  void* const mapped = ::mmap(nullptr, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) refuse_size(size_bytes);
  const auto first = reinterpret_cast<std::uintptr_t>(mapped);
  void* const data = huge ? reinterpret_cast<void*>((first + kHugePage - 1) / kHugePage * kHugePage) : mapped;
  if (huge) ::madvise(data, size_bytes, MADV_HUGEPAGE);  // a system without them does without
  return wrap(data, size_bytes, true, [mapped, room] { ::munmap(mapped, room); });
}

std::shared_ptr<Storage> Storage::wrap(void* data, std::size_t size_bytes, bool writable,
                                       std::function<void()> release, std::function<void()> trim) {
  return std::make_shared<Storage>(static_cast<std::byte*>(data), size_bytes, writable, std::move(release),
                                   std::move(trim));
}

Tensor::Tensor(std::shared_ptr<Storage> storage, DType dtype, std::int64_t offset, Dims sizes, Dims strides) {
  const std::int64_t numel = count_elements(sizes);
  std::byte* const data = storage->data() + offset * static_cast<std::int64_t>(dtype_size(dtype));
  const bool contiguous = has_contiguous_strides(sizes, strides);
  impl_ = make_ref<Impl>();
  impl_->storage = std::move(storage);
  impl_->dtype = dtype;
  impl_->offset = offset;
  impl_->sizes = std::move(sizes);
  impl_->strides = std::move(strides);
  impl_->numel = numel;
  impl_->data = data;
  impl_->contiguous = contiguous;
}

Tensor Tensor::empty(std::span<const std::int64_t> sizes, DType dtype) {
  const auto numel = static_cast<std::size_t>(count_elements(sizes));
  std::size_t size_bytes = 0;
  if (__builtin_mul_overflow(numel, dtype_size(dtype), &size_bytes) || size_bytes > PTRDIFF_MAX)
    throw Error(ErrorCode::kValue, "tensor: sizes " + to_string(sizes) + " do not fit in memory");
  return Tensor(Storage::allocate(size_bytes), dtype, 0, Dims(sizes), contiguous_strides(sizes));
}

Tensor Tensor::as_strided(Dims sizes, Dims strides, std::int64_t offset) const {
  Tensor view(impl_->storage, impl_->dtype, impl_->offset + offset, std::move(sizes), std::move(strides));
  if (quantizer() && !quantizer()->per_channel()) view.impl_->quantizer = quantizer();
  return view;
}

Tensor Tensor::with_quantizer(std::shared_ptr<const Quantizer> quantizer) const {
  Tensor view(impl_->storage, impl_->dtype, impl_->offset, sizes(), strides());
  view.impl_->quantizer = std::move(quantizer);
  return view;
}

Tensor Tensor::contiguous() const {
  if (is_contiguous()) return *this;
  Tensor copy = empty(sizes(), dtype());
  copy_elements(*this, copy);
  copy.impl_->quantizer = quantizer();
  return copy;
}

void copy_elements(const Tensor& from, const Tensor& to) {
  const RunConverter copy = run_converter(to.dtype(), to.dtype());
  const Dims order = memory_order(to);
  const Tensor target = reordered(to, to.sizes(), order), source = reordered(from, to.sizes(), order);
  StridedLoop({&target, &source}).run([copy](std::byte* const* pointers, const std::int64_t* strides, std::int64_t n) {
    copy(pointers[0], strides[0], pointers[1], strides[1], n);
  });
}

Dims contiguous_strides(std::span<const std::int64_t> sizes) {
  Dims strides(sizes.size());
  std::int64_t stride = 1;
  for (std::size_t i = sizes.size(); i-- > 0;) {
    strides[i] = stride;
    if (sizes[i] > 1) stride *= sizes[i];
  }
  return strides;
}

std::int64_t count_elements(std::span<const std::int64_t> sizes) {
  std::int64_t count = 1;
  bool overflow = false;
  for (const std::int64_t size : sizes) {
    if (size < 0)
      throw Error(ErrorCode::kValue, "tensor: sizes are " + to_string(sizes) + "; a size must be 0 or more");
    overflow |= __builtin_mul_overflow(count, size, &count);
  }
  // A zero hides an overflow of the others: the tensor is empty all the same.
  if (overflow && std::ranges::find(sizes, 0) == sizes.end())
    throw Error(ErrorCode::kValue, "tensor: sizes " + to_string(sizes) + " do not fit in memory");
  return overflow ? 0 : count;
}

}  // namespace threadwheel
