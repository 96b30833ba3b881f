// Ops on values as sets: unique, isin, and counts of values.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <string>
#include <tuple>
#include <vector>

#include "ops/families.h"
#include "ops/shared/checks.h"
#include "ops/shared/elementwise.h"
#include "ops/shared/moves.h"
#include "ops/shared/shapes.h"
#include "ops/shared/views.h"

namespace threadwheel {
namespace {

using Unique = std::tuple<Tensor, Tensor, Tensor>;

Tensor int_tensor(const std::vector<std::int64_t>& values) {
  Tensor result = Tensor::empty(Dims{static_cast<std::int64_t>(values.size())}, DType::kInt64);
  std::ranges::copy(values, result.data<std::int64_t>());
  return result;
}

Tensor no_ints() { return Tensor::empty(Dims{0}, DType::kInt64); }

// Groups of equal rows among `n`: the first row of each group in the groups' order, each row's group, the groups'
// sizes.
struct Groups {
  std::vector<std::int64_t> first, group_of, counts;
};

// Walks rows in the given order; `same(a, b)` says whether a row continues the group of the one before.
template <class Same>
Groups group(const std::vector<std::int64_t>& order, Same same) {
  Groups groups;
  groups.group_of.resize(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i == 0 || !same(order[i - 1], order[i])) {
      groups.first.push_back(order[i]);
      groups.counts.push_back(0);
    }
    ++groups.counts.back();
    groups.group_of[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(groups.first.size()) - 1;
  }
  return groups;
}

// Rows of n elements of T, compared as a whole: numbers first, then NaN, which is unlike itself.
template <class T>
struct Rows {
  const T* data;
  std::int64_t length;

  bool less(std::int64_t a, std::int64_t b) const {
    for (std::int64_t i = 0; i < length; ++i) {
      const T x = data[a * length + i], y = data[b * length + i];
      if (x < y || (y != y && x == x)) return true;
      if (y < x || (x != x && y == y)) return false;
    }
    return false;
  }
  bool same(std::int64_t a, std::int64_t b) const {
    return std::equal(data + a * length, data + (a + 1) * length, data + b * length);
  }
};

// x: dense [n, ...]; groups its n slices, all equal ones or only neighbours.
Groups group_rows(const char* op, const Tensor& x, std::int64_t count, bool neighbours) {
  const bool half = x.dtype() == DType::kFloat16 || x.dtype() == DType::kBFloat16;
  const Tensor rows = half ? convert(x, DType::kFloat32, op) : x;
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  return visit_dtype(RealAndBoolTypes(), rows.dtype(), op, [&]<class T>() {
    const Rows<T> all{rows.data<const T>(), count == 0 ? 0 : rows.numel() / count};
    if (!neighbours)
      std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) { return all.less(a, b); });
    return group(order, [&](std::int64_t a, std::int64_t b) { return all.same(a, b); });
  });
}

Unique unique_flat(const char* op, const Tensor& self, bool inverse, bool counts, bool neighbours) {
  const Tensor x = views::reshape(self, Dims{self.numel()}).contiguous();
  const Groups groups = group_rows(op, x, x.numel(), neighbours);
  return {take_slices(x, 0, groups.first),
          inverse ? views::reshape(int_tensor(groups.group_of), self.sizes()) : no_ints(),
          counts ? int_tensor(groups.counts) : no_ints()};
}

Unique unique_along(const char* op, const Tensor& self, std::int64_t dim, bool inverse, bool counts, bool neighbours) {
  check_rank_at_least(op, self, 1);
  const std::size_t at = wrap_dim(op, dim, self.dim());
  if (self.numel() == 0 && self.size(at) != 0)
    fail_value(op, "sizes are " + to_string(self.sizes()) + "; slices of no elements have no order");
  const Groups groups =
      group_rows(op, views::movedim(self, static_cast<std::int64_t>(at), 0).contiguous(), self.size(at), neighbours);
  return {take_slices(self, at, groups.first), inverse ? int_tensor(groups.group_of) : no_ints(),
          counts ? int_tensor(groups.counts) : no_ints()};
}

// Sorted whether asked for or not, as torch has it on the CPU.
Unique unique2(const Tensor& self, bool, bool return_inverse, bool return_counts) {
  return unique_flat("unique", self, return_inverse, return_counts, false);
}

// Inverse and counts come in any case.
Unique unique_dim(const Tensor& self, std::int64_t dim, bool, bool, bool) {
  return unique_along("unique", self, dim, true, true, false);
}

Unique unique_consecutive(const Tensor& self, bool return_inverse, bool return_counts,
                          std::optional<std::int64_t> dim) {
  if (!dim) return unique_flat("unique_consecutive", self, return_inverse, return_counts, true);
  return unique_along("unique_consecutive", self, *dim, return_inverse, return_counts, true);
}

Tensor isin(const Tensor& elements, const Tensor& test_elements, bool, bool invert) {
  const DType common = result_type(elements, test_elements);
  const bool half = common == DType::kFloat16 || common == DType::kBFloat16;
  const DType dtype = half ? DType::kFloat32 : common;
  const Tensor x = convert(elements, dtype, "isin").contiguous(),
               test = convert(test_elements, dtype, "isin").contiguous();
  Tensor result = Tensor::empty(elements.sizes(), DType::kBool);
  visit_dtype(RealAndBoolTypes(), dtype, "isin", [&]<class T>() {
    std::vector<T> known(test.data<const T>(), test.data<const T>() + test.numel());
    std::erase_if(known, [](T value) { return value != value; });  // NaN is equal to nothing and has no order
    std::sort(known.begin(), known.end());
    for (std::int64_t i = 0; i < x.numel(); ++i)
      result.data<bool>()[i] = std::binary_search(known.begin(), known.end(), x.data<const T>()[i]) != invert;
  });
  return result;
}

