// The ops of the registry as Python functions. Nothing here knows an op by name: arguments are matched against the
// schemas, the first overload that fits is taken.
#include <algorithm>
#include <optional>
#include <vector>

#include "bindings/bindings.h"
#include "bindings/values.h"
#include "ops/registry.h"
#include "threadwheel/error.h"

namespace threadwheel::bindings {
namespace {

// ones(2, 3) for ones((2, 3)): the ints that stand for the last argument by position, a list of ints. Nothing: they are
// not that.
std::optional<py::object> gathered_ints(const Schema& schema, const py::args& args, std::size_t num_positional) {
  if (num_positional == 0 || args.size() < num_positional) return std::nullopt;
  const SchemaType& type = schema.arguments[num_positional - 1].type;
  if (type.list_size != 0 || !type.type->is(TypeKind::kList) || !type.type->element()->is(TypeKind::kInt))
    return std::nullopt;
  const py::object rest =
      args[py::slice(static_cast<py::ssize_t>(num_positional) - 1, static_cast<py::ssize_t>(args.size()), 1)];
  for (const py::handle each : rest)
    if (!PyLong_Check(each.ptr()) || PyBool_Check(each.ptr())) return std::nullopt;
  return rest;
}

// Fills `values` with one Value per argument of the schema; returns why that cannot be, or nothing.
std::string match(const Schema& schema, const py::args& args, const py::kwargs& kwargs, bool from_scalars,
                  std::vector<Value>& values) {
  std::size_t num_positional = 0, num_named = 0;
  for (const SchemaArgument& argument : schema.arguments) num_positional += !argument.keyword_only;
  const std::optional<py::object> ints = gathered_ints(schema, args, num_positional);
  if (args.size() > num_positional && !ints)
    return "takes " + std::to_string(num_positional) + " positional arguments, got " + std::to_string(args.size());
  for (std::size_t i = 0; i < schema.arguments.size(); ++i) {
    const SchemaArgument& argument = schema.arguments[i];
    const bool positional = i < std::min(args.size(), num_positional), named = kwargs.contains(argument.name);
    num_named += named;
    if (positional && named) return "argument '" + argument.name + "' is given twice";
    if (!positional && !named) {
      if (!argument.default_value) return "argument '" + argument.name + "' is missing";
      values.push_back(*argument.default_value);
      continue;
    }
    const py::object given = !positional                       ? py::object(kwargs[argument.name.c_str()])
                             : ints && i + 1 == num_positional ? *ints
                                                               : py::object(args[i]);
    Converted converted = to_value(*argument.type.type, given, {argument.type.list_size, from_scalars});
    if (const auto* problem = std::get_if<std::string>(&converted))
      return "argument '" + argument.name + "' " + *problem;
    values.push_back(std::get<Value>(std::move(converted)));
  }
  if (num_named == kwargs.size()) return "";
  for (const auto& [name, value] : kwargs) {
    const auto text = name.cast<std::string>();
    if (std::ranges::none_of(schema.arguments, [&](const auto& argument) { return argument.name == text; }))
      return "there is no argument '" + text + "'";
  }
  return "";
}

// Functions of the module are the ops on tensors; those on numbers, strings and lists are the scripting language's.
bool is_public(const Op& op) {
  const std::string_view text = op.schema_text();
  return text.starts_with("aten::") && text.find("Tensor", text.find('(')) != text.npos;
}

// All public overloads of one name.
class Function {
 public:
  explicit Function(std::span<const Op* const> overloads) {
    std::ranges::copy_if(overloads, std::back_inserter(overloads_), [](const Op* op) { return is_public(*op); });
  }

  // numpy's scalars are numbers first, and arrays without dimensions only where no overload takes a number.
  py::object operator()(const py::args& args, const py::kwargs& kwargs) const {
    for (const bool from_scalars : {false, true})
      for (const Op* op : overloads_) {
        std::vector<Value> values;
        if (match(op->schema(), args, kwargs, from_scalars, values).empty()) return call(*op, values);
      }
    refuse(args, kwargs);
  }

  std::string name() const { return std::string(overloads_.front()->name().substr(sizeof "aten::" - 1)); }

  std::string documentation() const {
    std::string text;
    for (const Op* op : overloads_) text.append(text.empty() ? "" : "\n").append(op->schema_text());
    return text;
  }

 private:
  static py::object call(const Op& op, std::span<const Value> values) {
    Value result;
    {
      const py::gil_scoped_release unlocked;
      result = op.call(values);
    }
    return to_python(result);
  }

  [[noreturn]] void refuse(const py::args& args, const py::kwargs& kwargs) const {
    std::string problems;
    for (const Op* op : overloads_) {
      std::vector<Value> values;
      const std::string problem = match(op->schema(), args, kwargs, true, values);
      if (overloads_.size() == 1)
        throw Error(ErrorCode::kType, name() + ": " + problem + "; expected " + op->schema_text());
      problems += "\n  " + problem + ", for " + op->schema_text();
    }
    throw Error(ErrorCode::kType, name() + ": the arguments fit no overload; these are" + problems);
  }

  std::vector<const Op*> overloads_;
};

}  // namespace

void bind_ops(py::module_& module) {
  const Registry& registry = Registry::instance();
  py::dict ops;
  for (const auto& op : registry.ops()) {
    if (!is_public(*op)) continue;
    const Function function(registry.find(op->name()));
    const std::string name = function.name();
    if (ops.contains(name.c_str())) continue;
    py::options options;
    options.disable_function_signatures();
    ops[name.c_str()] = py::cpp_function(function, py::name(name.c_str()), py::doc(function.documentation().c_str()));
  }
  module.attr("ops") = ops;
  module.def("schemas", [] {
    py::list texts;
    for (const auto& op : Registry::instance().ops()) texts.append(op->schema_text());
    return texts;
  });
}

}  // namespace threadwheel::bindings
