// Variances, norms, logarithms of sums of exponentials.
#include <cmath>
#include <limits>
#include <string>
#include <tuple>

#include "ops/families.h"
#include "ops/shared/reduce.h"
#include "threadwheel/error.h"

namespace threadwheel {
namespace {

using RealFloats = TypeList<float, double>;

// --- variance --------------------------------------------------------------------------------------

// Mean and sum of squared distances from it, term by term (Welford) and of two parts (Chan): nothing cancels, however
// far the mean is from zero.
template <class T>
struct Moments {
  struct Total {
    double count, mean, squares;
  };
  static constexpr bool kOrdered = false;
  THREADWHEEL_INLINE Total identity() const { return {0, 0, 0}; }
  THREADWHEEL_INLINE Total add(const Total& total, T x, std::int64_t) const {
    const double count = total.count + 1, distance = static_cast<double>(x) - total.mean;
    const double mean = total.mean + distance / count;
    return {count, mean, total.squares + distance * (static_cast<double>(x) - mean)};
  }
  THREADWHEEL_INLINE Total combine(const Total& a, const Total& b) const {
    const double count = a.count + b.count, distance = b.mean - a.mean;
    if (b.count == 0) return a;
    if (a.count == 0) return b;
    return {count, a.mean + distance * (b.count / count),
            a.squares + b.squares + distance * distance * (a.count * b.count / count)};
  }
};

struct MeanAndSpread {
  Tensor spread, mean;
};

template <bool Root>
MeanAndSpread spread_of(const char* op, const Tensor& self, MaybeDims dim, double correction, bool keepdim) {
  const Reduction reduction(op, self, dim, keepdim);
  MeanAndSpread result;
  visit_computed(RealFloats(), op, self, [&]<class T>(const Tensor& x) {
    const Tensor spread = Tensor::empty(reduction.sizes(), DTypeOf<T>::value);
    const Tensor mean = Tensor::empty(reduction.sizes(), DTypeOf<T>::value);
    const double divisor = std::max(0.0, static_cast<double>(reduction.length()) - correction);
    const bool nothing = reduction.length() == 0;
    reduction.run<T>(x, Moments<T>(), [&](std::int64_t i, const typename Moments<T>::Total& total) {
      // NaN or infinite with too few terms, and of none whatever the correction.
      const double variance = nothing ? std::nan("") : total.squares / divisor;
      spread.data<T>()[i] = static_cast<T>(Root ? std::sqrt(variance) : variance);
      mean.data<T>()[i] = static_cast<T>(nothing ? std::nan("") : total.mean);
    });
    result = {convert(spread, self.dtype(), op), convert(mean, self.dtype(), op)};
  });
  return result;
}

constexpr const char* spread_name(bool root, bool with_mean) {
  if (root) return with_mean ? "std_mean" : "std";
  return with_mean ? "var_mean" : "var";
}

template <bool Root>
Tensor spread_correction(const Tensor& self, MaybeDims dim, std::optional<Scalar> correction, bool keepdim) {
  const double number = correction ? correction->to<double>() : 1.0;
  return spread_of<Root>(spread_name(Root, false), self, dim, number, keepdim).spread;
}
template <bool Root>
Tensor spread_dim(const Tensor& self, MaybeDims dim, bool unbiased, bool keepdim) {
  return spread_correction<Root>(self, dim, Scalar(unbiased ? 1.0 : 0.0), keepdim);
}
template <bool Root>
Tensor spread(const Tensor& self, bool unbiased) {
  return spread_dim<Root>(self, std::nullopt, unbiased, false);
}

template <bool Root>
std::tuple<Tensor, Tensor> spread_mean_correction(const Tensor& self, MaybeDims dim, std::optional<Scalar> correction,
                                                  bool keepdim) {
  const double number = correction ? correction->to<double>() : 1.0;
  const MeanAndSpread result = spread_of<Root>(spread_name(Root, true), self, dim, number, keepdim);
  return {result.spread, result.mean};
}
template <bool Root>
std::tuple<Tensor, Tensor> spread_mean_dim(const Tensor& self, MaybeDims dim, bool unbiased, bool keepdim) {
  return spread_mean_correction<Root>(self, dim, Scalar(unbiased ? 1.0 : 0.0), keepdim);
}
template <bool Root>
std::tuple<Tensor, Tensor> spread_mean(const Tensor& self, bool unbiased) {
  return spread_mean_dim<Root>(self, std::nullopt, unbiased, false);
}

// --- norms -----------------------------------------------------------------------------------------

// |x| as a double, added up by a power.
struct SquarePower {
  THREADWHEEL_INLINE double operator()(double size) const { return size * size; }
};
struct PlainPower {
  THREADWHEEL_INLINE double operator()(double size) const { return size; }
};
struct NonzeroPower {
  THREADWHEEL_INLINE double operator()(double size) const { return size != 0 ? 1.0 : 0.0; }
};
struct AnyPower {
  double power;
  THREADWHEEL_INLINE double operator()(double size) const { return std::pow(size, power); }
};

template <class T, class Power>
struct PowerSum {
  using Total = double;
  static constexpr bool kOrdered = false;
  Power power;
  THREADWHEEL_INLINE Total identity() const { return 0; }
  THREADWHEEL_INLINE Total add(Total total, T x, std::int64_t) const { return total + power(std::abs(x)); }
  THREADWHEEL_INLINE Total combine(Total a, Total b) const { return a + b; }
};

template <class T, bool Largest>
struct ExtremeSize {
  using Total = double;
  static constexpr bool kOrdered = false;
  THREADWHEEL_INLINE Total identity() const { return Largest ? 0.0 : std::numeric_limits<double>::infinity(); }
  THREADWHEEL_INLINE Total combine(Total a, Total b) const {
    return (Largest ? b > a : b < a) || b != b ? b : a;
  }
  THREADWHEEL_INLINE Total add(Total total, T x, std::int64_t) const { return combine(total, std::abs(x)); }
};

template <class T>
Tensor norm_of(const Reduction& reduction, const Tensor& x, DType dtype, double ord) {
  using Real = decltype(std::abs(T()));
  const auto same = [](double total) { return total; };
  const auto root = [](double total) { return std::sqrt(total); };
  const auto reduce = [&](const auto& reducer, const auto& finish) {
    return reduce_to<T, Real>(reduction, x, dtype, reducer, finish);
  };
  if (ord == 2) return reduce(PowerSum<T, SquarePower>{}, root);
  if (ord == 1) return reduce(PowerSum<T, PlainPower>{}, same);
  if (ord == 0) return reduce(PowerSum<T, NonzeroPower>{}, same);
  if (ord == std::numeric_limits<double>::infinity()) return reduce(ExtremeSize<T, true>(), same);
  if (ord == -std::numeric_limits<double>::infinity()) return reduce(ExtremeSize<T, false>(), same);
  return reduce(PowerSum<T, AnyPower>{{ord}}, [&](double total) { return std::pow(total, 1 / ord); });
}

Tensor vector_norm(const char* op, const Tensor& self, double ord, MaybeDims dim, bool keepdim,
                   std::optional<DType> dtype) {
  const Tensor input = convert(self, dtype.value_or(self.dtype()), op);
  const Reduction reduction(op, input, dim, keepdim);
  if (reduction.length() == 0 && (ord < 0 || ord == std::numeric_limits<double>::infinity()))
    throw Error(ErrorCode::kValue, std::string(op) + ": the tensor has sizes " + to_string(self.sizes()) +
                                       " and the order is " + std::to_string(ord) +
                                       "; that norm of nothing is undefined");
  Tensor out;
  visit_computed(ComputeFloatTypes(), op, input, [&]<class T>(const Tensor& x) {
    out = norm_of<T>(reduction, x, real_dtype(input.dtype()), ord);
  });
  return out;
}

Tensor linalg_vector_norm(const Tensor& self, Scalar ord, MaybeDims dim, bool keepdim, std::optional<DType> dtype) {
  return vector_norm("linalg_vector_norm", self, ord.to<double>(), dim, keepdim, dtype);
}
Tensor norm(const Tensor& self, Scalar p) {
  return vector_norm("norm", self, p.to<double>(), std::nullopt, false, std::nullopt);
}
double order(const std::optional<Scalar>& p) { return p ? p->to<double>() : 2.0; }
Tensor norm_dim(const Tensor& self, std::optional<Scalar> p, std::span<const std::int64_t> dim, bool keepdim) {
  return vector_norm("norm", self, order(p), dim, keepdim, std::nullopt);
}
Tensor norm_dim_dtype(const Tensor& self, std::optional<Scalar> p, std::span<const std::int64_t> dim, bool keepdim,
                      DType dtype) {
  return vector_norm("norm", self, order(p), dim, keepdim, dtype);
}
Tensor norm_dtype(const Tensor& self, std::optional<Scalar> p, DType dtype) {
  return vector_norm("norm", self, order(p), std::nullopt, false, dtype);
}

// --- logsumexp -------------------------------------------------------------------------------------

// Sum of exponentials, relative to the largest term so far.
template <class T>
struct ExponentialSum {
  struct Total {
    double largest, sum;
  };
  static constexpr bool kOrdered = false;
  static constexpr double kInfinity = std::numeric_limits<double>::infinity();
  THREADWHEEL_INLINE Total identity() const { return {-kInfinity, 0}; }
  THREADWHEEL_INLINE Total add(const Total& total, T x, std::int64_t) const {
    return combine(total, {static_cast<double>(x), 1});
  }
  // Infinite terms are their own reference: the difference of two of them is no number.
  THREADWHEEL_INLINE Total combine(const Total& a, const Total& b) const {
    if (a.largest == b.largest) return {a.largest, a.sum + b.sum};
    const bool up = b.largest > a.largest || b.largest != b.largest;
    const Total &high = up ? b : a, &low = up ? a : b;
    if (std::isinf(high.largest)) return high;
    return {high.largest, high.sum + low.sum * std::exp(low.largest - high.largest)};
  }
};

Tensor logsumexp(const Tensor& self, std::span<const std::int64_t> dim, bool keepdim) {
  const Tensor input = is_integral(self.dtype()) ? convert(self, DType::kFloat32, "logsumexp") : self;
  const Reduction reduction("logsumexp", input, dim, keepdim);
  Tensor out;
  visit_computed(RealFloats(), "logsumexp", input, [&]<class T>(const Tensor& x) {
    out = reduce_to<T, T>(reduction, x, input.dtype(), ExponentialSum<T>(), [](const auto& total) {
      return std::isinf(total.largest) ? total.largest : total.largest + std::log(total.sum);
    });
  });
  return out;
}

constexpr OpDefinition kOps[] = {
    define_op<spread<true>>("aten::std(Tensor self, bool unbiased=True) -> Tensor"),
    define_op<spread_dim<true>>(
        "aten::std.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> Tensor"),
    define_op<spread_correction<true>>(
        "aten::std.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> "
        "Tensor"),
    define_op<spread_mean<true>>("aten::std_mean(Tensor self, bool unbiased=True) -> (Tensor, Tensor)"),
    define_op<spread_mean_dim<true>>(
        "aten::std_mean.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> (Tensor, Tensor)"),
    define_op<spread_mean_correction<true>>(
        "aten::std_mean.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) "
        "-> (Tensor, Tensor)"),
    define_op<spread<false>>("aten::var(Tensor self, bool unbiased=True) -> Tensor"),
    define_op<spread_dim<false>>(
        "aten::var.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> Tensor"),
    define_op<spread_correction<false>>(
        "aten::var.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> "
        "Tensor"),
    define_op<spread_mean<false>>("aten::var_mean(Tensor self, bool unbiased=True) -> (Tensor, Tensor)"),
    define_op<spread_mean_dim<false>>(
        "aten::var_mean.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> (Tensor, Tensor)"),
    define_op<spread_mean_correction<false>>(
        "aten::var_mean.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) "
        "-> (Tensor, Tensor)"),
    define_op<norm>("aten::norm.Scalar(Tensor self, Scalar p=2) -> Tensor"),
    define_op<norm_dim>("aten::norm.ScalarOpt_dim(Tensor self, Scalar? p, int[1] dim, bool keepdim=False) -> Tensor"),
    define_op<norm_dim_dtype>(
        "aten::norm.ScalarOpt_dim_dtype(Tensor self, Scalar? p, int[1] dim, bool keepdim, *, ScalarType dtype) -> "
        "Tensor"),
    define_op<norm_dtype>("aten::norm.ScalarOpt_dtype(Tensor self, Scalar? p, *, ScalarType dtype) -> Tensor"),
    define_op<linalg_vector_norm>(
        "aten::linalg_vector_norm(Tensor self, Scalar ord=2, int[1]? dim=None, bool keepdim=False, *, ScalarType? "
        "dtype=None) -> Tensor"),
    define_op<logsumexp>("aten::logsumexp(Tensor self, int[1] dim, bool keepdim=False) -> Tensor"),
};

}  // namespace

std::span<const OpDefinition> statistics_ops() { return kOps; }

}  // namespace threadwheel
