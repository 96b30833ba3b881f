// threadwheel/tensor.h: checks at the border, then the library's own tensor.
#include "threadwheel/tensor.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "api/access.h"
#include "threadwheel/error.h"

namespace threadwheel::jit {
namespace {

using detail::Access;

[[noreturn]] void refuse(const char* where, const std::string& problem, ErrorCode code = ErrorCode::kValue) {
  throw Error(code, std::string(where) + ": " + problem);
}

std::vector<std::int64_t> to_vector(const Dims& dims) { return {dims.begin(), dims.end()}; }

void check_dtype(const char* where, DType dtype) {
  checked_dtype(static_cast<std::int64_t>(dtype));
  if (dtype_info(dtype).category >= DTypeCategory::kQuantized)
    refuse(where, std::string("a tensor of ") + dtype_name(dtype) + " needs a scale, which only programs can give",
           ErrorCode::kUnsupported);
}

// One past the last element that the sizes and strides reach, in elements from the first.
std::int64_t reach(const Dims& sizes, const Dims& strides) {
  std::int64_t end = 1;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    std::int64_t span = 0;
    if (sizes[i] == 0) return 0;
    if (strides[i] < 0 || __builtin_mul_overflow(sizes[i] - 1, strides[i], &span) ||
        __builtin_add_overflow(end, span, &end))
      refuse("from_blob", "strides " + to_string(strides) + " with sizes " + to_string(sizes) +
                              " are not in memory; a stride must be 0 or more");
  }
  return end;
}

Tensor over_memory(void* data, bool writable, const std::vector<std::int64_t>& sizes, DType dtype,
                   const std::vector<std::int64_t>& strides, std::function<void()> release) {
  check_dtype("from_blob", dtype);
  count_elements(sizes);
  if (!strides.empty() && strides.size() != sizes.size())
    refuse("from_blob", "there are " + std::to_string(strides.size()) + " strides for " +
                            std::to_string(sizes.size()) + " sizes; expected as many, or none for contiguous elements");
  Dims made_sizes{std::span(sizes)};
  Dims made_strides = strides.empty() ? contiguous_strides(sizes) : Dims(std::span(strides));
  std::size_t size_bytes = 0;
  if (__builtin_mul_overflow(reach(made_sizes, made_strides), dtype_size(dtype), &size_bytes))
    refuse("from_blob", "sizes " + to_string(made_sizes) + " do not fit in memory");
  if (data == nullptr && size_bytes > 0)
    refuse("from_blob", "the address is null for sizes " + to_string(made_sizes));
  const std::size_t alignment = std::min<std::size_t>(dtype_size(dtype), 8);
  if (reinterpret_cast<std::uintptr_t>(data) % alignment != 0)
    refuse("from_blob", std::string("the address is not aligned for ") + dtype_name(dtype) + "; expected a multiple of " +
                            std::to_string(alignment));
  auto storage = Storage::wrap(data, size_bytes, writable, std::move(release));
  return Access::wrap(
      threadwheel::Tensor(std::move(storage), dtype, 0, std::move(made_sizes), std::move(made_strides)));
}

}  // namespace

const threadwheel::Tensor& Access::get(const Tensor& tensor) {
  if (!tensor.defined()) refuse("tensor", "it is undefined; make one with Tensor::empty or from_blob");
  return tensor.body_->tensor;
}

Tensor Tensor::empty(const std::vector<std::int64_t>& sizes, DType dtype) {
  check_dtype("empty", dtype);
  return Access::wrap(threadwheel::Tensor::empty(sizes, dtype));
}

DType Tensor::dtype() const { return Access::get(*this).dtype(); }
std::vector<std::int64_t> Tensor::sizes() const { return to_vector(Access::get(*this).sizes()); }
std::vector<std::int64_t> Tensor::strides() const { return to_vector(Access::get(*this).strides()); }
std::int64_t Tensor::dim() const { return Access::get(*this).dim(); }
std::int64_t Tensor::numel() const { return Access::get(*this).numel(); }
bool Tensor::is_contiguous() const { return Access::get(*this).is_contiguous(); }
Tensor Tensor::contiguous() const { return is_contiguous() ? *this : Access::wrap(Access::get(*this).contiguous()); }

void* Tensor::bytes(bool to_write) const {
  const threadwheel::Tensor& tensor = Access::get(*this);
  if (to_write && !tensor.storage()->writable())
    refuse("data", "the memory may only be read; ask for data<const T>(), or copy it");
  return tensor.raw_data();
}

void* Tensor::elements(DType dtype, bool to_write) const {
  if (this->dtype() != dtype)
    refuse("data", std::string("the tensor is ") + dtype_name(this->dtype()) + ", not " + dtype_name(dtype),
           ErrorCode::kType);
  return bytes(to_write);
}

Tensor from_blob(void* data, const std::vector<std::int64_t>& sizes, DType dtype,
                 const std::vector<std::int64_t>& strides, std::function<void()> release) {
  return over_memory(data, true, sizes, dtype, strides, std::move(release));
}

Tensor from_blob(const void* data, const std::vector<std::int64_t>& sizes, DType dtype,
                 const std::vector<std::int64_t>& strides, std::function<void()> release) {
  return over_memory(const_cast<void*>(data), false, sizes, dtype, strides, std::move(release));
}

}  // namespace threadwheel::jit
