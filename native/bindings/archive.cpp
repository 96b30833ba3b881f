// threadwheel._core.read_archive: what an archive holds, as Python objects. For tests and for people who look into
// files; running models has no use for it.
#include "bindings/archive.h"

#include <pybind11/stl.h>

#include <complex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "archive/unpickler.h"
#include "bindings/bindings.h"
#include "threadwheel/error.h"

namespace threadwheel::bindings {
namespace {

using archive::Archive;
using archive::Node;
using archive::NodePtr;

// Any bytes may be in a string of an archive.
py::str to_text(const std::string& text) {
  PyObject* const result = PyUnicode_DecodeUTF8(text.data(), static_cast<py::ssize_t>(text.size()), "surrogateescape");
  if (result == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::str>(result);
}

std::string from_text(const py::str& text) {
  const auto bytes =
      py::reinterpret_steal<py::bytes>(PyUnicode_AsEncodedString(text.ptr(), "utf-8", "surrogateescape"));
  if (!bytes) throw py::error_already_set();
  return bytes;
}

py::object to_tag(const archive::SharedText& tag) {
  return tag == nullptr ? py::object(py::none()) : py::object(to_text(*tag));
}

// Plain values are Python's own. All else is a tuple that begins with its kind: ("object", type, state),
// ("tuple", item...), ("list", tag, items) and ("dict", tag, items) where the archive gives a type tag, ("enum", type,
// value), ("device", name), ("quantized", values, scale, zero point) or ("quantized", values, scales, zero points,
// axis).
class Converter {
 public:
  py::object convert(const NodePtr& node) {
    if (const auto found = shared_.find(node.get()); found != shared_.end()) return found->second;
    py::object result = std::visit([this](const auto& value) { return py::object((*this)(value)); }, node->value);
    if (node->shared) shared_.emplace(node.get(), result);
    return result;
  }

  py::object operator()(archive::None) { return py::none(); }
  py::object operator()(bool value) { return py::bool_(value); }
  py::object operator()(std::int64_t value) { return py::int_(value); }
  py::object operator()(double value) { return py::float_(value); }
  py::object operator()(std::complex<double> value) {
    return py::reinterpret_steal<py::object>(PyComplex_FromDoubles(value.real(), value.imag()));
  }
  py::object operator()(const std::string& value) { return to_text(value); }
  py::object operator()(const Tensor& value) { return py::cast(value); }
  py::object operator()(const archive::Device& value) { return py::make_tuple("device", to_text(value.name)); }

  py::object operator()(const archive::QuantizedTensor& value) {
    if (const auto* const one = std::get_if<archive::QuantizedTensor::PerTensor>(&value.parameters))
      return py::make_tuple("quantized", value.values, one->scale, one->zero_point);
    const auto& each = std::get<archive::QuantizedTensor::PerChannel>(value.parameters);
    return py::make_tuple("quantized", value.values, each.scales, each.zero_points, each.axis);
  }

  py::object operator()(const archive::List& value) {
    py::list items;
    for (const NodePtr& item : value.items) items.append(convert(item));
    return value.type_tag == nullptr ? py::object(items) : py::make_tuple("list", to_tag(value.type_tag), items);
  }

  py::object operator()(const archive::Tuple& value) {
    py::tuple result(value.items.size() + 1);
    result[0] = "tuple";
    for (std::size_t i = 0; i < value.items.size(); ++i) result[i + 1] = convert(value.items[i]);
    return result;
  }

  py::object operator()(const archive::Dict& value) {
    py::dict items;
    for (const auto& [key, item] : value.items) items[convert(key)] = convert(item);
    return value.type_tag == nullptr ? py::object(items) : py::make_tuple("dict", to_tag(value.type_tag), items);
  }

  py::object operator()(const archive::Object& value) {
    return py::make_tuple("object", to_text(*value.type_name),
                          value.state == nullptr ? py::none() : convert(value.state));
  }

  py::object operator()(const archive::Enum& value) {
    return py::make_tuple("enum", to_text(*value.type_name), convert(value.value));
  }

 private:
  std::unordered_map<const Node*, py::object> shared_;
};

py::dict read_model(Archive& archive, const std::string& model) {
  py::dict result;
  for (const char* const pickle : {"data", "constants"})
    result[pickle] = Converter().convert(archive::unpickle(archive, pickle, model));
  return result;
}

py::dict read_archive(py::handle source) {
  Archive archive = open_archive(source);
  py::dict models, extra_files;
  for (const std::string& model : archive.models()) models[to_text(model)] = read_model(archive, model);
  for (const std::string& name : archive.extra_files())
    extra_files[to_text(name)] = py::bytes(archive.read_text("extra/" + name));
  py::list records;
  for (const std::string& name : archive.records()) records.append(to_text(name));
  py::dict result;
  result["root"] = to_text(archive.root());
  result["version"] = archive.version();
  result["code_folder"] = archive.code_folder();
  result["records"] = records;
  result["extra_files"] = extra_files;
  result["models"] = models;
  result["traced_inputs"] = archive.has("traced_inputs.pkl")
                                ? Converter().convert(archive::unpickle_traced_inputs(archive))
                                : py::object(py::none());
  return result;
}

}  // namespace

Archive open_archive(py::handle source) {
  if (PyBytes_Check(source.ptr())) {
    const auto bytes = source.cast<std::string_view>();
    return Archive::from_bytes({reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()});
  }
  // What os.fsencode takes, so that any file name can be said.
  const auto path = py::module_::import("os").attr("fsencode")(source).cast<std::string>();
  const Unlocked unlocked;
  return Archive::open(path);
}

void bind_archive(py::module_& module) {
  using namespace py::literals;
  module.def("read_archive", &read_archive, "source"_a);
  module.def(
      "read_record",
      [](py::handle source, const py::str& name, const std::optional<py::bytes>& missing) {
        const Archive archive = open_archive(source);
        const std::string record = from_text(name);
        return missing && !archive.has(record) ? *missing : py::bytes(archive.read_text(record));
      },
      "source"_a, "name"_a, "missing"_a = py::none());
}

}  // namespace threadwheel::bindings
