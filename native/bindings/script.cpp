// Units of Python's functions and modules: threadwheel.jit.script gives their sources and finds their names.
#include <pybind11/stl.h>

#include <map>
#include <vector>

#include "bindings/jit.h"
#include "bindings/values.h"
#include "script/names.h"
#include "threadwheel/error.h"

namespace threadwheel::bindings {
namespace {

using script::Meaning;
using script::Unit;

Value plain_value(const std::string& what, py::handle object) {
  Converted converted = to_value(*Type::of(TypeKind::kAny), object);
  if (const auto* const problem = std::get_if<std::string>(&converted))
    throw Error(ErrorCode::kType, what + " " + *problem);
  return std::get<Value>(std::move(converted));
}

// Asks Python: find(name) gives a pair of a kind and what belongs to it.
class PythonNames final : public script::Names {
 public:
  PythonNames(Unit& unit, const py::object& find) : unit_(unit), find_(hold(find)) {}

  Meaning find(const std::string& name) override {
    const Locked locked;
    const py::tuple found = or_sleep([&] { return (*find_)(name); });
    const auto kind = found[0].cast<std::string>();
    const py::object what = found[1];
    if (kind == "path") return script::Path{what.cast<std::string>()};
    if (kind == "type") return unit_.find_type(what.cast<std::string>());
    if (kind == "function") return what.cast<const ScriptFunction&>().function;
    if (kind == "names") return std::make_shared<PythonNames>(unit_, what);
    if (kind == "dtype")
      return script::Constant{static_cast<std::int64_t>(what.cast<DType>()), Type::of(TypeKind::kInt)};
    if (kind == "unknown") return script::Unknown{what.cast<std::string>()};
    Value value = plain_value("'" + name + "'", what);
    TypePtr type = script::type_of_value(value);
    return script::Constant{std::move(value), std::move(type)};
  }

 private:
  Unit& unit_;  // which owns what owns this
  const Held find_;
};

// (file, text, first line, columns cut off, find, defaults)
Unit::FunctionSource to_source(Unit& unit, const py::tuple& definition) {
  Unit::FunctionSource made;
  made.source = std::make_shared<const ir::Source>(definition[0].cast<std::string>(), definition[1].cast<std::string>(),
                                                   definition[2].cast<int>(), definition[3].cast<int>());
  made.names = std::make_shared<PythonNames>(unit, definition[4]);
  for (const auto& [name, value] : definition[5].cast<py::dict>()) {
    const auto parameter = name.cast<std::string>();
    made.defaults.emplace_back(parameter, plain_value("the default of '" + parameter + "'", value));
  }
  return made;
}

ScriptFunction add_function(const std::shared_ptr<Unit>& unit, const std::string& name, const py::tuple& definition) {
  Unit::FunctionSource source = to_source(*unit, definition);
  const Unlocked unlocked;
  return {unit->add_function(name, std::move(source)), unit, std::nullopt};
}

Unit::MethodLoader method_loader(Unit& unit, const py::object& find) {
  return [&unit, held = hold(find)](const std::string& name) -> std::optional<Unit::FunctionSource> {
    const Locked locked;
    const py::object definition = or_sleep([&] { return (*held)(name); });
    if (definition.is_none()) return std::nullopt;
    return to_source(unit, definition);
  };
}

// A module's object: its class, which is its own, and its attributes. Their types are as annotated or as they are now;
// `find_other` says what else members mean.
ScriptObject add_module(const std::shared_ptr<Unit>& unit, const std::string& name, const py::dict& attributes,
                        const std::map<std::string, std::string>& annotations, const py::object& find_method,
                        const py::object& find_other) {
  std::map<std::string, TypePtr> types;
  {
    const Unlocked unlocked;
    for (const auto& [attribute, text] : annotations) types[attribute] = unit->parse_type(text);
  }
  auto definition = std::make_shared<ClassDefinition>();
  definition->name = name;
  definition->is_module = true;
  std::vector<Value> values;
  for (const auto& [key, object] : attributes) {
    const auto attribute = key.cast<std::string>();
    const std::string what = name + "." + attribute;
    const auto annotated = types.find(attribute);
    TypePtr type = annotated == types.end() ? nullptr : annotated->second;
    Converted converted = type ? to_value(*type, object) : plain_value(what, object);
    if (const auto* const problem = std::get_if<std::string>(&converted))
      throw Error(ErrorCode::kType, what + " " + *problem);
    values.push_back(std::get<Value>(std::move(converted)));
    if (type == nullptr) type = script::type_of_value(values.back());
    definition->attributes.push_back({attribute, std::move(type)});
  }
  Unit::MethodLoader loader = method_loader(*unit, find_method);
  auto others = std::make_shared<PythonNames>(*unit, find_other);
  const Unlocked unlocked;
  auto object =
      make_ref<ObjectValue>(unit->add_class(std::move(definition), std::move(loader), std::move(others)));
  object->slots = std::move(values);
  return {{Value(std::move(object)), unit}};
}

void add_class(const std::shared_ptr<Unit>& unit, const std::string& name, const py::object& find) {
  Unit::MethodLoader loader = method_loader(*unit, find);
  const Unlocked unlocked;
  unit->add_object_class(name, std::move(loader));
}

void add_named_tuple(const std::shared_ptr<Unit>& unit, const std::string& name,
                     const std::vector<std::pair<std::string, std::string>>& fields) {
  const Unlocked unlocked;
  auto definition = std::make_shared<ClassDefinition>();
  definition->name = name;
  for (const auto& [field, type] : fields) definition->attributes.push_back({field, unit->parse_type(type)});
  unit->add_named_tuple(std::move(definition));
}

void add_enum(const std::shared_ptr<Unit>& unit, const std::string& name, const py::dict& members) {
  std::vector<std::pair<std::string, Value>> values;
  for (const auto& [member, value] : members)
    values.emplace_back(member.cast<std::string>(), plain_value(name + "." + member.cast<std::string>(), value));
  const Unlocked unlocked;
  unit->add_enum(name, std::move(values));
}

}  // namespace

void bind_script(py::module_& module) {
  py::class_<Unit, std::shared_ptr<Unit>>(module, "ScriptUnit",
                                          "The functions and modules that one jit.script compiles.")
      .def(py::init([] { return std::make_shared<Unit>([](const std::string&) { return nullptr; }); }))
      .def("add_function", &add_function, py::arg("name"), py::arg("definition"))
      .def("add_module", &add_module, py::arg("name"), py::arg("attributes"), py::arg("annotations"),
           py::arg("find_method"), py::arg("find_other"))
      .def("add_class", &add_class, py::arg("name"), py::arg("find_method"))
      .def("add_named_tuple", &add_named_tuple, py::arg("name"), py::arg("fields"))
      .def("add_enum", &add_enum, py::arg("name"), py::arg("members"));
}

}  // namespace threadwheel::bindings
