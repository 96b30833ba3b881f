// threadwheel.jit: programs' objects and functions as Python holds them, and futures.
//
// The interpreter's lock is never held by who waits for a unit: compiling asks Python for names with the unit locked.
#include "bindings/jit.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <vector>

#include "bindings/archive.h"
#include "bindings/values.h"
#include "interpreter/changes.h"
#include "interpreter/execution.h"
#include "interpreter/module.h"
#include "interpreter/script_error.h"
#include "interpreter/survey.h"
#include "threadwheel/error.h"

namespace threadwheel::bindings {
namespace {

using script::Unit;

std::shared_ptr<ir::Function> find_method(const ScriptObject& object, const std::string& name) {
  const Unlocked unlocked;
  return object.find_method(name);
}

class PythonArguments final : public interpreter::GivenArguments {
 public:
  PythonArguments(const py::args& args, const py::kwargs& kwargs) : args_(args), kwargs_(kwargs) {}

  std::size_t num_positional() const override { return args_.size(); }
  std::size_t num_named() const override { return kwargs_.size(); }
  bool has(const std::string& name) const override { return kwargs_.contains(name); }
  Converted positional(std::size_t i, const Type& type) const override {
    return to_value(type, py::object(args_[i]), {0, true});
  }
  Converted named(const std::string& name, const Type& type) const override {
    return to_value(type, py::object(kwargs_[name.c_str()]), {0, true});
  }

 private:
  const py::args& args_;
  const py::kwargs& kwargs_;
};

py::object call(const ScriptFunction& called, const py::args& args, const py::kwargs& kwargs) {
  std::vector<Value> values = interpreter::bind(called, PythonArguments(args, kwargs));
  Value result;
  TypePtr type;
  {
    const Unlocked unlocked;
    result = interpreter::run(called.function, std::move(values));
    type = interpreter::result_type(*called.function);
  }
  return to_python(result, type, called.unit);
}

ScriptFunction forward_of(const ScriptObject& module) {
  const Unlocked unlocked;
  return interpreter::method_of(module, "forward");
}

std::optional<std::pair<TypePtr, Value>> find_constant(const ScriptObject& object, const std::string& name) {
  const Unlocked unlocked;
  return object.unit->find_constant(object.definition(), name);
}

py::object get_attribute(const ScriptObject& self, const std::string& name) {
  const ClassDefinition& definition = self.definition();
  if (self.value.is_object()) {
    if (const std::int64_t slot = definition.find(name); slot >= 0) {
      const auto index = static_cast<std::size_t>(slot);
      return to_python(self.value.to_object().slots[index], definition.attributes[index].type, self.unit);
    }
    if (const auto constant = find_constant(self, name)) return to_python(constant->second, constant->first, self.unit);
    if (auto function = find_method(self, name))
      return py::cast(ScriptFunction{std::move(function), self.unit, self.value});
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
  if (slot < 0 || !self.value.is_object())
    throw py::attribute_error(definition.name + " has no attribute '" + name + "'");
  const auto index = static_cast<std::size_t>(slot);
  Converted converted = to_value(*definition.attributes[index].type, object);
  if (const auto* problem = std::get_if<std::string>(&converted))
    throw Error(ErrorCode::kType, definition.name + "." + name + " " + *problem);
  self.value.to_object().slots[index] = std::get<Value>(std::move(converted));
}

py::object train(const py::object& self, bool mode) {
  interpreter::set_training(self.cast<const ScriptObject&>(), mode);
  return self;
}

std::vector<std::string> names_of(const ScriptObject& self) {
  std::vector<std::string> names;
  {
    const Unlocked unlocked;
    names = self.unit->method_names(self.definition());
  }
  for (const auto& attribute : self.definition().attributes) names.push_back(attribute.name);
  return names;
}

void compile(const ScriptFunction& function) {
  const Unlocked unlocked;
  function.function->graph();
}

std::pair<ScriptObject, std::uint64_t> load(py::handle file, const std::string& model) {
  const auto archive = std::make_shared<archive::Archive>(open_archive(file));
  const Unlocked unlocked;
  return {ScriptObject{interpreter::load(archive, model)}, archive->fingerprint()};
}

ScriptObject freeze(const ScriptObject& module) {
  const Unlocked unlocked;
  return {interpreter::freeze(module), module.origin};
}

// --- pickle: threadwheel._pickling says how -------------------------------------------------------------

ScriptObject with_origin(const ScriptObject& module, py::object origin) {
  return {interpreter::Object(module), hold(std::move(origin))};
}

py::object reduce(const py::object& self) {
  const auto& object = self.cast<const ScriptObject&>();
  const py::object reduce_module = py::module_::import("threadwheel._pickling").attr("reduce_module");
  return reduce_module(self, object.origin == nullptr ? py::none() : *object.origin, object.frozen != nullptr);
}

[[noreturn]] void refuse_to_reduce(const ScriptFunction& function) {
  throw Error(ErrorCode::kType, "pickle: " + function.function->name() +
                                    " is a function of a program; pickle its module, or compile it where it is needed");
}

// [(names from the module on, value)]. One tensor that several attributes hold is one object of Python, too.
py::list list_changes(const ScriptObject& now, const ScriptObject& before) {
  std::vector<interpreter::Change> changes;
  {
    const Unlocked unlocked;
    changes = interpreter::find_changes(now, before);
  }
  py::list found;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const auto first = std::ranges::find_if(changes, [&](const auto& other) { return other.value.is(changes[i].value); });
    const auto same = static_cast<std::size_t>(first - changes.begin());
    const py::object value = same < i ? py::object(py::tuple(found[same])[1])
                                      : to_python(changes[i].value, changes[i].type, now.unit);
    found.append(py::make_tuple(changes[i].path, value));
  }
  return found;
}

py::tuple survey(const ScriptFunction& function) {
  interpreter::Survey found;
  {
    const Unlocked unlocked;
    found = interpreter::survey(*function.function);
  }
  return py::make_tuple(found.ops, found.missing);
}

// --- futures ------------------------------------------------------------------------------------------

// A future of a program's value, or of what a Python function made of one.
struct PythonFuture {
  std::variant<Future<Value>, Future<Held>> state;
  TypePtr type;
  std::shared_ptr<Unit> unit;

