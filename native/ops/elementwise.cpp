// Dtype promotion among operands, and conversion.
#include "ops/elementwise.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "threadwheel/error.h"

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

// The addresses of a view's elements, first and one past the last.
std::pair<const std::byte*, const std::byte*> extent(const Tensor& tensor) {
  const auto item_bytes = static_cast<std::int64_t>(dtype_size(tensor.dtype()));
  const std::byte *begin = tensor.raw_data(), *end = begin + item_bytes;
  if (tensor.numel() == 0) return {begin, begin};
  for (std::size_t i = 0; i < tensor.sizes().size(); ++i) {
    const std::int64_t span = (tensor.size(i) - 1) * tensor.stride(i) * item_bytes;
    (span < 0 ? begin : end) += span;
  }
  return {begin, end};
}

// Whether two elements have one place in memory; a view that is merely intricate counts too.
bool overlaps_itself(const Tensor& tensor) {
  if (tensor.numel() == 0) return false;
  std::vector<std::pair<std::int64_t, std::int64_t>> dims;  // step and size, to be looked at by step
  for (std::size_t i = 0; i < tensor.sizes().size(); ++i)
    if (tensor.size(i) > 1) dims.emplace_back(std::abs(tensor.stride(i)), tensor.size(i));
  std::ranges::sort(dims);
  std::int64_t reach = 0;  // of all dimensions with smaller steps together
  for (const auto& [step, size] : dims) {
    if (step <= reach) return true;
    reach += step * (size - 1);
  }
  return false;
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

void check_out(const char* op, const Tensor& out, DType dtype, std::span<const std::int64_t> sizes) {
  const auto refuse = [&](const std::string& what) {
    throw Error(ErrorCode::kValue, std::string(op) + ": out " + what);
  };
  if (out.dtype() != dtype)
    refuse(std::string("is ") + dtype_name(out.dtype()) + " and the result is " + dtype_name(dtype) +
           "; pass an out of that dtype");
  if (!std::ranges::equal(out.sizes(), sizes))
    refuse("has the sizes " + to_string(out.sizes()) + " and the result " + to_string(sizes) +
           "; pass an out of those sizes");
  if (!out.storage()->writable()) refuse("is read-only; pass memory that may be written");
  if (overlaps_itself(out)) refuse("has several elements in one place; pass one without repeated dimensions");
}

void check_apart(const char* op, const Tensor& out, const Tensor& operand) {
  const auto [out_begin, out_end] = extent(out);
  const auto [begin, end] = extent(operand);
  if (end <= out_begin || out_end <= begin) return;
  const bool same_view = out.raw_data() == operand.raw_data() && out.dtype() == operand.dtype() &&
                         std::ranges::equal(out.sizes(), operand.sizes()) &&
                         std::ranges::equal(out.strides(), operand.strides());
  if (!same_view)
    throw Error(ErrorCode::kValue, std::string(op) +
                                       ": out lies across the memory of an operand; pass the operand itself, or memory "
                                       "apart from it");
}

}  // namespace threadwheel
