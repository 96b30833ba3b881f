// Elementary functions as straight-line arithmetic that a compiler vectorises: no tables, no branches, no calls.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "tensor/isa.h"

namespace threadwheel::vector_math {

// exp(x), largest error measured 1.0 units in the last place; NaN stays NaN, results may be denormal.
// x = n log 2 + r with |r| <= log(2) / 2; e^r by a polynomial (Cephes' expf), 2^n by the exponent bits.
THREADWHEEL_INLINE float exp(float x) {
  constexpr float kLargest = 88.72284F;     // log of the largest float
  constexpr float kLeast = -103.97208F;     // below, the result rounds to zero
  constexpr float kShifter = 12582912.0F;   // 1.5 * 2^23: adding it rounds to an integer, held in the low bits
  constexpr float kLog2E = 1.44269504F, kLog2High = 0.693359375F, kLog2Low = -2.12194440e-4F;
  // Comparisons are false for NaN, so that it passes both.
  float clamped = x > kLargest ? kLargest : x;
  clamped = clamped < kLeast ? kLeast : clamped;
  const float shifted = clamped * kLog2E + kShifter;
  const float n = shifted - kShifter;
  const float r = (clamped - n * kLog2High) - n * kLog2Low;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = (p * r * r + r) + 1.0F;
  // In two steps, because 2^n itself is not a normal number at either end.
  const std::int32_t exponent = std::bit_cast<std::int32_t>(shifted) - std::bit_cast<std::int32_t>(kShifter);
  const std::int32_t half = exponent >> 1;
  const float scaled =
      p * std::bit_cast<float>((half + 127) << 23) * std::bit_cast<float>((exponent - half + 127) << 23);
  const float bounded = x > kLargest ? std::numeric_limits<float>::infinity() : scaled;
  return x < kLeast ? 0.0F : bounded;
}

// exp(x), largest error measured 1.0 units in the last place; as above with a Taylor polynomial of degree 13, whose
// remainder on |r| <= log(2) / 2 is 0.02 units.
THREADWHEEL_INLINE double exp(double x) {
  constexpr double kLargest = 709.782712893384;
  constexpr double kLeast = -745.1332191019412;
  constexpr double kShifter = 6755399441055744.0;  // 1.5 * 2^52
  constexpr double kLog2E = 1.4426950408889634, kLog2High = 6.93147180369123816490e-01,
                   kLog2Low = 1.90821492927058770002e-10;
  double clamped = x > kLargest ? kLargest : x;
  clamped = clamped < kLeast ? kLeast : clamped;
  const double shifted = clamped * kLog2E + kShifter;
  const double n = shifted - kShifter;
  const double r = (clamped - n * kLog2High) - n * kLog2Low;
  double p = 1.0 / 6227020800.0;
  p = p * r + 1.0 / 479001600.0;
  p = p * r + 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  p = (p * r * r + r) + 1.0;
  const std::int64_t exponent = std::bit_cast<std::int64_t>(shifted) - std::bit_cast<std::int64_t>(kShifter);
  // A 64-bit arithmetic shift has no AVX2 instruction; of a value that is made positive first, a logical one does.
  const auto half = static_cast<std::int64_t>(static_cast<std::uint64_t>(exponent + 4096) >> 1) - 2048;
  const double scaled =
      p * std::bit_cast<double>((half + 1023) << 52) * std::bit_cast<double>((exponent - half + 1023) << 52);
  const double bounded = x > kLargest ? std::numeric_limits<double>::infinity() : scaled;
  return x < kLeast ? 0.0 : bounded;
}

// e^x - 1, largest error measured 1.5 units in the last place: the polynomial of exp without its final 1, so that
// nothing cancels.
THREADWHEEL_INLINE float expm1(float x) {
  constexpr float kLargest = 88.72284F, kLeast = -17.5F;  // below, the result rounds to -1
  constexpr float kShifter = 12582912.0F, kLog2E = 1.44269504F;
  constexpr float kLog2High = 0.693359375F, kLog2Low = -2.12194440e-4F;
  float clamped = x > kLargest ? kLargest : x;
  clamped = clamped < kLeast ? kLeast : clamped;
  const float shifted = clamped * kLog2E + kShifter;
  const float n = shifted - kShifter;
  const float r = (clamped - n * kLog2High) - n * kLog2Low;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * r * r + r;
  const std::int32_t exponent = std::bit_cast<std::int32_t>(shifted) - std::bit_cast<std::int32_t>(kShifter);
  // At half the scale, because 2^128 is no float.
  const float half = std::bit_cast<float>((exponent + 126) << 23);
  const float result = 2.0F * (half * p + (half - 0.5F));
  return x > kLargest ? std::numeric_limits<float>::infinity() : result;
}
THREADWHEEL_INLINE double expm1(double x) { return std::expm1(x); }

// 1 / (1 + e^-x), largest error measured 2.3 units in the last place.
template <class T>
THREADWHEEL_INLINE T sigmoid(T x) {
  return T(1) / (T(1) + exp(-x));
}

// tanh(x), largest error measured 1.3 units in the last place. Cephes' tanhf: a polynomial around zero, elsewhere by
// exp.
THREADWHEEL_INLINE float tanh(float x) {
  const float size = x < 0 ? -x : x, square = x * x;
  float p = -5.70498872745e-3F;
  p = p * square + 2.06390887954e-2F;
  p = p * square - 5.37397155531e-2F;
  p = p * square + 1.33314422036e-1F;
  p = p * square - 3.33332819422e-1F;
  const float near = p * square * x + x;
  const float far = 1.0F - 2.0F / (exp(2.0F * size) + 1.0F);
  return size < 0.625F ? near : (x < 0 ? -far : far);
}
THREADWHEEL_INLINE double tanh(double x) { return std::tanh(x); }

// erf(x), largest error measured 1.0 units in the last place. Two polynomials, in x and in the exponent (after
// N. Juffa).
THREADWHEEL_INLINE float erf(float x) {
  float size = x < 0 ? -x : x;
  size = size > 4.0F ? 4.0F : size;  // where the result has rounded to 1
  const float square = size * size;
  float r = -1.72853470e-5F * size + 3.83197126e-4F;
  const float u = -3.88396438e-3F * size + 2.42546219e-2F;
  r = r * square + u;
  r = r * size - 1.06777877e-1F;
  r = r * size - 6.34846687e-1F;
  r = r * size - 1.28717512e-1F;
  r = r * size - size;
  const float far = 1.0F - exp(r);
  float p = -5.96761703e-4F;
  p = p * square + 4.99119423e-3F;
  p = p * square - 2.67681349e-2F;
  p = p * square + 1.12819925e-1F;
  p = p * square - 3.76125336e-1F;
  p = p * square + 1.28379166e-1F;
  const float near = p * size + size;
  const float result = size > 0.927734375F ? far : near;
  return x != x ? x : std::bit_cast<float>(std::bit_cast<std::uint32_t>(result) |
                                           (std::bit_cast<std::uint32_t>(x) & 0x80000000U));
}
THREADWHEEL_INLINE double erf(double x) { return std::erf(x); }

// Arguments that sin and cos below are made for; n must fit in 20 bits for n * pi/2 to be exact.
inline constexpr float kLargestAngle = 8.0e5F;
THREADWHEEL_INLINE bool is_small_angle(float x) { return x <= kLargestAngle && x >= -kLargestAngle; }

// sin(x) for quarter = 0, cos(x) for 1, |x| <= kLargestAngle; largest error measured 0.51 units in the last place. In
// double, so that the reduction to |r| <= pi/4 and the Taylor polynomials cost no accuracy.
THREADWHEEL_INLINE float sine(float x, std::int64_t quarter) {
  constexpr double kShifter = 6755399441055744.0, kTwoByPi = 0.63661977236758134;
  constexpr double kHalfPiHigh = 1.57079632673412561417, kHalfPiLow = 6.07710050650619224932e-11;
  const double wide = x, shifted = wide * kTwoByPi + kShifter, n = shifted - kShifter;
  const double r = (wide - n * kHalfPiHigh) - n * kHalfPiLow, square = r * r;
  double s = -1.0 / 39916800.0;
  s = s * square + 1.0 / 362880.0;
  s = s * square - 1.0 / 5040.0;
  s = s * square + 1.0 / 120.0;
  s = s * square - 1.0 / 6.0;
  s = s * square * r + r;
  double c = -1.0 / 3628800.0;
  c = c * square + 1.0 / 40320.0;
  c = c * square - 1.0 / 720.0;
  c = c * square + 1.0 / 24.0;
  c = c * square - 0.5;
  c = c * square + 1.0;
  const std::int64_t turns = std::bit_cast<std::int64_t>(shifted) + quarter;
  const double value = (turns & 1) != 0 ? c : s;
  return static_cast<float>((turns & 2) != 0 ? -value : value);
}

}  // namespace threadwheel::vector_math
