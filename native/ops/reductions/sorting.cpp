// Sorting along a dimension: sort, argsort, topk, kthvalue, median. NaN counts as greater than every number; equal
// elements are in the order that torch's algorithms leave them in, std::sort's unless a stable sort is asked for. A row
// is sorted as pairs of value and position, rows run in parallel.
#include <algorithm>
#include <tuple>
#include <vector>

#include "ops/families.h"
#include "ops/shared/checks.h"
#include "ops/shared/elementwise.h"
#include "ops/shared/moves.h"
#include "ops/shared/views.h"
#include "tensor/layout.h"
#include "threadwheel/parallel.h"

namespace threadwheel {
namespace {

template <class T>
struct Entry {
  T value;
  std::int64_t position;
};

template <class T>
bool is_nan(T value) {
  return value != value;
}

// Numbers before NaN, or after it.
template <class T>
struct Below {
  bool operator()(const Entry<T>& a, const Entry<T>& b) const {
    return a.value < b.value || (is_nan(b.value) && !is_nan(a.value));
  }
};
template <class T>
struct Above {
  bool operator()(const Entry<T>& a, const Entry<T>& b) const { return Below<T>()(b, a); }
};

// Among equals the earlier position.
template <class T, class Before>
struct Stable {
  bool operator()(const Entry<T>& a, const Entry<T>& b) const {
    if (Before()(a, b)) return true;
    return !Before()(b, a) && a.position < b.position;
  }
};

// Dtypes without an order of their own here are compared as float32, which holds all their values.
Tensor comparable(const Tensor& x, const char* op) {
  const bool half = x.dtype() == DType::kFloat16 || x.dtype() == DType::kBFloat16;
  return half ? convert(x, DType::kFloat32, op) : x;
}

// Applies `arrange(row, row + n)` to each row of `x` along `dim` and returns the positions of the first `count`
// entries it leaves, [.., count, ..].
template <class Arrange>
Tensor arrange_rows(const char* op, const Tensor& self, std::size_t dim, std::int64_t count, Arrange arrange) {
  const Tensor x = views::movedim(comparable(self, op), static_cast<std::int64_t>(dim), -1).contiguous();
  Dims sizes = x.sizes();
  const std::int64_t length = sizes[sizes.size() - 1];
  sizes[sizes.size() - 1] = count;
  Tensor positions = Tensor::empty(sizes, DType::kInt64);
  if (x.numel() > 0)
    visit_dtype(RealAndBoolTypes(), x.dtype(), op, [&]<class T>() {
      const std::int64_t grain = std::max<std::int64_t>(1, 4096 / length);
      parallel_for(0, x.numel() / length, grain, [&](std::int64_t begin, std::int64_t end) {
        std::vector<Entry<T>> row(static_cast<std::size_t>(length));
        for (std::int64_t i = begin; i < end; ++i) {
          for (std::int64_t k = 0; k < length; ++k)
            row[static_cast<std::size_t>(k)] = {x.data<const T>()[i * length + k], k};
          arrange(row);
          for (std::int64_t k = 0; k < count; ++k)
            positions.data<std::int64_t>()[i * count + k] = row[static_cast<std::size_t>(k)].position;
        }
      });
    });
  return views::movedim(positions, -1, static_cast<std::int64_t>(dim)).contiguous();
}

// The values of `self` at positions along `dim`.
Tensor values_at(const Tensor& self, std::size_t dim, const Tensor& positions) {
  Tensor values = Tensor::empty(positions.sizes(), self.dtype());
  if (values.numel() == 0) return values;
  Dims strides = self.strides();
  strides[dim] = 0;
  load_at(values, self.as_strided(positions.sizes(), std::move(strides)),
          to_distances("sort", positions, self.size(dim), self.stride(dim), self.dtype(), false));
  return values;
}

using Sorted = std::tuple<Tensor, Tensor>;

template <class T, class Before>
void sort_row(std::vector<Entry<T>>& row, bool stable, Before before) {
  if (stable) {
    std::sort(row.begin(), row.end(), Stable<T, Before>());
  } else {
    std::sort(row.begin(), row.end(), before);
  }
}

// With its dimensions in memory as those of what was sorted.
Tensor in_order_of(const Tensor& self, const Tensor& sorted) {
  if (self.is_contiguous()) return sorted;
  const Tensor out = empty_like(self, sorted.dtype());
  copy_elements(sorted, out);
  return out;
}

Sorted sort_stable(const Tensor& self, std::optional<bool> asked_stable, std::int64_t dim, bool descending) {
  constexpr std::int64_t kMany = 32768;  // torch sorts so many integers in one row by their digits, which is stable
  const std::size_t at = wrap_dim("sort", dim, self.dim());
  if (self.dim() == 0) return {copy_of(self), zeros({}, DType::kInt64)};
  const bool by_digits = dtype_info(self.dtype()).category == DTypeCategory::kInteger && self.dim() == 1 &&
                         self.numel() >= kMany && !descending;
  const bool stable = asked_stable.value_or(false) || by_digits;
  const Tensor positions = arrange_rows("sort", self, at, self.size(at), [&]<class T>(std::vector<Entry<T>>& row) {
    if (descending) {
      sort_row(row, stable, Above<T>());
    } else {
      sort_row(row, stable, Below<T>());
    }
  });
  return {in_order_of(self, values_at(self, at, positions)), in_order_of(self, positions)};
}

Sorted sort(const Tensor& self, std::int64_t dim, bool descending) {
  return sort_stable(self, false, dim, descending);
}

Tensor argsort_stable(const Tensor& self, bool stable, std::int64_t dim, bool descending) {
  return std::get<1>(sort_stable(self, stable, dim, descending));
}

Tensor argsort(const Tensor& self, std::int64_t dim, bool descending) {
  return std::get<1>(sort(self, dim, descending));
}

Tensor msort(const Tensor& self) { return std::get<0>(sort(self, 0, false)); }

// The first k in front. Which of equal elements these are is a matter of the algorithm: here torch's.
template <class T, class Before>
void bring_first(std::vector<Entry<T>>& row, std::int64_t k, bool sorted, Before before) {
  constexpr std::int64_t kFew = 64;  // fewer than one of so many: by a heap
  if (k == 0) return;
  if (k * kFew <= static_cast<std::int64_t>(row.size())) {
    std::partial_sort(row.begin(), row.begin() + k, row.end(), before);
  } else {
    std::nth_element(row.begin(), row.begin() + k - 1, row.end(), before);
    if (sorted) std::sort(row.begin(), row.begin() + k - 1, before);
  }
}

Sorted topk(const Tensor& self, std::int64_t k, std::int64_t dim, bool largest, bool sorted) {
  const std::size_t at = wrap_dim("topk", dim, self.dim());
  if (k < 0 || k > size_at(self, at))
    fail_value("topk", "k is " + std::to_string(k) + " for a dimension of size " + std::to_string(size_at(self, at)) +
                           "; it must be from 0 to that");
  if (self.dim() == 0) return {copy_of(self), zeros({}, DType::kInt64)};
  const Tensor positions = arrange_rows("topk", self, at, k, [&]<class T>(std::vector<Entry<T>>& row) {
    if (largest) {
      bring_first(row, k, sorted, Above<T>());
    } else {
      bring_first(row, k, sorted, Below<T>());
    }
  });
  return {values_at(self, at, positions), positions};
}

// The entry that `choose(row)` swaps to the front of each row, without the dimension or with size 1.
template <class Choose>
Sorted one_of_each_row(const char* op, const Tensor& self, std::int64_t dim, bool keepdim, Choose choose) {
  const std::size_t at = wrap_dim(op, dim, self.dim());
  if (self.dim() == 0) return {copy_of(self), zeros({}, DType::kInt64)};
  if (self.size(at) == 0)
    throw Error(ErrorCode::kIndex, std::string(op) + ": dimension " + std::to_string(at) + " has no elements");
  const Tensor positions = arrange_rows(op, self, at, 1, choose);
  const Tensor values = values_at(self, at, positions);
  if (keepdim) return {values, positions};
  return {views::squeeze(values, static_cast<std::int64_t>(at)),
          views::squeeze(positions, static_cast<std::int64_t>(at))};
}

template <class T>
void bring_nth(std::vector<Entry<T>>& row, std::int64_t n) {
  std::nth_element(row.begin(), row.begin() + n, row.end(), Stable<T, Below<T>>());
  std::swap(row[0], row[static_cast<std::size_t>(n)]);
}

// Hoare's selection with the median of three as pivot, step by step as torch's quick_select_template takes it: of equal
// elements the same is found.
template <class T>
void select_kth(std::vector<Entry<T>>& row, std::int64_t k) {
  const Above<T> above;
  Entry<T>* const a = row.data();
  std::int64_t left = 0, right = static_cast<std::int64_t>(row.size()) - 1;
  const auto order = [&](std::int64_t low, std::int64_t high) {
    if (above(a[low], a[high])) std::swap(a[low], a[high]);
  };
  while (right > left + 1) {
    std::swap(a[left + (right - left) / 2], a[left + 1]);
    order(left + 1, right);
    order(left, right);
    order(left + 1, left);
    std::int64_t i = left + 1, j = right;
    const Entry<T> pivot = a[left];
    for (;;) {
      do ++i;
      while (above(pivot, a[i]));
      do --j;
      while (above(a[j], pivot));
      if (j < i) break;
      std::swap(a[i], a[j]);
    }
    std::swap(a[left], a[j]);
    if (j <= k) left = i;
    if (j >= k) right = j - 1;
  }
  if (right == left + 1) order(left, right);
  std::swap(a[0], a[k]);
}

Sorted kthvalue(const Tensor& self, std::int64_t k, std::int64_t dim, bool keepdim) {
  const std::int64_t size = size_at(self, wrap_dim("kthvalue", dim, self.dim()));
  if (k < 1 || k > size)
    fail_value("kthvalue", "k is " + std::to_string(k) + " for a dimension of size " + std::to_string(size) +
                               "; it must be from 1 to that");
  return one_of_each_row("kthvalue", self, dim, keepdim,
                         [&]<class T>(std::vector<Entry<T>>& row) { select_kth(row, k - 1); });
}

// The lower of the two in the middle; the first NaN where there is one.
template <class T>
void bring_median(std::vector<Entry<T>>& row) {
  const auto nan = std::ranges::find_if(row, [](const Entry<T>& entry) { return is_nan(entry.value); });
  if (nan != row.end()) {
    std::swap(row[0], *nan);
  } else {
    bring_nth(row, static_cast<std::int64_t>(row.size() - 1) / 2);
  }
}

// The same over the numbers that are not NaN.
template <class T>
void bring_nanmedian(std::vector<Entry<T>>& row) {
  const auto numbers = std::ranges::count_if(row, [](const Entry<T>& entry) { return !is_nan(entry.value); });
  bring_nth(row, std::max<std::int64_t>(numbers - 1, 0) / 2);
}

void check_medians(const char* op, const Tensor& self) {
  if (self.dtype() == DType::kBool)
    throw Error(ErrorCode::kUnsupported, std::string(op) + ": unsupported dtype bool; convert it to an integer");
}

template <bool SkipNan>
Sorted median_dim(const Tensor& self, std::int64_t dim, bool keepdim) {
  const char* const op = SkipNan ? "nanmedian" : "median";
  check_medians(op, self);
  return one_of_each_row(op, self, dim, keepdim, []<class T>(std::vector<Entry<T>>& row) {
    if constexpr (SkipNan) {
      bring_nanmedian(row);
    } else {
      bring_median(row);
    }
  });
}

template <bool SkipNan>
Tensor median(const Tensor& self) {
  if (self.numel() > 0) return std::get<0>(median_dim<SkipNan>(views::reshape(self, Dims{self.numel()}), 0, false));
  check_medians("median", self);
  Tensor result = Tensor::empty({}, self.dtype());
  if (dtype_info(self.dtype()).category == DTypeCategory::kFloating) {
    fill(result, std::numeric_limits<double>::quiet_NaN());
  } else {
    fill(result, std::numeric_limits<std::int64_t>::lowest());
  }
  return result;
}

constexpr OpDefinition kOps[] = {
    define_op<sort>("aten::sort(Tensor self, int dim=-1, bool descending=False) -> (Tensor values, Tensor indices)"),
    define_op<sort_stable>("aten::sort.stable(Tensor self, *, bool? stable, int dim=-1, bool descending=False) -> "
                           "(Tensor values, Tensor indices)"),
    define_op<argsort>("aten::argsort(Tensor self, int dim=-1, bool descending=False) -> Tensor"),
    define_op<argsort_stable>(
        "aten::argsort.stable(Tensor self, *, bool stable, int dim=-1, bool descending=False) -> Tensor"),
    define_op<msort>("aten::msort(Tensor self) -> Tensor"),
    define_op<topk>("aten::topk(Tensor self, SymInt k, int dim=-1, bool largest=True, bool sorted=True) -> "
                    "(Tensor values, Tensor indices)"),
    define_op<kthvalue>("aten::kthvalue(Tensor self, SymInt k, int dim=-1, bool keepdim=False) -> "
                        "(Tensor values, Tensor indices)"),
    define_op<median<false>>("aten::median(Tensor self) -> Tensor"),
    define_op<median_dim<false>>(
        "aten::median.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)"),
    define_op<median<true>>("aten::nanmedian(Tensor self) -> Tensor"),
    define_op<median_dim<true>>(
        "aten::nanmedian.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)"),
};

}  // namespace

std::span<const OpDefinition> sorting_ops() { return kOps; }

}  // namespace threadwheel
