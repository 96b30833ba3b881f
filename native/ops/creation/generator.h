// The process's random numbers: one Mersenne twister, drawn from as torch draws from its CPU generator, so that a
// program that sets the seed gives the numbers that it gives there.
#pragma once

#include <cmath>
#include <cstdint>
#include <mutex>
#include <numbers>
#include <optional>
#include <random>
#include <type_traits>

#include "parallel/fork_gate.h"

namespace threadwheel {

// The generator, for as long as this lives: no other thread draws in between, and no fork happens. Not for use around
// parallel regions.
class Draws {
 public:
  Draws() : state_(state()), lock_(state_.mutex) {}

  void seed(std::uint64_t seed) {
    state_.engine.seed(static_cast<std::uint32_t>(seed));
    state_.spare.reset();
  }

  std::uint32_t bits() { return static_cast<std::uint32_t>(state_.engine()); }

  std::uint64_t wide_bits() {
    const std::uint64_t high = bits();
    return high << 32 | bits();
  }

  // In [0, 1), with all the digits that T has.
  template <class T>
  T uniform() {
    if constexpr (std::is_same_v<T, double>) {
      return static_cast<double>(wide_bits() & ((std::uint64_t{1} << 53) - 1)) * 0x1p-53;
    } else {
      return static_cast<float>(bits() & ((1u << 24) - 1)) * 0x1p-24F;
    }
  }

  // Of mean 0 and deviation 1: Box and Muller's pairs, one of which waits for the next call.
  double normal() {
    if (state_.spare) {
      const double spare = *state_.spare;
      state_.spare.reset();
      return spare;
    }
    const double angle = 2 * std::numbers::pi * uniform<double>();
    const double radius = std::sqrt(-2 * std::log1p(-uniform<double>()));
    state_.spare = radius * std::sin(angle);
    return radius * std::cos(angle);
  }

  // Of mean 1.
  double exponential() {
    const double x = uniform<double>();
    return x >= 1 - kHalfStep ? kHalfStep : -std::log1p(-x);
  }

 private:
  static constexpr double kHalfStep = 0x1p-53;  // what torch gives for the x that are next to 1

  struct State {
    std::mutex mutex;
    std::mt19937 engine{std::random_device()()};
    std::optional<double> spare;
  };

  static State& state();

  State& state_;
  const detail::ForkSafeLock lock_;
};

}  // namespace threadwheel
