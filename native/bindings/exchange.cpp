// DLPack both ways: other libraries' tensors as ours, ours as theirs, of one memory.
#include <pybind11/stl.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bindings/bindings.h"
#include "bindings/dlpack.h"
#include "threadwheel/error.h"

namespace threadwheel::bindings {
namespace {

using dlpack::Managed;
using dlpack::TypeCode;
using dlpack::VersionedManaged;

TypeCode type_code(DType dtype) {
  switch (dtype_info(dtype).category) {
    case DTypeCategory::kBool: return TypeCode::kBool;
    case DTypeCategory::kInteger: return dtype == DType::kUInt8 ? TypeCode::kUInt : TypeCode::kInt;
    case DTypeCategory::kFloating: return dtype == DType::kBFloat16 ? TypeCode::kBfloat : TypeCode::kFloat;
    case DTypeCategory::kComplex: return TypeCode::kComplex;
    case DTypeCategory::kQuantized: break;
    case DTypeCategory::kNested:
      throw py::buffer_error("__dlpack__: the tensor is nested; pad it first with to_padded_tensor");
  }
  throw py::buffer_error(std::string("__dlpack__: DLPack has no ") + dtype_name(dtype) +
                         "; dequantize the tensor or pass its int_repr()");
}

std::optional<DType> dtype_of(dlpack::DataType type) {
  for (std::int64_t number = 0; number < 16; ++number) {
    const auto dtype = find_dtype(number);
    if (!dtype || dtype_info(*dtype).category == DTypeCategory::kQuantized) continue;
    if (type_code(*dtype) == type.code && dtype_size(*dtype) * 8 == type.bits && type.lanes == 1) return dtype;
  }
  return std::nullopt;
}

// --- ours to others ---------------------------------------------------------------------------------

// What an exported tensor needs to live: itself, and room for what DLPack points to.
template <class Form>
struct Export {
  Form form{};
  Tensor tensor;
  std::vector<std::int64_t> sizes, strides;

