// A nested tensor's storage holds the padded sequences and behind them a mark and the lengths: a view of another shape
// does not find these and is refused.
#include "ops/layers/nested.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ops/families.h"
#include "ops/shared/shapes.h"
#include "threadwheel/error.h"

namespace threadwheel {
namespace {

using Ints = std::span<const std::int64_t>;
using Lengths = std::vector<std::int64_t>;

constexpr std::int64_t kMark = 0x6e65'7374'6564;

std::size_t values_bytes(const Tensor& tensor) { return static_cast<std::size_t>((tensor.numel() + 1) / 2 * 8); }

Tensor make(const Tensor& values, const Lengths& lengths) {
  const Tensor dense = values.contiguous();
  const std::size_t at = values_bytes(dense);
  const auto storage = Storage::allocate(at + (lengths.size() + 1) * sizeof(std::int64_t));
  std::memcpy(storage->data(), dense.raw_data(), dense.size_bytes());
  std::memcpy(storage->data() + at, &kMark, sizeof kMark);
  std::memcpy(storage->data() + at + sizeof kMark, lengths.data(), lengths.size() * sizeof(std::int64_t));
  return Tensor(storage, DType::kNested, 0, dense.sizes(), dense.strides());
}

Lengths lengths_of(const char* op, const Tensor& self) {
  if (!nested::is_nested(self))
    throw Error(ErrorCode::kUnsupported, std::string(op) + ": the tensor is not nested; only nested ones are padded");
  const std::size_t at = values_bytes(self), batch = self.dim() == 3 ? static_cast<std::size_t>(self.size(0)) : 0;
  std::int64_t mark = 0;
  if (self.dim() == 3 && self.offset() == 0 && self.is_contiguous() &&
      self.storage()->size_bytes() == at + (batch + 1) * sizeof mark)
    std::memcpy(&mark, self.storage()->data() + at, sizeof mark);
  if (mark != kMark)
    throw Error(ErrorCode::kUnsupported, std::string(op) + ": the tensor is a view of a nested tensor; " +
                                             "pass the nested tensor itself, or pad it first with to_padded_tensor");
  Lengths lengths(batch);
  std::memcpy(lengths.data(), self.storage()->data() + at + sizeof mark, batch * sizeof mark);
  return lengths;
}

// Rows that are true first and false behind.
bool is_left_aligned(const Tensor& mask) {
  const bool* const first = mask.data<const bool>();
  for (std::int64_t row = 0; row < mask.size(0); ++row)
    if (!std::is_sorted(first + row * mask.size(1), first + (row + 1) * mask.size(1), std::greater())) return false;
  return true;
}

// The mask, contiguous, after a look whether it goes with the tensor.
Tensor checked_mask(const char* op, const Tensor& t, const Tensor& mask) {
  if (mask.dtype() != DType::kBool || mask.dim() != 2 || t.dim() != 3 || t.size(0) != mask.size(0) ||
      t.size(1) != mask.size(1))
    fail_value(std::string(op) + ": " + describe("tensor", t) + " and " + describe("mask", mask) + ", " +
               dtype_name(mask.dtype()) + "; expected [batch, length, width] and [batch, length], bool");
  return mask.contiguous();
}

bool mask_is_left_aligned(const Tensor& t, const Tensor& mask) {
  return is_left_aligned(checked_mask("_nested_tensor_from_mask_left_aligned", t, mask));
}

// Of each sequence as many steps as the mask has true ones.
Tensor from_mask(const Tensor& t, const Tensor& mask, bool mask_check) {
  constexpr const char* kOp = "_nested_tensor_from_mask";
  const Tensor rows = checked_mask(kOp, t, mask);
  if (mask_check && !is_left_aligned(rows))
    fail_value(std::string(kOp) + ": a row of the mask is false before it is true; expected padding at the end");
  if (t.dtype() != DType::kFloat32)
    throw Error(ErrorCode::kUnsupported, std::string(kOp) + ": unsupported dtype " + dtype_name(t.dtype()) +
                                             "; supported is float32, or an encoder with enable_nested_tensor=False");
  Lengths lengths;
  for (std::int64_t row = 0; row < mask.size(0); ++row) {
    const bool* const first = rows.data<const bool>() + row * mask.size(1);
    lengths.push_back(std::count(first, first + mask.size(1), true));
  }
  return make(t, lengths);
}

// [batch, longest, width], or as large as is asked for.
Tensor to_padded(const Tensor& self, double padding, std::optional<Ints> output_size) {
  constexpr const char* kOp = "to_padded_tensor";
  const Lengths lengths = lengths_of(kOp, self);
  const Tensor values = nested::padded(kOp, self);
  const std::int64_t longest = lengths.empty() ? 0 : std::ranges::max(lengths), width = self.size(2);
  const Dims least{self.size(0), longest, width};
  const Dims sizes = output_size ? Dims(*output_size) : least;
  if (sizes.size() != 3 || sizes[0] != least[0] || sizes[1] < least[1] || sizes[2] < least[2])
    fail_value(std::string(kOp) + ": output_size is " + to_string(sizes) + "; the sequences need " + to_string(least));
  const Tensor out = Tensor::empty(sizes, DType::kFloat32);
  std::fill_n(out.data<float>(), out.numel(), static_cast<float>(padding));
  for (std::size_t row = 0; row < lengths.size(); ++row) {
    const auto at = static_cast<std::int64_t>(row);
    for (std::int64_t step = 0; step < lengths[row]; ++step)
      std::copy_n(values.data<const float>() + (at * self.size(1) + step) * width, width,
                  out.data<float>() + (at * sizes[1] + step) * sizes[2]);
  }
  return out;
}

bool is_nested_op(const Tensor& self) { return nested::is_nested(self); }

constexpr OpDefinition kOps[] = {
    define_op<mask_is_left_aligned>("aten::_nested_tensor_from_mask_left_aligned(Tensor t, Tensor mask) -> bool"),
    define_op<from_mask>("aten::_nested_tensor_from_mask(Tensor t, Tensor mask, bool mask_check=True) -> Tensor"),
    define_op<to_padded>("aten::to_padded_tensor(Tensor self, float padding, SymInt[]? output_size=None) -> Tensor"),
    define_op<to_padded>(
        "aten::nested_to_padded_tensor(Tensor self, float padding, int[]? output_size=None) -> Tensor"),
    define_op<is_nested_op>("prim::is_nested(Tensor a) -> bool"),
};

}  // namespace

namespace nested {

const Tensor& even(const char* op, const Tensor& tensor) {
  if (is_nested(tensor))
    throw Error(ErrorCode::kUnsupported, std::string(op) + ": the tensor is nested, its sequences differ in length; " +
                                             "pad it first with to_padded_tensor");
  return tensor;
}

Tensor padded(const char* op, const Tensor& nested) {
  lengths_of(op, nested);
  return Tensor(nested.storage(), DType::kFloat32, 0, nested.sizes(), nested.strides());
}

Tensor padding_mask(const char* op, const Tensor& nested) {
  const Lengths lengths = lengths_of(op, nested);
  const std::int64_t steps = nested.size(1);
  const Tensor mask = Tensor::empty(Dims{nested.size(0), steps}, DType::kBool);
  for (std::size_t row = 0; row < lengths.size(); ++row) {
    bool* const first = mask.data<bool>() + static_cast<std::int64_t>(row) * steps;
    std::fill(first, first + lengths[row], false);
    std::fill(first + lengths[row], first + steps, true);
  }
  return mask;
}

Tensor with_values(const char* op, const Tensor& nested, const Tensor& values) {
  return make(values, lengths_of(op, nested));
}

}  // namespace nested

std::span<const OpDefinition> nested_ops() { return kOps; }

}  // namespace threadwheel
