// Bessel functions and Airy's, of torch.special: in double by the C and C++ libraries' functions, where these end by
// asymptotic series.
#include <cmath>
#include <limits>
#include <numbers>

#include "ops/shared/pointwise.h"

namespace threadwheel {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity(), kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kPi = std::numbers::pi;

double bessel_j0(double x) { return ::j0(x); }
double bessel_j1(double x) { return ::j1(x); }
double bessel_y0(double x) { return x < 0 ? kNan : x == 0 ? -kInfinity : ::y0(x); }
double bessel_y1(double x) { return x < 0 ? kNan : x == 0 ? -kInfinity : ::y1(x); }

// exp(x) K_n(x) for n of 0 or 1. From 30 on the asymptotic series (Abramowitz and Stegun 9.7.2), whose least term is
// below 1e-20 there.
template <int Order>
double scaled_bessel_k(double x) {
  if (x == 0) return kInfinity;
  if (!(x > 0)) return kNan;
  if (x < 30) return std::cyl_bessel_k(Order, x) * std::exp(x);
  double term = 1, sum = 1;
  for (int k = 1; k < 25; ++k) {
    const double odd = 2 * k - 1;
    sum += term *= (4.0 * Order - odd * odd) / (8 * k * x);
  }
  return sum * std::sqrt(kPi / (2 * x));
}

template <int Order>
double bessel_k(double x) {
  return x < 30 ? (x > 0 ? std::cyl_bessel_k(Order, x) : scaled_bessel_k<Order>(x))
                : scaled_bessel_k<Order>(x) * std::exp(-x);
}

double spherical_bessel_j0(double x) {
  if (std::isinf(x)) return 0;
  return x == 0 ? 1 : std::sin(x) / x;
}

// By Bessel functions of order 1/3 (Abramowitz and Stegun 10.4.14 and 10.4.15). Above 103.892 nothing is left of it.
double airy_ai(double x) {
  constexpr double kThird = 1.0 / 3, kAtZero = 0.355028053887817239, kMost = 103.892;
  if (std::isinf(x) || x != x) return kNan;
  if (x == 0) return kAtZero;
  if (x > kMost) return 0;
  const double size = std::abs(x), z = 2 * size * std::sqrt(size) / 3;
  if (x > 0) return std::sqrt(size / 3) / kPi * std::cyl_bessel_k(kThird, z);
  const double j = std::cyl_bessel_j(kThird, z), y = std::cyl_neumann(kThird, z);
  const double of_negative_order = std::cos(kThird * kPi) * j - std::sin(kThird * kPi) * y;
  return std::sqrt(size) / 3 * (j + of_negative_order);
}

template <Name Text, auto Function>
struct InDouble : OnFloats<Text, RealFloats> {
  template <class T>
  T operator()(T x) const {
    return static_cast<T>(Function(static_cast<double>(x)));
  }
};

using J0 = InDouble<"special_bessel_j0", &bessel_j0>;
using J1 = InDouble<"special_bessel_j1", &bessel_j1>;
using Y0 = InDouble<"special_bessel_y0", &bessel_y0>;
using Y1 = InDouble<"special_bessel_y1", &bessel_y1>;
using K0 = InDouble<"special_modified_bessel_k0", &bessel_k<0>>;
using K1 = InDouble<"special_modified_bessel_k1", &bessel_k<1>>;
using ScaledK0 = InDouble<"special_scaled_modified_bessel_k0", &scaled_bessel_k<0>>;
using ScaledK1 = InDouble<"special_scaled_modified_bessel_k1", &scaled_bessel_k<1>>;
using SphericalJ0 = InDouble<"special_spherical_bessel_j0", &spherical_bessel_j0>;
using AiryAi = InDouble<"special_airy_ai", &airy_ai>;

constexpr OpDefinition kOps[] = {
    define_op<unary<J0>>("aten::special_bessel_j0(Tensor self) -> Tensor"),
    define_op<unary<J1>>("aten::special_bessel_j1(Tensor self) -> Tensor"),
    define_op<unary<Y0>>("aten::special_bessel_y0(Tensor self) -> Tensor"),
    define_op<unary<Y1>>("aten::special_bessel_y1(Tensor self) -> Tensor"),
    define_op<unary<K0>>("aten::special_modified_bessel_k0(Tensor self) -> Tensor"),
    define_op<unary<K1>>("aten::special_modified_bessel_k1(Tensor self) -> Tensor"),
    define_op<unary<ScaledK0>>("aten::special_scaled_modified_bessel_k0(Tensor x) -> Tensor"),
    define_op<unary<ScaledK1>>("aten::special_scaled_modified_bessel_k1(Tensor x) -> Tensor"),
    define_op<unary<SphericalJ0>>("aten::special_spherical_bessel_j0(Tensor x) -> Tensor"),
    define_op<unary<AiryAi>>("aten::special_airy_ai(Tensor x) -> Tensor"),
};

}  // namespace

std::span<const OpDefinition> bessel_ops() { return kOps; }

}  // namespace threadwheel
