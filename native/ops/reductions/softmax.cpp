// Softmax and its logarithm. Rows are made dense first; then one pass for the largest element, one for the
// exponentials and their sum, one to scale.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "ops/compose.h"
#include "ops/families.h"
#include "ops/shared/reduce.h"
#include "ops/shared/rows.h"
#include "ops/shared/vector_math.h"
#include "ops/shared/views.h"
#include "threadwheel/error.h"

namespace threadwheel {
namespace {

// `count` dense rows of n elements.
template <class T>
THREADWHEEL_KERNEL void softmax_rows(const T* x, T* out, std::int64_t count, std::int64_t n) {
  for (std::int64_t row = 0; row < count; ++row, x += n, out += n) {
    const T largest = rows::max(x, n);
    for (std::int64_t i = 0; i < n; ++i) out[i] = vector_math::exp(x[i] - largest);
    const T factor = static_cast<T>(1.0 / rows::sum<double>(out, n));
    for (std::int64_t i = 0; i < n; ++i) out[i] *= factor;
  }
}

template <class T>
THREADWHEEL_KERNEL void log_softmax_rows(const T* x, T* out, std::int64_t count, std::int64_t n) {
  for (std::int64_t row = 0; row < count; ++row, x += n, out += n) {
    const T largest = rows::max(x, n);
    for (std::int64_t i = 0; i < n; ++i) out[i] = vector_math::exp(x[i] - largest);
    const T shift = static_cast<T>(std::log(rows::sum<double>(out, n)));
    for (std::int64_t i = 0; i < n; ++i) out[i] = (x[i] - largest) - shift;
  }
}

template <bool Log>
Tensor softmax_of(const char* op, const Tensor& self, std::int64_t dim, DType dtype) {
  const std::size_t axis = wrap_dim(op, dim, self.dim());
  const Tensor input = convert(self, dtype, op);
  Tensor out;
  visit_computed(TypeList<float, double>(), op, input, [&]<class T>(const Tensor& given) {
    const bool last = axis + 1 >= given.sizes().size();
    const auto at = static_cast<std::int64_t>(axis);
    const Tensor x = (last ? given : views::movedim(given, at, -1)).contiguous();
    const Tensor rows = Tensor::empty(x.sizes(), x.dtype());
    const std::int64_t n = given.dim() == 0 ? 1 : given.size(axis);
    const std::int64_t count = n == 0 ? 0 : x.numel() / n;
    const std::int64_t grain = std::max<std::int64_t>(1, detail::kReduceGrain / 4 / std::max<std::int64_t>(n, 1));
    parallel_for(0, count, grain, [&](std::int64_t begin, std::int64_t end) {
      const auto kernel = Log ? &log_softmax_rows<T> : &softmax_rows<T>;
      kernel(x.data<const T>() + begin * n, rows.data<T>() + begin * n, end - begin, n);
    });
    out = rows;
    if (!last) {
      out = Tensor::empty(given.sizes(), given.dtype());
      convert_into(views::movedim(out, at, -1), rows, op);
    }
  });
  return convert(out, dtype, op);
}

Tensor softmax(const Tensor& self, std::int64_t dim, std::optional<DType> dtype) {
  return softmax_of<false>("softmax", self, dim, dtype.value_or(self.dtype()));
}

Tensor log_softmax(const Tensor& self, std::int64_t dim, std::optional<DType> dtype) {
  return softmax_of<true>("log_softmax", self, dim, dtype.value_or(self.dtype()));
}

// Rows of nothing but -inf, which softmax makes NaN of, become zeros.
Tensor safe_softmax(const Tensor& self, std::int64_t dim, std::optional<DType> dtype) {
  const Tensor masked = aten("eq.Scalar", {self, -std::numeric_limits<double>::infinity()});
  return aten("masked_fill.Scalar", {softmax(self, dim, dtype), aten("all.dim", {masked, dim, true}), std::int64_t{0}});
}

template <bool Log>
Tensor softmax_in_dtype(const Tensor& self, std::int64_t dim, bool half_to_float) {
  const char* const op = Log ? "_log_softmax" : "_softmax";
  if (half_to_float)
    throw Error(ErrorCode::kUnsupported, std::string(op) + ": half_to_float is True; convert the tensor first");
  return softmax_of<Log>(op, self, dim, self.dtype());
}

constexpr OpDefinition kOps[] = {
    define_op<softmax>("aten::softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor"),
    define_op<log_softmax>("aten::log_softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor"),
    define_op<safe_softmax>("aten::_safe_softmax(Tensor self, int dim, ScalarType? dtype=None) -> Tensor"),
    define_op<softmax_in_dtype<false>>("aten::_softmax(Tensor self, int dim, bool half_to_float) -> Tensor"),
    define_op<softmax_in_dtype<true>>("aten::_log_softmax(Tensor self, int dim, bool half_to_float) -> Tensor"),
};

}  // namespace

std::span<const OpDefinition> softmax_ops() { return kOps; }

}  // namespace threadwheel
