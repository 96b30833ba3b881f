// The largest and the smallest: values, and the places of the first of them. NaN counts as larger and as
// smaller than every number.
#include <cmath>
#include <limits>
#include <string>
#include <tuple>

#include "ops/families.h"
#include "ops/shared/reduce.h"
#include "threadwheel/error.h"

namespace threadwheel {
namespace {

template <class T>
constexpr T kLowest = std::is_floating_point_v<T> ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::min();
template <class T>
constexpr T kHighest = std::is_floating_point_v<T> ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();

template <bool Largest>
struct Extreme {
  template <class T>
  struct Value {
    using Total = T;
    static constexpr bool kOrdered = false;
    THREADWHEEL_INLINE Total identity() const { return Largest ? kLowest<T> : kHighest<T>; }
    THREADWHEEL_INLINE Total add(Total total, T x, std::int64_t) const {
      // No short circuit: both comparisons are cheaper than a branch, and make vectors.
      return static_cast<bool>((Largest ? x > total : x < total) | (x != x)) ? x : total;
    }
    THREADWHEEL_INLINE Total combine(Total a, Total b) const { return add(a, b, 0); }
  };

  template <class T>
  struct Place {
    struct Total {
      T value;
      std::int64_t index;  // -1: of nothing yet
    };
    static constexpr bool kOrdered = true;
    THREADWHEEL_INLINE Total identity() const { return {T(0), -1}; }
    THREADWHEEL_INLINE static bool better(T x, const Total& total) {
      if (total.index < 0) return true;
      return total.value == total.value && ((Largest ? x > total.value : x < total.value) || x != x);
    }
    THREADWHEEL_INLINE Total add(const Total& total, T x, std::int64_t index) const {
      return better(x, total) ? Total{x, index} : total;
    }
    THREADWHEEL_INLINE Total combine(const Total& a, const Total& b) const {
      return b.index >= 0 && better(b.value, a) ? b : a;
    }
  };
};

void check_not_empty(const Reduction& reduction, const Tensor& self) {
  if (reduction.length() == 0)
    throw Error(ErrorCode::kValue, std::string(reduction.op()) + ": the tensor has sizes " + to_string(self.sizes()) +
                                       "; there must be elements to choose from");
}

template <bool Largest>
Tensor extreme(const char* op, const Tensor& self, MaybeDims dim, bool keepdim) {
  const Reduction reduction(op, self, dim, keepdim);
  check_not_empty(reduction, self);
  Tensor out;
  visit_computed(ComputeRealTypes(), op, self, [&]<class T>(const Tensor& x) {
    out = reduce_to<T, T>(reduction, x, self.dtype(), typename Extreme<Largest>::template Value<T>(),
                          [](T total) { return total; });
  });
  return out;
}

Tensor amax(const Tensor& self, std::span<const std::int64_t> dim, bool keepdim) {
  return extreme<true>("amax", self, dim, keepdim);
}
Tensor amin(const Tensor& self, std::span<const std::int64_t> dim, bool keepdim) {
  return extreme<false>("amin", self, dim, keepdim);
}
Tensor max(const Tensor& self) { return extreme<true>("max", self, std::nullopt, false); }
Tensor min(const Tensor& self) { return extreme<false>("min", self, std::nullopt, false); }

MaybeDims maybe_one(const std::optional<std::int64_t>& dim) {
  return dim ? MaybeDims(std::span<const std::int64_t>(&*dim, 1)) : std::nullopt;
}

std::tuple<Tensor, Tensor> aminmax(const Tensor& self, std::optional<std::int64_t> dim, bool keepdim) {
  return {extreme<false>("aminmax", self, maybe_one(dim), keepdim),
          extreme<true>("aminmax", self, maybe_one(dim), keepdim)};
}

// Values and indices along the reduced dimensions.
template <bool Largest>
std::tuple<Tensor, Tensor> places(const char* op, const Tensor& self, MaybeDims dim, bool keepdim) {
  const Reduction reduction(op, self, dim, keepdim);
  check_not_empty(reduction, self);
  Tensor values;
  const Tensor indices = Tensor::empty(reduction.sizes(), DType::kInt64);
  visit_computed(ComputeRealTypes(), op, self, [&]<class T>(const Tensor& x) {
    using Place = typename Extreme<Largest>::template Place<T>;
    values = Tensor::empty(reduction.sizes(), DTypeOf<T>::value);
    reduction.run<T>(x, Place(), [&](std::int64_t i, const typename Place::Total& total) {
      values.data<T>()[i] = total.value;
      indices.data<std::int64_t>()[i] = total.index;
    });
  });
  return {convert(values, self.dtype(), op), indices};
}

std::tuple<Tensor, Tensor> max_dim(const Tensor& self, std::int64_t dim, bool keepdim) {
  return places<true>("max", self, std::span<const std::int64_t>(&dim, 1), keepdim);
}
std::tuple<Tensor, Tensor> min_dim(const Tensor& self, std::int64_t dim, bool keepdim) {
  return places<false>("min", self, std::span<const std::int64_t>(&dim, 1), keepdim);
}

// Without `dim`, the index counts all elements.
template <bool Largest>
Tensor arg_of(const char* op, const Tensor& self, const std::optional<std::int64_t>& dim, bool keepdim) {
  if (self.dtype() == DType::kBool)
    throw Error(ErrorCode::kUnsupported, std::string(op) + ": unsupported dtype bool; supported are integers, floats");
  return std::get<1>(places<Largest>(op, self, maybe_one(dim), keepdim));
}
Tensor argmax(const Tensor& self, std::optional<std::int64_t> dim, bool keepdim) {
  return arg_of<true>("argmax", self, dim, keepdim);
}
Tensor argmin(const Tensor& self, std::optional<std::int64_t> dim, bool keepdim) {
  return arg_of<false>("argmin", self, dim, keepdim);
}

constexpr OpDefinition kOps[] = {
    define_op<amax>("aten::amax(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor"),
    define_op<amin>("aten::amin(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor"),
    define_op<aminmax>("aten::aminmax(Tensor self, *, int? dim=None, bool keepdim=False) -> (Tensor min, Tensor max)"),
    define_op<max>("aten::max(Tensor self) -> Tensor"),
    define_op<max_dim>("aten::max.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)"),
    define_op<min>("aten::min(Tensor self) -> Tensor"),
    define_op<min_dim>("aten::min.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)"),
    define_op<argmax>("aten::argmax(Tensor self, int? dim=None, bool keepdim=False) -> Tensor"),
    define_op<argmin>("aten::argmin(Tensor self, int? dim=None, bool keepdim=False) -> Tensor"),
};

}  // namespace

std::span<const OpDefinition> extreme_ops() { return kOps; }

}  // namespace threadwheel
