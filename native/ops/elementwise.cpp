// Dtype promotion among operands, and conversion.
#include "ops/elementwise.h"

#include <algorithm>

namespace threadwheel {
namespace {

DType default_dtype(DTypeCategory category) {
  switch (category) {
    case DTypeCategory::kBool: return DType::kBool;
    case DTypeCategory::kInteger: return DType::kInt64;
    default: return DType::kFloat32;
  }
}

template <class To, class From>
THREADWHEEL_KERNEL void convert_kernel(std::byte* const* pointers, const std::int64_t* strides, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    const From value = *reinterpret_cast<const From*>(pointers[1] + i * strides[1]);
    auto* out = reinterpret_cast<To*>(pointers[0] + i * strides[0]);
    if constexpr (std::is_same_v<To, bool>) {
      *out = value != From(0);
    } else {
      *out = static_cast<To>(value);
    }
  }
}

}  // namespace

DType result_type(const Tensor& a, const Tensor& b) {
  const bool ranked_a = a.dim() > 0, ranked_b = b.dim() > 0;
  if (ranked_a == ranked_b) return promote_types(a.dtype(), b.dtype());
  const DType strong = ranked_a ? a.dtype() : b.dtype(), weak = ranked_a ? b.dtype() : a.dtype();
  return dtype_info(weak).category > dtype_info(strong).category ? promote_types(strong, weak) : strong;
}

DType result_type(const Tensor& a, Scalar b) {
  return b.category() > dtype_info(a.dtype()).category ? promote_types(a.dtype(), default_dtype(b.category()))
                                                       : a.dtype();
}

Tensor convert(const Tensor& tensor, DType dtype, const char* op) {
  if (tensor.dtype() == dtype) return tensor;
  Tensor out = Tensor::empty(tensor.sizes(), dtype);
  visit_dtype(RealAndBoolTypes(), tensor.dtype(), op, [&]<class From>() {
    visit_dtype(RealAndBoolTypes(), dtype, op,
                [&]<class To>() { StridedLoop({&out, &tensor}).run(&convert_kernel<To, From>); });
  });
  return out;
}

Tensor scalar_tensor(Scalar value, DType dtype) {
  Tensor out = Tensor::empty({}, dtype);
  visit_dtype(RealAndBoolTypes(), dtype, "scalar", [&]<class T>() { *out.data<T>() = value.to<T>(); });
  return out;
}

}  // namespace threadwheel