  bool done() const {
    return std::visit([](const auto& future) { return future.done(); }, state);
  }

  py::object wait() const {
    {
      const Unlocked unlocked;
      std::visit([](const auto& future) { future.wait(); }, state);
    }
    if (const auto* const value = std::get_if<Future<Value>>(&state)) return to_python(value->value(), type, unit);
    return *std::get<Future<Held>>(state).value();
  }

  // Called by the thread that completes the future, or at once.
  PythonFuture then(const py::object& function) const {
    const auto next = [self = *this, held = hold(function)](const auto&) {
      const Locked locked;
      return or_sleep([&] { return hold((*held)(py::cast(self))); });
    };
    return {std::visit([&](const auto& future) { return future.then(next); }, state), nullptr, nullptr};
  }
};

// Functions of programs run on the inter-op pool, those of Python at once.
PythonFuture fork(const py::object& function, const py::args& args, const py::kwargs& kwargs) {
  std::optional<ScriptFunction> called;
  if (py::isinstance<ScriptFunction>(function)) called = function.cast<ScriptFunction>();
  if (py::isinstance<ScriptObject>(function)) called = forward_of(function.cast<const ScriptObject&>());
  if (!called) {
    Promise<Held> promise;
    promise.set_value(hold(function(*args, **kwargs)));
    return {promise.future(), nullptr, nullptr};
  }
  std::vector<Value> values = interpreter::bind(*called, PythonArguments(args, kwargs));
  const Unlocked unlocked;
  TypePtr type = interpreter::result_type(*called->function);
  return {interpreter::launch(called->function, std::move(values)), std::move(type), called->unit};
}

void bind_futures(py::module_& module) {
  py::class_<PythonFuture>(module, "Future", "What a forked call will give.")
      .def("done", &PythonFuture::done, "Return whether there is a result, or an error.")
      .def("wait", &PythonFuture::wait, "Wait, and return the result or raise the error.")
      .def("value", &PythonFuture::wait, "Wait, and return the result or raise the error.")
      .def("then", &PythonFuture::then, py::arg("callback"),
           "Return the future of `callback(self)`, called when this one is done, by the thread that completes it.");
  module.def("fork", &fork, py::arg("function"));
}

}  // namespace

Held hold(py::object object) {
  return Held(new py::object(std::move(object)), [](py::object* held) {
    const Locked locked;
    or_sleep([&] { delete held; });
  });
}

const Value* script_object(py::handle object) {
  return py::isinstance<ScriptObject>(object) ? &object.cast<const ScriptObject&>().value : nullptr;
}

py::object wrap_script_object(const Value& value, const TypePtr& type, const std::shared_ptr<Unit>& unit) {
  if (value.tag() != ValueTag::kFuture) return py::cast(ScriptObject{{value, unit}});
  const bool is_typed = type != nullptr && type->is(TypeKind::kFuture);
  return py::cast(PythonFuture{value.to_future().future, is_typed ? type->element() : nullptr, unit});
}

void bind_jit(py::module_& module) {
  py::class_<ScriptObject>(module, "ScriptModule", "A module or object of a loaded program.")
      .def("__getattr__", &get_attribute)
      .def("__setattr__", &set_attribute)
      .def("__dir__", &names_of)
      .def("__reduce__", &reduce)
      .def("__call__", [](const ScriptObject& self, const py::args& args,
                          const py::kwargs& kwargs) { return call(forward_of(self), args, kwargs); })
      .def("train", &train, py::arg("mode") = true,
           "Set `training` for the module and those inside it; return the module.")
      .def("eval", [](const py::object& self) { return train(self, false); },
           "Set `training` to False for the module and those inside it; return the module.")
      .def("__repr__", [](const ScriptObject& self) { return "<" + self.definition().name + ">"; });
  py::class_<ScriptFunction>(module, "ScriptFunction", "A function of a program, or a method with its object.")
      .def("__call__", &call)
      .def("__reduce__", &refuse_to_reduce)
      .def("compile", &compile, "Compile it now; raise what is wrong with its source.")
      .def_property_readonly("name", [](const ScriptFunction& self) { return self.function->name(); })
      .def_property_readonly("graph", [](const ScriptFunction& self) {
        compile(self);
        return self.function->graph().to_string();
      })
      .def("survey", &survey, "Prepare it as for a call; return the names of the ops it needs, and of those missing.");
  module.attr("ScriptMethod") = module.attr("ScriptFunction");
  bind_futures(module);
  module.def("freeze_module", &freeze, py::arg("module"));
  module.def("load_module", &load, py::arg("file"), py::arg("model") = "");
  module.def("with_origin", &with_origin, py::arg("module"), py::arg("origin"));
  module.def("list_changes", &list_changes, py::arg("now"), py::arg("before"));
}

}  // namespace threadwheel::bindings
