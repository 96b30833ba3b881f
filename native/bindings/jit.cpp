// threadwheel.jit: loaded programs, their objects and methods.
#include "bindings/jit.h"

#include <set>
#include <vector>

#include "archive/archive.h"
#include "bindings/values.h"
#include "interpreter/execution.h"
#include "interpreter/module.h"
#include "interpreter/script_error.h"
#include "interpreter/survey.h"
#include "passes/freeze.h"
#include "threadwheel/error.h"

namespace threadwheel::bindings {
namespace {

using script::Unit;

// An object, enum member or future of a program, and the unit that its class is defined in.
struct ScriptObject {
  Value value;
  std::shared_ptr<Unit> unit;
  std::shared_ptr<const passes::Frozen> frozen;  // null: methods are the unit's

  const ClassDefinition& definition() const {
    if (value.is_object()) return *value.to_object().type->definition();
    return *value.to_enum().type->definition();
  }

  std::shared_ptr<ir::Function> find_method(const std::string& name) const {
    if (frozen == nullptr) return unit->find_method(definition(), name);
    const auto found = frozen->methods.find(name);
    return found == frozen->methods.end() ? nullptr : found->second;
  }
};

// A method with its object.
struct ScriptMethod {
  std::shared_ptr<ir::Function> function;
  ScriptObject self;
};

// The arguments of a call in the parameters' order. Throws Error(kType) that names the argument.
std::vector<Value> bind(const ScriptMethod& method, const py::args& args, const py::kwargs& kwargs) {
  const auto& parameters = method.function->parameters();
  const auto refuse = [&](const std::string& problem) {
    throw Error(ErrorCode::kType, method.function->name() + ": " + problem);
  };
  if (args.size() + 1 > parameters.size())
    refuse("takes " + std::to_string(parameters.size() - 1) + " arguments, got " + std::to_string(args.size()));
  std::vector<Value> values{method.self.value};
  std::size_t used = 0;
  for (std::size_t i = 1; i < parameters.size(); ++i) {
    const ir::Parameter& parameter = parameters[i];
    const bool named = kwargs.contains(parameter.name), positional = i <= args.size();
    used += named;
    if (named && positional) refuse("argument '" + parameter.name + "' is given twice");
    if (!named && !positional) {
      if (!parameter.default_value) refuse("argument '" + parameter.name + "' is missing");
      values.push_back(*parameter.default_value);
      continue;
    }
    const py::object given = positional ? py::object(args[i - 1]) : py::object(kwargs[parameter.name.c_str()]);
    Converted converted = to_value(*parameter.type, given, {0, true});
    if (const auto* problem = std::get_if<std::string>(&converted)) refuse("argument '" + parameter.name + "' " + *problem);
    values.push_back(std::get<Value>(std::move(converted)));
  }
  if (used < kwargs.size()) refuse("there is no such named argument");
  return values;
}

py::object call(const ScriptMethod& method, const py::args& args, const py::kwargs& kwargs) {
  std::vector<Value> values = bind(method, args, kwargs);
  Value result;
  {
    const py::gil_scoped_release unlocked;
    result = interpreter::run(method.function, std::move(values));
  }
  return to_python(result, method.function->result(), method.self.unit);
}

py::list sorted_list(const std::set<std::string>& names) {
  py::list list;
  for (const std::string& name : names) list.append(name);
  return list;
}

py::object get_attribute(const ScriptObject& self, const std::string& name) {
  const ClassDefinition& definition = self.definition();
  if (self.value.is_object()) {
    if (const std::int64_t slot = definition.find(name); slot >= 0) {
      const auto index = static_cast<std::size_t>(slot);
      return to_python(self.value.to_object().slots[index], definition.attributes[index].type, self.unit);
    }
    if (const auto constant = self.unit->find_constant(definition, name)) return to_python(constant->second, constant->first, self.unit);
    if (auto function = self.find_method(name)) return py::cast(ScriptMethod{std::move(function), self});
  } else if (name == "name" || name == "value") {
    return name == "name" ? py::str(self.value.to_enum().name) : to_python(self.value.to_enum().value);
  }
  throw py::attribute_error(definition.name + " has no attribute '" + name + "'");
}

void set_attribute(const ScriptObject& self, const std::string& name, py::handle object) {
  const ClassDefinition& definition = self.definition();
  if (self.frozen != nullptr)
    throw Error(ErrorCode::kValue, definition.name + " is frozen: '" + name +
                                       "' cannot be set; set it in the module and freeze that");
  const std::int64_t slot = definition.find(name);
  if (slot < 0 || !self.value.is_object()) throw py::attribute_error(definition.name + " has no attribute '" + name + "'");
  const auto index = static_cast<std::size_t>(slot);
  Converted converted = to_value(*definition.attributes[index].type, object);
  if (const auto* problem = std::get_if<std::string>(&converted))
    throw Error(ErrorCode::kType, definition.name + "." + name + " " + *problem);
  self.value.to_object().slots[index] = std::get<Value>(std::move(converted));
}

py::list names_of(const ScriptObject& self) {
  py::list names;
  for (const std::string& name : self.unit->method_names(self.definition())) names.append(name);
  for (const auto& attribute : self.definition().attributes) names.append(attribute.name);
  return names;
}

std::shared_ptr<archive::Archive> open_archive(py::handle file) {
  if (PyBytes_Check(file.ptr())) {
    const auto bytes = file.cast<std::string_view>();
    return std::make_shared<archive::Archive>(
        archive::Archive::from_bytes({reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()}));
  }
  const auto path = py::module_::import("os").attr("fspath")(file).cast<std::string>();
  const py::gil_scoped_release unlocked;
  return std::make_shared<archive::Archive>(archive::Archive::open(path));
}

ScriptObject load(py::handle file, const std::string& model) {
  const auto archive = open_archive(file);
  const py::gil_scoped_release unlocked;
  interpreter::Module module = interpreter::load(archive, model);
  return {module.root(), module.unit(), nullptr};
}

// Methods named __...__ make and store objects; they are not frozen.
ScriptObject freeze(const ScriptObject& module) {
  if (!module.value.is_object()) throw Error(ErrorCode::kType, "freeze: " + module.definition().name + " is not a module");
  if (module.frozen != nullptr) return module;
  const py::gil_scoped_release unlocked;
  std::vector<std::string> names = module.unit->method_names(module.definition());
  std::erase_if(names, [](const std::string& name) { return name.starts_with("__"); });
  auto frozen = std::make_shared<const passes::Frozen>(passes::freeze(module.value, names));
  return {frozen->root, module.unit, frozen};
}

}  // namespace

const Value* script_object(py::handle object) {
  return py::isinstance<ScriptObject>(object) ? &object.cast<const ScriptObject&>().value : nullptr;
}

py::object wrap_script_object(const Value& value, const std::shared_ptr<Unit>& unit) {
  return py::cast(ScriptObject{value, unit, nullptr});
}

void bind_jit(py::module_& module) {
  py::class_<ScriptObject>(module, "ScriptModule", "A module or object of a loaded program.")
      .def("__getattr__", &get_attribute)
      .def("__setattr__", &set_attribute)
      .def("__dir__", &names_of)
      .def("__call__",
           [](const ScriptObject& self, const py::args& args, const py::kwargs& kwargs) {
             auto forward = self.find_method("forward");
             if (forward == nullptr) throw Error(ErrorCode::kType, self.definition().name + " has no method 'forward'");
             return call({std::move(forward), self}, args, kwargs);
           })
      .def("__repr__", [](const ScriptObject& self) { return "<" + self.definition().name + ">"; });
  py::class_<ScriptMethod>(module, "ScriptMethod", "A method of a loaded program, with its object.")
      .def("__call__", &call)
      .def_property_readonly("name", [](const ScriptMethod& self) { return self.function->name(); })
      .def_property_readonly("ops", [](const ScriptMethod& self) { return sorted_list(interpreter::survey(*self.function).ops); })
      .def_property_readonly("missing_ops", [](const ScriptMethod& self) { return sorted_list(interpreter::survey(*self.function).missing); })
      .def_property_readonly("graph", [](const ScriptMethod& self) { return self.function->graph().to_string(); });
  module.def("freeze_module", &freeze, py::arg("module"));
  module.def("load_module", &load, py::arg("file"), py::arg("model") = "");
}

}  // namespace threadwheel::bindings
