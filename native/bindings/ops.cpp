// The ops of the registry as Python functions. Nothing here knows an op by name: arguments are matched against the
// schemas, the first overload that fits is taken.
#include "bindings/ops.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <cctype>
#include <map>

#include "bindings/values.h"
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
    if (PyIndex_Check(each.ptr()) == 0 || PyBool_Check(each.ptr())) return std::nullopt;
  return rest;
}

// The names that torch takes beside those of the schemas.
constexpr std::pair<std::string_view, const char*> kOtherNames[] = {
    {"self", "input"}, {"dim", "axis"}, {"keepdim", "keepdims"}};

// The name that an argument is given by. Null: it is not named.
const char* keyword_of(const SchemaArgument& argument, const py::kwargs& kwargs) {
  if (kwargs.contains(argument.name)) return argument.name.c_str();
  for (const auto& [name, other] : kOtherNames)
    if (argument.name == name && kwargs.contains(other)) return other;
  return nullptr;
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
    const bool positional = i < std::min(args.size(), num_positional);
    const char* const keyword = keyword_of(argument, kwargs);
    num_named += keyword != nullptr;
    if (positional && keyword != nullptr) return "argument '" + argument.name + "' is given twice";
    if (!positional && keyword == nullptr) {
      if (!argument.default_value) return "argument '" + argument.name + "' is missing";
      values.push_back(*argument.default_value);
      continue;
    }
    const py::object given = !positional                       ? py::object(kwargs[keyword])
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

// Functions of the module are the ops on tensors and the seed of random ones; those on numbers, strings and lists are
// the scripting language's, as is the dict that is to hold tensors.
bool is_public(const Op& op) {
  const std::string_view text = op.schema_text();
  if (op.name() == "aten::manual_seed") return true;
  return text.starts_with("aten::") && !text.starts_with("aten::dict(") && text.find("Tensor", text.find('(')) != text.npos;
}

// Results with names, such as values and indices: tuples that have these as attributes. One type for each set of names,
// which the module has too, for pickle.
class ResultTypes {
 public:
  static ResultTypes& instance() {
    static auto* const types = new ResultTypes();  // as long as the interpreter
    return *types;
  }

  void add(py::module_& module, const std::vector<std::string>& names) {
    if (types_.contains(names)) return;
    std::string name;
    for (const std::string& each : names) name += static_cast<char>(std::toupper(each[0])) + each.substr(1);
    using namespace py::literals;
    const py::object make = py::module_::import("collections").attr("namedtuple");
    types_[names] = make(name, names, "module"_a = module.attr("__name__"));
    module.attr(name.c_str()) = types_[names];
  }

  py::object make(const Schema& schema, const Value& result) const {
    const auto type = types_.find(schema.return_names);
    return type == types_.end() ? to_python(result) : type->second(*to_python(result));
  }

 private:
  std::map<std::vector<std::string>, py::object> types_;
};

bool has_named_results(const Op& op) {
  const std::string_view text = op.schema_text();
  const std::string_view results = text.substr(text.rfind(" -> ") + 4);
  const bool names_any = results.find("Tensor ") != results.npos || results.find("!) ") != results.npos;
  return results.starts_with("(Tensor") && names_any;
}

// What changes its argument, or has nothing to do, gives back the very object that it was called with.
py::object result_object(const Schema& schema, const Value& result, const py::args& args, const py::kwargs& kwargs) {
  const auto is_result = [&](py::handle object) {
    return py::isinstance<Tensor>(object) && object.cast<const Tensor&>().is(result.to_tensor());
  };
  if (result.is_tensor() && !args.empty() && is_result(args[0])) return args[0];
  if (result.is_tensor() && kwargs.contains("out") && is_result(kwargs["out"])) return kwargs["out"];
  return result.is_tuple() ? ResultTypes::instance().make(schema, result) : to_python(result);
}

}  // namespace

Function::Function(std::vector<const Op*> overloads) : overloads_(std::move(overloads)) {}

Function Function::named(const std::string& op) {
  std::vector<const Op*> overloads;
  std::ranges::copy_if(Registry::instance().find(op), std::back_inserter(overloads),
                       [](const Op* each) { return is_public(*each); });
  return Function(std::move(overloads));
}

// numpy's scalars are numbers first, and arrays without dimensions only where no overload takes a number.
std::optional<py::object> Function::try_call(const py::args& args, const py::kwargs& kwargs) const {
  for (const bool from_scalars : {false, true})
    for (const Op* op : overloads_) {
      std::vector<Value> values;
      if (!match(op->schema(), args, kwargs, from_scalars, values).empty()) continue;
      Value result;
      {
        const Unlocked unlocked;
        result = op->call(values);
      }
      return result_object(op->schema(), result, args, kwargs);
    }
  return std::nullopt;
}

py::object Function::operator()(const py::args& args, const py::kwargs& kwargs) const {
  if (auto result = try_call(args, kwargs)) return *std::move(result);
  refuse(args, kwargs);
}

std::string Function::name() const {
  const std::string_view name = overloads_.front()->name();
  return std::string(name.substr(name.find("::") + 2));
}

std::string Function::documentation() const {
  std::string text;
  for (const Op* op : overloads_) text.append(text.empty() ? "" : "\n").append(op->schema_text());
  return text;
}

py::object Function::object() const {
  py::options options;
  options.disable_function_signatures();
  return py::cpp_function(*this, py::name(name().c_str()), py::doc(documentation().c_str()));
}

void Function::refuse(const py::args& args, const py::kwargs& kwargs) const {
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

// An op that the module has a function of its own for is that function.
void bind_ops(py::module_& module) {
  py::dict ops;
  for (const auto& op : Registry::instance().ops()) {
    if (!is_public(*op)) continue;
    if (has_named_results(*op)) ResultTypes::instance().add(module, op->schema().return_names);
    const Function function = Function::named(std::string(op->name()));
    const std::string name = function.name();
    if (ops.contains(name.c_str())) continue;
    if (!py::hasattr(module, name.c_str())) module.attr(name.c_str()) = function.object();
    ops[name.c_str()] = module.attr(name.c_str());
  }
  module.attr("ops") = ops;
  module.def("schemas", [] {
    py::list texts;
    for (const auto& op : Registry::instance().ops()) texts.append(op->schema_text());
    return texts;
  });
}

}  // namespace threadwheel::bindings
