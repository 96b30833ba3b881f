// Tensor and DType in Python. Memory is shared with numpy both ways through the buffer protocol; numpy itself is
// imported only by those who ask for its arrays.
#include "bindings/bindings.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string_view>

#include "bindings/values.h"
#include "ops/layers/nested.h"
#include "ops/shared/numbers.h"
#include "ops/tensor_syntax.h"
#include "tensor/format.h"
#include "threadwheel/error.h"

namespace threadwheel::bindings {
namespace {

// struct's notation names C types, several of which are the same here: numpy's int64 is "l", its longlong "q".
std::optional<DType> dtype_of_format(std::string_view format, std::size_t item_bytes) {
  while (!format.empty() && (format[0] == '@' || format[0] == '=' || format[0] == '<')) format.remove_prefix(1);
  if (format == "l" || format == "n" || format == "q") format = item_bytes == 8 ? "l" : "i";
  for (std::int64_t number = 0; number < 16; ++number)
    if (const auto dtype = find_dtype(number)) {
      const DTypeInfo& info = dtype_info(*dtype);
      if (info.buffer_format != nullptr && format == info.buffer_format && info.size_bytes == item_bytes) return dtype;
    }
  return std::nullopt;
}

// A view of somebody's memory, released under the interpreter's lock wherever the last reference goes.
class Buffer {
 public:
  explicit Buffer(py::handle object) {
    if (PyObject_GetBuffer(object.ptr(), &view_, PyBUF_RECORDS_RO) != 0) throw py::error_already_set();
  }
  ~Buffer() {
    if (Py_IsInitialized() == 0) return;  // after the interpreter's end its memory is nobody's
    const Locked locked;
    or_sleep([this] { PyBuffer_Release(&view_); });
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  const Py_buffer& view() const noexcept { return view_; }

 private:
  Py_buffer view_{};
};

[[noreturn]] void refuse_buffer(py::handle object, const std::string& what) {
  throw Error(ErrorCode::kUnsupported, "from_numpy: the " + type_name(object) + " " + what);
}

Tensor wrap_buffer(py::handle object) {
  const auto buffer = std::make_shared<Buffer>(object);
  const Py_buffer& view = buffer->view();
  const std::string_view format = view.format != nullptr ? view.format : "B";
  const auto dtype = dtype_of_format(format, static_cast<std::size_t>(view.itemsize));
  if (!dtype)
    refuse_buffer(object, "has elements of format '" + std::string(format) +
                              "'; convert it to one of threadwheel's dtypes, in this machine's byte order");
  const auto rank = static_cast<std::size_t>(view.ndim);
  Dims sizes(rank), strides(rank);
  for (std::size_t i = 0; i < rank; ++i) {
    sizes[i] = view.shape[i];
    if (view.strides[i] % view.itemsize != 0)
      refuse_buffer(object, "has a stride of " + std::to_string(view.strides[i]) + " bytes for elements of " +
                                std::to_string(view.itemsize) + "; pass a copy of it");
    strides[i] = view.strides[i] / view.itemsize;
  }
  const std::size_t alignment = std::min<std::size_t>(dtype_size(*dtype), 8);
  if (reinterpret_cast<std::uintptr_t>(view.buf) % alignment != 0)
    refuse_buffer(object, "is not aligned for its dtype; pass a copy of it");
  auto storage = Storage::wrap(view.buf, static_cast<std::size_t>(view.len), view.readonly == 0, [buffer] {});
  return Tensor(std::move(storage), *dtype, 0, std::move(sizes), std::move(strides));
}

py::tuple to_tuple(const Dims& values, std::int64_t factor = 1) {
  py::tuple result(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) result[i] = values[i] * factor;
  return result;
}

void check_numpy(const Tensor& tensor) {
  const DTypeInfo& info = dtype_info(tensor.dtype());
  if (info.buffer_format == nullptr)
    throw Error(ErrorCode::kUnsupported, std::string("tensor: ") + info.name +
                                             " does not exist in the buffer protocol or in numpy; convert it first");
}

py::buffer_info export_buffer(const Tensor& tensor) {
  check_numpy(tensor);
  const DTypeInfo& info = dtype_info(tensor.dtype());
  const auto item_bytes = static_cast<std::int64_t>(info.size_bytes);
  std::vector<py::ssize_t> shape(tensor.sizes().begin(), tensor.sizes().end()), strides;
  for (const std::int64_t stride : tensor.strides()) strides.push_back(stride * item_bytes);
  return py::buffer_info(tensor.raw_data(), item_bytes, info.buffer_format, static_cast<py::ssize_t>(tensor.dim()),
                         std::move(shape), std::move(strides), !tensor.storage()->writable());
}

py::object to_numpy(const py::object& tensor) {
  check_numpy(tensor.cast<const Tensor&>());
  return py::module_::import("numpy").attr("asarray")(py::memoryview(tensor));
}

py::object to_array(const py::object& tensor, const py::object& dtype, const py::object& copy) {
  py::object array = to_numpy(tensor);
  if (!dtype.is_none() && !py::object(array.attr("dtype")).equal(dtype)) {
    if (!copy.is_none() && !copy.cast<bool>())
      throw py::value_error("__array__: a copy is needed to change the dtype; allow it");
    return array.attr("astype")(dtype);
  }
  return !copy.is_none() && copy.cast<bool>() ? py::object(array.attr("copy")()) : array;
}

// Tensors as arrays, also those in lists, tuples and dicts.
py::object with_arrays(const py::object& object) {
  if (py::isinstance<Tensor>(object)) return to_numpy(object);
  if (PyDict_Check(object.ptr())) {
    py::dict converted;
    for (const auto& [key, value] : py::reinterpret_borrow<py::dict>(object))
      converted[key] = with_arrays(py::reinterpret_borrow<py::object>(value));
    return converted;
  }
  if (!PyList_Check(object.ptr()) && !PyTuple_Check(object.ptr())) return object;
  py::list converted;
  for (const py::object each : py::reinterpret_borrow<py::sequence>(object)) converted.append(with_arrays(each));
  return PyTuple_Check(object.ptr()) ? py::object(py::tuple(converted)) : py::object(converted);
}

// numpy's functions would call the tensor's methods, which have other arguments and results. They get arrays.
py::object call_with_arrays(const py::object& /*self*/, const py::object& function, const py::object& /*types*/,
                            const py::tuple& args, const py::dict& kwargs) {
  return function(*py::tuple(with_arrays(args)), **py::dict(with_arrays(kwargs)));
}

std::size_t named_dim(const char* method, const Tensor& self, std::int64_t dim) {
  if (self.dim() == 0) throw Error(ErrorCode::kIndex, std::string(method) + ": the tensor has no dimensions");
  return wrap_dim(method, dim, self.dim());
}

void bind_dtype(py::module_& module) {
  py::class_<DType> type(module, "DType", "The type of a tensor's elements.");
  type.attr("__module__") = "threadwheel";
  type.def_property_readonly("name", [](DType self) { return dtype_name(self); })
      .def_property_readonly("itemsize", [](DType self) { return dtype_size(self); }, "Size of an element in bytes.")
      .def("__eq__", [](DType self, const py::object& other) {
        return py::isinstance<DType>(other) && other.cast<DType>() == self;
      })
      .def("__hash__", [](DType self) { return static_cast<int>(self); })
      .def("__repr__", [](DType self) { return std::string("threadwheel.") + dtype_name(self); });
  py::dict dtypes;
  for (std::int64_t number = 0; number < 16; ++number)
    if (const auto dtype = find_dtype(number)) dtypes[dtype_name(*dtype)] = *dtype;
  module.attr("dtypes") = dtypes;
  py::dict aliases;
  for (const DTypeAlias& alias : dtype_aliases()) aliases[alias.name] = alias.dtype;
  module.attr("dtype_aliases") = aliases;
}

}  // namespace

bool is_numpy_scalar(py::handle object) {
  // Without numpy in the process there is no such object, and asking must not import it.
  const auto numpy = py::reinterpret_steal<py::object>(PyImport_GetModule(py::str("numpy").ptr()));
  return numpy && py::isinstance(object, numpy.attr("generic"));
}

std::optional<Tensor> to_tensor(py::handle object, bool from_scalars) {
  if (py::isinstance<Tensor>(object)) return object.cast<Tensor>();
  // bytes have a buffer too, but nobody means them as numbers.
  if (PyBytes_Check(object.ptr()) || PyObject_CheckBuffer(object.ptr()) == 0) return std::nullopt;
  if (!from_scalars && is_numpy_scalar(object)) return std::nullopt;
  return wrap_buffer(object);
}

std::optional<DType> to_dtype(py::handle object) {
  if (py::isinstance<DType>(object)) return object.cast<DType>();
  py::object name = py::reinterpret_borrow<py::object>(object);
  if (py::isinstance<py::type>(object)) {
    name = object.attr("__name__");  // numpy.float32
  } else if (py::hasattr(object, "name")) {
    name = object.attr("name");  // numpy.dtype("float32")
  }
  return py::isinstance<py::str>(name) ? find_dtype(name.cast<std::string>()) : std::nullopt;
}

void bind_tensor(py::module_& module) {
  bind_dtype(module);
  using namespace py::literals;
  py::class_<Tensor> type(module, "Tensor", py::buffer_protocol(),
                          "A strided view of memory, its own or numpy's. Ops take it and numpy arrays, and return it.\n\n"
                          "Ops are its methods and operators. Numbers and arrays may stand on either side of one: the\n"
                          "result is a Tensor, and a number takes part in promotion by its kind alone.");
  type.attr("__module__") = "threadwheel";
  type.def_buffer(&export_buffer)
      .def_property_readonly("shape", [](const Tensor& self) { return to_tuple(nested::even("shape", self).sizes()); })
      .def_property_readonly("dtype", &Tensor::dtype)
      .def_property_readonly(
          "strides",
          [](const Tensor& self) {
            return to_tuple(self.strides(), static_cast<std::int64_t>(dtype_size(self.dtype())));
          },
          "Steps between neighbours in bytes, as numpy counts.")
      .def_property_readonly("ndim", &Tensor::dim)
      .def("dim", &Tensor::dim)
      .def("size", [](const Tensor& self) { return to_tuple(nested::even("size", self).sizes()); })
      .def("size", [](const Tensor& self, std::int64_t dim) { return nested::even("size", self).size(named_dim("size", self, dim)); },
           "dim"_a)
      .def("stride", [](const Tensor& self) { return to_tuple(self.strides()); },
           "Steps between neighbours in elements, as torch counts.")
      .def("stride",
           [](const Tensor& self, std::int64_t dim) { return self.stride(named_dim("stride", self, dim)); },
           "dim"_a)
      .def("data_ptr", [](const Tensor& self) { return reinterpret_cast<std::uintptr_t>(self.raw_data()); },
           "Return the address of the first element.")
      .def("numpy", &to_numpy, "Return a numpy array of the same memory.")
      .def("__array__", &to_array, "dtype"_a = py::none(), "copy"_a = py::none())
      .def("__array_function__", &call_with_arrays, "Call a function of numpy with arrays of the same memory.")
      .def("tolist", [](const Tensor& self) { return to_python(nested_list(self)); },
           "Return the elements as Python's numbers, in lists of lists; without dimensions the number alone.")
      .def("__len__", [](const Tensor& self) {
        if (self.dim() == 0) throw py::type_error("len() of a tensor without dimensions");
        return self.size(0);
      })
      .def("__repr__", &format_tensor);
  module.def("format_options", [] {
    const FormatOptions options = format_options();
    return py::make_tuple(options.precision, options.threshold, options.edgeitems, options.linewidth, options.sci_mode);
  });
  module.def("set_format_options", [](std::int64_t precision, std::int64_t threshold, std::int64_t edgeitems,
                                      std::int64_t linewidth, std::optional<bool> sci_mode) {
    set_format_options({precision, threshold, edgeitems, linewidth, sci_mode});
  });
}

}  // namespace threadwheel::bindings
