// float16 and bfloat16 as storage: arithmetic happens in float32. Conversions are straight-line integer and float
// arithmetic, so that loops of them become vectors at every instruction set level, where _Float16 of the baseline
// would call into the compiler's library.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "tensor/isa.h"

namespace threadwheel {

// IEEE binary16, rounded to nearest even. Method: Maratyszcza's FP16 library.
struct Half {
  std::uint16_t bits;

  Half() = default;
  THREADWHEEL_INLINE explicit Half(float value) : bits(round(value)) {}
  THREADWHEEL_INLINE explicit operator float() const {
    const std::uint32_t word = static_cast<std::uint32_t>(bits) << 16, sign = word & 0x80000000U, twice = word + word;
    // The exponent moved to float32's place is too large by 112; a multiplication also gets inf and NaN right.
    const float normal = std::bit_cast<float>((twice >> 4) + (0xE0U << 23)) * 0x1.0p-112F;
    const float denormal = std::bit_cast<float>((twice >> 17) | (126U << 23)) - 0.5F;
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(twice < (1U << 27) ? denormal : normal));
  }

 private:
  THREADWHEEL_INLINE static std::uint16_t round(float value) {
    const auto word = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t twice = word + word, sign = word & 0x80000000U, exponent = twice & 0xFF000000U;
    // The first factor sends what is too large to infinity; adding a power of two rounds at the right bit.
    const float scaled = std::bit_cast<float>(word & 0x7FFFFFFFU) * 0x1.0p+112F * 0x1.0p-110F;
    const std::uint32_t bias = exponent < 0x71000000U ? 0x71000000U : exponent;
    const auto rounded = std::bit_cast<std::uint32_t>(std::bit_cast<float>((bias >> 1) + 0x07800000U) + scaled);
    const std::uint32_t magnitude = ((rounded >> 13) & 0x7C00U) + (rounded & 0x0FFFU);
    return static_cast<std::uint16_t>((sign >> 16) | (twice > 0xFF000000U ? 0x7E00U : magnitude));
  }
};

// The upper half of a float32, rounded to nearest even.
struct BFloat16 {
  std::uint16_t bits;

  BFloat16() = default;
  THREADWHEEL_INLINE explicit BFloat16(float value) : bits(round(value)) {}
  THREADWHEEL_INLINE explicit operator float() const {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
  }

 private:
  THREADWHEEL_INLINE static std::uint16_t round(float value) {
    const auto word = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t rounded = (word + 0x7FFFU + ((word >> 16) & 1U)) >> 16;
    return static_cast<std::uint16_t>((word & 0x7FFFFFFFU) > 0x7F800000U ? 0x7FC0U : rounded);  // NaN must not carry
  }
};

}  // namespace threadwheel
