// Looking and rewriting, for the passes that fuse.
#include "passes/edit.h"

#include <algorithm>

#include "passes/passes.h"

namespace threadwheel::passes {

using ir::Node;
using ir::NodeKind;
using ir::Variable;

const Value* settled_value(const Variable* variable) {
  if (variable->node == nullptr || variable->node->kind != NodeKind::kConstant) return nullptr;
  const Value& value = variable->node->constant;
  const bool plain = value.is_none() || value.is_number() || value.is_string();
  return plain || variable->node->settled ? &value : nullptr;
}

const Tensor* settled_weight(const Variable* variable) {
  const Value* const value = settled_value(variable);
  if (value == nullptr || !value->is_tensor() || value->to_tensor().dtype() != DType::kFloat32) return nullptr;
  return &value->to_tensor();
}

Variable* insert_constant(ir::Block& block, Position before, Value value, TypePtr type) {
  Node& made = **block.nodes.insert(before, std::make_unique<Node>(NodeKind::kConstant, &block));
  made.constant = std::move(value);
  made.settled = true;
  return made.add_output(std::move(type));
}

Node* absorbable(const Uses& uses, ir::Block& block, Position at, const Variable* input) {
  Node* const maker = input->node;
  if (maker == nullptr || maker->block != &block || uses.of(input).size() != 1) return nullptr;
  while (at != block.nodes.begin()) {
    --at;
    if (at->get() == maker) return maker;
    if (has_side_effects(**at)) return nullptr;
  }
  return nullptr;
}

std::string_view base_name(const Node& node) {
  if (node.kind != NodeKind::kOp) return {};
  std::string_view name = node.op->name();
  if (name.ends_with('_') && !name.ends_with("__")) name.remove_suffix(1);
  return name;
}

const Op* find_op(std::string_view name, std::string_view overload) {
  const auto overloads = Registry::instance().find(name);
  return *std::ranges::find(overloads, overload, [](const Op* op) { return op->schema().overload; });
}

}  // namespace threadwheel::passes
