// The ops of the registry as Python functions. Nothing here knows an op by name: arguments are matched against the
// schemas, the first overload that fits is taken.
#include "bindings/bindings.h"

#include <algorithm>
#include <variant>
#include <vector>

#include "ops/registry.h"
#include "threadwheel/error.h"

namespace threadwheel::bindings {
namespace {

// A Value, or why the object cannot become one.
using Converted = std::variant<Value, std::string>;

std::string mismatch(const std::string& expected, py::handle object) {
  return "must be " + expected + ", not " + type_name(object);
}

std::optional<std::int64_t> to_int(py::handle object) {
  if (PyBool_Check(object.ptr()) || !PyIndex_Check(object.ptr())) return std::nullopt;
  const auto index = py::reinterpret_steal<py::object>(PyNumber_Index(object.ptr()));
  if (!index) {  // numpy's arrays have the slot and refuse
    PyErr_Clear();
    return std::nullopt;
  }
  int overflow = 0;
  const long long value = PyLong_AsLongLongAndOverflow(index.ptr(), &overflow);
  if (overflow != 0)
    throw Error(ErrorCode::kValue, "int: " + py::str(index).cast<std::string>() +
                                       " does not fit in 64 bits; use a smaller number");
  return value;
}

Converted convert(const Type& type, std::int64_t list_size, py::handle object, bool from_scalars);

// A list of the schema: a tuple or list of its elements; of int[2] one int too, which stands for both.
Converted convert_list(const Type& type, std::int64_t list_size, py::handle object) {
  const bool ints = type.element()->is(TypeKind::kInt);
  if (list_size > 0) {
    const Converted one = convert(*type.element(), 0, object, false);
    if (const Value* value = std::get_if<Value>(&one))
      return Value::list(std::vector<Value>(static_cast<std::size_t>(list_size), *value));
  }
  const std::string plural = ints ? "a tuple of ints" : "a tuple";
  if (!PyTuple_Check(object.ptr()) && !PyList_Check(object.ptr()))
    return mismatch(list_size > 0 && ints ? "an int or a tuple of ints" : plural, object);
  std::vector<Value> values;
  for (const py::handle entry : py::reinterpret_borrow<py::sequence>(object)) {
    Converted converted = convert(*type.element(), 0, entry, false);
    if (std::holds_alternative<std::string>(converted))
      return ints ? "must be a tuple of ints, found " + type_name(entry) : "entry " + std::get<std::string>(converted);
    values.push_back(std::get<Value>(std::move(converted)));
  }
  return Value::list(std::move(values));
}

Converted convert_scalar(py::handle object) {
  if (PyBool_Check(object.ptr())) return Value(object.ptr() == Py_True);
  if (PyFloat_Check(object.ptr())) return Value(PyFloat_AS_DOUBLE(object.ptr()));
  if (const auto value = to_int(object)) return Value(*value);
  if (is_numpy_scalar(object)) {
    const py::object number = object.attr("item")();
    if (!is_numpy_scalar(number)) return convert_scalar(number);  // a longdouble stays one
  }
  return mismatch("a number", object);
}

Converted convert_int(const Type& type, py::handle object) {
  if (type.name() == "ScalarType") {
    if (const auto dtype = to_dtype(object)) return Value(static_cast<std::int64_t>(*dtype));
    return mismatch("a dtype", object);
  }
  if (const auto value = to_int(object)) return Value(*value);
  return mismatch("int", object);
}

Converted convert(const Type& type, std::int64_t list_size, py::handle object, bool from_scalars) {
  switch (type.kind()) {
    case TypeKind::kOptional:
      return object.is_none() ? Value() : convert(*type.element(), list_size, object, from_scalars);
    case TypeKind::kList: return convert_list(type, list_size, object);
    case TypeKind::kTensor:
      if (auto tensor = to_tensor(object, from_scalars)) return Value(*std::move(tensor));
      return mismatch("Tensor or numpy array", object);
    case TypeKind::kNumber: return convert_scalar(object);
    case TypeKind::kBool:
      return PyBool_Check(object.ptr()) ? Converted(Value(object.ptr() == Py_True)) : mismatch("bool", object);
    case TypeKind::kInt: return convert_int(type, object);
    case TypeKind::kFloat:
      if (PyFloat_Check(object.ptr())) return Value(PyFloat_AS_DOUBLE(object.ptr()));
      if (const auto value = to_int(object)) return Value(static_cast<double>(*value));
      return mismatch("float", object);
    case TypeKind::kString:
      return PyUnicode_Check(object.ptr()) ? Converted(Value(object.cast<std::string>())) : mismatch("str", object);
    default: return "is of type " + type.to_schema_string() + ", which Python cannot pass yet";
  }
}

// Fills `values` with one Value per argument of the schema; returns why that cannot be, or nothing.
std::string match(const Schema& schema, const py::args& args, const py::kwargs& kwargs, bool from_scalars,
                  std::vector<Value>& values) {
  std::size_t num_positional = 0, num_named = 0;
  for (const SchemaArgument& argument : schema.arguments) num_positional += !argument.keyword_only;
  if (args.size() > num_positional)
    return "takes " + std::to_string(num_positional) + " positional arguments, got " + std::to_string(args.size());
  for (std::size_t i = 0; i < schema.arguments.size(); ++i) {
    const SchemaArgument& argument = schema.arguments[i];
    const bool positional = i < args.size(), named = kwargs.contains(argument.name);
    num_named += named;
    if (positional && named) return "argument '" + argument.name + "' is given twice";
    if (!positional && !named) {
      if (!argument.default_value) return "argument '" + argument.name + "' is missing";
      values.push_back(*argument.default_value);
      continue;
    }
    const py::object given = positional ? py::object(args[i]) : py::object(kwargs[argument.name.c_str()]);
    Converted converted = convert(*argument.type.type, argument.type.list_size, given, from_scalars);
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

py::object to_python(Value value) {
  if (value.is_tensor()) return py::cast(value.to_tensor());
  if (value.is_none()) return py::none();
  if (value.is_bool()) return py::bool_(value.to_bool());
  if (value.is_int()) return py::int_(value.to_int());
  if (value.is_double()) return py::float_(value.to_double());
  if (value.is_complex()) return py::cast(value.to_complex());
  if (value.is_string()) return py::str(value.to_string());
  if (value.is_list()) {
    py::list list;
    for (const Value& element : value.to_list()) list.append(to_python(element));
    return list;
  }
  const std::vector<Value>& elements = value.to_tuple();
  py::tuple tuple(elements.size());
  for (std::size_t i = 0; i < elements.size(); ++i) tuple[i] = to_python(elements[i]);
  return tuple;
}

// All overloads of one name.
class Function {
 public:
  explicit Function(std::span<const Op* const> overloads) : overloads_(overloads) {}

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
    return to_python(std::move(result));
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

  std::span<const Op* const> overloads_;
};

}  // namespace

void bind_ops(py::module_& module) {
  const Registry& registry = Registry::instance();
  py::dict ops;
  for (const auto& op : registry.ops()) {
    if (!op->name().starts_with("aten::")) continue;  // those take objects that only programs have
    const Function function(registry.find(op->name()));
    const std::string name = function.name();
    if (ops.contains(name.c_str())) continue;
    py::options options;
    options.disable_function_signatures();
    ops[name.c_str()] = py::cpp_function(function, py::name(name.c_str()), py::doc(function.documentation().c_str()));
  }
  module.attr("ops") = ops;
}

}  // namespace threadwheel::bindings
