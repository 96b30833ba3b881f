// Numbers that a trace holds as tensors without dimensions. Of sums, differences, products and quotients the second
// operand becomes a number again, as torch's executor makes it before it runs a graph (CanonicalizeOps): the dtype of
// the result depends on it. Integers times the number 1.5 are float32, times a float64 tensor float64.
#include <algorithm>

#include "ops/compose.h"
#include "passes/edit.h"
#include "passes/passes.h"

namespace threadwheel::passes {
namespace {

using ir::Node;
using ir::NodeKind;

// aten::add.Scalar for aten::add.Tensor; null for other ops.
const Op* form_with_number(const Node& node) {
  constexpr std::string_view kNames[] = {"aten::add", "aten::sub", "aten::mul", "aten::div"};
  if (node.kind != NodeKind::kOp || node.op->schema().overload != "Tensor") return nullptr;
  const bool is_known = std::ranges::find(kNames, node.op->name()) != std::end(kNames);
  return is_known ? find_op(node.op->name(), "Scalar") : nullptr;
}

TypePtr type_of_number(const Value& number) {
  switch (number.tag()) {
    case ValueTag::kBool: return Type::of(TypeKind::kBool);
    case ValueTag::kInt: return Type::of(TypeKind::kInt);
    case ValueTag::kComplex: return Type::of(TypeKind::kComplex);
    default: return Type::of(TypeKind::kFloat);
  }
}

}  // namespace

void take_number_operands(ir::Graph& graph) {
  const Changes changes(graph);
  for_each_position(graph.top, [&](ir::Block& block, Position at) {
    Node& node = **at;
    const Op* const op = form_with_number(node);
    const Node* const maker = op != nullptr ? node.inputs[1]->node : nullptr;
    if (maker == nullptr || maker->kind != NodeKind::kConstant || changes.may_change(maker->output())) return;
    if (!maker->constant.is_tensor() || maker->constant.to_tensor().dim() != 0) return;
    const Value number = aten_value("item", {maker->constant});
    node.inputs[1] = insert_constant(block, at, number, type_of_number(number));
    node.op = op;
  });
}

}  // namespace threadwheel::passes
