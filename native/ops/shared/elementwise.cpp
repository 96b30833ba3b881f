// Dtype promotion among operands, and the blocks around an op's loop.
#include "ops/shared/elementwise.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <new>
#include <optional>
#include <vector>

#include "tensor/layout.h"
#include "threadwheel/parallel.h"

namespace threadwheel {
namespace {

// The dtype of operands of a higher rank with operands of a lower one; nullopt: there are none of that rank.
std::optional<DType> combine(std::optional<DType> high, std::optional<DType> low) {
  if (!high || !low) return high ? high : low;
  if (dtype_info(*low).category <= dtype_info(*high).category) return high;
  return is_complex(*low) && is_floating(*high) ? complex_dtype(*high) : promote_types(*high, *low);
}

void join(std::optional<DType>& dtype, DType other) { dtype = dtype ? promote_types(*dtype, other) : other; }

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

bool same_view(const Tensor& a, const Tensor& b) {
  return a.raw_data() == b.raw_data() && a.dtype() == b.dtype() && a.sizes() == b.sizes() && a.strides() == b.strides();
}

Tensor new_result(std::span<const Operand> operands, const Dims& sizes, DType dtype) {
  std::array<const Tensor*, detail::Elementwise::kMaxOperands> tensors{};
  std::size_t count = 0;
  for (const Operand& operand : operands)
    if (!operand.is_number()) tensors[count++] = &operand.tensor();
  return empty_like(sizes, dtype, std::span(tensors).first(count));
}

}  // namespace

// By addresses: two storages may be views of one array of somebody else's.
bool may_overlap(const Tensor& a, const Tensor& b) {
  if (a.numel() == 0 || b.numel() == 0) return false;
  const auto [begin_a, end_a] = extent(a);
  const auto [begin_b, end_b] = extent(b);
  return std::less<>()(begin_a, end_b) && std::less<>()(begin_b, end_a);
}

DType default_dtype(DTypeCategory category) {
  switch (category) {
    case DTypeCategory::kBool: return DType::kBool;
    case DTypeCategory::kInteger: return DType::kInt64;
    case DTypeCategory::kComplex: return DType::kComplex64;
    default: return DType::kFloat32;
  }
}

DType result_type(std::span<const Operand> operands) {
  std::optional<DType> ranked, unranked, numbers;
  for (const Operand& operand : operands) {
    if (operand.is_number()) {
      join(numbers, default_dtype(operand.number().category()));
    } else {
      join(operand.tensor().dim() > 0 ? ranked : unranked, operand.tensor().dtype());
    }
  }
  return *combine(ranked, combine(unranked, numbers));
}

bool can_cast(DType from, DType to) {
  if (is_complex(from) && !is_complex(to)) return false;
  if (is_floating(from) && is_integral(to)) return false;
  return to != DType::kBool || from == DType::kBool;
}

Tensor scalar_tensor(Scalar value, DType dtype) {
  Tensor out = Tensor::empty({}, dtype);
  visit_dtype(AllTypes(), dtype, "scalar", [&]<class T>() { *out.data<T>() = value.to<T>(); });
  return out;
}

void check_writable(const Tensor& out, const char* op) {
  if (!out.storage()->writable())
    throw Error(ErrorCode::kValue, std::string(op) + ": the tensor to write to is read-only; pass a copy of it");
  if (out.is_contiguous()) return;
  // Sorted by stride, each dimension must step over all that the smaller ones reach.
  std::vector<std::pair<std::int64_t, std::int64_t>> dims;
  for (std::size_t i = 0; i < out.sizes().size(); ++i)
    if (out.size(i) > 1) dims.emplace_back(std::abs(out.stride(i)), out.size(i));
  std::ranges::sort(dims);
  std::int64_t reach = 0;
  for (const auto& [stride, size] : dims) {
    if (stride <= reach)
      throw Error(ErrorCode::kValue, std::string(op) + ": the tensor to write to has sizes " + to_string(out.sizes()) +
                                         " and strides " + to_string(out.strides()) +
                                         ", where elements share memory; pass a copy of it");
    reach += stride * (size - 1);
  }
}

namespace detail {

Elementwise::Elementwise(const ElementwiseRule& rule, std::span<const Operand> operands, const Tensor* out)
    : rule_(rule), operands_(operands), given_out_(out), common_(result_type(operands.subspan(rule.conditions))) {
  if (!rule.bools && common_ == DType::kBool) refuse("integers and wider dtypes");
  if (rule.floating && is_integral(common_)) common_ = DType::kFloat32;
}

void Elementwise::refuse(const char* supported) const {
  throw Error(ErrorCode::kUnsupported, std::string(rule_.op) + ": unsupported dtype " + dtype_name(common_) +
                                           "; supported are " + supported);
}

DType Elementwise::result_dtype(DType natural) const {
  if (natural == DType::kBool) return DType::kBool;
  return natural == compute() ? common_ : real_dtype(common_);
}

Tensor Elementwise::prepare_out(DType natural) {
  Dims sizes;
  for (const Operand& operand : operands_)
    if (!operand.is_number()) {
      if (sizes.empty()) {
        sizes = operand.tensor().sizes();
      } else if (!(sizes == operand.tensor().sizes())) {
        sizes = broadcast_sizes(rule_.op, sizes, operand.tensor().sizes());
      }
    }
  const DType dtype = result_dtype(natural);
  if (given_out_ == nullptr) return new_result(operands_, sizes, dtype);
  if (!(given_out_->sizes() == sizes))
    throw Error(ErrorCode::kValue, std::string(rule_.op) + ": the result has sizes " + to_string(sizes) +
                                       " and the tensor to write to " + to_string(given_out_->sizes()) +
                                       "; they must be the same");
  if (!can_cast(dtype, given_out_->dtype()))
    throw Error(ErrorCode::kValue, std::string(rule_.op) + ": the result is " + dtype_name(dtype) +
                                       " and the tensor to write to " + dtype_name(given_out_->dtype()) +
                                       "; convert that first");
  check_writable(*given_out_, rule_.op);
  return *given_out_;
}

// In the common dtype. A copy, where writing the result would change it.
Tensor Elementwise::operand_tensor(std::size_t k, const Tensor& out) const {
  const Tensor& given = operands_[k].tensor();
  const bool keeps_dtype = k < rule_.conditions || given.dtype() == common_;
  const Tensor tensor = keeps_dtype ? given : convert(given, common_, rule_.op);
  if (given_out_ == nullptr || !may_overlap(tensor, out) || same_view(tensor, out)) return tensor;
  Tensor copy = Tensor::empty(tensor.sizes(), tensor.dtype());
  convert_into(copy, tensor, rule_.op);
  return copy;
}

// A number as the loop reads it. As a tensor of the common dtype would hold it, unless the op keeps more digits.
void Elementwise::settle_number(std::size_t k, StridedOperand& strided) {
  const DType type = compute(), dtype = rule_.exact_numbers ? type : common_;
  alignas(16) std::array<std::byte, 16> bytes;
  visit_dtype(AllTypes(), dtype, rule_.op, [&]<class T>() { new (bytes.data()) T(operands_[k].number().to<T>()); });
  run_converter(dtype, type)(numbers_[k].data(), 0, bytes.data(), 0, 1);
  strided = StridedOperand(numbers_[k].data());
  direct_[k + 1] = true;
  loads_[k] = run_converter(type, type);
}

void Elementwise::settle_tensor(std::size_t k, const Tensor& out, StridedOperand& strided) {
  tensors_[k] = operand_tensor(k, out);
  strided = StridedOperand(tensors_[k]);
  direct_[k + 1] = tensors_[k].dtype() == compute();
  loads_[k] = run_converter(tensors_[k].dtype(), compute());
}

bool Elementwise::is_simple(const Tensor& out) const {
  if (!direct_[0] || !out.is_contiguous()) return false;
  for (std::size_t k = 0; k < operands_.size(); ++k)
    if (!direct_[k + 1] || operands_[k].is_number() || !tensors_[k].is_contiguous() ||
        !(tensors_[k].sizes() == out.sizes()))
      return false;
  return true;
}

Tensor Elementwise::run(DType natural, Kernel kernel) {
  const Tensor result = prepare_out(natural);
  // Of truth values there is a step to no other type, which only in-place comparisons need.
  const bool indirect = natural == DType::kBool && result.dtype() != DType::kBool;
  const Tensor written = indirect ? Tensor::empty(result.sizes(), natural) : result;
  // Runs along the result's memory are the longest.
  const Dims order = memory_order(written);
  const Tensor out = reordered(written, result.sizes(), order);
  const StridedOperand strided_out(out);
  std::array<StridedOperand, kMaxOperands + 1> strided{strided_out, strided_out, strided_out, strided_out};
  direct_[0] = out.dtype() == natural;
  item_bytes_.fill(static_cast<std::int64_t>(dtype_size(compute())));
  item_bytes_[0] = static_cast<std::int64_t>(dtype_size(natural));
  store_ = run_converter(natural, out.dtype());
  for (std::size_t k = 0; k < operands_.size(); ++k) {
    if (operands_[k].is_number()) {
      settle_number(k, strided[k + 1]);
    } else {
      settle_tensor(k, result, strided[k + 1]);
      if (!order.empty()) strided[k + 1] = StridedOperand(tensors_[k] = reordered(tensors_[k], result.sizes(), order));
    }
  }
  if (is_simple(out)) {
    run_dense(out, kernel);
  } else {
    StridedLoop(out.sizes(), std::span(strided).first(operands_.size() + 1))
        .run([&](std::byte* const* pointers, const std::int64_t* strides, std::int64_t n) {
          run_blocks(pointers, strides, n, kernel);
        });
  }
  if (indirect) convert_into(result, written, rule_.op);
  return given_out_ != nullptr ? *given_out_ : result;
}

void Elementwise::run_dense(const Tensor& out, Kernel kernel) const {
  parallel_for(0, out.numel(), StridedLoop::kGrain, [&](std::int64_t begin, std::int64_t end) {
    std::array<std::byte*, kMaxOperands + 1> pointers{out.raw_data() + begin * item_bytes_[0]};
    for (std::size_t k = 0; k < operands_.size(); ++k)
      pointers[k + 1] = tensors_[k].raw_data() + begin * item_bytes_[k + 1];
    kernel(pointers.data(), end - begin);
  });
}

void Elementwise::run_blocks(std::byte* const* pointers, const std::int64_t* strides, std::int64_t n,
                             Kernel kernel) const {
  const std::size_t count = operands_.size() + 1;
  std::array<bool, kMaxOperands + 1> dense{};
  bool all = true;
  for (std::size_t k = 0; k < count; ++k) all &= dense[k] = direct_[k] && (strides[k] == item_bytes_[k] || n == 1);
  if (all) return kernel(pointers, n);
  alignas(64) std::byte buffers[kMaxOperands + 1][kBlock * 16];
  for (std::int64_t i = 0; i < n; i += kBlock) {
    const std::int64_t size = std::min(kBlock, n - i);
    std::array<std::byte*, kMaxOperands + 1> now{};
    for (std::size_t k = 0; k < count; ++k) {
      std::byte* const here = pointers[k] + i * strides[k];
      now[k] = dense[k] ? here : buffers[k];
      if (k > 0 && !dense[k] && (i == 0 || strides[k] != 0))
        loads_[k - 1](buffers[k], item_bytes_[k], here, strides[k], size);
    }
    kernel(now.data(), size);
    if (!dense[0]) store_(pointers[0] + i * strides[0], strides[0], buffers[0], item_bytes_[0], size);
  }
}

}  // namespace detail
}  // namespace threadwheel
