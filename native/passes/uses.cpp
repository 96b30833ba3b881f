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
                                        "aten::feature_dropout", "aten::alpha_dropout", "aten::feature_alpha_dropout",
                                        "aten::native_dropout",
                                        "aten::is_grad_enabled", "aten::is_autocast_enabled"};

bool writes(const Schema& schema) {
  return std::ranges::any_of(schema.arguments, [](const SchemaArgument& argument) { return argument.type.writes; });
}

// Ops that write their running statistics, arguments 3 and 4, unless argument 5 is false. Their schemas do not say so.
constexpr std::string_view kTrained[] = {"aten::batch_norm", "aten::native_batch_norm", "aten::instance_norm"};

bool writes_statistics(const Node& node, std::size_t input) {
  if ((input != 3 && input != 4) || std::ranges::find(kTrained, node.op->name()) == std::end(kTrained)) return false;
  const Node* const flag = node.inputs[5]->node;
  return flag == nullptr || flag->kind != NodeKind::kConstant || flag->constant.to_bool();
}

// Ops that may give their argument itself although their schemas do not say so.
constexpr std::string_view kIdentities[] = {"aten::dropout", "aten::feature_dropout", "aten::alpha_dropout",
                                            "aten::feature_alpha_dropout", "aten::type_as"};

// Values of these types have nothing in them that could be written.
bool is_plain(const Type& type) {
  switch (type.kind()) {
    case TypeKind::kBool:
    case TypeKind::kInt:
    case TypeKind::kFloat:
    case TypeKind::kComplex:
    case TypeKind::kNumber:
    case TypeKind::kString:
    case TypeKind::kNone:
    case TypeKind::kDevice:
    case TypeKind::kEnum: return true;
    case TypeKind::kOptional:
    case TypeKind::kTuple:
      return std::ranges::all_of(type.elements(), [](const TypePtr& element) { return is_plain(*element); });
    default: return false;
  }
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

bool Changes::may_change(const ir::Variable* variable) const {
  return !is_plain(*variable->type) &&
         std::ranges::any_of(uses_.of(variable), [this](const Uses::Use& use) { return may_change_by(use); });
}

bool Changes::may_change_by(const Uses::Use& use) const {
  if (use.node == nullptr) return true;
  switch (use.node->kind) {
    case NodeKind::kIsInstance: return false;
    case NodeKind::kOp: return may_change_by_op(use);
    case NodeKind::kTuple:
    case NodeKind::kList:
    case NodeKind::kUnpack:
    case NodeKind::kTupleIndex:
    case NodeKind::kCast:
      return std::ranges::any_of(use.node->outputs, [this](const auto& output) { return may_change(output.get()); });
    default: return true;
  }
}

bool Changes::may_change_by_op(const Uses::Use& use) const {
  const Node& node = *use.node;
  const Schema& schema = node.op->schema();
  if (use.index >= schema.arguments.size()) return false;  // of "...": formatted, printed
  const SchemaType& type = schema.arguments[use.index].type;
  if (type.writes || writes_statistics(node, use.index)) return true;
  const bool is_identity = std::ranges::find(kIdentities, node.op->name()) != std::end(kIdentities);
  // A generic argument without a name may end up in a container that is written: append(t[](a!) self, t(c -> *) el).
  const bool is_generic = type.type->is(TypeKind::kVariable);
  if ((is_generic || !type.alias.empty()) && writes(schema)) return true;
  if (type.alias.empty() && !is_identity && !is_generic) return false;
  return std::ranges::any_of(node.outputs, [this](const auto& output) { return may_change(output.get()); });
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

bool is_deterministic(const Schema& schema) {
  return std::ranges::find(kRandom, schema.name) == std::end(kRandom);
}

}  // namespace threadwheel::passes
