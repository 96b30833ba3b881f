// Constant folding. What may change afterwards is left alone: tensors and lists that somebody keeps or writes.
#include <algorithm>
#include <optional>
#include <unordered_map>

#include "passes/passes.h"
#include "passes/uses.h"
#include "threadwheel/error.h"

namespace threadwheel::passes {
namespace {

using ir::Block;
using ir::Graph;
using ir::Node;
using ir::NodeKind;
using ir::Variable;

bool is_immutable(const Value& value) {
  switch (value.tag()) {
    case ValueTag::kNone:
    case ValueTag::kBool:
    case ValueTag::kInt:
    case ValueTag::kDouble:
    case ValueTag::kComplex:
    case ValueTag::kString:
    case ValueTag::kDevice:
    case ValueTag::kEnum: return true;
    case ValueTag::kTuple: return std::ranges::all_of(value.to_tuple(), is_immutable);
    default: return false;
  }
}

class Folder {
 public:
  explicit Folder(Graph& graph) : changes_(graph) { block(graph.top); }

 private:
  void block(Block& block) {
    for (auto each = block.nodes.begin(); each != block.nodes.end();) {
      Node& node = **each;
      for (Variable*& input : node.inputs) input = replaced(input);
      if (node.kind == NodeKind::kIf)
        if (const Node* const known = constant(node.inputs[0])) {
          each = splice(block, each, known->constant.to_bool() ? 0 : 1);
          continue;
        }
      for (const auto& inner : node.blocks) this->block(*inner);
      if (auto value = compute(node)) make_constant(node, *std::move(value));
      ++each;
    }
    for (Variable*& result : block.results) result = replaced(result);
  }

  Variable* replaced(Variable* variable) const {
    for (auto found = replacements_.find(variable); found != replacements_.end(); found = replacements_.find(variable))
      variable = found->second;
    return variable;
  }

  static const Node* constant(const Variable* variable) {
    return variable->node != nullptr && variable->node->kind == NodeKind::kConstant ? variable->node : nullptr;
  }

  // The branch that is taken, in the place of its If. Returns the next node to look at: the first of the branch.
  std::list<std::unique_ptr<Node>>::iterator splice(Block& block, std::list<std::unique_ptr<Node>>::iterator at,
                                                    std::size_t which) {
    const std::unique_ptr<Node> node = std::move(*at);
    Block& taken = *node->blocks[which];
    for (const auto& inner : taken.nodes) {
      inner->block = &block;
      for (const auto& output : inner->outputs) output->block = &block;
    }
    for (std::size_t i = 0; i < node->outputs.size(); ++i) replacements_[node->outputs[i].get()] = taken.results[i];
    kept_.insert(kept_.end(), std::make_move_iterator(node->outputs.begin()),
                 std::make_move_iterator(node->outputs.end()));
    at = block.nodes.erase(at);
    const auto first = taken.nodes.empty() ? at : taken.nodes.begin();
    block.nodes.splice(at, taken.nodes);
    return first;
  }

  std::optional<Value> compute(Node& node) const {
    if (node.outputs.size() != 1 || node.kind == NodeKind::kConstant) return std::nullopt;
    std::vector<Value> inputs;
    bool settled = true;  // whether all that the inputs refer to stays as it is
    for (const Variable* input : node.inputs) {
      const Node* const known = constant(input);
      if (known == nullptr) return std::nullopt;
      inputs.push_back(known->constant);
      settled &= known->settled || is_immutable(known->constant);
    }
    switch (node.kind) {
      case NodeKind::kOp:
        if (!settled && !looks_at_identity(node)) return std::nullopt;
        return call(node, inputs);
      case NodeKind::kCast:
        // Where nobody comes, after a test that fails, a cast may be wrong: what follows must not be computed with it.
        if (!inputs[0].is_object() && !is_instance(inputs[0], *node.output()->type)) return std::nullopt;
        node.settled = settled;
        return inputs[0];
      case NodeKind::kIsInstance:
        if (!settled) return std::nullopt;
        return std::ranges::any_of(node.types, [&](const TypePtr& type) { return is_instance(inputs[0], *type); });
      case NodeKind::kTuple: node.settled = settled; return Value::tuple(std::move(inputs));
      case NodeKind::kList:
        if (!settled || changes_.may_change(node.output())) return std::nullopt;
        node.settled = true;
        return Value::list(std::move(inputs));
      case NodeKind::kTupleIndex:
        node.settled = settled;
        return inputs[0].to_tuple()[static_cast<std::size_t>(node.index)];
      default: return std::nullopt;
    }
  }

  static bool looks_at_identity(const Node& node) {
    return node.op->name() == "aten::__is__" || node.op->name() == "aten::__isnot__";
  }

  // What an op gives for constants; nothing when it writes, is random, gives what may be written, or fails: then the
  // program finds out when it gets there. What is made from nothing but numbers is made again each time: constants of
  // its size would stay.
  std::optional<Value> call(Node& node, const std::vector<Value>& inputs) const {
    const Schema& schema = node.op->schema();
    if (has_side_effects(node) || !is_deterministic(schema) || schema.variadic) return std::nullopt;
    const bool from_numbers = std::ranges::all_of(inputs, is_immutable);
    if ((from_numbers && !is_small(*node.output()->type)) || changes_.may_change(node.output())) return std::nullopt;
    try {
      Value result = node.op->call(std::span<const Value>(inputs));
      node.settled = true;
      return result;
    } catch (const std::exception&) {
    }
    return std::nullopt;
  }

  static bool is_small(const Type& type) {
    return !type.is(TypeKind::kTensor) && !type.is(TypeKind::kList) && !type.is(TypeKind::kDict);
  }

  static void make_constant(Node& node, Value value) {
    node.kind = NodeKind::kConstant;
    node.op = nullptr;
    node.inputs.clear();
    node.constant = std::move(value);
  }

  Changes changes_;
  std::unordered_map<const Variable*, Variable*> replacements_;
  std::vector<std::unique_ptr<Variable>> kept_;  // keys of the map: their addresses must not be used again
};

}  // namespace

void fold_constants(Graph& graph) { Folder{graph}; }

}  // namespace threadwheel::passes
