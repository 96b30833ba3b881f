// Values to and from Python.
#include "bindings/values.h"

#include <pybind11/complex.h>

#include <vector>

#include "bindings/jit.h"
#include "threadwheel/error.h"

namespace threadwheel::bindings {
namespace {

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

Converted convert_scalar(py::handle object) {
  if (PyBool_Check(object.ptr())) return Value(object.ptr() == Py_True);
  if (PyFloat_Check(object.ptr())) return Value(PyFloat_AS_DOUBLE(object.ptr()));
  if (PyComplex_Check(object.ptr())) return Value(object.cast<Complex>());
  if (py::isinstance<Tensor>(object)) return mismatch("a number", object);  // though integers can be an index
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

bool is_sequence(py::handle object) { return PyTuple_Check(object.ptr()) || PyList_Check(object.ptr()); }

// A tuple or list of the elements; of int[2] one int too, which stands for both.
Converted convert_list(const Type& type, py::handle object, Conversion how) {
  const bool ints = type.element()->is(TypeKind::kInt);
  if (how.list_size > 0) {
    const Converted one = to_value(*type.element(), object);
    if (const Value* value = std::get_if<Value>(&one))
      return Value::list(std::vector<Value>(static_cast<std::size_t>(how.list_size), *value));
  }
  if (!is_sequence(object))
    return mismatch(!ints               ? "a list or tuple"
                    : how.list_size > 0 ? "an int or a tuple of ints"
                                        : "a tuple of ints",
                    object);
  std::vector<Value> values;
  for (const py::handle entry : py::reinterpret_borrow<py::sequence>(object)) {
    Converted converted = to_value(*type.element(), entry);
    if (std::holds_alternative<std::string>(converted))
      return ints ? "must be a tuple of ints, found " + type_name(entry)
                  : "element " + std::to_string(values.size()) + " " + std::get<std::string>(converted);
    values.push_back(std::get<Value>(std::move(converted)));
  }
  return Value::list(std::move(values));
}

Converted convert_tuple(const Type& type, py::handle object) {
  const std::size_t count = type.elements().size();
  if (!is_sequence(object) || py::len(object) != count)
    return mismatch("a tuple of " + std::to_string(count), object);
  std::vector<Value> values;
  for (const py::handle entry : py::reinterpret_borrow<py::sequence>(object)) {
    Converted converted = to_value(*type.element(values.size()), entry);
    if (std::holds_alternative<std::string>(converted))
      return "element " + std::to_string(values.size()) + " " + std::get<std::string>(converted);
    values.push_back(std::get<Value>(std::move(converted)));
  }
  return Value::tuple(std::move(values));
}

Converted convert_dict(const Type& type, py::handle object) {
  if (!PyDict_Check(object.ptr())) return mismatch("a dict", object);
  auto dict = make_ref<DictValue>();
  for (const auto& [name, entry] : py::reinterpret_borrow<py::dict>(object)) {
    Converted key = to_value(*type.element(0), name), value = to_value(*type.element(1), entry);
    if (std::holds_alternative<std::string>(key)) return "key " + std::get<std::string>(key);
    if (std::holds_alternative<std::string>(value)) return "entry " + std::get<std::string>(value);
    dict->set(std::get<Value>(key), std::get<Value>(std::move(value)));
  }
  return Value(dict);
}

// Whatever the object is by itself.
Converted convert_any(py::handle object) {
  if (object.is_none()) return Value();
  if (PyUnicode_Check(object.ptr())) return Value(object.cast<std::string>());
  if (const auto* held = script_object(object)) return *held;
  if (py::isinstance<Device>(object)) return to_value(*Type::of(TypeKind::kDevice), object);
  if (auto tensor = to_tensor(object, false)) return Value(*std::move(tensor));
  static const TypePtr any = Type::of(TypeKind::kAny);
  if (PyTuple_Check(object.ptr()))
    return convert_tuple(*Type::tuple(std::vector<TypePtr>(py::len(object), any)), object);
  if (PyList_Check(object.ptr())) return convert_list(*Type::list(any), object, {});
  if (PyDict_Check(object.ptr())) return convert_dict(*Type::dict(any, any), object);
  return convert_scalar(object);
}

Converted convert_union(const Type& type, py::handle object) {
  if (py::isinstance<Tensor>(object))  // before the int that one of an integer can stand for
    for (const TypePtr& each : type.elements())
      if (each->is(TypeKind::kTensor)) return to_value(*each, object);
  for (const TypePtr& each : type.elements())
    if (Converted converted = to_value(*each, object); std::holds_alternative<Value>(converted)) return converted;
  return mismatch(type.to_string(), object);
}

}  // namespace

Converted to_value(const Type& type, py::handle object, Conversion how) {
  switch (type.kind()) {
    case TypeKind::kAny: return convert_any(object);
    case TypeKind::kNone: return object.is_none() ? Converted(Value()) : mismatch("None", object);
    case TypeKind::kOptional: return object.is_none() ? Value() : to_value(*type.element(), object, how);
    case TypeKind::kUnion: return convert_union(type, object);
    case TypeKind::kList: return convert_list(type, object, how);
    case TypeKind::kTuple: return convert_tuple(type, object);
    case TypeKind::kDict: return convert_dict(type, object);
    case TypeKind::kTensor:
      if (auto tensor = to_tensor(object, how.from_scalars)) return Value(*std::move(tensor));
      return mismatch("Tensor or numpy array", object);
    case TypeKind::kNumber: return convert_scalar(object);
    case TypeKind::kBool:
      return PyBool_Check(object.ptr()) ? Converted(Value(object.ptr() == Py_True)) : mismatch("bool", object);
    case TypeKind::kInt: return convert_int(type, object);
    case TypeKind::kFloat:
      if (PyFloat_Check(object.ptr())) return Value(PyFloat_AS_DOUBLE(object.ptr()));
      if (const auto value = to_int(object)) return Value(static_cast<double>(*value));
      return mismatch("float", object);
    case TypeKind::kComplex: {
      const Converted number = convert_scalar(object);
      if (const Value* const value = std::get_if<Value>(&number)) return Value(value->to_complex());
      return mismatch("complex", object);
    }
    case TypeKind::kString:
      return PyUnicode_Check(object.ptr()) ? Converted(Value(object.cast<std::string>())) : mismatch("str", object);
    case TypeKind::kDevice:
      if (py::isinstance<Device>(object)) return Value::device(object.cast<const Device&>().name);
      return PyUnicode_Check(object.ptr()) ? Converted(Value::device(object.cast<std::string>()))
                                           : mismatch("str, the name of a device", object);
    case TypeKind::kClass:
      if (const Value* const held = script_object(object); held != nullptr && held->is_object() &&
                                                           held->to_object().type->name() == type.name())
        return *held;
      return mismatch(type.to_string(), object);
    default: return "is of type " + type.to_schema_string() + ", which Python cannot pass yet";
  }
}

namespace {

py::object tuple_to_python(const Value& value, const TypePtr& type, const std::shared_ptr<script::Unit>& unit) {
  const std::vector<Value>& elements = value.to_tuple();
  const bool typed = type && type->is(TypeKind::kTuple) && type->elements().size() == elements.size();
  py::tuple tuple(elements.size());
  for (std::size_t i = 0; i < elements.size(); ++i)
    tuple[i] = to_python(elements[i], typed ? type->element(i) : nullptr, unit);
  if (!typed || !type->definition()) return tuple;
  py::list fields;
  for (const auto& attribute : type->definition()->attributes) fields.append(attribute.name);
  const std::string& name = type->name();
  return py::module_::import("collections").attr("namedtuple")(name.substr(name.rfind('.') + 1), fields)(*tuple);
}

}  // namespace

py::object to_python(const Value& value, const TypePtr& declared, const std::shared_ptr<script::Unit>& unit) {
  const TypePtr type = declared && declared->is(TypeKind::kOptional) ? declared->element() : declared;
  const auto element = [&](std::size_t i) { return type && type->elements().size() > i ? type->element(i) : nullptr; };
  switch (value.tag()) {
    case ValueTag::kNone: return py::none();
    case ValueTag::kBool: return py::bool_(value.to_bool());
    case ValueTag::kInt: return py::int_(value.to_int());
    case ValueTag::kDouble: return py::float_(value.to_double());
    case ValueTag::kComplex: {
      const Complex number = value.to_complex();
      return py::reinterpret_steal<py::object>(PyComplex_FromDoubles(number.real(), number.imag()));
    }
    case ValueTag::kTensor: return py::cast(value.to_tensor());
    case ValueTag::kString: return py::str(value.to_string());
    case ValueTag::kDevice: return py::cast(Device{value.to_string()});
    case ValueTag::kTuple: return tuple_to_python(value, type, unit);
    case ValueTag::kList: {
      py::list list;
      for (const Value& each : value.to_list()) list.append(to_python(each, element(0), unit));
      return list;
    }
    case ValueTag::kDict: {
      py::dict dict;
      for (const auto& [key, entry] : value.to_dict().entries)
        dict[to_python(key, element(0), unit)] = to_python(entry, element(1), unit);
      return dict;
    }
    case ValueTag::kObject:
    case ValueTag::kEnum:
    case ValueTag::kFuture: return wrap_script_object(value, type, unit);
  }
  return py::none();
}

}  // namespace threadwheel::bindings
