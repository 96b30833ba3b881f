// Dims: a list of sizes or strides. Up to six live in the object; tensors of more dimensions use the heap.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>

#include "threadwheel/error.h"

namespace threadwheel {

class Dims {
 public:
  Dims() = default;
  explicit Dims(std::size_t size, std::int64_t value = 0) {
    allocate(size);
    std::fill(begin(), end(), value);
  }
  Dims(std::initializer_list<std::int64_t> values) : Dims(std::span(values.begin(), values.size())) {}
  explicit Dims(std::span<const std::int64_t> values) {
    allocate(values.size());
    std::copy(values.begin(), values.end(), begin());
  }
  Dims(const Dims& other) : Dims(std::span<const std::int64_t>(other)) {}
  Dims(Dims&& other) noexcept : size_(other.size_), inline_(other.inline_), heap_(std::move(other.heap_)) {
    other.size_ = 0;
  }
  Dims& operator=(Dims other) noexcept {
    size_ = other.size_;
    inline_ = other.inline_;
    heap_ = std::move(other.heap_);
    return *this;
  }
  ~Dims() = default;

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  std::int64_t* begin() noexcept { return heap_ ? heap_.get() : inline_.data(); }
  std::int64_t* end() noexcept { return begin() + size_; }
  const std::int64_t* begin() const noexcept { return heap_ ? heap_.get() : inline_.data(); }
  const std::int64_t* end() const noexcept { return begin() + size_; }
  std::int64_t& operator[](std::size_t i) noexcept { return begin()[i]; }
  std::int64_t operator[](std::size_t i) const noexcept { return begin()[i]; }
  operator std::span<const std::int64_t>() const noexcept { return {begin(), size_}; }  // NOLINT: a view of it

  friend bool operator==(const Dims& a, const Dims& b) noexcept { return std::ranges::equal(a, b); }

 private:
  static constexpr std::size_t kInline = 6;

  void allocate(std::size_t size) {
    size_ = size;
    if (size > kInline) heap_ = std::make_unique<std::int64_t[]>(size);
  }

  std::size_t size_ = 0;
  std::array<std::int64_t, kInline> inline_{};
  std::unique_ptr<std::int64_t[]> heap_;
};

// "[2, 3]"
inline std::string to_string(std::span<const std::int64_t> values) {
  std::string text = "[";
  for (std::size_t i = 0; i < values.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(values[i]);
  return text + "]";
}

// The dimension that `dim` names, from the end when negative. A tensor without dimensions is taken for one of one.
// Throws Error(kIndex) naming `op`.
inline std::size_t wrap_dim(const char* op, std::int64_t dim, std::int64_t rank) {
  const std::int64_t most = std::max<std::int64_t>(rank, 1) - 1, least = -most - 1;
  if (dim < least || dim > most)
    throw Error(ErrorCode::kIndex, std::string(op) + ": dim is " + std::to_string(dim) + " for a tensor of " +
                                       std::to_string(rank) + " dimensions; expected " + std::to_string(least) +
                                       " to " + std::to_string(most));
  return static_cast<std::size_t>(dim < 0 ? dim + most + 1 : dim);
}

}  // namespace threadwheel
