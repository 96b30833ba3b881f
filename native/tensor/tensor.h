// Tensor: a handle to a strided view of reference-counted memory, our own or a foreign owner's (numpy's). Knows
// nothing of ops. Sizes and strides count elements; a stride may be 0 or negative.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "tensor/dims.h"
#include "tensor/dtype.h"
#include "tensor/ref.h"

namespace threadwheel {

// A block of memory with one owner count. Not resizable.
class Storage {
 public:
  // Allocates `size_bytes`, uninitialised, aligned for the widest vector loads.
  static std::shared_ptr<Storage> allocate(std::size_t size_bytes);

  // The same for what lives long: large ones come from the system and go back to it, past the blocks that are kept for
  // what comes next.
  static std::shared_ptr<Storage> allocate_lasting(std::size_t size_bytes);

  // Refers to memory of somebody else, who is told by `release` when the last reference is gone, and by `trim` when the
  // content is not needed for a while.
  static std::shared_ptr<Storage> wrap(void* data, std::size_t size_bytes, bool writable,
                                       std::function<void()> release, std::function<void()> trim = nullptr);

  Storage(std::byte* data, std::size_t size_bytes, bool writable, std::function<void()> release,
          std::function<void()> trim = nullptr)
      : data_(data), size_bytes_(size_bytes), writable_(writable), release_(std::move(release)),
        trim_(std::move(trim)) {}
  ~Storage() {
    if (release_) release_();
  }
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  std::byte* data() const noexcept { return data_; }
  std::size_t size_bytes() const noexcept { return size_bytes_; }
  bool writable() const noexcept { return writable_; }

  // Gives memory back whose content can be had again at the next use, as a file's. Nobody may write it meanwhile.
  void trim() const {
    if (trim_) trim_();
  }

 private:
  std::byte* data_;
  std::size_t size_bytes_;
  bool writable_;
  std::function<void()> release_, trim_;
};

struct Quantizer;

class Tensor {
 public:
  // The undefined tensor; only defined() and assignment are allowed.
  Tensor() = default;

  // Views `storage` from element `offset` on. The caller vouches that all elements lie inside.
  Tensor(std::shared_ptr<Storage> storage, DType dtype, std::int64_t offset, Dims sizes, Dims strides);

  // Uninitialised, contiguous. Throws Error(kValue) for a negative size or one beyond memory.
  static Tensor empty(std::span<const std::int64_t> sizes, DType dtype);

  bool defined() const noexcept { return static_cast<bool>(impl_); }
  DType dtype() const noexcept { return impl_->dtype; }
  std::int64_t dim() const noexcept { return static_cast<std::int64_t>(impl_->sizes.size()); }
  const Dims& sizes() const noexcept { return impl_->sizes; }
  const Dims& strides() const noexcept { return impl_->strides; }
  std::int64_t size(std::size_t i) const noexcept { return impl_->sizes[i]; }
  std::int64_t stride(std::size_t i) const noexcept { return impl_->strides[i]; }
  std::int64_t offset() const noexcept { return impl_->offset; }
  std::int64_t numel() const noexcept { return impl_->numel; }
  std::size_t size_bytes() const noexcept { return static_cast<std::size_t>(numel()) * dtype_size(dtype()); }
  const std::shared_ptr<Storage>& storage() const noexcept { return impl_->storage; }

  // Whether the two are the same tensor, not only equal views.
  bool is(const Tensor& other) const noexcept { return impl_ == other.impl_; }

  // Address of the element at index zero in every dimension.
  std::byte* raw_data() const noexcept { return impl_->data; }
  template <class T>
  T* data() const noexcept {
    return reinterpret_cast<T*>(impl_->data);
  }

  // Row-major and without gaps; dimensions of size 1 may have any stride, empty tensors are contiguous.
  bool is_contiguous() const noexcept { return impl_->contiguous; }

  // How integers of a quantized dtype stand for numbers; null where none is known. Views keep one that holds for the
  // whole tensor, copies keep any.
  const std::shared_ptr<const Quantizer>& quantizer() const noexcept { return impl_->quantizer; }
  Tensor with_quantizer(std::shared_ptr<const Quantizer> quantizer) const;

  // Another view of the same storage, `offset` counted from this view's first element.
  Tensor as_strided(Dims sizes, Dims strides, std::int64_t offset = 0) const;

  // This tensor when it is contiguous, otherwise a contiguous copy.
  Tensor contiguous() const;

  // Gives this tensor, for all its handles, the sizes, strides and offset of a view of it: what unsqueeze_ and its like
  // do. No other thread may use the tensor meanwhile.
  void become(const Tensor& view) const { *impl_ = *view.impl_; }

 private:
  struct Impl : RefCounted {
    std::shared_ptr<Storage> storage;
    DType dtype;
    std::int64_t offset;
    Dims sizes, strides;
    std::int64_t numel;
    std::byte* data;
    bool contiguous;
    std::shared_ptr<const Quantizer> quantizer;
  };

  Ref<Impl> impl_;
};

// Copies the elements of `from` to `to`, of the same sizes and the same dtype, whatever their strides.
void copy_elements(const Tensor& from, const Tensor& to);

// number = (integer - zero_point) scale: one pair for the whole tensor, or one per index of dimension `axis`.
struct Quantizer {
  double scale = 1;
  std::int64_t zero_point = 0;
  Tensor scales, zero_points;  // float64 and int64 vectors; undefined: per tensor
  std::int64_t axis = 0;

  bool per_channel() const noexcept { return scales.defined(); }
};

// Strides of a contiguous tensor of these sizes.
Dims contiguous_strides(std::span<const std::int64_t> sizes);

// Number of elements. Throws Error(kValue) for a negative size or a product that does not fit.
std::int64_t count_elements(std::span<const std::int64_t> sizes);

}  // namespace threadwheel
