// Tensors from numbers, nested lists and arrays; and from what pickle kept of one.
#include "bindings/construct.h"

#include <pybind11/stl.h>

#include <cstring>
#include <string>
#include <vector>

#include "bindings/values.h"
#include "ops/shared/moves.h"
#include "ops/shared/numbers.h"
#include "ops/shared/options.h"
#include "tensor/convert.h"
#include "threadwheel/error.h"

namespace threadwheel::bindings {
namespace {

// More than any tensor has; a list that holds itself has no end.
constexpr std::size_t kDeepest = 64;

// Lists and tuples as lists, arrays and tensors as they are. numpy's scalars keep their dtype, as tensors.
Value plain_data(const char* where, py::handle data, IntList& place) {
  if (PyList_Check(data.ptr()) || PyTuple_Check(data.ptr())) {
    if (place.size() == kDeepest)
      throw Error(ErrorCode::kValue, std::string(where) + ": the data has more than " + std::to_string(kDeepest) +
                                         " lists in each other; expected fewer dimensions");
    std::vector<Value> elements;
    place.push_back(0);
    for (const py::object each : py::reinterpret_borrow<py::sequence>(data)) {
      elements.push_back(plain_data(where, each, place));
      ++place.back();
    }
    place.pop_back();
    return Value::list(std::move(elements));
  }
  if (auto tensor = to_tensor(data, true)) return *std::move(tensor);
  const Converted number = to_value(*Type::of(TypeKind::kNumber), data);
  if (const Value* const value = std::get_if<Value>(&number)) return *value;
  throw Error(ErrorCode::kType, std::string(where) + ": " + place_name(place) + " is a " + type_name(data) +
                                    "; expected numbers, or lists of them");
}

std::optional<DType> read_dtype_argument(const char* where, py::handle dtype) {
  if (dtype.is_none()) return std::nullopt;
  if (const auto known = to_dtype(dtype)) return known;
  throw Error(ErrorCode::kType, std::string(where) + ": argument 'dtype' must be a dtype, not " + type_name(dtype));
}

void check_device_argument(const char* where, py::handle device) {
  const Converted converted = to_value(*Type::optional(Type::of(TypeKind::kDevice)), device);
  if (const auto* problem = std::get_if<std::string>(&converted))
    throw Error(ErrorCode::kType, std::string(where) + ": argument 'device' " + *problem);
  check_device(where, std::get<Value>(converted));
}

void refuse_gradients(const char* where, bool requires_grad) {
  if (requires_grad)
    throw Error(ErrorCode::kUnsupported, std::string(where) + ": requires_grad is True; there are no gradients here");
}

Tensor tensor(py::handle data, py::handle dtype, py::handle device, bool requires_grad) {
  check_device_argument("tensor", device);
  refuse_gradients("tensor", requires_grad);
  return construct("tensor", data, read_dtype_argument("tensor", dtype));
}

py::object as_tensor(const py::object& data, py::handle dtype, py::handle device) {
  check_device_argument("as_tensor", device);
  const auto wanted = read_dtype_argument("as_tensor", dtype);
  const auto given = to_tensor(data, true);
  if (!given) return py::cast(construct("as_tensor", data, wanted));
  if (py::isinstance<Tensor>(data) && (!wanted || *wanted == given->dtype())) return data;
  return py::cast(convert(*given, wanted.value_or(given->dtype()), "as_tensor"));
}

Tensor from_numpy(py::handle array) {
  if (auto tensor = to_tensor(array, true)) return *std::move(tensor);
  throw Error(ErrorCode::kType,
              "from_numpy: the argument is a " + type_name(array) + "; expected a numpy array or another buffer");
}

// --- pickle: the dtype's name, the sizes, and the elements as bytes --------------------------------

Tensor as_bytes(const Tensor& tensor) {
  if (tensor.quantizer())
    throw Error(ErrorCode::kUnsupported, std::string("pickle: unsupported dtype ") + dtype_name(tensor.dtype()) +
                                             "; dequantize the tensor first");
  const Tensor x = tensor.contiguous();
  const auto count = static_cast<std::int64_t>(x.size_bytes());
  return Tensor(x.storage(), DType::kUInt8, x.offset() * static_cast<std::int64_t>(dtype_size(x.dtype())), Dims{count},
                Dims{1});
}

// From protocol 5 on, the bytes may travel beside the pickle.
py::tuple reduce(const Tensor& self, int protocol) {
  py::tuple sizes(self.sizes().size());
  for (std::size_t i = 0; i < self.sizes().size(); ++i) sizes[i] = self.size(i);
  const Tensor bytes = as_bytes(self);
  const py::object content =
      protocol >= 5 ? py::object(py::module_::import("pickle").attr("PickleBuffer")(py::cast(bytes)))
                    : py::object(py::bytes(bytes.data<const char>(), bytes.size_bytes()));
  return py::make_tuple(py::module_::import("threadwheel._core").attr("restore_tensor"),
                        py::make_tuple(dtype_name(self.dtype()), sizes, content));
}

// The elements stay where they are, unless that may not be written.
Tensor restore(const std::string& dtype_name, const std::vector<std::int64_t>& sizes, const py::buffer& content) {
  const auto dtype = find_dtype(dtype_name);
  const auto bytes = to_tensor(py::memoryview(content), false);
  if (!dtype || !bytes || bytes->dtype() != DType::kUInt8 || !bytes->is_contiguous() ||
      bytes->numel() != count_elements(sizes) * static_cast<std::int64_t>(dtype_size(*dtype)))
    throw Error(ErrorCode::kValue, "pickle: the parts of a tensor do not belong together; it is damaged");
  const bool in_place = bytes->storage()->writable() &&
                        reinterpret_cast<std::uintptr_t>(bytes->raw_data()) % dtype_size(*dtype) == 0;
  if (in_place) return Tensor(bytes->storage(), *dtype, 0, Dims(sizes), contiguous_strides(sizes));
  Tensor out = Tensor::empty(sizes, *dtype);
  std::memcpy(out.raw_data(), bytes->raw_data(), out.size_bytes());
  return out;
}

}  // namespace

Tensor construct(const char* where, py::handle data, std::optional<DType> dtype) {
  const auto given = to_tensor(data, true);
  if (!given) {
    IntList place;
    return tensor_of(where, plain_data(where, data, place), dtype);
  }
  const Tensor converted = convert(*given, dtype.value_or(given->dtype()), where);
  return converted.is(*given) ? copy_of(*given) : converted;
}

void bind_constructors(py::module_& module) {
  using namespace py::literals;
  module.def("tensor", &tensor, "data"_a, py::kw_only(), "dtype"_a = py::none(), "device"_a = py::none(),
             "requires_grad"_a = false,
             "Return a new tensor of numbers, lists of lists of numbers, an array or a tensor.\n\n"
             "Python's floats become float32, ints int64, bools bool and complex numbers complex64; arrays and\n"
             "tensors keep their dtype; an empty list is float32. Raises ValueError that names the element where lists\n"
             "differ in length or depth, TypeError for what is no number.");
  module.def("as_tensor", &as_tensor, "data"_a, "dtype"_a = py::none(), "device"_a = py::none(),
             "Return a tensor of the data: itself if it is one, of the same memory if it is an array, of the dtype\n"
             "where one is given.");
  module.def("from_numpy", &from_numpy, "array"_a,
             "Return a tensor of the same memory as a numpy array. The array lives as long as the tensor.");
  module.def("restore_tensor", &restore, "dtype"_a, "sizes"_a, "content"_a);
  py::class_<Tensor> type = py::reinterpret_borrow<py::class_<Tensor>>(module.attr("Tensor"));
  type.def("__reduce_ex__", &reduce, "protocol"_a)
      .def("__copy__", [](const Tensor& self) { return self.with_quantizer(self.quantizer()); })
      .def("__deepcopy__", [](const py::object& self, py::handle) { return self.attr("clone")(); });
}

}  // namespace threadwheel::bindings
