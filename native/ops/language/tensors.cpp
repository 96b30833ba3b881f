// Tensors and numbers: one made from the other, and what a program can ask a tensor or the runtime about.
#include <cmath>
#include <string>

#include "ops/compose.h"
#include "ops/families.h"
#include "ops/language/language.h"
#include "ops/layers/nested.h"
#include "ops/shared/checks.h"
#include "ops/shared/elementwise.h"
#include "ops/shared/numbers.h"
#include "ops/shared/options.h"
#include "ops/shared/views.h"

namespace threadwheel {
namespace {

using namespace language;  // NOLINT: the vocabulary of these tables

void check_one(const Tensor& self) {
  if (self.numel() != 1)
    fail_value("item", "the tensor has " + std::to_string(self.numel()) +
                           " elements; only one element can become a number");
}

// The only element as a number of its category.
Value item(const Tensor& self) {
  check_one(self);
  return nested_list(views::reshape(self, {}));
}

// What an annotation says of a list: how deep it is, and the category of its numbers. Both must be the tensor's, for
// the program counts on them.
Value annotated_list(const Tensor& data, Int dim, Int category) {
  if (dim != data.dim())
    throw Error(ErrorCode::kRuntime, "tolist: the tensor has " + std::to_string(data.dim()) +
                                         " dimensions and the annotation " + std::to_string(dim) +
                                         "; they must be the same");
  if (static_cast<DTypeCategory>(category) != dtype_info(data.dtype()).category)
    throw Error(ErrorCode::kRuntime, std::string("tolist: the elements are ") + dtype_name(data.dtype()) +
                                         ", which are not of the type of number in the annotation");
  return nested_list(data);
}

Int to_int(const Tensor& self) {
  const Value value = item(self);
  if (value.is_double() && !(std::abs(value.to_double()) < 9223372036854775808.0))
    throw Error(ErrorCode::kOverflow, "int: " + std::to_string(value.to_double()) + " does not fit in 64 bits");
  return value.to_scalar().to<Int>();
}
double to_float(const Tensor& self) { return item(self).to_scalar().to<double>(); }
bool to_bool(const Tensor& self) { return item(self).to_complex() != Complex(); }
Complex to_complex(const Tensor& self) { return item(self).to_complex(); }

// The silent conversions of traced programs: of a tensor without dimensions only, of the right category.
const Tensor& implicit(const Tensor& self, DTypeCategory most) {
  if (self.dim() != 0 || dtype_info(self.dtype()).category > most)
    fail_value("implicit", std::string("a ") + dtype_name(self.dtype()) + " tensor of sizes " +
                               to_string(self.sizes()) + " cannot become this number; convert it explicitly");
  return self;
}
Int int_implicit(const Tensor& self) { return to_int(implicit(self, DTypeCategory::kInteger)); }
double float_implicit(const Tensor& self) { return to_float(implicit(self, DTypeCategory::kFloating)); }
Complex complex_implicit(const Tensor& self) { return to_complex(implicit(self, DTypeCategory::kComplex)); }
Value scalar_implicit(const Tensor& self) { return item(implicit(self, DTypeCategory::kComplex)); }

Tensor number_to_tensor(Scalar number) {
  switch (number.category()) {
    case DTypeCategory::kBool: return scalar_tensor(number, DType::kBool);
    case DTypeCategory::kInteger: return scalar_tensor(number, DType::kInt64);
    case DTypeCategory::kFloating: return scalar_tensor(number, DType::kFloat64);
    default: return scalar_tensor(number, DType::kComplex128);
  }
}
Tensor bool_to_tensor(bool value) { return number_to_tensor(value); }

Int length(const Tensor& self) {
  if (self.dim() == 0) throw Error(ErrorCode::kType, "len() of a 0-d tensor");
  return self.size(0);
}
Value sizes(const Tensor& self) {
  nested::even("size", self);
  return IntList(self.sizes().begin(), self.sizes().end());
}
Value strides(const Tensor& self) { return IntList(self.strides().begin(), self.strides().end()); }

std::size_t named_dim(const char* op, const Tensor& self, Int dim) {
  check_rank_at_least(op, self, 1);
  return wrap_dim(op, dim, self.dim());
}
Int size(const Tensor& self, Int dim) { return nested::even("size", self).size(named_dim("size", self, dim)); }
Int stride(const Tensor& self, Int dim) { return self.stride(named_dim("stride", self, dim)); }
Int dim(const Tensor& self) { return self.dim(); }
Int numel(const Tensor& self) { return nested::even("numel", self).numel(); }
Int storage_offset(const Tensor& self) { return self.offset(); }
Int element_size(const Tensor& self) { return static_cast<Int>(dtype_size(self.dtype())); }
Int num_bytes(const Tensor& self) { return self.numel() * element_size(self); }
bool is_contiguous(const Tensor& self) { return self.is_contiguous(); }

bool is_contiguous_as(const Tensor& self, const Value& memory_format) {
  check_memory_format("is_contiguous", memory_format);
  return is_dense_in(self, memory_format.to_int());
}

// Of the same sizes and elements; NaN differs from itself.
bool equal(const Tensor& self, const Tensor& other) {
  if (self.sizes() != other.sizes()) return false;
  return to_bool(aten("all", {aten("eq.Tensor", {self, other})}));
}

bool allclose(const Tensor& self, const Tensor& other, double rtol, double atol, bool equal_nan) {
  return to_bool(aten("all", {aten("isclose", {self, other, rtol, atol, equal_nan})}));
}

// What autocast would use; it is never on here.
Int get_autocast_dtype(const std::string& device) {
  if (device != "cpu")
    throw Error(ErrorCode::kUnsupported, "get_autocast_dtype: device is '" + device + "'; supported is 'cpu'");
  return static_cast<Int>(DType::kBFloat16);
}
bool is_floating_point(const Tensor& self) { return is_floating(self.dtype()) || nested::is_nested(self); }
bool is_complex(const Tensor& self) { return dtype_info(self.dtype()).category == DTypeCategory::kComplex; }
bool is_quantized(const Tensor& self) { return dtype_info(self.dtype()).category == DTypeCategory::kQuantized; }
bool is_signed(const Tensor& self) { return self.dtype() != DType::kUInt8 && self.dtype() != DType::kBool; }
bool is_same_size(const Tensor& self, const Tensor& other) { return self.sizes() == other.sizes(); }
// How many dimensions more than one an index stands for: a mask for as many as it has.
Int mask_dims(const Tensor& index) {
  return index.dtype() == DType::kBool || index.dtype() == DType::kUInt8 ? index.dim() - 1 : 0;
}
Int dtype(const Tensor& self) {
  return static_cast<Int>(nested::is_nested(self) ? DType::kFloat32 : self.dtype());
}
Int layout(const Tensor&) { return 0; }  // strided: there is no other
Value device(const Tensor&) { return Value::device("cpu"); }

// What is never so here: other devices, gradients, sparse and lazy tensors.
bool no(const Tensor&) { return false; }
bool yes(const Tensor&) { return true; }
bool is_disabled() { return false; }
void set_grad_enabled(bool) {}  // nothing records gradients either way

Value make_device(const std::string& name) {
  if (name != "cpu" && name != "cpu:0")
    throw Error(ErrorCode::kUnsupported, "device: unsupported device '" + name + "'; there is 'cpu' only");
  return Value::device("cpu");
}
Value make_indexed_device(const std::string& name, Int index) {
  return make_device(name + ":" + std::to_string(index));
}
std::string device_type(const Value& self) { return self.to_string(); }
Value device_index(const Value&) { return {}; }

Int promote(DType a, DType b) { return static_cast<Int>(promote_types(a, b)); }
bool can_cast(DType from, DType to) { return dtype_info(from).category <= dtype_info(to).category; }

Value broadcast_shapes(std::span<const Int> a, std::span<const Int> b) {
  const Dims sizes = broadcast_sizes("broadcast_shapes", a, b);
  return IntList(sizes.begin(), sizes.end());
}

constexpr OpDefinition kOps[] = {
    define_op<item>("aten::item(Tensor self) -> Scalar"),
    define_op<to_int>("aten::Int.Tensor(Tensor a) -> int"),
    define_op<to_float>("aten::Float.Tensor(Tensor a) -> float"),
    define_op<to_bool>("aten::Bool.Tensor(Tensor a) -> bool"),
    define_op<to_bool>("aten::is_nonzero(Tensor self) -> bool"),
    define_op<int_implicit>("aten::IntImplicit(Tensor a) -> int"),
    define_op<float_implicit>("aten::FloatImplicit(Tensor a) -> float"),
    define_op<complex_implicit>("aten::ComplexImplicit(Tensor a) -> complex"),
    define_op<scalar_implicit>("aten::ScalarImplicit(Tensor a) -> Scalar"),
    define_op<number_to_tensor>("prim::NumToTensor.Scalar(Scalar a) -> Tensor"),
    define_op<bool_to_tensor>("prim::NumToTensor.bool(bool a) -> Tensor"),
    define_op<length>("aten::len.Tensor(Tensor t) -> int"),
    define_op<size>("aten::size.int(Tensor self, int dim) -> int"),
    define_op<sizes>("aten::size(Tensor self) -> int[]"),
    define_op<stride>("aten::stride.int(Tensor self, int dim) -> int"),
    define_op<strides>("aten::stride(Tensor self) -> int[]"),
    define_op<dim>("aten::dim(Tensor self) -> int"),
    define_op<numel>("aten::numel(Tensor self) -> int"),
    define_op<storage_offset>("aten::storage_offset(Tensor self) -> int"),
    define_op<element_size>("aten::element_size(Tensor self) -> int"),
    define_op<element_size>("prim::itemsize(Tensor a) -> int"),
    define_op<num_bytes>("prim::nbytes(Tensor a) -> int"),
    define_op<is_contiguous>("aten::is_contiguous(Tensor self) -> bool"),
    define_op<is_contiguous_as>(
        "aten::is_contiguous.memory_format(Tensor self, MemoryFormat memory_format) -> bool"),
    define_op<equal>("aten::equal(Tensor self, Tensor other) -> bool"),
    define_op<allclose>(
        "aten::allclose(Tensor self, Tensor other, float rtol=1e-05, float atol=1e-08, bool equal_nan=False) -> bool"),
    define_op<is_floating_point>("aten::is_floating_point(Tensor self) -> bool"),
    define_op<is_complex>("aten::is_complex(Tensor self) -> bool"),
    define_op<is_signed>("aten::is_signed(Tensor self) -> bool"),
    define_op<is_same_size>("aten::is_same_size(Tensor self, Tensor other) -> bool"),
    define_op<annotated_list>("prim::tolist(Tensor data, int dim, int category) -> Any"),
    define_op<mask_dims>("prim::mask_dims(Tensor index) -> int"),
    define_op<dtype>("prim::dtype(Tensor a) -> int"),
    define_op<layout>("prim::layout(Tensor a) -> Layout"),
    define_op<device>("prim::device(Tensor a) -> Device"),
    define_op<is_quantized>("prim::is_quantized(Tensor a) -> bool"),
    define_op<no>("prim::requires_grad(Tensor a) -> bool"),
    define_op<no>("prim::is_cuda(Tensor a) -> bool"),
    define_op<no>("prim::is_mkldnn(Tensor a) -> bool"),
    define_op<no>("prim::is_sparse(Tensor a) -> bool"),
    define_op<no>("prim::is_sparse_csr(Tensor a) -> bool"),
    define_op<no>("prim::is_meta(Tensor a) -> bool"),
    define_op<no>("prim::is_xla(Tensor a) -> bool"),
    define_op<no>("prim::is_xpu(Tensor a) -> bool"),
    define_op<no>("prim::is_mps(Tensor a) -> bool"),
    define_op<yes>("prim::is_cpu(Tensor a) -> bool"),
    define_op<no>("aten::is_neg(Tensor self) -> bool"),
    define_op<no>("aten::is_conj(Tensor self) -> bool"),
    define_op<yes>("aten::is_leaf(Tensor self) -> bool"),
    define_op<is_disabled>("aten::is_grad_enabled() -> bool"),
    define_op<is_disabled>("aten::is_autocast_enabled() -> bool"),
    define_op<is_disabled>("aten::is_autocast_cpu_enabled() -> bool"),
    define_op<get_autocast_dtype>("aten::get_autocast_dtype(str device_type) -> ScalarType"),
    define_op<is_disabled>("aten::_get_tracing_state() -> bool"),
    define_op<set_grad_enabled>("aten::set_grad_enabled(bool val) -> ()"),
    define_op<make_device>("aten::device(str a) -> Device"),
    define_op<make_indexed_device>("aten::device.with_index(str type, int index) -> Device"),
    define_op<device_type>("prim::type(Device self) -> str"),
    define_op<device_index>("prim::index(Device self) -> int?"),
    define_op<promote>("aten::promote_types(ScalarType type1, ScalarType type2) -> ScalarType"),
    define_op<can_cast>("aten::can_cast(ScalarType from_, ScalarType to) -> bool"),
    define_op<broadcast_shapes>("aten::broadcast_shapes(int[] a, int[] b) -> int[]"),
    define_op<broadcast_shapes>("aten::_infer_size(int[] a, int[] b) -> int[]"),
};

}  // namespace

std::span<const OpDefinition> language_tensor_ops() { return kOps; }

}  // namespace threadwheel
