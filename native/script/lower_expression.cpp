// Lowering of names, literals, attributes, and tuples, lists and dicts.
#include <algorithm>

#include "ops/registry.h"
#include "ops/tensor_syntax.h"
#include "script/lowering.h"
#include "threadwheel/error.h"

namespace threadwheel::script {
ir::Variable* Lowering::expression(const Expr& expr, const TypePtr& expected) {
  return value_of(binding(expr, expected), expr.range);
}

ir::Variable* Lowering::value_of(const Binding& bound, const Range& range) {
  if (Variable* const* const variable = std::get_if<Variable*>(&bound)) return *variable;
  ir::fail(range, "a value is expected here, and this names something that has none at run time");
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
    case ExprKind::kCall: return call(expr, expected);
    case ExprKind::kSubscript: return subscript(expr);
    case ExprKind::kList: return list(expr, expected);
    case ExprKind::kTuple: return tuple(expr, expected);
    case ExprKind::kDict: return dict(expr, expected);
    case ExprKind::kUnary: return unary(expr);
    case ExprKind::kBinary: return binary(expr);
    case ExprKind::kCompare: return compare(expr);
    case ExprKind::kBool: return boolean(expr);
    case ExprKind::kConditional: return conditional(expr, expected);
    case ExprKind::kFormatted: return formatted(expr);
    case ExprKind::kListComp: return list_comprehension(expr, expected);
    case ExprKind::kDictComp: return dict_comprehension(expr, expected);
    case ExprKind::kInt:
    case ExprKind::kFloat:
    case ExprKind::kImaginary:
    case ExprKind::kString:
    case ExprKind::kTrue:
    case ExprKind::kFalse:
    case ExprKind::kNone: return literal(expr);
    case ExprKind::kEllipsis:
    case ExprKind::kSlice: ir::fail(expr.range, "'...' and slices belong into an index", ErrorCode::kUnsupported);
    case ExprKind::kStarred:
      ir::fail(expr.range, "'*' is supported in calls only, for tuples", ErrorCode::kUnsupported);
  }
  ir::fail(expr.range, "this expression is not supported", ErrorCode::kUnsupported);
}

ir::Variable* Lowering::literal(const Expr& expr) {
  const Value value = constant_value(expr, unit_);
  return builder_.constant(value, type_of_value(value));
}

Lowering::Binding Lowering::name(const Expr& expr) {
  const Binding* const found = find(expr.text);
  if (found == nullptr) return from_meaning(names_.find(expr.text), expr.range);
  if (const Unknown* const unknown = std::get_if<Unknown>(found)) ir::fail(expr.range, unknown->problem);
  return *found;
}

Lowering::Binding Lowering::from_meaning(Meaning meaning, const Range& range) {
  if (const Unknown* const unknown = std::get_if<Unknown>(&meaning)) ir::fail(range, unknown->problem);
  if (const Constant* const fixed = std::get_if<Constant>(&meaning)) return constant(*fixed);
  if (Path* const path = std::get_if<Path>(&meaning)) return std::move(*path);
  if (TypePtr* const type = std::get_if<TypePtr>(&meaning)) return std::move(*type);
  if (auto* const names = std::get_if<std::shared_ptr<Names>>(&meaning)) return std::move(*names);
  return std::get<std::shared_ptr<ir::Function>>(std::move(meaning));
}

// A list is made anew each time: the program may change it.
ir::Variable* Lowering::constant(const Constant& constant) {
  if (!constant.value.is_list()) return builder_.constant(constant.value, constant.type);
  std::vector<Variable*> elements;
  for (const Value& each : constant.value.to_list())
    elements.push_back(builder_.constant(each, constant.type->element()));
  return builder_.list(std::move(elements), constant.type->element());
}

Lowering::Binding Lowering::attribute(const Expr& expr) { return attribute_of_binding(binding(*expr.args[0]), expr); }

