// Ref: an owning pointer to an object that counts its own owners. One word, so that a tensor fits beside a tag in the
// interpreter's values, where std::shared_ptr would double them.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace threadwheel {

// The base of what a Ref points to. Copies of the object start with a count of their own.
class RefCounted {
 public:
  RefCounted() = default;
  RefCounted(const RefCounted&) noexcept {}
  RefCounted& operator=(const RefCounted&) noexcept { return *this; }

  std::uint32_t use_count() const noexcept { return count_.load(std::memory_order_acquire); }

 protected:
  ~RefCounted() = default;

 private:
  template <class T>
  friend class Ref;

  mutable std::atomic<std::uint32_t> count_{0};
};

template <class T>
class Ref {
 public:
  Ref() = default;
  explicit Ref(T* pointer) noexcept : pointer_(pointer) { retain(); }
  Ref(const Ref& other) noexcept : pointer_(other.pointer_) { retain(); }
  Ref(Ref&& other) noexcept : pointer_(std::exchange(other.pointer_, nullptr)) {}
  template <class Derived>
  Ref(const Ref<Derived>& other) noexcept : Ref(other.get()) {}  // NOLINT: as pointers convert
  Ref& operator=(Ref other) noexcept {
    std::swap(pointer_, other.pointer_);
    return *this;
  }
  ~Ref() {
    // The last owner sees what the others did before they let go.
    if (pointer_ != nullptr && pointer_->count_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete pointer_;
  }

  T* get() const noexcept { return pointer_; }
  T& operator*() const noexcept { return *pointer_; }
  T* operator->() const noexcept { return pointer_; }
  explicit operator bool() const noexcept { return pointer_ != nullptr; }
  friend bool operator==(const Ref& a, const Ref& b) noexcept { return a.pointer_ == b.pointer_; }

 private:
  void retain() const noexcept {
    if (pointer_ != nullptr) pointer_->count_.fetch_add(1, std::memory_order_relaxed);
  }

  T* pointer_ = nullptr;
};

template <class T, class... Args>
Ref<T> make_ref(Args&&... args) {
  return Ref<T>(new T(std::forward<Args>(args)...));  // NOLINT: owned by the Ref from here on
}

}  // namespace threadwheel
