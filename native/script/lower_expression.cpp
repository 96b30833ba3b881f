// Lowering of expressions other than calls.
#include <algorithm>
#include <array>
#include <limits>

#include "script/lowering.h"
#include "threadwheel/error.h"

namespace threadwheel::script {

ir::Variable* Lowering::expression(const Expr& expr, const TypePtr& expected) {
  const Binding bound = binding(expr, expected);
  if (Variable* const* const variable = std::get_if<Variable*>(&bound)) return *variable;
  ir::fail(expr.range, "a value is expected here, and this names something that has none at run time");
}

Lowering::Binding Lowering::binding(const Expr& expr, const TypePtr& expected) {
  const Range before = builder_.range();
  builder_.set_range(expr.range);
  Binding bound = binding_without_range(expr, expected);
  builder_.set_range(before);
  return bound;
}

Lowering::Binding Lowering::binding_without_range(const Expr& expr, const TypePtr& expected) {
  switch (expr.kind) {
    case ExprKind::kName: return name(expr);
    case ExprKind::kAttribute: return attribute(expr);
    case ExprKind::kCall: return call(expr);
    case ExprKind::kSubscript: return subscript(expr);
    case ExprKind::kList: return list(expr, expected);
    case ExprKind::kTuple: return tuple(expr, expected);
    case ExprKind::kDict: return dict(expr, expected);
    case ExprKind::kUnary: return unary(expr);
    case ExprKind::kBinary: return literal(expr);  // 1.+2.j
    case ExprKind::kInt:
    case ExprKind::kFloat:
    case ExprKind::kImaginary:
    case ExprKind::kString:
    case ExprKind::kTrue:
    case ExprKind::kFalse:
    case ExprKind::kNone: return literal(expr);
    default: ir::fail(expr.range, "this expression is not supported in archives", ErrorCode::kUnsupported);
  }
}

ir::Variable* Lowering::literal(const Expr& expr) {
  const Value value = constant_value(expr, unit_);
  switch (value.tag()) {
    case ValueTag::kNone: return builder_.none();
    case ValueTag::kBool: return builder_.boolean(value.to_bool());
    case ValueTag::kInt: return builder_.integer(value.to_int());
    case ValueTag::kDouble: return builder_.constant(value, Type::of(TypeKind::kFloat));
    case ValueTag::kComplex: return builder_.constant(value, Type::of(TypeKind::kComplex));
    default: return builder_.constant(value, Type::of(TypeKind::kString));
  }
}

Lowering::Binding Lowering::name(const Expr& expr) {
  if (const Binding* const found = find(expr.text)) return *found;
  if (expr.text == "inf" || expr.text == "nan" || expr.text == "infj" || expr.text == "nanj") return literal(expr);
  static constexpr std::array kWords{"torch",    "ops",   "__torch__", "CONSTANTS", "annotate", "unchecked_cast",
                                     "getattr",  "int",   "float",     "bool",      "str",      "complex",
                                     "print",    "range", "sorted",    "fork",      "isinstance", "uninitialized"};
  if (std::ranges::find(kWords, expr.text) != kWords.end()) return Path{expr.text};
  ir::fail(expr.range, "'" + expr.text + "' is not defined here");
}

// A constant's static type, from the value: what the archive stores has no annotation.
static TypePtr type_of_value(const Value& value) {
  switch (value.tag()) {
    case ValueTag::kNone: return Type::of(TypeKind::kNone);
    case ValueTag::kBool: return Type::of(TypeKind::kBool);
    case ValueTag::kInt: return Type::of(TypeKind::kInt);
    case ValueTag::kDouble: return Type::of(TypeKind::kFloat);
    case ValueTag::kComplex: return Type::of(TypeKind::kComplex);
    case ValueTag::kTensor: return Type::of(TypeKind::kTensor);
    case ValueTag::kString: return Type::of(TypeKind::kString);
    case ValueTag::kDevice: return Type::of(TypeKind::kDevice);
    case ValueTag::kObject: return value.to_object().type;
    case ValueTag::kEnum: return value.to_enum().type;
    case ValueTag::kTuple: {
      std::vector<TypePtr> elements;
      for (const Value& element : value.to_tuple()) elements.push_back(type_of_value(element));
      return Type::tuple(std::move(elements));
    }
    case ValueTag::kList:
      return Type::list(value.to_list().empty() ? Type::of(TypeKind::kTensor) : type_of_value(value.to_list()[0]));
    case ValueTag::kDict: {
      const auto& entries = value.to_dict().entries;
      if (entries.empty()) return Type::dict(Type::of(TypeKind::kString), Type::of(TypeKind::kTensor));
      return Type::dict(type_of_value(entries.front().first), type_of_value(entries.front().second));
    }
    case ValueTag::kFuture: break;
  }
  return Type::of(TypeKind::kAny);
}

Lowering::Binding Lowering::attribute(const Expr& expr) {
  const Binding base = binding(*expr.args[0]);
  if (Variable* const* const object = std::get_if<Variable*>(&base)) return attribute_of(*object, expr.text, expr);
  if (const TypePtr* const type = std::get_if<TypePtr>(&base); type != nullptr && (*type)->is(TypeKind::kEnum)) {
    Value member = unit_.enum_member(*type, expr.text);
    if (member.is_none()) ir::fail(expr.range, (*type)->name() + " has no member '" + expr.text + "'");
    return builder_.constant(std::move(member), *type);
  }
  if (const TypePtr* const type = std::get_if<TypePtr>(&base)) return Path{(*type)->name() + "." + expr.text};
  const Path* const path = std::get_if<Path>(&base);
  if (path == nullptr) ir::fail(expr.range, "this has no attribute '" + expr.text + "'");
  const std::string whole = path->name + "." + expr.text;
  if (path->name == "CONSTANTS") {
    const Value value = constant_value(expr, unit_);
    return builder_.constant(value, type_of_value(value));
  }
  if (whole.starts_with("__torch__.")) {
    if (TypePtr type = unit_.find_type(whole)) return type;
    if (auto function = unit_.find_function(whole)) return function;
  }
  return Path{whole};
}

ir::Variable* Lowering::attribute_of(Variable* object, const std::string& attribute, const Expr& expr) {
  const TypePtr& type = object->type;
  if (type->is(TypeKind::kEnum) && attribute == "name")
    return builder_.value(ir::NodeKind::kEnumName, {object}, Type::of(TypeKind::kString));
  if (type->is(TypeKind::kEnum) && attribute == "value")
    return builder_.value(ir::NodeKind::kEnumValue, {object}, Type::of(TypeKind::kAny));
  if (type->definition() == nullptr)
    ir::fail(expr.range, "a " + type->to_string() + " has no attribute '" + attribute + "'");
  const ClassDefinition& definition = *type->definition();
  const std::int64_t slot = definition.find(attribute);
  if (slot >= 0 && type->is(TypeKind::kTuple)) return builder_.tuple_index(object, slot);
  if (slot >= 0) {
    ir::Node* const node = builder_.node(ir::NodeKind::kGetAttribute, {object});
    node->index = slot;
    node->name = attribute;
    return node->add_output(definition.attributes[static_cast<std::size_t>(slot)].type, attribute);
  }
  if (const auto constant = unit_.find_constant(definition, attribute))
    return builder_.constant(constant->second, constant->first);
  ir::fail(expr.range, definition.name + " has no attribute '" + attribute + "'");
}

ir::Variable* Lowering::subscript(const Expr& expr) {
  Variable* const object = expression(*expr.args[0]);
  const Expr& index = *expr.args[1];
  if (object->type->is(TypeKind::kTuple)) return tuple_subscript(object, index);
  return op("aten::__getitem__", {{object, expression(index)}, {}});
}

ir::Variable* Lowering::tuple_subscript(Variable* object, const Expr& index) {
  const auto size = static_cast<std::int64_t>(object->type->elements().size());
  const auto position = [&](const Expr& part) {
    const Value value = constant_value(part, unit_);
    if (!value.is_int()) ir::fail(part.range, "the index of a tuple must be a constant int");
    return value.to_int() < 0 ? value.to_int() + size : value.to_int();
  };
  if (index.kind == ExprKind::kSlice) {
    const std::int64_t begin = index.args[0] ? std::max<std::int64_t>(0, position(*index.args[0])) : 0;
    const std::int64_t end = index.args[1] ? std::min(size, position(*index.args[1])) : size;
    std::vector<Variable*> elements;
    for (std::int64_t i = begin; i < end; ++i) elements.push_back(builder_.tuple_index(object, i));
    return builder_.tuple(std::move(elements));
  }
  const std::int64_t at = position(index);
  if (at < 0 || at >= size)
    ir::fail(index.range, "index " + std::to_string(at) + " is outside a tuple of " + std::to_string(size));
  return builder_.tuple_index(object, at);
}

TypePtr Lowering::common_type(const Expr& expr, const std::vector<Variable*>& elements) {
  TypePtr type = Type::of(TypeKind::kNever);
  for (const Variable* element : elements) {
    type = unify(type, element->type);
    if (type == nullptr) ir::fail(expr.range, "the elements are of types that have nothing in common");
  }
  return type;
}

ir::Variable* Lowering::list(const Expr& expr, const TypePtr& expected) {
  TypePtr element;
  const TypePtr wanted = expected && expected->is(TypeKind::kOptional) ? expected->element() : expected;
  if (wanted && wanted->is(TypeKind::kList)) element = wanted->element();
  std::vector<Variable*> elements;
  for (const ExprPtr& each : expr.args) elements.push_back(expression(*each, element));
  if (element == nullptr) element = elements.empty() ? Type::of(TypeKind::kTensor) : common_type(expr, elements);
  for (std::size_t i = 0; i < elements.size(); ++i) elements[i] = as_type(elements[i], element, expr.range);
  return builder_.list(std::move(elements), std::move(element));
}

ir::Variable* Lowering::tuple(const Expr& expr, const TypePtr& expected) {
  const TypePtr wanted = expected && expected->is(TypeKind::kOptional) ? expected->element() : expected;
  const bool guided = wanted && wanted->is(TypeKind::kTuple) && wanted->elements().size() == expr.args.size();
  std::vector<Variable*> elements;
  for (std::size_t i = 0; i < expr.args.size(); ++i)
    elements.push_back(expression(*expr.args[i], guided ? wanted->element(i) : nullptr));
  return builder_.tuple(std::move(elements));
}

ir::Variable* Lowering::dict(const Expr& expr, const TypePtr& expected) {
  const bool guided = expected && expected->is(TypeKind::kDict);
  TypePtr key = guided ? expected->element(0) : nullptr, value = guided ? expected->element(1) : nullptr;
  std::vector<Variable*> keys, values, inputs;
  for (std::size_t i = 0; i < expr.args.size(); i += 2) {
    keys.push_back(expression(*expr.args[i], key));
    values.push_back(expression(*expr.args[i + 1], value));
  }
  if (!guided) {
    key = keys.empty() ? Type::of(TypeKind::kString) : common_type(expr, keys);
    value = values.empty() ? Type::of(TypeKind::kTensor) : common_type(expr, values);
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    inputs.push_back(as_type(keys[i], key, expr.range));
    inputs.push_back(as_type(values[i], value, expr.range));
  }
  return builder_.value(ir::NodeKind::kDict, std::move(inputs), Type::dict(key, value));
}

ir::Variable* Lowering::unary(const Expr& expr) {
  const ExprKind kind = expr.args[0]->kind;
  if (kind == ExprKind::kInt || kind == ExprKind::kFloat || kind == ExprKind::kImaginary || kind == ExprKind::kName) {
    if (kind != ExprKind::kName || find(expr.args[0]->text) == nullptr) return literal(expr);
  }
  const char* const name = expr.text == "-" ? "aten::neg" : expr.text == "~" ? "aten::bitwise_not" : "aten::__not__";
  return op(name, {{expression(*expr.args[0])}, {}});
}

ir::Variable* Lowering::as_type(Variable* variable, const TypePtr& type, const Range& range) {
  if (Variable* const converted = convert(builder_, variable, type)) return converted;
  ir::fail(range, "this is " + variable->type->to_string() + "; expected " + type->to_string(), ErrorCode::kType);
}

ir::Variable* Lowering::condition(const Expr& expr) {
  Variable* const value = expression(expr);
  if (value->type->is(TypeKind::kBool)) return value;
  return op("aten::Bool", {{value}, {}});
}

}  // namespace threadwheel::script
