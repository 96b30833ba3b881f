// Tensor: what programs take and give. A handle to a strided view of memory, the caller's or the library's own; copies
// of a handle refer to the same elements. Sizes and strides count elements, never bytes.
//
// Any number of threads may use copies of one handle at once. The elements are plain memory: who writes them while
// others read must keep them apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <type_traits>
#include <vector>

#include <threadwheel/dtype.h>

namespace threadwheel::jit {

namespace detail {
struct TensorBody;
struct Access;
}  // namespace detail

class Tensor {
 public:
  // The undefined tensor. Its members, but for defined(), throw Error(kValue).
  Tensor() noexcept = default;

  // Returns an uninitialised, contiguous tensor. Throws Error(kValue) for a negative size, for sizes beyond memory and
  // for a number that is no dtype, Error(kUnsupported) for a quantized dtype.
  static Tensor empty(const std::vector<std::int64_t>& sizes, DType dtype);

  bool defined() const noexcept { return body_ != nullptr; }
  DType dtype() const;
  std::vector<std::int64_t> sizes() const;
  std::vector<std::int64_t> strides() const;
  std::int64_t dim() const;
  std::int64_t numel() const;

  // Whether the elements lie in row-major order and without gaps.
  bool is_contiguous() const;
  // Returns this tensor when it is contiguous, otherwise a contiguous copy.
  Tensor contiguous() const;

  // Returns the address of the element at index zero in every dimension. T is the C++ type of the dtype, `const T` to
  // read only; std::byte goes with every dtype, the 16-bit floats too. Throws Error(kType) when the dtype is another,
  // Error(kValue) when memory that may only be read is asked for without const.
  template <class T>
  T* data() const {
    using Element = std::remove_const_t<T>;
    if constexpr (std::is_same_v<Element, std::byte>) {
      return static_cast<T*>(bytes(!std::is_const_v<T>));
    } else {
      return static_cast<T*>(elements(DTypeOf<Element>::value, !std::is_const_v<T>));
    }
  }

 private:
  friend struct detail::Access;

  void* bytes(bool to_write) const;
  void* elements(DType dtype, bool to_write) const;

  std::shared_ptr<const detail::TensorBody> body_;
};

// Returns a tensor over the caller's memory, which stays as it is: nothing is copied. `strides` count elements, 0 or
// more each; none given: the elements are contiguous. The memory must live until `release` is called, by whichever
// thread lets go of the last handle, results that are views of it included; it must not throw. Programs write into
// memory only where their code does so (x.add_(1)).
// Throws Error(kValue) for sizes or strides that make no tensor, for a null or misaligned address and for a number that
// is no dtype, Error(kUnsupported) for a quantized dtype; `release` is not called then.
Tensor from_blob(void* data, const std::vector<std::int64_t>& sizes, DType dtype,
                 const std::vector<std::int64_t>& strides = {}, std::function<void()> release = nullptr);

// The same over memory that may only be read: a program that writes into it gets Error(kValue).
Tensor from_blob(const void* data, const std::vector<std::int64_t>& sizes, DType dtype,
                 const std::vector<std::int64_t>& strides = {}, std::function<void()> release = nullptr);

}  // namespace threadwheel::jit
