// For static objects that threads may still use while the process runs its exit handlers: a server's, whose main()
// returns while others call models.
#pragma once

#include <memory>
#include <utility>

namespace threadwheel::detail {

// Returns `object` at an address where it stays.
template <class T>
T& never_destroyed(T object) {
  return *std::make_unique<T>(std::move(object)).release();
}

}  // namespace threadwheel::detail
