// Discrete Fourier transforms of one line: mixed radix for lengths of small prime factors, Bluestein's algorithm for
// the others. No scaling. Plans are immutable and shared by threads.
#pragma once

#include <complex>
#include <cstdint>
#include <memory>
#include <vector>

namespace threadwheel {

template <class T>
class FourierPlan {
 public:
  using Number = std::complex<T>;

  // The plan for a length of 1 or more, from a bounded cache.
  static std::shared_ptr<const FourierPlan> get(std::int64_t length);

  explicit FourierPlan(std::int64_t length);

  // out[k] = sum over j of in[j] exp(-+ 2 pi i j k / length), minus for `forward`. in and out do not overlap.
  void run(const Number* in, Number* out, bool forward) const;

 private:
  void run_forward(const Number* in, Number* out) const;
  void run_factors(const Number* in, Number* out, std::int64_t n, std::int64_t in_step, std::size_t factor) const;
  void run_chirp(const Number* in, Number* out) const;

  std::int64_t length_;
  std::vector<std::int64_t> factors_;
  std::vector<Number> roots_;  // exp(-2 pi i k / length)
  // Bluestein: a convolution with a chirp, of a length that has small factors.
  std::vector<Number> chirp_, chirp_spectrum_;
  std::shared_ptr<const FourierPlan> convolution_;
};

extern template class FourierPlan<float>;
extern template class FourierPlan<double>;

}  // namespace threadwheel
