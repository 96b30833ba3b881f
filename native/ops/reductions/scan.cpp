// Running sums and products along one dimension.
#include <string>

#include "ops/families.h"
#include "ops/shared/reduce.h"
#include "threadwheel/error.h"

namespace threadwheel {
namespace {

struct Plus {
  template <class T>
  THREADWHEEL_INLINE T operator()(T total, T x) const {
    return total + x;
  }
};
struct Times {
  template <class T>
  THREADWHEEL_INLINE T operator()(T total, T x) const {
    return total * x;
  }
};

// Lines of `length` elements, `inner` apart, of a dense tensor. Each is one chain: it cannot be cut without changing
// its bits.
template <class T, class Function>
void scan_lines(const T* x, T* out, std::int64_t lines, std::int64_t length, std::int64_t inner, Function function) {
  const std::int64_t grain = std::max<std::int64_t>(1, detail::kReduceGrain / length);
  parallel_for(0, lines, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t line = begin; line < end; ++line) {
      const std::int64_t start = line / inner * length * inner + line % inner;
      auto total = static_cast<SumType<T>>(x[start]);
      out[start] = x[start];
      for (std::int64_t i = start + inner; i < start + length * inner; i += inner) {
        total = function(total, static_cast<SumType<T>>(x[i]));
        out[i] = convert_value<T>(total);
      }
    }
  });
}

template <class Function>
Tensor scan(const char* op, const Tensor& self, std::int64_t dim, DType dtype) {
  const std::size_t axis = wrap_dim(op, dim, self.dim());
  Tensor out;
  visit_computed(ComputeTypes(), op, convert(self, dtype, op), [&]<class T>(const Tensor& given) {
    const Tensor x = given.contiguous();
    out = Tensor::empty(x.sizes(), x.dtype());
    if (x.numel() == 0) return;
    const std::int64_t length = x.dim() == 0 ? 1 : x.size(axis), inner = x.dim() == 0 ? 1 : x.stride(axis);
    scan_lines(x.data<const T>(), out.data<T>(), x.numel() / length, length, length == 1 ? 1 : inner, Function());
  });
  return convert(out, dtype, op);
}

DType scan_dtype(const Tensor& self, std::optional<DType> dtype) {
  return dtype.value_or(is_integral(self.dtype()) ? DType::kInt64 : self.dtype());
}

Tensor cumsum(const Tensor& self, std::int64_t dim, std::optional<DType> dtype) {
  return scan<Plus>("cumsum", self, dim, scan_dtype(self, dtype));
}
Tensor cumprod(const Tensor& self, std::int64_t dim, std::optional<DType> dtype) {
  return scan<Times>("cumprod", self, dim, scan_dtype(self, dtype));
}

// In the dtype that self has.
template <class Function>
Tensor scan_into(const char* op, const Tensor& self, std::int64_t dim, std::optional<DType> dtype) {
  check_writable(self, op);
  if (self.dtype() == DType::kBool)
    throw Error(ErrorCode::kUnsupported, std::string(op) + ": unsupported dtype bool; convert the tensor to integers");
  convert_into(self, scan<Function>(op, self, dim, dtype.value_or(self.dtype())), op);
  return self;
}
Tensor cumsum_(const Tensor& self, std::int64_t dim, std::optional<DType> dtype) {
  return scan_into<Plus>("cumsum_", self, dim, dtype);
}
Tensor cumprod_(const Tensor& self, std::int64_t dim, std::optional<DType> dtype) {
  return scan_into<Times>("cumprod_", self, dim, dtype);
}

constexpr OpDefinition kOps[] = {
    define_op<cumsum>("aten::cumsum(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor"),
    define_op<cumsum_>("aten::cumsum_(Tensor(a!) self, int dim, *, ScalarType? dtype=None) -> Tensor(a!)"),
    define_op<cumprod>("aten::cumprod(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor"),
    define_op<cumprod_>("aten::cumprod_(Tensor(a!) self, int dim, *, ScalarType? dtype=None) -> Tensor(a!)"),
};

}  // namespace

std::span<const OpDefinition> scan_ops() { return kOps; }

}  // namespace threadwheel
