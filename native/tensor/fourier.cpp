// Cooley and Tukey's decomposition by factors, decimation in time; Bluestein's ("A linear filtering approach to the
// computation of discrete Fourier transform", 1970) for prime factors too large for it.
#include "tensor/fourier.h"

#include <cmath>
#include <mutex>
#include <numbers>
#include <unordered_map>

#include "parallel/fork_gate.h"
#include "parallel/never_destroyed.h"
#include "tensor/isa.h"

namespace threadwheel {
namespace {

constexpr std::int64_t kLargestFactor = 31;  // a factor costs its square: above this Bluestein is faster

// exp(-pi i k / n), with k reduced first: exact to rounding for any k.
template <class Root>
Root half_root(std::int64_t k, std::int64_t n) {
  const double angle = std::numbers::pi * static_cast<double>(k % (2 * n)) / static_cast<double>(n);
  using T = decltype(Root::re);
  return {static_cast<T>(std::cos(angle)), static_cast<T>(-std::sin(angle))};
}

template <class Number, class Root>
THREADWHEEL_INLINE void multiply(const Number& a, const Root& b, Number& out) {
  const auto re = a.re * b.re - a.im * b.im;
  out.im = a.re * b.im + a.im * b.re;
  out.re = re;
}

// Across `radix` terms: out[q * part] = sum over r of term[r] root[q r part step].
template <class Number, class Root>
THREADWHEEL_INLINE void butterfly(const Number* term, std::int64_t radix, std::int64_t part, const Root* roots,
                                  std::int64_t step, Number* out) {
  if (radix == 2) {
    out[0].re = term[0].re + term[1].re;
    out[0].im = term[0].im + term[1].im;
    out[part].re = term[0].re - term[1].re;
    out[part].im = term[0].im - term[1].im;
    return;
  }
  if (radix == 4) {
    const auto even_re = term[0].re + term[2].re, even_im = term[0].im + term[2].im;
    const auto odd_re = term[1].re + term[3].re, odd_im = term[1].im + term[3].im;
    const auto minus_re = term[0].re - term[2].re, minus_im = term[0].im - term[2].im;
    const auto turned_re = term[1].im - term[3].im, turned_im = term[3].re - term[1].re;  // -i (t1 - t3)
    out[0].re = even_re + odd_re;
    out[0].im = even_im + odd_im;
    out[part].re = minus_re + turned_re;
    out[part].im = minus_im + turned_im;
    out[2 * part].re = even_re - odd_re;
    out[2 * part].im = even_im - odd_im;
    out[3 * part].re = minus_re - turned_re;
    out[3 * part].im = minus_im - turned_im;
    return;
  }
  for (std::int64_t q = 0; q < radix; ++q) {
    Number sum = term[0];
    for (std::int64_t r = 1; r < radix; ++r) {
      const Root& root = roots[q * r % radix * part * step];
      sum.re += term[r].re * root.re - term[r].im * root.im;
      sum.im += term[r].re * root.im + term[r].im * root.re;
    }
    out[q * part] = sum;
  }
}

// The transform of n elements in_step apart: first of each of `radix` interleaved parts, then across them.
template <class Number, class Root>
THREADWHEEL_KERNEL void run_factors(const Number* in, Number* out, std::int64_t n, std::int64_t in_step,
                                    const std::int64_t* factors, const Root* roots) {
  const std::int64_t radix = *factors, part = n / radix;
  Number term[kLargestFactor];
  if (part == 1) {
    for (std::int64_t r = 0; r < radix; ++r) term[r] = in[r * in_step];
    butterfly(term, radix, part, roots, in_step, out);
    return;
  }
  for (std::int64_t r = 0; r < radix; ++r)
    run_factors(in + r * in_step, out + r * part, part, in_step * radix, factors + 1, roots);
  for (std::int64_t k = 0; k < part; ++k) {
    term[0] = out[k];
    for (std::int64_t r = 1; r < radix; ++r) multiply(out[r * part + k], roots[r * k * in_step], term[r]);
    butterfly(term, radix, part, roots, in_step, out + k);
  }
}

}  // namespace

template <class T>
FourierPlan<T>::FourierPlan(std::int64_t length) : length_(length) {
  std::int64_t rest = length;
  for (const std::int64_t factor : {4, 2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31})
    for (; rest % factor == 0; rest /= factor) factors_.push_back(factor);
  if (rest == 1) {
    for (std::int64_t k = 0; k < length; ++k) roots_.push_back(half_root<Root>(2 * k, length));
    return;
  }
  std::int64_t padded = 1;
  while (padded < 2 * length - 1) padded *= 2;
  convolution_ = std::make_shared<const FourierPlan>(padded);
  std::vector<Number> filter(static_cast<std::size_t>(padded), Number{}), spectrum(filter.size());
  for (std::int64_t k = 0; k < length; ++k) {
    // k^2 modulo 2 length, without overflow.
    const auto square =
        static_cast<std::int64_t>(static_cast<unsigned __int128>(k) * static_cast<unsigned __int128>(k) %
                                  static_cast<unsigned __int128>(2 * length));
    const Root root = half_root<Root>(square, length);
    chirp_.push_back(root);
    for (const std::int64_t at : {k, (padded - k) % padded}) {
      filter[static_cast<std::size_t>(at)].re[0] = root.re;
      filter[static_cast<std::size_t>(at)].im[0] = -root.im;
    }
  }
  convolution_->run(filter.data(), spectrum.data());
  for (const Number& x : spectrum) chirp_spectrum_.push_back({x.re[0], x.im[0]});
}

template <class T>
std::shared_ptr<const FourierPlan<T>> FourierPlan<T>::get(std::int64_t length) {
  constexpr std::size_t kCapacity = 64;
  static std::mutex mutex;
  static auto& plans =
      detail::never_destroyed(std::unordered_map<std::int64_t, std::shared_ptr<const FourierPlan>>());
  const detail::ForkSafeLock lock(mutex);
  if (const auto found = plans.find(length); found != plans.end()) return found->second;
  if (plans.size() >= kCapacity) plans.clear();  // models use few lengths; whoever uses many pays again
  return plans[length] = std::make_shared<const FourierPlan>(length);
}

template <class T>
void FourierPlan<T>::run(const Number* in, Number* out) const {
  if (length_ == 1) {
    *out = *in;
  } else if (convolution_) {
    run_chirp(in, out);
  } else {
    run_factors(in, out, length_, 1, factors_.data(), roots_.data());
  }
}

template <class T>
void FourierPlan<T>::run_chirp(const Number* in, Number* out) const {
  const auto padded = static_cast<std::size_t>(convolution_->length_), length = static_cast<std::size_t>(length_);
  std::vector<Number> a(padded, Number{}), b(padded);
  for (std::size_t k = 0; k < length; ++k) multiply(in[k], chirp_[k], a[k]);
  convolution_->run(a.data(), b.data());
  for (std::size_t k = 0; k < padded; ++k) {
    multiply(b[k], chirp_spectrum_[k], b[k]);
    std::swap(b[k].re, b[k].im);
  }
  convolution_->run(b.data(), a.data());
  const T scale = T(1) / static_cast<T>(padded);
  for (std::size_t k = 0; k < length; ++k) {
    std::swap(a[k].re, a[k].im);
    multiply(a[k], Root{chirp_[k].re * scale, chirp_[k].im * scale}, out[k]);
  }
}

template class FourierPlan<float>;
template class FourierPlan<double>;

}  // namespace threadwheel
