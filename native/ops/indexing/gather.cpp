// Ops along one dimension at positions that a tensor gives: gather, scatter, index_select, index_add and their like.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ops/families.h"
#include "ops/shared/checks.h"
#include "ops/shared/elementwise.h"
#include "ops/shared/moves.h"
#include "ops/shared/shapes.h"
#include "ops/shared/views.h"
#include "tensor/layout.h"

namespace threadwheel {
namespace {

// Tensors without dimensions take part as if they had one.
Tensor with_dim(const Tensor& tensor) { return tensor.dim() == 0 ? views::unsqueeze(tensor, 0) : tensor; }

// `self` over `sizes`, standing still along `dim`, where distances tell how far to go.
Tensor still_along(const Tensor& self, std::size_t dim, const Dims& sizes) {
  Dims strides = self.strides();
  strides[dim] = 0;
  return self.as_strided(sizes, std::move(strides));
}

// Index and source of gather and scatter must not be larger than self, but for `dim`.
void check_inside(const char* op, const Tensor& index, const Tensor& self, std::optional<std::size_t> but_for) {
  bool fits = index.dim() == self.dim();
  for (std::size_t i = 0; i < self.sizes().size() && fits; ++i) fits = i == but_for || index.size(i) <= self.size(i);
  if (!fits && index.numel() > 0)
    fail_value(op, "the index has sizes " + to_string(index.sizes()) + " for sizes " + to_string(self.sizes()) +
                       "; it must have as many dimensions, none larger" +
                       (but_for ? " but for dimension " + std::to_string(*but_for) : ""));
}

// With `negative`, positions below 0 count from the end.
Tensor gather_at(const Tensor& self, std::int64_t dim, const Tensor& index, bool negative) {
  const std::size_t at = wrap_dim("gather", dim, self.dim());
  const Tensor x = with_dim(self), positions = with_dim(to_index("gather", index));
  check_inside("gather", positions, x, at);
  Tensor result = Tensor::empty(index.sizes(), self.dtype());
  if (result.numel() == 0) return result;
  load_at(with_dim(result), still_along(x, at, positions.sizes()),
          to_distances("gather", positions, x.size(at), x.stride(at), x.dtype(), negative));
  return result;
}

Tensor gather(const Tensor& self, std::int64_t dim, const Tensor& index, bool) {
  return gather_at(self, dim, index, false);
}

struct Target {
  Tensor base, distances;
};

// Where the elements of `index` point to in `self`. Nothing when there are none.
std::optional<Target> target(const char* op, const Tensor& self, std::int64_t dim, const Tensor& index) {
  check_writable(op, self);
  const std::size_t at = wrap_dim(op, dim, self.dim());
  const Tensor x = with_dim(self), positions = with_dim(to_index(op, index));
  check_inside(op, positions, x, at);
  if (positions.numel() == 0) return std::nullopt;
  return Target{still_along(x, at, positions.sizes()),
                to_distances(op, positions, x.size(at), x.stride(at), x.dtype(), false)};
}

void check_same_dtype(const char* op, const Tensor& self, const Tensor& src) {
  if (src.dtype() != self.dtype())
    fail_value(op, std::string("src is ") + dtype_name(src.dtype()) + " and self " + dtype_name(self.dtype()) +
                       "; they must have the same dtype");
}

// The part of `src` that the index covers.
Tensor source_for(const char* op, const Tensor& self, const Tensor& src, const Tensor& index) {
  check_same_dtype(op, self, src);
  const Tensor positions = with_dim(index), source = with_dim(src);
  check_inside(op, positions, source, std::nullopt);
  return source.as_strided(positions.sizes(), source.strides());
}

Tensor scatter_src_(const Tensor& self, std::int64_t dim, const Tensor& index, const Tensor& src) {
  const auto place = target("scatter", self, dim, index);
  if (place) store_at(place->base, place->distances, source_for("scatter", self, src, index));
  return self;
}

Tensor value_tensor(const Tensor& self, const Tensor& index, Scalar value) {
  return broadcast_to(scalar_tensor(value, self.dtype()), with_dim(index).sizes());
}

Tensor scatter_value_(const Tensor& self, std::int64_t dim, const Tensor& index, Scalar value) {
  const auto place = target("scatter", self, dim, index);
  if (place) store_at(place->base, place->distances, value_tensor(self, index, value));
  return self;
}

Combine parse_combine(const char* op, const std::string& reduce) {
  if (reduce == "add") return Combine::kSum;
  if (reduce == "multiply") return Combine::kProduct;
  fail_value(op, "reduce is '" + reduce + "'; it must be 'add' or 'multiply'");
}

Tensor scatter_src_reduce_(const Tensor& self, std::int64_t dim, const Tensor& index, const Tensor& src,
                           const std::string& reduce) {
  const Combine combine = parse_combine("scatter", reduce);
  const auto place = target("scatter", self, dim, index);
  if (place) combine_at("scatter", combine, place->base, place->distances, source_for("scatter", self, src, index));
  return self;
}

Tensor scatter_value_reduce_(const Tensor& self, std::int64_t dim, const Tensor& index, Scalar value,
                             const std::string& reduce) {
  const Combine combine = parse_combine("scatter", reduce);
  const auto place = target("scatter", self, dim, index);
  if (place) combine_at("scatter", combine, place->base, place->distances, value_tensor(self, index, value));
  return self;
}

Tensor scatter_add_(const Tensor& self, std::int64_t dim, const Tensor& index, const Tensor& src) {
  const auto place = target("scatter_add", self, dim, index);
  if (place)
    combine_at("scatter_add", Combine::kSum, place->base, place->distances,
               source_for("scatter_add", self, src, index));
  return self;
}

// What a reduction starts from where self's own value does not count.
Tensor start_value(const std::string& reduce, const Tensor& self) {
  if (is_half(self.dtype())) return convert(start_value(reduce, zeros({}, DType::kFloat32)), self.dtype(), "convert");
  return visit_dtype(RealAndBoolTypes(), self.dtype(), "scatter_reduce", [&]<class T>() {
    using Limits = std::numeric_limits<T>;
    constexpr bool kFloat = std::is_floating_point_v<T>;
    T start = T(0);
    if (reduce == "prod") start = T(1);
    if (reduce == "amax") start = kFloat ? -Limits::infinity() : Limits::lowest();
    if (reduce == "amin") start = kFloat ? Limits::infinity() : Limits::max();
    Tensor one = Tensor::empty({}, self.dtype());
    *one.data<T>() = start;
    return one;
  });
}

// Divides by the number of terms; of integers downwards.
void divide_by_counts(const Tensor& self, const Tensor& counts) {
  if (is_half(self.dtype())) {
    const Tensor wide = convert(self, DType::kFloat32, "convert");
    divide_by_counts(wide, counts);
    return copy_into(self, wide, "scatter_reduce");
  }
  visit_dtype(RealAndBoolTypes(), self.dtype(), "scatter_reduce", [&]<class T>() {
    StridedLoop({&self, &counts}).run([](std::byte* const* pointers, const std::int64_t* strides, std::int64_t n) {
      for (std::int64_t i = 0; i < n; ++i) {
        T& value = *reinterpret_cast<T*>(pointers[0] + i * strides[0]);
        const auto count = std::max<std::int64_t>(*reinterpret_cast<std::int64_t*>(pointers[1] + i * strides[1]), 1);
        if constexpr (std::is_floating_point_v<T>) {
          value = value / static_cast<T>(count);
        } else {
          const std::int64_t whole = static_cast<std::int64_t>(value) / count;
          value = static_cast<T>(whole - (static_cast<std::int64_t>(value) % count < 0 ? 1 : 0));
        }
      }
    });
  });
}

Combine reduction(const char* op, const std::string& reduce) {
  constexpr std::pair<const char*, Combine> kNames[] = {{"sum", Combine::kSum},
                                                        {"prod", Combine::kProduct},
                                                        {"mean", Combine::kSum},
                                                        {"amax", Combine::kMaximum},
                                                        {"amin", Combine::kMinimum}};
  for (const auto& [name, combine] : kNames)
    if (reduce == name) return combine;
  fail_value(op, "reduce is '" + reduce + "'; it must be 'sum', 'prod', 'mean', 'amax' or 'amin'");
}

void reduce_into(const char* op, const Tensor& self, const Target& place, const Tensor& source,
                 const std::string& reduce, bool include_self) {
  const Combine combine = reduction(op, reduce);
  const Tensor touched = place.distances;
  if (!include_self) store_at(place.base, touched, broadcast_to(start_value(reduce, self), place.base.sizes()));
  combine_at(op, combine, place.base, touched, source);
}

// How many terms went into each element: itself, if it counts, and those of the index.
Tensor count_terms(const char* op, const Tensor& self, std::int64_t dim, const Tensor& index, bool include_self) {
  const Tensor counts = Tensor::empty(self.sizes(), DType::kInt64);
  fill(counts, static_cast<std::int64_t>(include_self ? 1 : 0));
  const auto place = target(op, counts, dim, index);
  if (place)
    combine_at(op, Combine::kSum, place->base, place->distances,
               value_tensor(counts, index, static_cast<std::int64_t>(1)));
  return counts;
}

Tensor scatter_reduce_(const Tensor& self, std::int64_t dim, const Tensor& index, const Tensor& src,
                       const std::string& reduce, bool include_self) {
  reduction("scatter_reduce", reduce);
  const auto place = target("scatter_reduce", self, dim, index);
  if (!place) return self;
  reduce_into("scatter_reduce", self, *place, source_for("scatter_reduce", self, src, index), reduce, include_self);
  if (reduce == "mean") divide_by_counts(self, count_terms("scatter_reduce", self, dim, index, include_self));
  return self;
}

// --- one index for whole slices -----------------------------------------------------------------------

// The index as a vector of positions: of one dimension or none.
Tensor slice_index(const char* op, const Tensor& index) {
  if (index.dim() > 1)
    throw Error(ErrorCode::kIndex, std::string(op) + ": the index has sizes " + to_string(index.sizes()) +
                                       "; it must have one dimension or none");
  return with_dim(to_index(op, index));
}

Tensor index_select(const Tensor& self, std::int64_t dim, const Tensor& index) {
  const std::size_t at = wrap_dim("index_select", dim, self.dim());
  const Tensor positions = slice_index("index_select", index).contiguous(), x = with_dim(self);
  if (self.dim() == 0 && positions.numel() != 1)
    throw Error(ErrorCode::kIndex, "index_select: the index has " + std::to_string(positions.numel()) +
                                       " elements for a tensor without dimensions; it must have one");
  const std::span<const std::int64_t> values(positions.data<const std::int64_t>(),
                                             static_cast<std::size_t>(positions.numel()));
  for (const std::int64_t value : values)
    if (value < 0 || value >= x.size(at)) {
      throw Error(ErrorCode::kIndex, "index_select: index " + std::to_string(value) +
                                         " is out of bounds for a dimension of size " + std::to_string(x.size(at)));
    }
  const Tensor result = take_slices(x, at, values);
  return self.dim() == 0 ? views::reshape(result, {}) : result;
}

// The same over slices: the index repeats along all other dimensions of `sizes`.
Target slice_target(const char* op, const Tensor& self, std::size_t dim, const Tensor& positions, bool negative) {
  check_writable(op, self);
  const Tensor x = with_dim(self);
  Dims sizes = x.sizes(), strides(sizes.size());
  sizes[dim] = positions.numel();
  const Tensor distances = to_distances(op, positions, x.size(dim), x.stride(dim), x.dtype(), negative);
  strides[dim] = distances.stride(0);
  const Tensor wide = count_elements(sizes) == 0 ? Tensor::empty(sizes, DType::kInt64)
                                                 : distances.as_strided(sizes, std::move(strides));
  return {still_along(x, dim, sizes), wide};
}

Tensor slice_source(const char* op, const Tensor& self, const Tensor& source, const Target& place) {
  check_same_dtype(op, self, source);
  if (source.dim() == 0 && place.base.numel() == 1) return views::reshape(source, place.base.sizes());
  if (with_dim(source).sizes() != place.base.sizes())
    fail_value(op, "source has sizes " + to_string(source.sizes()) + "; expected " + to_string(place.base.sizes()));
  return with_dim(source);
}

// alpha * source, for the ops that have a factor.
Tensor scaled(const char* op, const Tensor& source, Scalar alpha) {
  if (alpha.category() == DTypeCategory::kInteger && alpha.to<std::int64_t>() == 1) return source;
  const DType dtype = source.dtype();
  if (alpha.category() == DTypeCategory::kFloating && dtype_info(dtype).category < DTypeCategory::kFloating)
    fail_value(op, std::string("alpha is a float and the result is ") + dtype_name(dtype) + "; use an int");
  const Tensor result = broadcast_to(scalar_tensor(alpha, dtype), source.sizes()).contiguous();
  const Tensor still = zeros(Dims{1}, DType::kInt64);
  combine_at(op, Combine::kProduct, result, broadcast_to(still, result.sizes()), source);
  return result;
}

Tensor index_add_(const Tensor& self, std::int64_t dim, const Tensor& index, const Tensor& source, Scalar alpha) {
  const std::size_t at = wrap_dim("index_add", dim, self.dim());
  const Target place = slice_target("index_add", self, at, slice_index("index_add", index), false);
  const Tensor terms = scaled("index_add", slice_source("index_add", self, source, place), alpha);
  combine_at("index_add", Combine::kSum, place.base, place.distances, terms);
  return self;
}

Tensor index_copy_(const Tensor& self, std::int64_t dim, const Tensor& index, const Tensor& source) {
  const std::size_t at = wrap_dim("index_copy", dim, self.dim());
  const Target place = slice_target("index_copy", self, at, slice_index("index_copy", index), false);
  store_at(place.base, place.distances, slice_source("index_copy", self, source, place));
  return self;
}

Tensor index_fill_(const Tensor& self, std::int64_t dim, const Tensor& index, Scalar value) {
  const std::size_t at = wrap_dim("index_fill", dim, self.dim());
  const Target place = slice_target("index_fill", self, at, slice_index("index_fill", index), true);
  store_at(place.base, place.distances, broadcast_to(scalar_tensor(value, self.dtype()), place.base.sizes()));
  return self;
}

Tensor index_fill_tensor_(const Tensor& self, std::int64_t dim, const Tensor& index, const Tensor& value) {
  if (value.dim() != 0)
    fail_value("index_fill", "the value has sizes " + to_string(value.sizes()) + "; it must have no dimensions");
  const std::size_t at = wrap_dim("index_fill", dim, self.dim());
  const Target place = slice_target("index_fill", self, at, slice_index("index_fill", index), true);
  store_at(place.base, place.distances,
           broadcast_to(convert(value, self.dtype(), "index_fill"), place.base.sizes()));
  return self;
}

Tensor index_reduce_(const Tensor& self, std::int64_t dim, const Tensor& index, const Tensor& source,
                     const std::string& reduce, bool include_self) {
  if (reduce == "sum") fail_value("index_reduce", "reduce is 'sum'; it must be 'prod', 'mean', 'amax' or 'amin'");
  const std::size_t at = wrap_dim("index_reduce", dim, self.dim());
  const Tensor positions = slice_index("index_reduce", index);
  const Target place = slice_target("index_reduce", self, at, positions, false);
  reduce_into("index_reduce", self, place, slice_source("index_reduce", self, source, place), reduce, include_self);
  if (reduce == "mean") {
    Dims strides(place.base.sizes().size());
    strides[at] = positions.stride(0);
    const Tensor wide = positions.as_strided(place.base.sizes(), std::move(strides));
    divide_by_counts(self, count_terms("index_reduce", self, dim, self.dim() == 0 ? views::reshape(wide, {}) : wide,
                                       include_self));
  }
  return self;
}

// --- positions in the tensor as a whole, or in matching rows -------------------------------------------------------

Tensor take(const Tensor& self, const Tensor& index) {
  const Tensor x = self.contiguous(), positions = to_index("take", index);
  Tensor result = Tensor::empty(index.sizes(), self.dtype());
  load_at(result, x.as_strided(index.sizes(), Dims(index.sizes().size())),
          to_distances("take", positions, x.numel(), 1, x.dtype(), true));
  return result;
}

Tensor put_(const Tensor& self, const Tensor& index, const Tensor& source, bool accumulate) {
  check_writable("put_", self);
  check_same_dtype("put", self, source);
  if (source.numel() != index.numel())
    fail_value("put", "the index has " + std::to_string(index.numel()) + " elements and source " +
                          std::to_string(source.numel()) + "; they must be as many");
  const Tensor result = self.is_contiguous() ? self : copy_of(self);
  const Tensor distances = to_distances("put", to_index("put", index), result.numel(), 1, result.dtype(), true);
  const Tensor base = result.as_strided(index.sizes(), Dims(index.sizes().size()));
  const Tensor values = views::reshape(source, index.sizes());
  if (accumulate) {
    combine_at("put", Combine::kSum, base, distances, values);
  } else {
    store_at(base, distances, values);
  }
  if (!self.is_contiguous()) copy_elements(result, self);
  return self;
}

Tensor take_along_dim(const Tensor& self, const Tensor& indices, std::optional<std::int64_t> dim) {
  if (!dim)
    return gather_at(views::reshape(self, Dims{self.numel()}), 0, views::reshape(indices, Dims{indices.numel()}), true);
  if (self.dim() != indices.dim())
    fail_value("take_along_dim", "sizes are " + to_string(self.sizes()) + " and the indices' " +
                                     to_string(indices.sizes()) + "; they must have as many dimensions");
  const std::size_t at = wrap_dim("take_along_dim", *dim, self.dim());
  if (self.dim() == 0) return gather_at(self, 0, indices, true);
  // All other dimensions broadcast.
  Dims self_sizes = self.sizes(), index_sizes = indices.sizes();
  self_sizes[at] = index_sizes[at] = 1;
  const Dims sizes = broadcast_sizes("take_along_dim", self_sizes, index_sizes);
  const auto widened = [&](const Tensor& tensor) {
    Dims wide = sizes;
    wide[at] = tensor.size(at);
    return broadcast_to(tensor, wide);
  };
  return gather_at(widened(self), static_cast<std::int64_t>(at), widened(indices), true);
}

// The form that leaves `self` alone.
template <auto InPlace, auto Copy = &copy_of, class Signature = decltype(InPlace)>
struct OnCopy;
template <auto InPlace, auto Copy, class... Args>
struct OnCopy<InPlace, Copy, Tensor (*)(const Tensor&, Args...)> {
  static Tensor call(const Tensor& self, Args... args) { return InPlace(Copy(self), args...); }
};

constexpr OpDefinition kOps[] = {
    define_op<gather>("aten::gather(Tensor self, int dim, Tensor index, *, bool sparse_grad=False) -> Tensor"),
    define_op<OnCopy<scatter_value_>::call>(
        "aten::scatter.value(Tensor self, int dim, Tensor index, Scalar value) -> Tensor"),
    define_op<OnCopy<scatter_src_>::call>(
        "aten::scatter.src(Tensor self, int dim, Tensor index, Tensor src) -> Tensor"),
    define_op<OnCopy<scatter_src_reduce_>::call>(
        "aten::scatter.reduce(Tensor self, int dim, Tensor index, Tensor src, *, str reduce) -> Tensor"),
    define_op<OnCopy<scatter_value_reduce_>::call>(
        "aten::scatter.value_reduce(Tensor self, int dim, Tensor index, Scalar value, *, str reduce) -> Tensor"),
    define_op<scatter_src_>("aten::scatter_.src(Tensor(a!) self, int dim, Tensor index, Tensor src) -> Tensor(a!)"),
    define_op<scatter_value_>(
        "aten::scatter_.value(Tensor(a!) self, int dim, Tensor index, Scalar value) -> Tensor(a!)"),
    define_op<scatter_src_reduce_>(
        "aten::scatter_.reduce(Tensor(a!) self, int dim, Tensor index, Tensor src, *, str reduce) -> Tensor(a!)"),
    define_op<scatter_value_reduce_>("aten::scatter_.value_reduce(Tensor(a!) self, int dim, Tensor index, "
                                     "Scalar value, *, str reduce) -> Tensor(a!)"),
    define_op<OnCopy<scatter_add_>::call>(
        "aten::scatter_add(Tensor self, int dim, Tensor index, Tensor src) -> Tensor"),
    define_op<scatter_add_>("aten::scatter_add_(Tensor(a!) self, int dim, Tensor index, Tensor src) -> Tensor(a!)"),
    define_op<OnCopy<scatter_reduce_>::call>("aten::scatter_reduce.two(Tensor self, int dim, Tensor index, "
                                             "Tensor src, str reduce, *, bool include_self=True) -> Tensor"),
    define_op<scatter_reduce_>("aten::scatter_reduce_.two(Tensor(a!) self, int dim, Tensor index, Tensor src, "
                               "str reduce, *, bool include_self=True) -> Tensor(a!)"),
    define_op<index_select>("aten::index_select(Tensor self, int dim, Tensor index) -> Tensor"),
    define_op<OnCopy<index_add_>::call>("aten::index_add(Tensor self, int dim, Tensor index, Tensor source, *, "
                                        "Scalar alpha=1) -> Tensor"),
    define_op<index_add_>("aten::index_add_(Tensor(a!) self, int dim, Tensor index, Tensor source, *, "
                          "Scalar alpha=1) -> Tensor(a!)"),
    define_op<OnCopy<index_copy_>::call>(
        "aten::index_copy(Tensor self, int dim, Tensor index, Tensor source) -> Tensor"),
    define_op<index_copy_>("aten::index_copy_(Tensor(a!) self, int dim, Tensor index, Tensor source) -> Tensor(a!)"),
    define_op<OnCopy<index_fill_tensor_, &ordered_copy>::call>(
        "aten::index_fill.int_Tensor(Tensor self, int dim, Tensor index, Tensor value) -> Tensor"),
    define_op<OnCopy<index_fill_, &ordered_copy>::call>(
        "aten::index_fill.int_Scalar(Tensor self, int dim, Tensor index, Scalar value) -> Tensor"),
    define_op<index_fill_tensor_>(
        "aten::index_fill_.int_Tensor(Tensor(a!) self, int dim, Tensor index, Tensor value) -> Tensor(a!)"),
    define_op<index_fill_>(
        "aten::index_fill_.int_Scalar(Tensor(a!) self, int dim, Tensor index, Scalar value) -> Tensor(a!)"),
    define_op<OnCopy<index_reduce_>::call>("aten::index_reduce(Tensor self, int dim, Tensor index, Tensor source, "
                                           "str reduce, *, bool include_self=True) -> Tensor"),
    define_op<index_reduce_>("aten::index_reduce_(Tensor(a!) self, int dim, Tensor index, Tensor source, str reduce, "
                             "*, bool include_self=True) -> Tensor(a!)"),
    define_op<take>("aten::take(Tensor self, Tensor index) -> Tensor"),
    define_op<OnCopy<put_, &ordered_copy>::call>(
        "aten::put(Tensor self, Tensor index, Tensor source, bool accumulate=False) -> Tensor"),
    define_op<put_>(
        "aten::put_(Tensor(a!) self, Tensor index, Tensor source, bool accumulate=False) -> Tensor(a!)"),
    define_op<take_along_dim>("aten::take_along_dim(Tensor self, Tensor indices, int? dim=None) -> Tensor"),
};

}  // namespace

std::span<const OpDefinition> gather_ops() { return kOps; }

}  // namespace threadwheel
