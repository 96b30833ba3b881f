// threadwheel.device, of which there is one: "cpu".
#include <optional>
#include <string>

#include <pybind11/stl.h>

#include "bindings/bindings.h"
#include "ops/shared/options.h"

namespace threadwheel::bindings {
namespace {

Device make_device(const std::string& type, std::optional<std::int64_t> index) {
  check_device("device", Value::device(index ? type + ":" + std::to_string(*index) : type));
  return {"cpu"};
}

bool is_equal(const Device& self, const py::object& other) {
  if (py::isinstance<Device>(other)) return true;
  return py::isinstance<py::str>(other) && other.cast<std::string>() == self.name;
}

}  // namespace

void bind_device(py::module_& module) {
  py::class_<Device> type(module, "device", "Where tensors are: on the CPU. Raises NotImplementedError for others.");
  type.attr("__module__") = "threadwheel";
  type.def(py::init(&make_device), py::arg("type"), py::arg("index") = py::none())
      .def_property_readonly("type", [](const Device& self) { return self.name; })
      .def_property_readonly("index", [](const Device&) { return py::none(); })
      .def("__eq__", &is_equal, "Equal to its name, too.")
      .def("__hash__", [](const Device& self) { return py::hash(py::str(self.name)); })
      .def("__str__", [](const Device& self) { return self.name; })
      .def("__repr__", [](const Device& self) { return "device(type='" + self.name + "')"; });
}

}  // namespace threadwheel::bindings
