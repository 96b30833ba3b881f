// Methods by name, freezing, and the binding of arguments.
#include "interpreter/program.h"

#include "threadwheel/error.h"

namespace threadwheel::interpreter {
namespace {

// Calls visit(`training`) for a module and the modules inside it.
template <class Visit>
void visit_modes(const Value& value, const Visit& visit) {
  if (!value.is_object() || !value.to_object().type->definition()->is_module) return;
  ObjectValue& module = value.to_object();
  const std::int64_t training = module.type->definition()->find("training");
  if (training >= 0 && module.slots[static_cast<std::size_t>(training)].is_bool())
    visit(module.slots[static_cast<std::size_t>(training)]);
  for (const Value& inner : module.slots) visit_modes(inner, visit);
}

}  // namespace

const ClassDefinition& Object::definition() const {
  return *(value.is_object() ? value.to_object().type : value.to_enum().type)->definition();
}

std::shared_ptr<ir::Function> Object::find_method(const std::string& name) const {
  if (frozen == nullptr) return unit->find_method(definition(), name);
  const auto found = frozen->methods.find(name);
  return found == frozen->methods.end() ? nullptr : found->second;
}

BoundFunction method_of(const Object& object, const std::string& name) {
  auto method = object.find_method(name);
  if (method == nullptr) throw Error(ErrorCode::kType, object.definition().name + " has no method '" + name + "'");
  return {std::move(method), object.unit, object.value};
}

Object freeze(const Object& module) {
  if (!module.value.is_object())
    throw Error(ErrorCode::kType, "freeze: " + module.definition().name + " is not a module");
  if (module.frozen != nullptr) return module;
  std::vector<std::string> names = module.unit->method_names(module.definition());
  std::erase_if(names, [](const std::string& name) { return name.starts_with("__"); });
  auto frozen = std::make_shared<const passes::Frozen>(passes::freeze(module.value, names));
  return {frozen->root, module.unit, frozen};
}

void set_training(const Object& module, bool mode) {
  if (!module.value.is_object() || !module.definition().is_module)
    throw Error(ErrorCode::kType, module.definition().name + " is not a module; only modules have a mode");
  visit_modes(module.value, [&](Value& training) {
    if (module.frozen != nullptr && training.to_bool() != mode)
      throw Error(ErrorCode::kValue, module.definition().name + " is frozen in " +
                                         (mode ? "evaluation" : "training") + " mode; set the mode of the module, " +
                                         "then freeze that");
    training = mode;
  });
}

TypePtr result_type(ir::Function& function) {
  return function.result() ? function.result() : function.graph().top.results[0]->type;
}

std::vector<Value> bind(const BoundFunction& called, const GivenArguments& given) {
  const auto& parameters = called.function->parameters();
  const auto refuse = [&](const std::string& problem) {
    throw Error(ErrorCode::kType, called.function->name() + ": " + problem);
  };
  std::vector<Value> values;
  if (called.self) values.push_back(*called.self);
  const std::size_t first = values.size();
  if (given.num_positional() + first > parameters.size())
    refuse("takes " + std::to_string(parameters.size() - first) + " arguments, got " +
           std::to_string(given.num_positional()));
  std::size_t used = 0;
  for (std::size_t i = first; i < parameters.size(); ++i) {
    const ir::Parameter& parameter = parameters[i];
    const bool named = given.has(parameter.name), positional = i - first < given.num_positional();
    used += named;
    if (named && positional) refuse("argument '" + parameter.name + "' is given twice");
    if (!named && !positional) {
      if (!parameter.default_value) refuse("argument '" + parameter.name + "' is missing");
      values.push_back(*parameter.default_value);
      continue;
    }
    Converted converted =
        positional ? given.positional(i - first, *parameter.type) : given.named(parameter.name, *parameter.type);
    if (const auto* problem = std::get_if<std::string>(&converted))
      refuse("argument '" + parameter.name + "' " + *problem);
    values.push_back(std::get<Value>(std::move(converted)));
  }
  if (used < given.num_named()) refuse("there is no such named argument");
  return values;
}

}  // namespace threadwheel::interpreter
