// Ops on true elements: nonzero, masked_select, masked_scatter.
#include "ops/indexing/masks.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "ops/families.h"
#include "ops/shared/checks.h"
#include "ops/shared/elementwise.h"
#include "ops/shared/moves.h"
#include "ops/shared/views.h"

namespace threadwheel {

Tensor nonzero(const Tensor& self) {
  const Tensor mask = convert(self, DType::kBool, "nonzero").contiguous();
  const bool* flags = mask.data<const bool>();
  const std::int64_t numel = mask.numel(), count = std::count(flags, flags + numel, true);
  const std::size_t rank = mask.sizes().size();
  Tensor result = Tensor::empty(Dims{count, static_cast<std::int64_t>(rank)}, DType::kInt64);
  auto* out = result.data<std::int64_t>();
  for (std::int64_t i = 0; i < numel; ++i) {
    if (!flags[i]) continue;
    std::int64_t rest = i;
    for (std::size_t d = rank; d-- > 0;) {
      out[d] = rest % mask.size(d);
      rest /= mask.size(d);
    }
    out += rank;
  }
  return result;
}

namespace {

void check_mask(const char* op, const Tensor& mask) {
  if (mask.dtype() != DType::kBool)
    fail_value(op, std::string("the mask is ") + dtype_name(mask.dtype()) + "; it must be bool");
}

Tensor masked_select(const Tensor& self, const Tensor& mask) {
  check_mask("masked_select", mask);
  const Dims sizes = broadcast_sizes("masked_select", self.sizes(), mask.sizes());
  const Tensor x = broadcast_to(self, sizes).contiguous(), chosen = broadcast_to(mask, sizes).contiguous();
  const bool* flags = chosen.data<const bool>();
  Tensor result = Tensor::empty(Dims{std::count(flags, flags + x.numel(), true)}, x.dtype());
  visit_bits(x.dtype(), [&]<class T>() {
    T* out = result.data<T>();
    for (std::int64_t i = 0; i < x.numel(); ++i)
      if (flags[i]) std::memcpy(out++, x.data<const T>() + i, sizeof(T));
  });
  return result;
}

// The elements of `source`, in order, at the places where the mask is true.
Tensor masked_scatter_(const Tensor& self, const Tensor& mask, const Tensor& source) {
  check_mask("masked_scatter_", mask);
  check_writable("masked_scatter_", self);
  if (source.dtype() != self.dtype())
    fail_value("masked_scatter_", std::string("source is ") + dtype_name(source.dtype()) + " and self " +
                                      dtype_name(self.dtype()) + "; they must have the same dtype");
  if (broadcast_sizes("masked_scatter_", self.sizes(), mask.sizes()) != self.sizes())
    fail_value("masked_scatter_", "the mask has sizes " + to_string(mask.sizes()) + "; it must broadcast to " +
                                      to_string(self.sizes()));
  const Tensor chosen = broadcast_to(mask, self.sizes()).contiguous(), values = source.contiguous();
  const bool* flags = chosen.data<const bool>();
  const std::int64_t wanted = std::count(flags, flags + chosen.numel(), true);
  if (wanted > values.numel())
    fail_value("masked_scatter_", "the mask has " + std::to_string(wanted) + " true elements and source " +
                                      std::to_string(values.numel()) + "; there must be one for each");
  Tensor result = self.contiguous();
  visit_bits(self.dtype(), [&]<class T>() {
    const T* next = values.data<const T>();
    for (std::int64_t i = 0; i < result.numel(); ++i)
      if (flags[i]) std::memcpy(result.data<T>() + i, next++, sizeof(T));
  });
  if (!result.is(self)) copy_elements(result, self);
  return self;
}

Tensor masked_scatter(const Tensor& self, const Tensor& mask, const Tensor& source) {
  const Dims sizes = broadcast_sizes("masked_scatter", self.sizes(), mask.sizes());
  return masked_scatter_(copy_of(broadcast_to(self, sizes)), mask, source);
}

// One index tensor per dimension; of a tensor without dimensions as if it had one.
std::vector<Tensor> nonzero_numpy(const Tensor& self) {
  const Tensor positions = nonzero(self.dim() == 0 ? views::unsqueeze(self, 0) : self);
  std::vector<Tensor> columns;
  for (std::int64_t i = 0; i < positions.size(1); ++i) columns.push_back(views::select(positions, 1, i));
  return columns;
}

Tensor nonzero_static(const Tensor& self, std::int64_t size, std::int64_t fill_value) {
  if (size < 0) fail_value("nonzero_static", "size is " + std::to_string(size) + "; it must be 0 or more");
  const Tensor positions = nonzero(self);
  Tensor result = Tensor::empty(Dims{size, positions.size(1)}, DType::kInt64);
  fill(result, fill_value);
  const std::int64_t count = std::min(size, positions.size(0));
  copy_elements(views::narrow(positions, 0, 0, count), views::narrow(result, 0, 0, count));
  return result;
}

constexpr OpDefinition kOps[] = {
    define_op<nonzero>("aten::nonzero(Tensor self) -> Tensor"),
    define_op<nonzero>("aten::argwhere(Tensor self) -> Tensor"),
    define_op<nonzero_numpy>("aten::nonzero_numpy(Tensor self) -> Tensor[]"),
    define_op<nonzero_static>("aten::nonzero_static(Tensor self, *, SymInt size, int fill_value=-1) -> Tensor"),
    define_op<nonzero_numpy>("aten::where(Tensor condition) -> Tensor[]"),
    define_op<masked_select>("aten::masked_select(Tensor self, Tensor mask) -> Tensor"),
    define_op<masked_scatter>("aten::masked_scatter(Tensor self, Tensor mask, Tensor source) -> Tensor"),
    define_op<masked_scatter_>("aten::masked_scatter_(Tensor(a!) self, Tensor mask, Tensor source) -> Tensor(a!)"),
};

}  // namespace

std::span<const OpDefinition> mask_ops() { return kOps; }

}  // namespace threadwheel
