// Conversions, copies, and ops that give back what they are given, as detach does.
#include <span>
#include <string>

#include "ops/shared/options.h"
#include "ops/shared/pointwise.h"
#include "tensor/layout.h"
#include "threadwheel/error.h"

namespace threadwheel {
namespace {

// Memory formats (c10::MemoryFormat) are wishes here: a copy keeps the order of the dimensions or is contiguous. Whether
// there is a copy is what a program can see, by writing to the result.
constexpr std::int64_t kContiguous = 0, kChannelsLast = 2, kChannelsLast3d = 3;

Tensor copy_of(const Tensor& self, DType dtype, const char* op, std::int64_t format = kContiguous) {
  const Tensor out = format == kPreserveFormat ? empty_like(self, dtype) : Tensor::empty(self.sizes(), dtype);
  convert_into(out, self, op);
  return dtype == self.dtype() && self.quantizer() ? out.with_quantizer(self.quantizer()) : out;
}

// What torch takes the strides for. Those that fit both are contiguous: is_channels_last_strides_2d of c10.
std::int64_t format_of(const Tensor& self) {
  constexpr std::size_t kImages[] = {1, 3, 2, 0}, kVolumes[] = {1, 4, 3, 2, 0};  // by ascending stride
  if ((self.dim() != 4 && self.dim() != 5) || self.stride(1) == 0) return kContiguous;
  std::int64_t least = 0;
  for (const std::size_t dim : self.dim() == 4 ? std::span<const std::size_t>(kImages) : kVolumes) {
    if (self.size(dim) == 0 || self.stride(dim) < least) return kContiguous;
    if (dim == 0 && least == self.stride(1)) return kContiguous;
    least = self.size(dim) > 1 ? self.stride(dim) * self.size(dim) : self.stride(dim);
  }
  return self.dim() == 4 ? kChannelsLast : kChannelsLast3d;
}

Tensor to(const Tensor& self, DType dtype, bool copy, const Value& memory_format = Value()) {
  check_memory_format("to", memory_format);
  const std::int64_t format = format_or_preserve(memory_format);
  const bool reordered = format != kPreserveFormat && format != format_of(self);
  return copy || reordered || dtype != self.dtype() ? copy_of(self, dtype, "to", format) : self;
}

Tensor to_dtype(const Tensor& self, DType dtype, bool /*non_blocking*/, bool copy, const Value& memory_format) {
  return to(self, dtype, copy, memory_format);
}

Tensor to_device(const Tensor& self, const Value& device, DType dtype, bool /*non_blocking*/, bool copy,
                 const Value& memory_format) {
  check_device("to", device);
  return to(self, dtype, copy, memory_format);
}

Tensor to_layout(const Tensor& self, std::optional<DType> dtype, const Value& layout, const Value& device,
                 const Value& /*pin_memory*/, bool /*non_blocking*/, bool copy, const Value& memory_format) {
  check_layout("to", layout);
  check_device("to", device);
  return to(self, dtype.value_or(self.dtype()), copy, memory_format);
}

Tensor to_other(const Tensor& self, const Tensor& other, bool /*non_blocking*/, bool copy,
                const Value& memory_format) {
  return to(self, other.dtype(), copy, memory_format);
}

Tensor to_prim_device(const Tensor& self, const Value& device, std::optional<std::int64_t> dtype,
                      bool /*non_blocking*/, bool copy) {
  check_device("to", device);
  return to(self, read_dtype("to", dtype, self.dtype()), copy);
}

Tensor to_prim_dtype(const Tensor& self, std::optional<std::int64_t> dtype, bool /*non_blocking*/, bool copy) {
  return to(self, read_dtype("to", dtype, self.dtype()), copy);
}

Tensor to_prim_other(const Tensor& self, bool /*non_blocking*/, bool copy) { return to(self, self.dtype(), copy); }

Tensor to_copy(const Tensor& self, std::optional<DType> dtype, const Value& layout, const Value& device,
               const Value& /*pin_memory*/, bool /*non_blocking*/, const Value& memory_format) {
  return to_layout(self, dtype, layout, device, Value(), false, true, memory_format);
}

Tensor type_as(const Tensor& self, const Tensor& other) { return to(self, other.dtype(), false); }

Tensor itself(const Tensor& self) { return self; }

// Another view of all of it: detached tensors may be changed in shape without changing the original.
Tensor requires_grad(const Tensor& self, bool /*requires_grad*/) { return self; }  // there are no gradients here

Tensor clone(const Tensor& self, const Value& memory_format) {
  check_memory_format("clone", memory_format);
  return copy_of(self, self.dtype(), "clone", format_or_preserve(memory_format));
}

Tensor contiguous(const Tensor& self, const Value& memory_format) {
  check_memory_format("contiguous", memory_format);
  return is_dense_in(self, memory_format.to_int()) ? self : copy_of(self, self.dtype(), "contiguous");
}

Tensor copy_into(const char* op, const Tensor& self, const Tensor& source) {
  check_writable(self, op);
  if (!(broadcast_sizes(op, self.sizes(), source.sizes()) == self.sizes()))
    throw Error(ErrorCode::kValue, std::string(op) + ": the source has sizes " + to_string(source.sizes()) +
                                       " and self " + to_string(self.sizes()) + "; it must broadcast to self's");
  convert_into(self, may_overlap(self, source) ? copy_of(source, source.dtype(), op) : source, op);
  return self;
}

Tensor copy_(const Tensor& self, const Tensor& src, bool /*non_blocking*/) { return copy_into("copy_", self, src); }
Tensor copy_tensor(const Tensor& self, const Tensor& other) { return copy_into("copy_", self, other); }
Tensor copy_int(const Tensor& self, std::int64_t other) {
  return copy_into("copy_", self, scalar_tensor(other, DType::kInt64));
}
Tensor copy_float(const Tensor& self, double other) {
  return copy_into("copy_", self, scalar_tensor(other, DType::kFloat64));
}

Tensor fill_into(const Tensor& self, Scalar value) {
  check_fits("fill_", value, self.dtype());
  return copy_into("fill_", self, scalar_tensor(value, self.dtype()));
}

void check_fill_value(const Tensor& value) {
  if (value.dim() != 0)
    throw Error(ErrorCode::kValue, "fill_: value has sizes " + to_string(value.sizes()) +
                                       "; expected a tensor without dimensions");
}

Tensor fill_into_tensor(const Tensor& self, const Tensor& value) {
  check_fill_value(value);
  return copy_into("fill_", self, value);
}

Tensor fill(const Tensor& self, Scalar value) { return fill_into(Tensor::empty(self.sizes(), self.dtype()), value); }

Tensor fill_tensor(const Tensor& self, const Tensor& value) {
  return fill_into_tensor(Tensor::empty(self.sizes(), self.dtype()), value);
}

Tensor zero(const Tensor& self) { return copy_into("zero_", self, scalar_tensor(false, self.dtype())); }

// What the archives of optimize_for_inference begin with: their convolutions' weights were not saved, for torch neither.
Tensor to_mkldnn(const Tensor& /*self*/, std::optional<DType> /*dtype*/) {
  throw Error(ErrorCode::kUnsupported,
              "to_mkldnn: archives that are saved after optimize_for_inference lack the weights of their convolutions; "
              "save the module as it was, and freeze it when it is loaded");
}

constexpr OpDefinition kOps[] = {
    define_op<to_mkldnn>("aten::to_mkldnn(Tensor self, ScalarType? dtype=None) -> Tensor"),
    define_op<to_device>(
        "aten::to.device(Tensor(a) self, Device device, ScalarType dtype, bool non_blocking=False, bool "
        "copy=False, MemoryFormat? memory_format=None) -> Tensor(a)"),
    define_op<to_dtype>(
        "aten::to.dtype(Tensor(a) self, ScalarType dtype, bool non_blocking=False, bool copy=False, MemoryFormat? "
        "memory_format=None) -> Tensor(a)"),
    define_op<to_other>(
        "aten::to.other(Tensor(a) self, Tensor other, bool non_blocking=False, bool copy=False, MemoryFormat? "
        "memory_format=None) -> Tensor(a)"),
    define_op<to_layout>(
        "aten::to.dtype_layout(Tensor(a) self, *, ScalarType? dtype=None, Layout? layout=None, Device? "
        "device=None, bool? pin_memory=None, bool non_blocking=False, bool copy=False, MemoryFormat? "
        "memory_format=None) -> Tensor(a)"),
    define_op<to_prim_device>(
        "aten::to.prim_Device(Tensor(a) self, Device? device, int? dtype=None, bool non_blocking=False, bool "
        "copy=False) -> Tensor(b|a)"),
    define_op<to_prim_dtype>(
        "aten::to.prim_dtype(Tensor(a) self, int? dtype=None, bool non_blocking=False, bool copy=False) -> "
        "Tensor(b|a)"),
    define_op<to_prim_other>(
        "aten::to.prim_other(Tensor(a) self, bool non_blocking=False, bool copy=False) -> Tensor(b|a)"),
    define_op<to_copy>(
        "aten::_to_copy(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
        "pin_memory=None, bool non_blocking=False, MemoryFormat? memory_format=None) -> Tensor"),
    define_op<type_as>("aten::type_as(Tensor self, Tensor other) -> Tensor"),
    define_op<itself>("aten::cpu(Tensor(a) self) -> Tensor(b|a)"),
    define_op<itself>("aten::detach_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<itself>("aten::lift_fresh(Tensor(a) self) -> Tensor(a)"),
    define_op<requires_grad>("aten::requires_grad_(Tensor(a!) self, bool requires_grad=True) -> Tensor(a!)"),
    define_op<clone>("aten::clone(Tensor self, *, MemoryFormat? memory_format=None) -> Tensor"),
    define_op<contiguous>("aten::contiguous(Tensor(a) self, *, MemoryFormat memory_format=0) -> Tensor(a)"),
    define_op<copy_>("aten::copy_(Tensor(a!) self, Tensor src, bool non_blocking=False) -> Tensor(a!)"),
    define_op<copy_tensor>("aten::copy_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)"),
    define_op<copy_int>("aten::copy_.int(Tensor(a!) self, int other) -> Tensor(a!)"),
    define_op<copy_float>("aten::copy_.float(Tensor(a!) self, float other) -> Tensor(a!)"),
    define_op<fill_into>("aten::fill_.Scalar(Tensor(a!) self, Scalar value) -> Tensor(a!)"),
    define_op<fill_into_tensor>("aten::fill_.Tensor(Tensor(a!) self, Tensor value) -> Tensor(a!)"),
    define_op<fill>("aten::fill.Scalar(Tensor self, Scalar value) -> Tensor"),
    define_op<fill_tensor>("aten::fill.Tensor(Tensor self, Tensor value) -> Tensor"),
    define_op<zero>("aten::zero_(Tensor(a!) self) -> Tensor(a!)"),
};

}  // namespace

std::span<const OpDefinition> cast_ops() { return kOps; }

}  // namespace threadwheel
