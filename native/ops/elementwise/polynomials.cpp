// Orthogonal polynomials of degree n at x, which torch.special names after their finders: by their recurrences, and
// Chebyshev's between -1 and 1 as cosines, which lose no digits at high degrees.
#include <cmath>
#include <limits>

#include "ops/shared/pointwise.h"

namespace threadwheel {
namespace {

// The degree of a polynomial; the last of a recurrence that starts with 1 and `first`. Overflow ends it, as in torch.
template <class T, class Next>
T recur(T first, std::int64_t n, Next next) {
  T before(1), now = first;
  for (std::int64_t k = 1; k < n && now == now; ++k) {
    const T after = next(static_cast<T>(k), now, before);
    before = now;
    now = after;
  }
  return n == 0 ? T(1) : now;
}

// All four kinds: p_1 differs, and the values at the ends, -1 and 1.
template <class T, class Inside>
T chebyshev(T x, std::int64_t n, T first, T at_one, T at_minus_one, std::int64_t exact_up_to, Inside inside) {
  if (std::abs(x) == T(1)) return x > T(0) ? at_one : (n % 2 == 0 ? at_minus_one : -at_minus_one);
  if (n > exact_up_to && std::abs(x) < T(1)) return inside(std::acos(x));
  return recur(first, n, [&](T, T now, T before) { return (x + x) * now - before; });
}

struct ChebyshevT {
  template <class T>
  static T of(T x, std::int64_t n) {
    return chebyshev(x, n, x, T(1), T(1), 6, [&](T angle) { return std::cos(static_cast<T>(n) * angle); });
  }
};

struct ChebyshevU {
  template <class T>
  static T of(T x, std::int64_t n) {
    const T next = static_cast<T>(n + 1);
    return chebyshev(x, n, x + x, next, next, 8, [&](T angle) {
      return std::sin(angle) != T(0) ? std::sin(next * angle) / std::sin(angle) : next * std::cos(next * angle) / x;
    });
  }
};

struct ChebyshevV {
  template <class T>
  static T of(T x, std::int64_t n) {
    const T odd = static_cast<T>(n + n + 1);
    return chebyshev(x, n, x + x - T(1), T(1), odd, 8, [&](T angle) {
      if (std::sin(angle / T(2)) == T(1)) return n % 2 == 0 ? odd : -odd;
      return std::cos((static_cast<T>(n) + T(0.5)) * angle) / std::cos(angle / T(2));
    });
  }
};

struct ChebyshevW {
  template <class T>
  static T of(T x, std::int64_t n) {
    const T odd = static_cast<T>(n + n + 1);
    return chebyshev(x, n, x + x + T(1), odd, T(1), 8, [&](T angle) {
      if (std::cos(angle / T(2)) == T(1)) return odd;
      return std::sin((static_cast<T>(n) + T(0.5)) * angle) / std::sin(angle / T(2));
    });
  }
};

// On [0, 1] instead of [-1, 1].
template <class Kind>
struct Shifted {
  template <class T>
  static T of(T x, std::int64_t n) {
    return Kind::of(x + x - T(1), n);
  }
};

// torch's last degree, above which it answers NaN.
template <class T>
constexpr std::int64_t kMostHermite = sizeof(T) == 4 ? 128 : 512;

struct HermiteH {
  template <class T>
  static T of(T x, std::int64_t n) {
    if (n > kMostHermite<T>) return std::numeric_limits<T>::quiet_NaN();
    return recur(x + x, n, [&](T k, T now, T before) { return (x + x) * now - (k + k) * before; });
  }
};

struct HermiteHe {
  template <class T>
  static T of(T x, std::int64_t n) {
    if (n > kMostHermite<T>) return std::numeric_limits<T>::quiet_NaN();
    return recur(x, n, [&](T k, T now, T before) { return x * now - k * before; });
  }
};

struct Laguerre {
  template <class T>
  static T of(T x, std::int64_t n) {
    if (x == T(0)) return T(1);
    return recur(T(1) - x, n,
                 [&](T k, T now, T before) { return ((k + k + T(1) - x) * now - k * before) / (k + T(1)); });
  }
};

struct Legendre {
  template <class T>
  static T of(T x, std::int64_t n) {
    if (std::abs(x) == T(1)) return x > T(0) || n % 2 == 0 ? T(1) : T(-1);
    return recur(x, n, [&](T k, T now, T before) { return ((k + k + T(1)) * x * now - k * before) / (k + T(1)); });
  }
};

// The degree is a number of the same dtype, whose fraction does not count; below 0 there is nothing.
template <Name Text, class Kind>
struct Polynomial : OnFloats<Text, RealFloats> {
  template <class T>
  T operator()(T x, T degree) const {
    const auto n = truncate_to<std::int64_t>(degree);
    return n < 0 ? T(0) : Kind::of(x, n);
  }
};

using TOf = Polynomial<"special_chebyshev_polynomial_t", ChebyshevT>;
using UOf = Polynomial<"special_chebyshev_polynomial_u", ChebyshevU>;
using VOf = Polynomial<"special_chebyshev_polynomial_v", ChebyshevV>;
using WOf = Polynomial<"special_chebyshev_polynomial_w", ChebyshevW>;
using ShiftedTOf = Polynomial<"special_shifted_chebyshev_polynomial_t", Shifted<ChebyshevT>>;
using ShiftedUOf = Polynomial<"special_shifted_chebyshev_polynomial_u", Shifted<ChebyshevU>>;
using ShiftedVOf = Polynomial<"special_shifted_chebyshev_polynomial_v", Shifted<ChebyshevV>>;
using ShiftedWOf = Polynomial<"special_shifted_chebyshev_polynomial_w", Shifted<ChebyshevW>>;
using HOf = Polynomial<"special_hermite_polynomial_h", HermiteH>;
using HeOf = Polynomial<"special_hermite_polynomial_he", HermiteHe>;
using LOf = Polynomial<"special_laguerre_polynomial_l", Laguerre>;
using POf = Polynomial<"special_legendre_polynomial_p", Legendre>;

constexpr OpDefinition kOps[] = {
    define_op<binary<TOf>>("aten::special_chebyshev_polynomial_t(Tensor x, Tensor n) -> Tensor"),
    define_op<number_binary<TOf>>("aten::special_chebyshev_polynomial_t.x_scalar(Scalar x, Tensor n) -> Tensor"),
    define_op<binary_number<TOf>>("aten::special_chebyshev_polynomial_t.n_scalar(Tensor x, Scalar n) -> Tensor"),
    define_op<binary<UOf>>("aten::special_chebyshev_polynomial_u(Tensor x, Tensor n) -> Tensor"),
    define_op<number_binary<UOf>>("aten::special_chebyshev_polynomial_u.x_scalar(Scalar x, Tensor n) -> Tensor"),
    define_op<binary_number<UOf>>("aten::special_chebyshev_polynomial_u.n_scalar(Tensor x, Scalar n) -> Tensor"),
    define_op<binary<VOf>>("aten::special_chebyshev_polynomial_v(Tensor x, Tensor n) -> Tensor"),
    define_op<number_binary<VOf>>("aten::special_chebyshev_polynomial_v.x_scalar(Scalar x, Tensor n) -> Tensor"),
    define_op<binary_number<VOf>>("aten::special_chebyshev_polynomial_v.n_scalar(Tensor x, Scalar n) -> Tensor"),
    define_op<binary<WOf>>("aten::special_chebyshev_polynomial_w(Tensor x, Tensor n) -> Tensor"),
    define_op<number_binary<WOf>>("aten::special_chebyshev_polynomial_w.x_scalar(Scalar x, Tensor n) -> Tensor"),
    define_op<binary_number<WOf>>("aten::special_chebyshev_polynomial_w.n_scalar(Tensor x, Scalar n) -> Tensor"),
    define_op<binary<ShiftedTOf>>("aten::special_shifted_chebyshev_polynomial_t(Tensor x, Tensor n) -> Tensor"),
    define_op<number_binary<ShiftedTOf>>(
        "aten::special_shifted_chebyshev_polynomial_t.x_scalar(Scalar x, Tensor n) -> Tensor"),
    define_op<binary_number<ShiftedTOf>>(
        "aten::special_shifted_chebyshev_polynomial_t.n_scalar(Tensor x, Scalar n) -> Tensor"),
    define_op<binary<ShiftedUOf>>("aten::special_shifted_chebyshev_polynomial_u(Tensor x, Tensor n) -> Tensor"),
    define_op<number_binary<ShiftedUOf>>(
        "aten::special_shifted_chebyshev_polynomial_u.x_scalar(Scalar x, Tensor n) -> Tensor"),
    define_op<binary_number<ShiftedUOf>>(
        "aten::special_shifted_chebyshev_polynomial_u.n_scalar(Tensor x, Scalar n) -> Tensor"),
    define_op<binary<ShiftedVOf>>("aten::special_shifted_chebyshev_polynomial_v(Tensor x, Tensor n) -> Tensor"),
    define_op<number_binary<ShiftedVOf>>(
        "aten::special_shifted_chebyshev_polynomial_v.x_scalar(Scalar x, Tensor n) -> Tensor"),
    define_op<binary_number<ShiftedVOf>>(
        "aten::special_shifted_chebyshev_polynomial_v.n_scalar(Tensor x, Scalar n) -> Tensor"),
    define_op<binary<ShiftedWOf>>("aten::special_shifted_chebyshev_polynomial_w(Tensor x, Tensor n) -> Tensor"),
    define_op<number_binary<ShiftedWOf>>(
        "aten::special_shifted_chebyshev_polynomial_w.x_scalar(Scalar x, Tensor n) -> Tensor"),
    define_op<binary_number<ShiftedWOf>>(
        "aten::special_shifted_chebyshev_polynomial_w.n_scalar(Tensor x, Scalar n) -> Tensor"),
    define_op<binary<HOf>>("aten::special_hermite_polynomial_h(Tensor x, Tensor n) -> Tensor"),
    define_op<number_binary<HOf>>("aten::special_hermite_polynomial_h.x_scalar(Scalar x, Tensor n) -> Tensor"),
    define_op<binary_number<HOf>>("aten::special_hermite_polynomial_h.n_scalar(Tensor x, Scalar n) -> Tensor"),
    define_op<binary<HeOf>>("aten::special_hermite_polynomial_he(Tensor x, Tensor n) -> Tensor"),
    define_op<number_binary<HeOf>>("aten::special_hermite_polynomial_he.x_scalar(Scalar x, Tensor n) -> Tensor"),
    define_op<binary_number<HeOf>>("aten::special_hermite_polynomial_he.n_scalar(Tensor x, Scalar n) -> Tensor"),
    define_op<binary<LOf>>("aten::special_laguerre_polynomial_l(Tensor x, Tensor n) -> Tensor"),
    define_op<number_binary<LOf>>("aten::special_laguerre_polynomial_l.x_scalar(Scalar x, Tensor n) -> Tensor"),
    define_op<binary_number<LOf>>("aten::special_laguerre_polynomial_l.n_scalar(Tensor x, Scalar n) -> Tensor"),
    define_op<binary<POf>>("aten::special_legendre_polynomial_p(Tensor x, Tensor n) -> Tensor"),
    define_op<number_binary<POf>>("aten::special_legendre_polynomial_p.x_scalar(Scalar x, Tensor n) -> Tensor"),
    define_op<binary_number<POf>>("aten::special_legendre_polynomial_p.n_scalar(Tensor x, Scalar n) -> Tensor"),
};

}  // namespace

std::span<const OpDefinition> polynomial_ops() { return kOps; }

}  // namespace threadwheel
