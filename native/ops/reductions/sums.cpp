// Sums, means, products, truth of all or any.
#include <cmath>
#include <string>

#include "ops/families.h"
#include "ops/shared/moves.h"
#include "ops/shared/quantize.h"
#include "ops/shared/reduce.h"
#include "threadwheel/error.h"

namespace threadwheel {
namespace {

template <class T>
struct Sum {
  using Total = SumType<T>;
  static constexpr bool kOrdered = false;
  THREADWHEEL_INLINE Total identity() const { return Total(0); }
  THREADWHEEL_INLINE Total add(Total total, T x, std::int64_t) const { return total + static_cast<Total>(x); }
  THREADWHEEL_INLINE Total combine(Total a, Total b) const { return a + b; }
};

template <class T>
struct NanSum : Sum<T> {
  using Total = SumType<T>;
  THREADWHEEL_INLINE Total add(Total total, T x, std::int64_t) const {
    return total + (x != x ? Total(0) : static_cast<Total>(x));
  }
};

template <class T>
struct Product {
  using Total = SumType<T>;
  static constexpr bool kOrdered = false;
  THREADWHEEL_INLINE Total identity() const { return Total(1); }
  THREADWHEEL_INLINE Total add(Total total, T x, std::int64_t) const { return total * static_cast<Total>(x); }
  THREADWHEEL_INLINE Total combine(Total a, Total b) const { return a * b; }
};

// Terms that are not zero; with NaN counting as such.
template <class T>
struct CountNonzero {
  using Total = std::int64_t;
  static constexpr bool kOrdered = false;
  THREADWHEEL_INLINE Total identity() const { return 0; }
  THREADWHEEL_INLINE Total add(Total total, T x, std::int64_t) const { return total + (x != T(0)); }
  THREADWHEEL_INLINE Total combine(Total a, Total b) const { return a + b; }
};

template <class T>
struct CountNumbers : CountNonzero<T> {
  THREADWHEEL_INLINE std::int64_t add(std::int64_t total, T x, std::int64_t) const { return total + (x == x); }
};

// The dtype of a sum: integers and bools go to int64.
DType sum_dtype(const Tensor& self, std::optional<DType> dtype) {
  return dtype.value_or(is_integral(self.dtype()) ? DType::kInt64 : self.dtype());
}

template <template <class> class Reducer>
Tensor accumulate(const char* op, const Tensor& self, MaybeDims dim, bool keepdim, std::optional<DType> dtype) {
  const Reduction reduction(op, self, dim, keepdim);
  const DType result_dtype = sum_dtype(self, dtype);
  Tensor out;
  visit_computed(ComputeTypes(), op, dtype ? convert(self, *dtype, op) : self, [&]<class T>(const Tensor& x) {
    out = reduce_to<T, T>(reduction, x, result_dtype, Reducer<T>(), [](SumType<T> total) { return total; });
  });
  return out;
}

// self: any shape -> without the dimensions of `dim` (size 1 each with keepdim).
Tensor sum_dims(const Tensor& self, MaybeDims dim, bool keepdim, std::optional<DType> dtype) {
  return accumulate<Sum>("sum", self, dim, keepdim, dtype);
}

Tensor sum(const Tensor& self, std::optional<DType> dtype) { return sum_dims(self, std::nullopt, false, dtype); }

Tensor nansum(const Tensor& self, MaybeDims dim, bool keepdim, std::optional<DType> dtype) {
  if (is_complex(self.dtype()))
    throw Error(ErrorCode::kUnsupported, std::string("nansum: unsupported dtype ") + dtype_name(self.dtype()) +
                                             "; supported are bools, integers and floats");
  return accumulate<NanSum>("nansum", self, dim, keepdim, dtype);
}

Tensor prod(const Tensor& self, std::optional<DType> dtype) {
  return accumulate<Product>("prod", self, std::nullopt, false, dtype);
}

Tensor prod_dim(const Tensor& self, std::int64_t dim, bool keepdim, std::optional<DType> dtype) {
  return accumulate<Product>("prod", self, std::span<const std::int64_t>(&dim, 1), keepdim, dtype);
}

Tensor mean_dims(const Tensor& self, MaybeDims dim, bool keepdim, std::optional<DType> dtype) {
  if (dtype_info(self.dtype()).category == DTypeCategory::kQuantized && !dtype)
    return quantize_like(mean_dims(dequantize(self), dim, keepdim, dtype), self);
  const Tensor input = convert(self, dtype.value_or(self.dtype()), "mean");
  const Reduction reduction("mean", input, dim, keepdim);
  Tensor out;
  visit_computed(ComputeFloatTypes(), "mean", input, [&]<class T>(const Tensor& x) {
    const auto count = static_cast<double>(reduction.length());
    out = reduce_to<T, T>(reduction, x, input.dtype(), Sum<T>(), [&](SumType<T> total) { return total / count; });
  });
  return out;
}

Tensor mean(const Tensor& self, std::optional<DType> dtype) { return mean_dims(self, std::nullopt, false, dtype); }

Tensor nanmean(const Tensor& self, MaybeDims dim, bool keepdim, std::optional<DType> dtype) {
  const Tensor input = convert(self, dtype.value_or(self.dtype()), "nanmean");
  const Reduction reduction("nanmean", input, dim, keepdim);
  Tensor out;
  visit_computed(TypeList<float, double>(), "nanmean", input, [&]<class T>(const Tensor& x) {
    const auto same = [](auto total) { return total; };
    const Tensor totals = reduce_to<T, double>(reduction, x, DType::kFloat64, NanSum<T>(), same);
    const Tensor counts = reduce_to<T, double>(reduction, x, DType::kFloat64, CountNumbers<T>(), same);
    for (std::int64_t i = 0; i < totals.numel(); ++i) totals.data<double>()[i] /= counts.data<double>()[i];
    out = convert(totals, input.dtype(), "nanmean");
  });
  return out;
}

// Applies `finish` to the number of terms that are not zero.
template <class Result, class Finish>
Tensor count_terms(const char* op, const Tensor& self, MaybeDims dim, bool keepdim, DType dtype, Finish finish) {
  const Reduction reduction(op, self, dim, keepdim);
  Tensor out;
  visit_computed(ComputeTypes(), op, self, [&]<class T>(const Tensor& x) {
    out = reduce_to<T, Result>(reduction, x, dtype, CountNonzero<T>(), [&](std::int64_t count) {
      return finish(count, reduction.length());
    });
  });
  return out;
}

// Of uint8 uint8, of everything else bool.
DType truth_dtype(const Tensor& self) { return self.dtype() == DType::kUInt8 ? DType::kUInt8 : DType::kBool; }

// Of each element alone, which is what no dimension to reduce means here.
Tensor truth(const char* op, const Tensor& self) {
  if (self.dtype() == DType::kBool) return copy_of(self);
  return convert(convert(self, DType::kBool, op), truth_dtype(self), op);
}

Tensor any_dims(const Tensor& self, MaybeDims dim, bool keepdim) {
  if (dim && dim->empty()) return truth("any", self);
  return count_terms<bool>("any", self, dim, keepdim, truth_dtype(self),
                           [](std::int64_t count, std::int64_t) { return count > 0; });
}
Tensor any(const Tensor& self) { return any_dims(self, std::nullopt, false); }
Tensor any_dim(const Tensor& self, std::int64_t dim, bool keepdim) {
  return any_dims(self, std::span<const std::int64_t>(&dim, 1), keepdim);
}

Tensor all_dims(const Tensor& self, MaybeDims dim, bool keepdim) {
  if (dim && dim->empty()) return truth("all", self);
  return count_terms<bool>("all", self, dim, keepdim, truth_dtype(self),
                           [](std::int64_t count, std::int64_t length) { return count == length; });
}
Tensor all(const Tensor& self) { return all_dims(self, std::nullopt, false); }
Tensor all_dim(const Tensor& self, std::int64_t dim, bool keepdim) {
  return all_dims(self, std::span<const std::int64_t>(&dim, 1), keepdim);
}

Tensor count_nonzero_dims(const Tensor& self, std::span<const std::int64_t> dim) {
  return count_terms<std::int64_t>("count_nonzero", self, dim, false, DType::kInt64,
                                   [](std::int64_t count, std::int64_t) { return count; });
}
Tensor count_nonzero(const Tensor& self, std::optional<std::int64_t> dim) {
  return count_nonzero_dims(self, dim ? std::span<const std::int64_t>(&*dim, 1) : std::span<const std::int64_t>());
}

constexpr OpDefinition kOps[] = {
    define_op<sum_dims>(
        "aten::sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor"),
    define_op<sum>("aten::sum(Tensor self, *, ScalarType? dtype=None) -> Tensor"),
    define_op<nansum>(
        "aten::nansum(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor"),
    define_op<mean>("aten::mean(Tensor self, *, ScalarType? dtype=None) -> Tensor"),
    define_op<mean_dims>(
        "aten::mean.dim(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor"),
    define_op<nanmean>(
        "aten::nanmean(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor"),
    define_op<prod>("aten::prod(Tensor self, *, ScalarType? dtype=None) -> Tensor"),
    define_op<prod_dim>(
        "aten::prod.dim_int(Tensor self, int dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor"),
    define_op<any>("aten::any(Tensor self) -> Tensor"),
    define_op<any_dim>("aten::any.dim(Tensor self, int dim, bool keepdim=False) -> Tensor"),
    define_op<any_dims>("aten::any.dims(Tensor self, int[]? dim=None, bool keepdim=False) -> Tensor"),
    define_op<all>("aten::all(Tensor self) -> Tensor"),
    define_op<all_dim>("aten::all.dim(Tensor self, int dim, bool keepdim=False) -> Tensor"),
    define_op<all_dims>("aten::all.dims(Tensor self, int[]? dim=None, bool keepdim=False) -> Tensor"),
    define_op<count_nonzero>("aten::count_nonzero(Tensor self, int? dim=None) -> Tensor"),
    define_op<count_nonzero_dims>("aten::count_nonzero.dim_IntList(Tensor self, int[] dim) -> Tensor"),
};

}  // namespace

std::span<const OpDefinition> sum_ops() { return kOps; }

}  // namespace threadwheel
