// Facts about nodes, from their kinds and their ops' schemas.
#include "passes/uses.h"

#include <algorithm>
#include <string_view>

namespace threadwheel::passes {
namespace {

using ir::Node;
using ir::NodeKind;

// Ops that do something although their schemas do not say so.
constexpr std::string_view kEffects[] = {"aten::warn", "prim::Print", "aten::set_grad_enabled", "aten::manual_seed",
                                         "aten::seed"};
constexpr std::string_view kRandom[] = {"aten::rand",    "aten::randn",      "aten::randint",       "aten::randperm",
                                        "aten::bernoulli", "aten::multinomial", "aten::normal",      "aten::dropout",
                                        "aten::rand_like", "aten::randn_like", "aten::randint_like", "aten::rrelu",
                                        "aten::is_grad_enabled", "aten::is_autocast_enabled"};

bool writes(const Schema& schema) {
  return std::ranges::any_of(schema.arguments, [](const SchemaArgument& argument) { return argument.type.writes; });
}

}  // namespace

const std::vector<Uses::Use>& Uses::of(const ir::Variable* variable) const {
  static const std::vector<Use> kNone;
  const auto found = uses_.find(variable);
  return found == uses_.end() ? kNone : found->second;
}

void Uses::add(const ir::Block& block) {
  for (const auto& node : block.nodes) {
    for (std::size_t i = 0; i < node->inputs.size(); ++i) uses_[node->inputs[i]].push_back({node.get(), i});
    for (const auto& inner : node->blocks) add(*inner);
  }
  for (std::size_t i = 0; i < block.results.size(); ++i) uses_[block.results[i]].push_back({nullptr, i});
}

bool has_side_effects(const Node& node) {
  switch (node.kind) {
    case NodeKind::kSetAttribute:
    case NodeKind::kCall:
    case NodeKind::kCallMethod:
    case NodeKind::kFork:
    case NodeKind::kWait:
    case NodeKind::kRaise: return true;
    case NodeKind::kIf:
    case NodeKind::kLoop:
      return std::ranges::any_of(node.blocks, [](const auto& block) {
        return std::ranges::any_of(block->nodes, [](const auto& inner) { return has_side_effects(*inner); });
      });
    case NodeKind::kOp:
      return writes(node.op->schema()) || std::ranges::find(kEffects, node.op->name()) != std::end(kEffects);
    default: return false;
  }
}

bool keeps_or_writes(const Node& node, std::size_t input) {
  if (node.kind == NodeKind::kIf || node.kind == NodeKind::kTupleIndex || node.kind == NodeKind::kIsInstance) return false;
  if (node.kind != NodeKind::kOp) return true;
  const Schema& schema = node.op->schema();
  if (input >= schema.arguments.size()) return false;  // of "...": formatted, printed
  const SchemaArgument& argument = schema.arguments[input];
  if (!argument.type.alias.empty()) return true;
  // Without a name, a generic argument may end up in a container: t[](a!) append(t[](a!) self, t(c -> *) el).
  return argument.type.type->is(TypeKind::kVariable) && writes(schema);
}

bool is_deterministic(const Schema& schema) {
  return std::ranges::find(kRandom, schema.name) == std::end(kRandom);
}

}  // namespace threadwheel::passes
