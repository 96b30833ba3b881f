// Lowering of operators, comparisons, conditions and f-strings.
#include <algorithm>

#include "ops/tensor_syntax.h"
#include "script/lowering.h"
#include "threadwheel/error.h"

namespace threadwheel::script {
namespace {

bool is_number(const ir::Variable& variable) {
  return variable.type->is(TypeKind::kInt) || variable.type->is(TypeKind::kFloat) ||
         variable.type->is(TypeKind::kNumber) || variable.type->is(TypeKind::kBool) ||
         variable.type->is(TypeKind::kComplex);
}

}  // namespace

ir::Variable* Lowering::unary(const Expr& expr) {
  const Expr& inner = *expr.args[0];
  const bool is_number_literal =
      inner.kind == ExprKind::kInt || inner.kind == ExprKind::kFloat || inner.kind == ExprKind::kImaginary;
  if (is_number_literal && (expr.text == "-" || expr.text == "+")) return literal(expr);
  if (expr.text == "not") return op("aten::__not__", {{condition(inner)}, {}});
  Variable* const value = expression(inner);
  if (expr.text == "+") return value;
  return op(expr.text == "-" ? "aten::neg" : "aten::bitwise_not", {{value}, {}});
}

ir::Variable* Lowering::binary(const Expr& expr) {
  if (names_.is_archive()) return literal(expr);  // 1.+2.j; there is nothing else
  Variable *const left = expression(*expr.args[0]), *const right = expression(*expr.args[1]);
  return binary_of(expr.text, left, right);
}

ir::Variable* Lowering::binary_of(const std::string& text, Variable* left, Variable* right) {
  const Operator& found = find_operator(binary_operators(), text);
  if (left->type->is(TypeKind::kClass))
    return call_function(find_method(*left, found.method, builder_.range()), {{left, right}, {}});
  if (left->type->is(TypeKind::kTuple) && right->type->is(TypeKind::kTuple) && text == "+") {
    std::vector<Variable*> elements = builder_.unpack(left, left->type->elements());
    for (Variable* each : builder_.unpack(right, right->type->elements())) elements.push_back(each);
    return builder_.tuple(std::move(elements));
  }
  if (left->type->is(TypeKind::kString) && text == "%") return op("aten::percentFormat", {{left, right}, {}});
  const bool tensors = left->type->is(TypeKind::kTensor) || right->type->is(TypeKind::kTensor);
  if (tensors && is_number(*left)) {  // the ops have their tensor first
    if (found.reflected != nullptr) return op(found.reflected, {{right, left}, {}});
    if (text == "/") return op("aten::mul", {{op("aten::reciprocal", {{right}, {}}), left}, {}});
  }
  return op(tensors ? found.tensor_op : found.op, {{left, right}, {}});
}

ir::Variable* Lowering::compare(const Expr& expr) {
  if (expr.text == "is" || expr.text == "is not") {
    if (const auto decided = known(expr)) return builder_.boolean(*decided);
    Variable *const left = expression(*expr.args[0]), *const right = expression(*expr.args[1]);
    return op(expr.text == "is" ? "aten::__is__" : "aten::__isnot__", {{left, right}, {}});
  }
  Variable* left = expression(*expr.args[0]);
  Variable* right = expression(*expr.args[1]);
  if (expr.text == "in") return contains(right, left);
  if (expr.text == "not in") return op("aten::__not__", {{contains(right, left)}, {}});
  const Operator& found = find_operator(comparison_operators(), expr.text);
  if (left->type->is(TypeKind::kClass))
    return call_function(find_method(*left, found.method, expr.range), {{left, right}, {}});
  if (!is_number(*left) || !right->type->is(TypeKind::kTensor)) return op(found.op, {{left, right}, {}});
  return op(found.reflected, {{right, left}, {}});
}

ir::Variable* Lowering::contains(Variable* container, Variable* item) {
  if (container->type->is(TypeKind::kString))
    return op("aten::ne", {{op("aten::find", {{container, item}, {}}), builder_.integer(-1)}, {}});
  if (container->type->is(TypeKind::kTuple)) container = as_type(container, Type::list(item->type), builder_.range());
  return op("aten::__contains__", {{container, item}, {}});
}

ir::Variable* Lowering::boolean(const Expr& expr) {
  if (const auto decided = known(expr)) return builder_.boolean(*decided);
  const bool is_and = expr.text == "and";
  Variable* const left = condition(*expr.args[0]);
  const auto right = [&] {
    refine(*expr.args[0], is_and);
    return condition(*expr.args[1]);
  };
  const auto decided = [&] { return builder_.boolean(!is_and); };
  return is_and ? choose(left, right, decided) : choose(left, decided, right);
}

ir::Variable* Lowering::conditional(const Expr& expr, const TypePtr& expected) {
  if (const auto decided = known(*expr.args[0])) return expression(*expr.args[*decided ? 1 : 2], expected);
  const auto way = [&](bool truth) {
    refine(*expr.args[0], truth);
    return expression(*expr.args[truth ? 1 : 2], expected);
  };
  return choose(condition(*expr.args[0]), [&] { return way(true); }, [&] { return way(false); });
}

ir::Variable* Lowering::formatted(const Expr& expr) {
  std::string text;
  CallArguments given{{nullptr}, {}};
  for (const ExprPtr& part : expr.args) {
    if (part->kind == ExprKind::kString && part->text.find_first_of("{}") == std::string::npos) {
      text += part->text;
    } else {
      text += "{}";
      given.positional.push_back(expression(*part));
    }
  }
  given.positional[0] = builder_.string(text);
  return op("aten::format", given);
}

}  // namespace threadwheel::script
