// Ops that give what they are given: dropout outside of training, and the integers that traces wrap in tensors.
#include <algorithm>
#include <unordered_map>

#include "passes/edit.h"
#include "passes/passes.h"

namespace threadwheel::passes {
namespace {

using ir::Block;
using ir::Node;
using ir::NodeKind;
using ir::Variable;

class Remover {
 public:
  explicit Remover(ir::Graph& graph) : changes_(graph) { block(graph.top); }

 private:
  void block(Block& block) {
    for (const auto& node : block.nodes) {
      for (Variable*& input : node->inputs) input = replaced(input);
      for (const auto& inner : node->blocks) this->block(*inner);
      if (Variable* const same = same_as(*node)) replacements_[node->output()] = same;
    }
    for (Variable*& result : block.results) result = replaced(result);
  }

  Variable* replaced(Variable* variable) const {
    const auto found = replacements_.find(variable);
    return found == replacements_.end() ? variable : found->second;
  }

  Variable* same_as(const Node& node) const {
    if (node.kind != NodeKind::kOp) return nullptr;
    const std::string_view name = base_name(node);
    if (name.starts_with("aten::") && name.ends_with("dropout")) {
      const Value* const train = node.inputs.size() == 3 ? settled_value(node.inputs[2]) : nullptr;
      return train != nullptr && train->is_bool() && !train->to_bool() ? node.inputs[0] : nullptr;
    }
    return name == "aten::Int" ? wrapped_integer(node) : nullptr;
  }

  // x of Int(NumToTensor(x)).
  Variable* wrapped_integer(const Node& node) const {
    const Node* const maker = node.inputs[0]->node;
    const bool wraps = maker != nullptr && maker->kind == NodeKind::kOp && maker->op->name() == "prim::NumToTensor" &&
                       maker->inputs[0]->type->is(TypeKind::kInt) && !changes_.may_change(maker->output());
    return wraps ? maker->inputs[0] : nullptr;
  }

  Changes changes_;
  std::unordered_map<const Variable*, Variable*> replacements_;
};

}  // namespace

void remove_identities(ir::Graph& graph) { Remover{graph}; }

}  // namespace threadwheel::passes
