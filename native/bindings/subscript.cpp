// x[i, ..., None, ::2, mask] and its assignment, as torch has them. Ints, slices, None and '...' are taken one
// dimension after the other and give views; tensors, arrays and lists of positions, and masks, are left to one
// aten::index. Programs get the same ops from script/lower_subscript.cpp.
#include <string>
#include <string_view>
#include <vector>

#include "bindings/bindings.h"
#include "bindings/construct.h"
#include "bindings/values.h"
#include "ops/registry.h"
#include "ops/shared/elementwise.h"
#include "ops/shared/options.h"
#include "ops/shared/views.h"
#include "threadwheel/error.h"

namespace threadwheel::bindings {
namespace {

bool is_mask(const Tensor& tensor) { return tensor.dtype() == DType::kBool || tensor.dtype() == DType::kUInt8; }

[[noreturn]] void refuse(ErrorCode code, const std::string& problem) { throw Error(code, "index: " + problem); }

// One part of an index.
struct Part {
  enum class Kind { kInt, kSlice, kNone, kEllipsis, kTensor } kind;
  std::int64_t start = 0, end = 0, step = 1;  // of a slice; the position of an int
  Tensor tensor;

  // How many dimensions of the indexed tensor it stands for.
  std::int64_t num_dims() const {
    if (kind == Kind::kNone || kind == Kind::kEllipsis) return 0;
    return kind == Kind::kTensor && is_mask(tensor) ? tensor.dim() : 1;
  }
};

Part slice_part(py::handle object) {
  Py_ssize_t start = 0, end = 0, step = 0;
  if (PySlice_Unpack(object.ptr(), &start, &end, &step) != 0) throw py::error_already_set();
  if (step < 0)
    refuse(ErrorCode::kValue, "the step of a slice is " + std::to_string(step) + "; it must be 1 or more, use flip()");
  return {Part::Kind::kSlice, start, end, step, {}};
}

// Positions, or a mask. An integer without dimensions is as good as an int, and gives a view too.
Part tensor_part(const Tensor& tensor) {
  if (!is_integral(tensor.dtype()))
    refuse(ErrorCode::kIndex, std::string("a tensor in an index is ") + dtype_name(tensor.dtype()) +
                                  "; expected integers or bools");
  if (tensor.dim() > 0 || is_mask(tensor)) return {Part::Kind::kTensor, 0, 0, 1, tensor};
  return {Part::Kind::kInt, *convert(tensor, DType::kInt64, "index").data<const std::int64_t>(), 0, 1, {}};
}

Part list_part(py::handle object) {
  Tensor tensor = construct("index", object, std::nullopt);
  if (tensor.numel() == 0) tensor = convert(tensor, DType::kInt64, "index");  // [] says no dtype
  return tensor_part(tensor);
}

Part part_of(py::handle object) {
  if (object.is_none()) return {Part::Kind::kNone, 0, 0, 1, {}};
  if (object.ptr() == Py_Ellipsis) return {Part::Kind::kEllipsis, 0, 0, 1, {}};
  if (PySlice_Check(object.ptr())) return slice_part(object);
  if (PyBool_Check(object.ptr())) return tensor_part(scalar_tensor(object.ptr() == Py_True, DType::kBool));
  if (const auto tensor = to_tensor(object, true)) return tensor_part(*tensor);
  if (PyList_Check(object.ptr()) || PyTuple_Check(object.ptr())) return list_part(object);
  const Converted position = to_value(*Type::of(TypeKind::kInt), object);
  if (const Value* const value = std::get_if<Value>(&position))
    return {Part::Kind::kInt, value->to_int(), 0, 1, {}};
  refuse(ErrorCode::kType, "a part of it is a " + type_name(object) +
                               "; expected ints, slices, None, '...', tensors, arrays or lists");
}

std::vector<Part> parts_of(py::handle index) {
  std::vector<Part> parts;
  if (!PyTuple_Check(index.ptr())) return {part_of(index)};
  for (const py::handle each : py::reinterpret_borrow<py::tuple>(index)) parts.push_back(part_of(each));
  return parts;
}

// The view that the basic parts give, and for aten::index one entry per dimension of it, None where it is not indexed.
struct Selection {
  Tensor view;
  std::vector<Value> indices;
  bool is_view = true;
};

Selection select(const Tensor& self, py::handle index) {
  const std::vector<Part> parts = parts_of(index);
  std::int64_t num_dims = 0, num_ellipses = 0;
  for (const Part& part : parts) {
    num_dims += part.num_dims();
    num_ellipses += part.kind == Part::Kind::kEllipsis;
  }
  if (num_dims > self.dim() || num_ellipses > 1)
    refuse(ErrorCode::kIndex, num_ellipses > 1 ? "there is more than one '...' in it; expected one at most"
                                               : "it stands for " + std::to_string(num_dims) +
                                                     " dimensions of a tensor that has " + std::to_string(self.dim()));
  Selection selected{self, {}};
  std::int64_t dim = 0;
  const auto keep = [&](std::int64_t count) {
    dim += count;
    selected.indices.resize(selected.indices.size() + static_cast<std::size_t>(count));
  };
  for (const Part& part : parts) switch (part.kind) {
      case Part::Kind::kEllipsis: keep(self.dim() - num_dims); break;
      case Part::Kind::kInt: selected.view = views::select(selected.view, dim, part.start); break;
      case Part::Kind::kNone:
        selected.view = views::unsqueeze(selected.view, dim);
        keep(1);
        break;
      case Part::Kind::kSlice:
        selected.view = views::slice(selected.view, dim, part.start, part.end, part.step);
        keep(1);
        break;
      case Part::Kind::kTensor:
        selected.indices.emplace_back(part.tensor);
        selected.is_view = false;
        dim += part.num_dims();
        break;
    }
  return selected;
}

Value call(std::string_view schema, std::vector<Value> arguments) {
  const std::string_view name = schema.substr(0, schema.find_first_of(".("));
  for (const Op* op : Registry::instance().find(name))
    if (std::string_view(op->schema_text()).starts_with(schema)) return op->call(arguments);
  throw Error(ErrorCode::kRuntime, "index: there is no op " + std::string(schema));
}

Tensor get_item(const Tensor& self, py::handle index) {
  const Selection selected = select(self, index);
  if (selected.is_view) return selected.view.is(self) ? self.with_quantizer(self.quantizer()) : selected.view;
  const Unlocked unlocked;
  return call("aten::index.Tensor", {selected.view, Value::list(selected.indices)}).to_tensor();
}

// What is assigned, a number as a tensor of the dtype.
Tensor value_for(const Tensor& self, py::handle object) {
  if (auto tensor = to_tensor(object, false)) return *std::move(tensor);
  const Converted number = to_value(*Type::of(TypeKind::kNumber), object);
  if (std::holds_alternative<std::string>(number))
    throw Error(ErrorCode::kType, "assignment: the value is a " + type_name(object) +
                                      "; expected a number, a tensor or an array");
  const Scalar scalar = std::get<Value>(number).to_scalar();
  check_fits("assignment", scalar, self.dtype());
  return scalar_tensor(scalar, self.dtype());
}

void set_item(const Tensor& self, py::handle index, py::handle object) {
  const Selection selected = select(self, index);
  Tensor value = value_for(self, object);
  const Unlocked unlocked;
  while (value.dim() > 0 && value.size(0) == 1) value = views::select(value, 0, 0);  // as if they were not there
  if (!selected.is_view) {
    value = convert(value, self.dtype(), "assignment");
    call("aten::index_put_(", {selected.view, Value::list(selected.indices), value, false});
    return;
  }
  call("aten::copy_(", {selected.view, value, false});
}

}  // namespace

void bind_subscripts(py::module_& module) {
  py::class_<Tensor> type = py::reinterpret_borrow<py::class_<Tensor>>(module.attr("Tensor"));
  type.def("__getitem__", &get_item,
           "Return a view where the index has ints, slices, None and '...' only, otherwise a new tensor.")
      .def("__setitem__", &set_item, "Write a number, or a tensor or array that broadcasts, converted to the dtype.");
}

}  // namespace threadwheel::bindings
