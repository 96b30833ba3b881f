// Cooley and Tukey's decomposition by factors, decimation in time; Bluestein's ("A linear filtering approach to the
// computation of discrete Fourier transform", 1970) for prime factors too large for it.
#include "tensor/fourier.h"

#include <array>
#include <cmath>
#include <mutex>
#include <numbers>
#include <unordered_map>

namespace threadwheel {
namespace {

constexpr std::int64_t kLargestFactor = 31;  // a factor costs its square: above this Bluestein is faster

// exp(-pi i k / n), with k reduced first: exact to rounding for any k.
template <class T>
std::complex<T> half_root(std::int64_t k, std::int64_t n) {
  const double angle = std::numbers::pi * static_cast<double>(k % (2 * n)) / static_cast<double>(n);
  return {static_cast<T>(std::cos(angle)), static_cast<T>(-std::sin(angle))};
}

// (a + bi)(c + di) without the library call for infinities.
template <class T>
std::complex<T> multiply(std::complex<T> a, std::complex<T> b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

}  // namespace

template <class T>
FourierPlan<T>::FourierPlan(std::int64_t length) : length_(length) {
  std::int64_t rest = length;
  for (const std::int64_t factor : {4, 2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31})
    for (; rest % factor == 0; rest /= factor) factors_.push_back(factor);
  if (rest == 1) {
    for (std::int64_t k = 0; k < length; ++k) roots_.push_back(half_root<T>(2 * k, length));
    return;
  }
  std::int64_t padded = 1;
  while (padded < 2 * length - 1) padded *= 2;
  convolution_ = std::make_shared<const FourierPlan>(padded);
  std::vector<Number> filter(static_cast<std::size_t>(padded));
  for (std::int64_t k = 0; k < length; ++k) {
    // k^2 modulo 2 length, without overflow.
    const auto square = static_cast<std::int64_t>(static_cast<unsigned __int128>(k) * static_cast<unsigned __int128>(k) %
                                                  static_cast<unsigned __int128>(2 * length));
    chirp_.push_back(half_root<T>(square, length));
    filter[static_cast<std::size_t>(k)] = std::conj(chirp_.back());
    if (k > 0) filter[static_cast<std::size_t>(padded - k)] = std::conj(chirp_.back());
  }
  chirp_spectrum_.resize(filter.size());
  convolution_->run(filter.data(), chirp_spectrum_.data(), true);
}

template <class T>
std::shared_ptr<const FourierPlan<T>> FourierPlan<T>::get(std::int64_t length) {
  constexpr std::size_t kCapacity = 64;
  static std::mutex mutex;
  static std::unordered_map<std::int64_t, std::shared_ptr<const FourierPlan>> plans;
  const std::lock_guard lock(mutex);
  if (const auto found = plans.find(length); found != plans.end()) return found->second;
  if (plans.size() >= kCapacity) plans.clear();  // models use few lengths; whoever uses many pays again
  return plans[length] = std::make_shared<const FourierPlan>(length);
}

template <class T>
void FourierPlan<T>::run(const Number* in, Number* out, bool forward) const {
  if (forward) return run_forward(in, out);
  // The inverse is the conjugate of the transform of the conjugate.
  std::vector<Number> conjugate(in, in + length_);
  for (Number& x : conjugate) x = std::conj(x);
  run_forward(conjugate.data(), out);
  for (std::int64_t k = 0; k < length_; ++k) out[k] = std::conj(out[k]);
}

template <class T>
void FourierPlan<T>::run_forward(const Number* in, Number* out) const {
  if (convolution_) {
    run_chirp(in, out);
  } else {
    run_factors(in, out, length_, 1, 0);
  }
}

// The transform of n elements in_step apart: first of each of `radix` interleaved parts, then across them.
template <class T>
void FourierPlan<T>::run_factors(const Number* in, Number* out, std::int64_t n, std::int64_t in_step,
                                 std::size_t factor) const {
  if (n == 1) {
    *out = *in;
    return;
  }
  const std::int64_t radix = factors_[factor], part = n / radix;
  for (std::int64_t r = 0; r < radix; ++r)
    run_factors(in + r * in_step, out + r * part, part, in_step * radix, factor + 1);
  std::array<Number, kLargestFactor> term;
  for (std::int64_t k = 0; k < part; ++k) {
    for (std::int64_t r = 0; r < radix; ++r)
      term[static_cast<std::size_t>(r)] = multiply(out[r * part + k], roots_[static_cast<std::size_t>(r * k * in_step)]);
    if (radix == 2) {
      out[k] = term[0] + term[1];
      out[part + k] = term[0] - term[1];
    } else if (radix == 4) {
      const Number even = term[0] + term[2], odd = term[1] + term[3], even_minus = term[0] - term[2];
      const Number odd_minus{term[1].imag() - term[3].imag(), term[3].real() - term[1].real()};  // -i (t1 - t3)
      out[k] = even + odd;
      out[part + k] = even_minus + odd_minus;
      out[2 * part + k] = even - odd;
      out[3 * part + k] = even_minus - odd_minus;
    } else {
      for (std::int64_t q = 0; q < radix; ++q) {
        Number sum = term[0];
        for (std::int64_t r = 1; r < radix; ++r)
          sum += multiply(term[static_cast<std::size_t>(r)],
                          roots_[static_cast<std::size_t>(q * r % radix * part * in_step)]);
        out[q * part + k] = sum;
      }
    }
  }
}

template <class T>
void FourierPlan<T>::run_chirp(const Number* in, Number* out) const {
  const std::int64_t padded = convolution_->length_;
  std::vector<Number> a(static_cast<std::size_t>(padded)), b(a.size());
  for (std::int64_t k = 0; k < length_; ++k)
    a[static_cast<std::size_t>(k)] = multiply(in[k], chirp_[static_cast<std::size_t>(k)]);
  convolution_->run(a.data(), b.data(), true);
  for (std::size_t k = 0; k < b.size(); ++k) b[k] = multiply(b[k], chirp_spectrum_[k]);
  convolution_->run(b.data(), a.data(), false);
  for (std::int64_t k = 0; k < length_; ++k)
    out[k] = multiply(a[static_cast<std::size_t>(k)], chirp_[static_cast<std::size_t>(k)]) / static_cast<T>(padded);
}

template class FourierPlan<float>;
template class FourierPlan<double>;

}  // namespace threadwheel
