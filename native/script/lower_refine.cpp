// What a condition says about types: branches that can be decided while compiling, and Optional values that are not
// None any more.
#include <algorithm>

#include "script/lowering.h"
#include "threadwheel/error.h"

namespace threadwheel::script {
namespace {

bool is_reference(const Expr& expr) {
  return expr.kind == ExprKind::kName || (expr.kind == ExprKind::kAttribute && is_reference(*expr.args[0]));
}

bool may_be_none(const Type& type) {
  return type.is(TypeKind::kOptional) || type.is(TypeKind::kAny) || type.is(TypeKind::kVariable) ||
         (type.is(TypeKind::kUnion) &&
          std::ranges::any_of(type.elements(), [](const TypePtr& element) { return may_be_none(*element); }));
}

bool is_none_test(const Expr& expr) {
  return expr.kind == ExprKind::kCompare && (expr.text == "is" || expr.text == "is not") &&
         expr.args[1]->kind == ExprKind::kNone;
}

// What a value of the type can be: the members of unions, and of unions and optionals in them.
void add_members(const TypePtr& type, std::vector<TypePtr>& members) {
  if (!type->is(TypeKind::kUnion) && !type->is(TypeKind::kOptional)) return members.push_back(type);
  for (const TypePtr& each : type->elements()) add_members(each, members);
  if (type->is(TypeKind::kOptional)) members.push_back(Type::of(TypeKind::kNone));
}

// What is left of a type where isinstance with these types gave `truth`. Null: nothing is known.
TypePtr narrowed_type(const TypePtr& type, const std::vector<TypePtr>& tested, bool truth) {
  std::vector<TypePtr> members, left;
  add_members(type, members);
  for (const TypePtr& member : members) {
    const bool is = std::ranges::any_of(tested, [&](const TypePtr& each) { return is_subtype(member, each); });
    if (is == truth) left.push_back(member);
  }
  if (left.empty()) {  // of Any
    const bool is_type = tested.size() == 1 && !tested[0]->is(TypeKind::kAnyList) && !tested[0]->is(TypeKind::kAnyTuple);
    return truth && is_type ? tested[0] : nullptr;
  }
  const bool optional = std::erase_if(left, [](const TypePtr& each) { return each->is(TypeKind::kNone); }) > 0;
  if (left.empty()) return Type::of(TypeKind::kNone);
  const TypePtr some = left.size() == 1 ? left[0] : Type::union_of(std::move(left));
  return optional ? Type::optional(some) : some;
}

}  // namespace

// The condition's value, where it does not depend on values of the run.
std::optional<bool> Lowering::known(const Expr& expr) {
  if (expr.kind == ExprKind::kUnary && expr.text == "not") {
    const auto inner = known(*expr.args[0]);
    return inner ? std::optional(!*inner) : std::nullopt;
  }
  if (expr.kind == ExprKind::kBool) {
    const bool decides = expr.text == "or";
    const auto left = known(*expr.args[0]);
    if (!left || *left == decides) return left;
    return known(*expr.args[1]);
  }
  if (is_none_test(expr)) return known_none(expr);
  return known_call(expr);
}

std::optional<bool> Lowering::known_none(const Expr& expr) {
  if (expr.args[0]->kind == ExprKind::kNone) return expr.text == "is";
  if (!is_reference(*expr.args[0])) return std::nullopt;
  const Type& type = *expression(*expr.args[0])->type;
  if (type.is(TypeKind::kNone)) return expr.text == "is";
  if (may_be_none(type)) return std::nullopt;
  return expr.text == "is not";
}

// The word of the dialect that is called; nothing where a value's method is, or anything else.
std::optional<Path> Lowering::called_path(const Expr& expr) {
  if (expr.kind != ExprKind::kCall || expr.args[0]->kind == ExprKind::kCall || !is_reference(*expr.args[0]))
    return std::nullopt;
  if (expr.args[0]->kind == ExprKind::kName && find(expr.args[0]->text) != nullptr) return std::nullopt;
  if (expr.args[0]->kind == ExprKind::kAttribute && std::holds_alternative<Variable*>(binding(*expr.args[0]->args[0])))
    return std::nullopt;
  const Binding what = binding(*expr.args[0]);
  const Path* const path = std::get_if<Path>(&what);
  return path != nullptr ? std::optional(*path) : std::nullopt;
}

std::optional<bool> Lowering::known_call(const Expr& expr) {
  const std::optional<Path> path = called_path(expr);
  if (!path) return std::nullopt;
  if (path->name == "is_scripting") return true;
  if (path->name == "hasattr" && expr.args.size() == 3 && expr.args[2]->kind == ExprKind::kString) {
    const Variable* const object = expression(*expr.args[1]);
    const auto& definition = object->type->definition();
    if (definition == nullptr) return std::nullopt;
    const auto other = other_member(*object, expr.args[2]->text);
    return definition->find(expr.args[2]->text) >= 0 || unit_.find_method(*definition, expr.args[2]->text) ||
           (other && !std::holds_alternative<Unknown>(*other));
  }
  if (path->name != "isinstance" || expr.args.size() != 3 || !is_reference(*expr.args[1])) return std::nullopt;
  const TypePtr type = expression(*expr.args[1])->type;
  const std::vector<TypePtr> types = tested_types(*expr.args[2]);
  if (std::ranges::any_of(types, [&](const TypePtr& each) { return is_subtype(type, each); })) return true;
  const bool may_be_other = may_be_none(*type) || type->is(TypeKind::kUnion) || type->is(TypeKind::kNumber);
  return may_be_other ? std::nullopt : std::optional(false);
}

// Narrows the names that the condition tells about, given its value.
void Lowering::refine(const Expr& expr, bool truth) {
  if (names_.is_archive()) return;  // its code says so itself, with unchecked_cast
  if (expr.kind == ExprKind::kUnary && expr.text == "not") return refine(*expr.args[0], !truth);
  if (expr.kind == ExprKind::kBool && truth == (expr.text == "and")) {
    refine(*expr.args[0], truth);
    return refine(*expr.args[1], truth);
  }
  if (is_none_test(expr) && expr.args[0]->kind == ExprKind::kName && truth == (expr.text == "is not"))
    if (Variable* const value = variable(expr.args[0]->text); value != nullptr && value->type->is(TypeKind::kOptional))
      return refine_to(expr.args[0]->text, value->type->element());
  if (expr.kind != ExprKind::kCall || expr.args.size() != 3 || expr.args[0]->kind != ExprKind::kName ||
      expr.args[1]->kind != ExprKind::kName)
    return;
  const Binding what = binding(*expr.args[0]);
  const Path* const path = std::get_if<Path>(&what);
  if (path == nullptr || path->name != "isinstance") return;
  const Variable* const value = variable(expr.args[1]->text);
  if (value == nullptr) return;
  if (const TypePtr left = narrowed_type(value->type, tested_types(*expr.args[2]), truth))
    refine_to(expr.args[1]->text, left);
}

void Lowering::refine_to(const std::string& name, const TypePtr& type) {
  Variable* const value = variable(name);
  if (value == nullptr || is_subtype(value->type, type)) return;
  bind(name, builder_.cast(value, type));
}

}  // namespace threadwheel::script
