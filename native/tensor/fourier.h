// Discrete Fourier transforms of several lines at once, one per vector lane: mixed radix for lengths of small prime
// factors, Bluestein's algorithm for the others. Forward, without scaling; plans are immutable and shared by threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace threadwheel {

template <class T>
class FourierPlan {
 public:
  static constexpr std::size_t kLanes = 64 / sizeof(T);

  // Element i of each line. The inverse transform is this one with re and im exchanged before and after.
  struct alignas(64) Number {
    typedef T Lanes __attribute__((vector_size(64), may_alias));
    Lanes re, im;
  };

  // The plan for a length of 1 or more, from a bounded cache.
  static std::shared_ptr<const FourierPlan> get(std::int64_t length);

  explicit FourierPlan(std::int64_t length);

  // out[k] = sum over j of in[j] exp(-2 pi i j k / length). in and out do not overlap.
  void run(const Number* in, Number* out) const;

 private:
  struct Root {
    T re, im;
  };

  void run_chirp(const Number* in, Number* out) const;

  std::int64_t length_;
  std::vector<std::int64_t> factors_;
  std::vector<Root> roots_;  // exp(-2 pi i k / length)
  // Bluestein: a convolution with a chirp, of a length that has small factors.
  std::vector<Root> chirp_, chirp_spectrum_;
  std::shared_ptr<const FourierPlan> convolution_;
};

extern template class FourierPlan<float>;
extern template class FourierPlan<double>;

}  // namespace threadwheel
