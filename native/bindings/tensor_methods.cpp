// What a Tensor can do in Python: every op on one is a method of its name, and Python's notation is that of
// ops/tensor_syntax.h. What the class has already stays.
#include <pybind11/complex.h>

#include <algorithm>
#include <string>

#include "bindings/bindings.h"
#include "bindings/ops.h"
#include "bindings/values.h"
#include "ops/shared/elementwise.h"
#include "ops/shared/numbers.h"
#include "ops/shared/views.h"
#include "ops/tensor_syntax.h"
#include "threadwheel/error.h"

namespace threadwheel::bindings {
namespace {

// "aten::sum(Tensor self, ...": the tensor that a method is called on comes first.
bool is_method(const Op& op) {
  const std::string_view text = op.schema_text();
  const std::string_view first = text.substr(text.find('(') + 1);
  const std::size_t name = first.find(" self");
  return text.starts_with("aten::") && first.starts_with("Tensor") && name != first.npos &&
         first.substr(0, name).find(',') == first.npos && (name == 6 || first[6] == '(');
}

// prim::itemsize(Tensor a): what a tensor knows of itself without a call.
bool is_attribute(const Op& op) {
  const std::string_view text = op.schema_text();
  const std::string_view arguments = text.substr(text.find('('));
  return text.starts_with("prim::") && (arguments.starts_with("(Tensor a)") || arguments.starts_with("(Tensor(a) a)"));
}

class Methods {
 public:
  explicit Methods(py::object type) : type_(std::move(type)) {}

  // A function whose first argument is the tensor.
  void add(const std::string& name, const py::object& function) {
    type_.attr(name.c_str()) = py::reinterpret_steal<py::object>(PyInstanceMethod_New(function.ptr()));
  }

  template <class Call, class... Extra>
  void define(const std::string& name, const Call& call, const std::string& documentation, const Extra&... extra) {
    py::options options;
    options.disable_function_signatures();
    add(name, py::cpp_function(call, py::name(name.c_str()), py::doc(documentation.c_str()), extra...));
  }

  void add_property(const std::string& name, const Function& get) {
    type_.attr(name.c_str()) = py::module_::import("builtins").attr("property")(get.object());
  }

  bool has(const std::string& name) const { return type_.attr("__dict__").contains(name.c_str()); }

 private:
  const py::object type_;
};

py::object not_implemented() { return py::reinterpret_borrow<py::object>(Py_NotImplemented); }

bool is_number(py::handle object) {
  return PyFloat_Check(object.ptr()) || PyLong_Check(object.ptr()) || PyComplex_Check(object.ptr()) ||
         is_numpy_scalar(object);
}

// What an operator is not defined for is Python's matter: it asks the other operand, and then raises.
class BinaryMethod {
 public:
  explicit BinaryMethod(const std::string& op) : function_(Function::named(op)) {}

  bool empty() const noexcept { return function_.empty(); }
  std::string documentation() const { return function_.documentation(); }

  py::object operator()(const py::object& self, const py::object& other) const {
    return function_.try_call(py::make_tuple(self, other)).value_or(not_implemented());
  }

 private:
  Function function_;
};

// other / self and its like. An array to the left is a tensor.
class ReflectedMethod {
 public:
  explicit ReflectedMethod(const Operator& how)
      : forward_(Function::named(how.tensor_op)), exchanged_(Function::named(how.reflected ? how.reflected : "")),
        is_division_(how.text == std::string_view("/")) {}

  py::object operator()(const py::object& self, const py::object& other) const {
    if (!exchanged_.empty()) return exchanged_.try_call(py::make_tuple(self, other)).value_or(not_implemented());
    if (is_division_ && is_number(other))  // as programs do it
      return py::object(self.attr("reciprocal")()) * other;
    if (auto result = forward_.try_call(py::make_tuple(other, self))) return *std::move(result);
    if (!is_number(other)) return not_implemented();
    return forward_.try_call(py::make_tuple(as_operand(other, self), self)).value_or(not_implemented());
  }

 private:
  // A number as a tensor that takes part in promotion as the number does.
  static py::object as_operand(const py::object& number, const py::object& beside) {
    const Scalar scalar = std::get<Value>(to_value(*Type::of(TypeKind::kNumber), number)).to_scalar();
    return py::cast(scalar_tensor(scalar, result_type(beside.cast<const Tensor&>(), scalar)));
  }