Tensor isin_scalar(const Tensor& elements, Scalar test_element, bool unique, bool invert) {
  return isin(elements, scalar_tensor(test_element, result_type(elements, test_element)), unique, invert);
}

Tensor scalar_isin(Scalar element, const Tensor& test_elements, bool unique, bool invert) {
  return isin(scalar_tensor(element, result_type(test_elements, element)), test_elements, unique, invert);
}

// self: [n] of integers, 0 or more -> how often each of 0, 1, ... occurs, or the sum of its weights.
Tensor bincount(const Tensor& self, const std::optional<Tensor>& weights, std::int64_t minlength) {
  if (self.dim() != 1 || dtype_info(self.dtype()).category != DTypeCategory::kInteger)
    fail_value("bincount", std::string("the tensor is ") + dtype_name(self.dtype()) + " of sizes " +
                               to_string(self.sizes()) + "; it must have integers in one dimension");
  if (minlength < 0) fail_value("bincount", "minlength is " + std::to_string(minlength) + "; it must be 0 or more");
  if (weights && weights->sizes() != self.sizes())
    fail_value("bincount", "weights have sizes " + to_string(weights->sizes()) + "; expected " +
                               to_string(self.sizes()));
  const Tensor x = convert(self, DType::kInt64, "bincount").contiguous();
  const auto* values = x.data<const std::int64_t>();
  std::int64_t length = minlength;
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    if (values[i] < 0 || values[i] == INT64_MAX)
      fail_value("bincount", "the tensor holds " + std::to_string(values[i]) + "; numbers must be 0 or more");
    length = std::max(length, values[i] + 1);
  }
  const bool single = weights && weights->dtype() == DType::kFloat32;
  const DType dtype = !weights ? DType::kInt64 : single ? DType::kFloat32 : DType::kFloat64;
  const Tensor factors = weights ? convert(*weights, dtype, "bincount").contiguous() : Tensor();
  Tensor result = zeros(Dims{length}, dtype);
  visit_dtype(TypeList<std::int64_t, float, double>(), dtype, "bincount", [&]<class T>() {
    for (std::int64_t i = 0; i < x.numel(); ++i)
      result.data<T>()[values[i]] += weights ? factors.data<const T>()[i] : T(1);
  });
  return result;
}

// Equal borders from `least` to `most`; both 0 stand for the tensor's own.
template <class T>
void count_bins(const Tensor& x, T least, T most, T* counts, std::int64_t bins) {
  const T* values = x.data<const T>();
  if (least == most && x.numel() > 0) {
    least = *std::min_element(values, values + x.numel());
    most = *std::max_element(values, values + x.numel());
  }
  if (least == most) {
    least -= T(1);
    most += T(1);
  }
  if (!std::isfinite(least) || !std::isfinite(most) || least > most)
    fail_value("histc", "the range is from " + std::to_string(least) + " to " + std::to_string(most) +
                            "; it must be finite and not end before its start");
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    if (!(values[i] >= least && values[i] <= most)) continue;
    const auto bin = static_cast<std::int64_t>((values[i] - least) / (most - least) * static_cast<T>(bins));
    counts[std::min(bin, bins - 1)] += T(1);
  }
}

Tensor histc(const Tensor& self, std::int64_t bins, Scalar min, Scalar max) {
  if (bins <= 0) fail_value("histc", "bins is " + std::to_string(bins) + "; it must be positive");
  const Tensor x = self.contiguous();
  Tensor result = zeros(Dims{bins}, self.dtype());
  visit_dtype(FloatingTypes(), self.dtype(), "histc",
              [&]<class T>() { count_bins<T>(x, min.to<T>(), max.to<T>(), result.data<T>(), bins); });
  return result;
}

constexpr OpDefinition kOps[] = {
    define_op<unique2>("aten::_unique2(Tensor self, bool sorted=True, bool return_inverse=False, "
                       "bool return_counts=False) -> (Tensor, Tensor, Tensor)"),
    define_op<unique_dim>("aten::unique_dim(Tensor self, int dim, bool sorted=True, bool return_inverse=False, "
                          "bool return_counts=False) -> (Tensor, Tensor, Tensor)"),
    define_op<unique_consecutive>("aten::unique_consecutive(Tensor self, bool return_inverse=False, "
                                  "bool return_counts=False, int? dim=None) -> (Tensor, Tensor, Tensor)"),
    define_op<isin>("aten::isin.Tensor_Tensor(Tensor elements, Tensor test_elements, *, bool assume_unique=False, "
                    "bool invert=False) -> Tensor"),
    define_op<isin_scalar>("aten::isin.Tensor_Scalar(Tensor elements, Scalar test_element, *, "
                           "bool assume_unique=False, bool invert=False) -> Tensor"),
    define_op<scalar_isin>("aten::isin.Scalar_Tensor(Scalar element, Tensor test_elements, *, "
                           "bool assume_unique=False, bool invert=False) -> Tensor"),
    define_op<bincount>("aten::bincount(Tensor self, Tensor? weights=None, SymInt minlength=0) -> Tensor"),
    define_op<in_float<histc>>("aten::histc(Tensor self, int bins=100, Scalar min=0, Scalar max=0) -> Tensor"),
};

}  // namespace

std::span<const OpDefinition> set_ops() { return kOps; }

}  // namespace threadwheel
