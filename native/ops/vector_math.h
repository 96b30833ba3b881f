// Elementary functions as straight-line arithmetic that a compiler vectorises: no tables, no branches, no calls.
#pragma once

#include <bit>
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

}  // namespace threadwheel::vector_math