  Function forward_, exchanged_;
  bool is_division_;
};

void add_operators(Methods& methods) {
  const auto add = [&](const std::string& method, const std::string& op) {
    const BinaryMethod call(op);
    if (!call.empty()) methods.define(method, call, call.documentation());
  };
  for (const Operator& each : comparison_operators()) add(each.method, each.tensor_op);
  for (const Operator& each : binary_operators()) {
    const std::string stem = each.method + 2;  // "add__"
    add(each.method, each.tensor_op);
    add("__i" + stem, in_place_op(each.tensor_op));
    methods.define("__r" + stem, ReflectedMethod(each), std::string("other ") + each.text + " self");
  }
  static constexpr std::pair<const char*, const char*> kUnary[] = {{"__neg__", "aten::neg"},
                                                                   {"__pos__", "aten::positive"},
                                                                   {"__abs__", "aten::abs"},
                                                                   {"__invert__", "aten::bitwise_not"}};
  for (const auto& [method, op] : kUnary) methods.add(method, Function::named(op).object());
}

// x.long() is x.to(torch.long).
void add_casts(Methods& methods) {
  for (const DTypeAlias& alias : dtype_aliases()) {
    const auto cast = [to = Function::named("aten::to"), dtype = py::cast(alias.dtype)](const py::object& self) {
      return to(py::make_tuple(self, dtype), {});
    };
    methods.define(alias.name, cast, std::string("Return the tensor as ") + dtype_name(alias.dtype) + ".");
  }
}

// torch.FloatTensor and its like: what old programs call dtypes.
std::string tensor_type_name(DType dtype) {
  static constexpr std::pair<DType, const char*> kNames[] = {
      {DType::kUInt8, "Byte"},      {DType::kInt8, "Char"},         {DType::kInt16, "Short"},
      {DType::kInt32, "Int"},       {DType::kInt64, "Long"},        {DType::kBool, "Bool"},
      {DType::kFloat16, "Half"},    {DType::kBFloat16, "BFloat16"}, {DType::kFloat32, "Float"},
      {DType::kFloat64, "Double"},  {DType::kComplex64, "ComplexFloat"},
      {DType::kComplex128, "ComplexDouble"}, {DType::kQInt8, "QInt8"}, {DType::kQUInt8, "QUInt8"},
      {DType::kQInt32, "QInt32"}};
  const auto found = std::ranges::find(kNames, dtype, &std::pair<DType, const char*>::first);
  if (found == std::end(kNames))
    throw Error(ErrorCode::kUnsupported, std::string("type: ") + dtype_name(dtype) + " has no such name");
  return std::string("torch.") + found->second + "Tensor";
}

// x.where(condition, other) and others whose op has arguments in another order, or that are no op.
void add_rearranged(Methods& methods, const py::module_& module) {
  using namespace py::literals;
  const py::object to = Function::named("aten::to").object();
  methods.define(
      "where",
      [choose = Function::named("aten::where")](const py::object& self, const py::object& condition,
                                                const py::object& other) {
        return choose(py::make_tuple(condition, self, other), {});
      },
      "where(condition, other): the tensor's elements where the condition holds, the other's elsewhere.", "self"_a,
      "condition"_a, "other"_a);
  methods.define(
      "new_tensor",
      [make = py::object(module.attr("tensor"))](const py::object& self, const py::object& data,
                                                 const py::object& dtype, const py::object& device,
                                                 bool requires_grad) {
        return make(data, "dtype"_a = dtype.is_none() ? py::object(self.attr("dtype")) : dtype, "device"_a = device,
                    "requires_grad"_a = requires_grad);
      },
      "new_tensor(data, *, dtype=None): a new tensor of numbers or lists, of this one's dtype unless it is said.",
      "self"_a, "data"_a, py::kw_only(), "dtype"_a = py::none(), "device"_a = py::none(), "requires_grad"_a = false);
  methods.define(
      "type",
      [to](const py::object& self, const py::object& dtype) {
        if (dtype.is_none()) return py::object(py::str(tensor_type_name(self.cast<const Tensor&>().dtype())));
        return to(self, dtype);
      },
      "type(): \"torch.FloatTensor\" and its like; type(dtype): the tensor as that dtype.", "self"_a,
      "dtype"_a = py::none());
}

void add_attributes(Methods& methods) {
  for (const TensorAttribute& each : tensor_attributes())
    if (!methods.has(each.name)) methods.add_property(each.name, Function::named(each.op));
  for (const auto& op : Registry::instance().ops()) {
    const Function get({op.get()});
    if (is_attribute(*op) && !methods.has(get.name())) methods.add_property(get.name(), get);
  }
}

// --- numbers and containers -----------------------------------------------------------------------

Value number_of(const char* what, const Tensor& self) {
  if (self.numel() != 1)
    throw Error(ErrorCode::kValue, std::string(what) + ": the tensor has " + std::to_string(self.numel()) +
                                       " elements; only one element can become a number");
  return nested_list(views::reshape(self, {}));
}

bool truth(const Tensor& self) {
  if (self.numel() != 1)
    throw Error(ErrorCode::kValue, "bool: the tensor has " + std::to_string(self.numel()) +
                                       " elements, so it is neither true nor false; use any() or all()");
  return number_of("bool", self).to_complex() != Complex();
}

py::object index(const Tensor& self) {
  if (self.numel() != 1 || !is_integral(self.dtype()))
    throw Error(ErrorCode::kType, std::string("index: the tensor is ") + dtype_name(self.dtype()) + " of sizes " +
                                      to_string(self.sizes()) + "; only one integer can be an index");
  return py::int_(to_python(number_of("index", self)));
}

py::object iterate(const py::object& self) {
  if (self.cast<const Tensor&>().dim() == 0)
    throw Error(ErrorCode::kType, "iter: the tensor has no dimensions; there is nothing to iterate over");
  return py::iter(self.attr("unbind")(0));
}

bool contains(const py::object& self, const py::object& element) {
  if (!is_number(element) && !to_tensor(element, true))
    throw Error(ErrorCode::kType, "in: the element is a " + type_name(element) + "; expected a number or a tensor");
  return truth(py::object(self.attr("eq")(element).attr("any")()).cast<const Tensor&>());
}

// A tensor without dimensions is formatted as its number is.
py::object formatted(const py::object& self, const std::string& specification) {
  if (specification.empty()) return py::str(self);
  const auto& tensor = self.cast<const Tensor&>();
  if (tensor.dim() == 0) return to_python(nested_list(tensor)).attr("__format__")(specification);
  throw Error(ErrorCode::kType, "format: '" + specification + "' is for numbers and the tensor has sizes " +
                                    to_string(tensor.sizes()) + "; leave it out or format item()");
}

void add_protocols(Methods& methods) {
  methods.define("__bool__", truth, "Whether the only element is not zero.");
  methods.define("__int__", [](const Tensor& self) { return py::int_(to_python(number_of("int", self))); }, "");
  methods.define("__float__", [](const Tensor& self) { return py::float_(to_python(number_of("float", self))); }, "");
  methods.define("__complex__", [](const Tensor& self) { return number_of("complex", self).to_complex(); }, "");
  methods.define("__index__", index, "");
  methods.define("__iter__", iterate, "The parts along the first dimension, as views.");
  methods.define("__contains__", contains, "Whether an element is equal.");
  methods.define("__format__", formatted, "");
}

}  // namespace

void bind_tensor_methods(py::module_& module) {
  const py::object type = module.attr("Tensor");
  Methods methods(type);
  add_casts(methods);
  add_attributes(methods);
  const py::dict ops = module.attr("ops");
  for (const auto& op : Registry::instance().ops()) {
    const std::string name = Function({op.get()}).name();
    if (is_method(*op) && !methods.has(name)) methods.add(name, ops[name.c_str()]);
  }
  add_operators(methods);
  add_rearranged(methods, module);
  add_protocols(methods);
  type.attr("__hash__") = py::module_::import("builtins").attr("object").attr("__hash__");  // that of its identity
  type.attr("__array_priority__") = 1000;  // so that numpy leaves operators to the tensor on their right
}

}  // namespace threadwheel::bindings