  explicit Export(const Tensor& exported)
      : tensor(exported), sizes(tensor.sizes().begin(), tensor.sizes().end()),
        strides(tensor.strides().begin(), tensor.strides().end()) {
    form.array.data = tensor.raw_data();
    form.array.device = {dlpack::DeviceType::kCpu, 0};
    form.array.ndim = static_cast<std::int32_t>(sizes.size());
    form.array.dtype = {type_code(tensor.dtype()), static_cast<std::uint8_t>(dtype_size(tensor.dtype()) * 8), 1};
    form.array.shape = sizes.data();
    form.array.strides = strides.data();
    form.context = this;
    form.deleter = [](Form* done) { delete static_cast<Export*>(done->context); };
  }
};

// A capsule that nobody has taken the tensor from frees it.
template <class Form>
py::object capsule_of(std::unique_ptr<Export<Form>> made) {
  PyObject* const capsule = PyCapsule_New(&made->form, Form::kName, [](PyObject* self) {
    if (PyCapsule_IsValid(self, Form::kName) == 0) return;
    auto* const form = static_cast<Form*>(PyCapsule_GetPointer(self, Form::kName));
    form->deleter(form);
  });
  if (capsule == nullptr) throw py::error_already_set();
  made.release();  // now the capsule's
  return py::reinterpret_steal<py::object>(capsule);
}

void check_export(const py::object& stream, const std::optional<std::pair<int, int>>& device) {
  if (!stream.is_none())
    throw Error(ErrorCode::kValue, "__dlpack__: stream is " + py::repr(stream).cast<std::string>() +
                                       "; a CPU has no streams, leave it out");
  if (device && *device != std::pair(static_cast<int>(dlpack::DeviceType::kCpu), 0))
    throw py::buffer_error("__dlpack__: dl_device is (" + std::to_string(device->first) + ", " +
                           std::to_string(device->second) + "); tensors are on the CPU, (1, 0)");
}

py::object to_dlpack(const Tensor& self, const py::object& stream,
                     const std::optional<std::pair<int, int>>& max_version,
                     const std::optional<std::pair<int, int>>& device, std::optional<bool> copy) {
  check_export(stream, device);
  Tensor exported = self;
  if (copy == true) {
    exported = Tensor::empty(self.sizes(), self.dtype());
    copy_elements(self, exported);
  }
  const bool writable = exported.storage()->writable();
  if (!max_version || max_version->first < 1) {
    if (!writable)
      throw py::buffer_error("__dlpack__: the tensor is read-only, which DLPack before 1.0 cannot say; "
                             "ask for max_version=(1, 0) or a copy");
    return capsule_of(std::make_unique<Export<Managed>>(exported));
  }
  auto made = std::make_unique<Export<VersionedManaged>>(exported);
  made->form.version = dlpack::kVersion;
  made->form.flags = (writable ? 0 : dlpack::kReadOnly) | (copy == true ? dlpack::kIsCopied : 0);
  return capsule_of(std::move(made));
}

// --- others' to ours --------------------------------------------------------------------------------

Dims strides_of(const dlpack::Array& array, const Dims& sizes) {
  if (array.strides == nullptr) return contiguous_strides(sizes);
  return Dims(std::span<const std::int64_t>(array.strides, sizes.size()));
}

// Throws what makes the array none of ours, before anything is taken.
DType checked_dtype(const dlpack::Array& array) {
  if (array.device.type != dlpack::DeviceType::kCpu)
    throw Error(ErrorCode::kUnsupported, "from_dlpack: the tensor is on a device of type " +
                                             std::to_string(static_cast<int>(array.device.type)) +
                                             "; supported is 1, the CPU");
  const auto dtype = dtype_of(array.dtype);
  if (!dtype)
    throw Error(ErrorCode::kUnsupported,
                "from_dlpack: the elements are of type code " + std::to_string(static_cast<int>(array.dtype.code)) +
                    " with " + std::to_string(array.dtype.bits) + " bits and " + std::to_string(array.dtype.lanes) +
                    " lanes; convert them to one of threadwheel's dtypes");
  const auto address = reinterpret_cast<std::uintptr_t>(array.data) + array.byte_offset;
  if (address % std::min<std::size_t>(dtype_size(*dtype), 8) != 0)
    throw Error(ErrorCode::kUnsupported, "from_dlpack: the tensor is not aligned for its dtype; pass a copy of it");
  return *dtype;
}

Tensor wrap(const dlpack::Array& array, DType dtype, bool writable, std::function<void()> release) {
  const Dims sizes(std::span<const std::int64_t>(array.shape, static_cast<std::size_t>(array.ndim)));
  const Dims strides = strides_of(array, sizes);
  std::int64_t first = 0, last = 0;  // the extent in elements, from where the array begins
  for (std::size_t i = 0; i < sizes.size(); ++i)
    (strides[i] < 0 ? first : last) += std::max<std::int64_t>(sizes[i] - 1, 0) * strides[i];
  const auto item_bytes = static_cast<std::int64_t>(dtype_size(dtype));
  auto* const begin = static_cast<std::byte*>(array.data) + array.byte_offset + first * item_bytes;
  const std::int64_t count = count_elements(sizes) == 0 ? 0 : last - first + 1;
  auto storage =
      Storage::wrap(begin, static_cast<std::size_t>(count * item_bytes), writable, std::move(release));
  return Tensor(std::move(storage), dtype, -first, sizes, strides);
}

template <class Form>
Tensor take(PyObject* capsule, Form* form, bool writable) {
  const DType dtype = checked_dtype(form->array);
  Tensor tensor = wrap(form->array, dtype, writable, [form] {
    if (form->deleter != nullptr) form->deleter(form);
  });
  if (PyCapsule_SetName(capsule, Form::kUsedName) != 0) throw py::error_already_set();
  return tensor;
}

Tensor take(const py::object& given) {
  PyObject* const capsule = given.ptr();
  if (PyCapsule_IsValid(capsule, VersionedManaged::kName) != 0) {
    auto* const form = static_cast<VersionedManaged*>(PyCapsule_GetPointer(capsule, VersionedManaged::kName));
    if (form->version.major != dlpack::kVersion.major)
      throw py::buffer_error("from_dlpack: the tensor is of DLPack " + std::to_string(form->version.major) + "." +
                             std::to_string(form->version.minor) + "; supported is 1");
    return take(capsule, form, (form->flags & dlpack::kReadOnly) == 0);
  }
  if (PyCapsule_IsValid(capsule, Managed::kName) != 0)
    return take(capsule, static_cast<Managed*>(PyCapsule_GetPointer(capsule, Managed::kName)), true);
  throw Error(ErrorCode::kValue, "from_dlpack: the capsule holds no tensor that could be taken; each is taken once");
}

// Libraries from before 1.0 know no max_version.
py::object exported_by(const py::object& source, const py::object& copy) {
  using namespace py::literals;
  py::dict arguments("max_version"_a = py::make_tuple(dlpack::kVersion.major, dlpack::kVersion.minor));
  if (!copy.is_none()) arguments["copy"] = copy;
  try {
    return source.attr("__dlpack__")(**arguments);
  } catch (py::error_already_set& error) {
    if (!error.matches(PyExc_TypeError) || !copy.is_none()) throw;
  }
  return source.attr("__dlpack__")();
}

Tensor from_dlpack(const py::object& source, const py::object& copy) {
  if (PyCapsule_CheckExact(source.ptr())) return take(source);
  if (!py::hasattr(source, "__dlpack__") || !py::hasattr(source, "__dlpack_device__"))
    throw Error(ErrorCode::kType, "from_dlpack: the argument is a " + type_name(source) +
                                      "; expected an object with __dlpack__ and __dlpack_device__, or a capsule");
  const auto device = source.attr("__dlpack_device__")().cast<std::pair<int, int>>();
  if (device.first != static_cast<int>(dlpack::DeviceType::kCpu))
    throw Error(ErrorCode::kUnsupported, "from_dlpack: the tensor is on a device of type " +
                                             std::to_string(device.first) + "; supported is 1, the CPU");
  return take(exported_by(source, copy));
}

}  // namespace

void bind_exchange(py::module_& module) {
  using namespace py::literals;
  module.def("from_dlpack", &from_dlpack, "source"_a, py::kw_only(), "copy"_a = py::none(),
             "Return a tensor of the same memory as another library's, on the CPU. It lives as long as the tensor.\n"
             "`copy` is handed on to its owner. Raises NotImplementedError for other devices and dtypes.");
  py::class_<Tensor> type = py::reinterpret_borrow<py::class_<Tensor>>(module.attr("Tensor"));
  type.def("__dlpack__", &to_dlpack, py::kw_only(), "stream"_a = py::none(), "max_version"_a = py::none(),
           "dl_device"_a = py::none(), "copy"_a = py::none(), "Return a DLPack capsule of the same memory.")
      .def("__dlpack_device__",
           [](const Tensor&) { return py::make_tuple(static_cast<int>(dlpack::DeviceType::kCpu), 0); });
}

}  // namespace threadwheel::bindings