Lowering::Binding Lowering::attribute_of_binding(const Binding& base, const Expr& expr) {
  if (Variable* const* const object = std::get_if<Variable*>(&base)) return member(*object, expr.text, expr.range);
  if (const auto* const names = std::get_if<std::shared_ptr<Names>>(&base))
    return from_meaning((*names)->find(expr.text), expr.range);
  if (const TypePtr* const type = std::get_if<TypePtr>(&base); type != nullptr && (*type)->is(TypeKind::kEnum)) {
    Value member = unit_.enum_member(*type, expr.text);
    if (member.is_none()) ir::fail(expr.range, (*type)->name() + " has no member '" + expr.text + "'");
    return builder_.constant(std::move(member), *type);
  }
  if (const TypePtr* const type = std::get_if<TypePtr>(&base)) return Path{(*type)->name() + "." + expr.text};
  if (const Path* const path = std::get_if<Path>(&base)) return Path{path->name + "." + expr.text};
  ir::fail(expr.range, "this has no attribute '" + expr.text + "'");
}

// An attribute of a value, a method with its object, or what else the name means of it.
Lowering::Binding Lowering::member(Variable* object, const std::string& name, const Range& range) {
  if (object->type->is(TypeKind::kClass) && object->type->definition()->find(name) < 0 &&
      !unit_.find_constant(*object->type->definition(), name))
    if (auto method = unit_.find_method(*object->type->definition(), name))
      return BoundMethod{object, std::move(method)};
  if (auto other = other_member(*object, name)) return from_meaning(*std::move(other), range);
  return attribute_of(object, name, range);
}

std::optional<Meaning> Lowering::other_member(const Variable& object, const std::string& name) {
  if (!object.type->is(TypeKind::kClass)) return std::nullopt;
  return unit_.find_other(*object.type->definition(), name);
}

ir::Variable* Lowering::attribute_of(Variable* object, const std::string& attribute, const Range& range) {
  const TypePtr& type = object->type;
  if (type->is(TypeKind::kTensor) || type->is(TypeKind::kDevice)) return tensor_attribute(object, attribute, range);
  if (type->is(TypeKind::kEnum) && attribute == "name")
    return builder_.value(ir::NodeKind::kEnumName, {object}, Type::of(TypeKind::kString));
  if (type->is(TypeKind::kEnum) && attribute == "value")
    return builder_.value(ir::NodeKind::kEnumValue, {object}, unit_.enum_value_type(type));
  if (type->is(TypeKind::kTuple) && object->node != nullptr && object->node->kind == ir::NodeKind::kOp) {
    const std::vector<std::string>& names = object->node->op->schema().return_names;
    if (const auto at = std::ranges::find(names, attribute); at != names.end())
      return builder_.tuple_index(object, at - names.begin());
  }
  if (type->definition() == nullptr)
    ir::fail(range, "a " + type->to_string() + " has no attribute '" + attribute + "'");
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
  ir::fail(range, definition.name + " has no attribute '" + attribute + "'");
}

ir::Variable* Lowering::tensor_attribute(Variable* tensor, const std::string& name, const Range& range) {
  if (tensor->type->is(TypeKind::kTensor))
    for (const TensorAttribute& attribute : tensor_attributes())
      if (name == attribute.name) return op(attribute.op, {{tensor}, {}});
  if (Registry::instance().find("prim::" + name).empty())
    ir::fail(range, "a " + tensor->type->to_string() + " has no attribute '" + name + "' here");
  return op("prim::" + name, {{tensor}, {}});
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

ir::Variable* Lowering::as_type(Variable* variable, const TypePtr& type, const Range& range) {
  if (Variable* const converted = convert(builder_, variable, type)) return converted;
  ir::fail(range, "this is " + variable->type->to_string() + "; expected " + type->to_string(), ErrorCode::kType);
}

ir::Variable* Lowering::condition(const Expr& expr) {
  Variable* const value = expression(expr);
  const Type& type = *value->type;
  if (type.is(TypeKind::kBool)) return value;
  const Range before = builder_.range();
  builder_.set_range(expr.range);
  Variable* decides = nullptr;
  if (type.is(TypeKind::kList) || type.is(TypeKind::kDict) || type.is(TypeKind::kString)) {
    decides = op("aten::gt", {{op("aten::len", {{value}, {}}), builder_.integer(0)}, {}});
  } else if (type.is(TypeKind::kOptional)) {
    ir::fail(expr.range,
             "a " + type.to_string() + " is neither true nor false; test it with 'is None' or 'is not None'",
             ErrorCode::kType);
  } else {
    decides = op("aten::Bool", {{value}, {}});
  }
  builder_.set_range(before);
  return decides;
}

}  // namespace threadwheel::script
