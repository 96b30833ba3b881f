// linear and convolutions with constant weights become ops of ours, which keep the weight arranged for the CPU and take
// in the sum and the activation that follow. The later node does the work of both; the earlier one is dead then.
#include <algorithm>
#include <optional>
#include <string>

#include "ops/layers/fused.h"
#include "passes/edit.h"
#include "passes/passes.h"

namespace threadwheel::passes {
namespace {

using ir::Block;
using ir::Node;
using ir::NodeKind;
using ir::Variable;

constexpr std::string_view kLinear = "threadwheel::linear", kConvolution = "threadwheel::convolution";

// The arguments that both ops have, from the sum on.
enum Tail : std::size_t { kSum, kInPlace, kActivation, kLow, kHigh };

std::size_t tail_of(const Node& node) { return node.op->name() == kLinear ? 3 : 7; }

bool is_ours(const Node& node) {
  return node.kind == NodeKind::kOp && (node.op->name() == kLinear || node.op->name() == kConvolution);
}

class Fuser {
 public:
  explicit Fuser(ir::Graph& graph) : uses_(graph) {
    for_each_position(graph.top, [this](Block& block, Position at) {
      take_over(block, at);
      if (!add_sum(block, at)) add_activation(block, at);
    });
  }

 private:
  // --- aten's op becomes ours -------------------------------------------------------------------------------
  static void take_over(Block& block, Position at) {
    Node& node = **at;
    const std::string_view name = base_name(node);
    if (name == "aten::linear") {
      become(block, at, kLinear, {0, 1, 2});
    } else if ((name == "aten::conv1d" || name == "aten::conv2d" || name == "aten::conv3d") &&
               node.op->schema().overload.empty()) {
      become(block, at, kConvolution, {0, 1, 2, 3, 4, 5, 6});
    } else if (name == "aten::_convolution" || name == "aten::convolution") {
      const Value* const transposed = settled_value(node.inputs[6]);
      if (transposed != nullptr && !transposed->to_bool()) become(block, at, kConvolution, {0, 1, 2, 3, 4, 5, 8});
    }
  }

  static void become(Block& block, Position at, std::string_view name, std::initializer_list<std::size_t> arguments) {
    Node& node = **at;
    const Value* const bias = settled_value(node.inputs[2]);
    if (settled_weight(node.inputs[1]) == nullptr || bias == nullptr ||
        (!bias->is_none() && settled_weight(node.inputs[2]) == nullptr))
      return;
    std::vector<Variable*> inputs;
    for (const std::size_t i : arguments) inputs.push_back(node.inputs[i]);
    const Value weight = constant_weight(*settled_weight(node.inputs[1]));
    inputs[1] = insert_constant(block, at, weight, weight.to_object().type);
    inputs.push_back(insert_constant(block, at, {}, Type::of(TypeKind::kNone)));
    inputs.push_back(insert_constant(block, at, false, Type::of(TypeKind::kBool)));
    inputs.push_back(insert_constant(block, at, std::string(), Type::of(TypeKind::kString)));
    for (int i = 0; i < 2; ++i) inputs.push_back(insert_constant(block, at, 0.0, Type::of(TypeKind::kFloat)));
    if (name == kConvolution) inputs.push_back(insert_constant(block, at, false, Type::of(TypeKind::kBool)));
    node.op = find_op(name);
    node.inputs = std::move(inputs);
  }

  // --- what follows -----------------------------------------------------------------------------------------------
  static bool has_activation(const Node& node) {
    return !node.inputs[tail_of(node) + kActivation]->node->constant.to_string().empty();
  }
  static bool has_sum(const Node& node) {
    const Node* const sum = node.inputs[tail_of(node) + kSum]->node;
    return sum == nullptr || sum->kind != NodeKind::kConstant || !sum->constant.is_none();
  }

  // The node at the position does what `product` did.
  static void absorb(Node& node, const Node& product) {
    node.op = product.op;
    node.inputs = product.inputs;
  }

  // product + other, or other + product: in place only where the product is written.
  bool add_sum(Block& block, Position at) const {
    Node& node = **at;
    if (base_name(node) != "aten::add" || node.op->schema().overload != "Tensor") return false;
    const Value* const alpha = settled_value(node.inputs[2]);
    if (alpha == nullptr || !alpha->is_int() || alpha->to_int() != 1) return false;
    const bool in_place = node.op->name().ends_with('_');
    for (std::size_t i = 0; i < (in_place ? 1 : 2); ++i) {
      const Node* const product = absorbable(uses_, block, at, node.inputs[i]);
      if (product == nullptr || !is_ours(*product) || has_sum(*product) || has_activation(*product)) continue;
      Variable* const other = node.inputs[1 - i];
      absorb(node, *product);
      node.inputs[tail_of(node) + kSum] = other;
      node.inputs[tail_of(node) + kInPlace] = insert_constant(block, at, in_place, Type::of(TypeKind::kBool));
      return true;
    }
    return false;
  }

  struct Activation {
    std::string name;
    double low = 0, high = 0;
  };

  static std::optional<Activation> clamp(const Variable* low, const Variable* high) {
    const Value *const from = settled_value(low), *const to = settled_value(high);
    if (from == nullptr || to == nullptr || !from->is_number() || !to->is_number()) return std::nullopt;
    return Activation{"hardtanh", from->to_double(), to->to_double()};
  }

  static std::optional<Activation> activation_of(const Node& node) {
    static constexpr std::string_view kPlain[] = {"relu", "sigmoid", "tanh", "hardswish", "hardsigmoid", "silu"};
    std::string_view name = base_name(node);
    if (!name.starts_with("aten::") || !node.op->schema().overload.empty()) return std::nullopt;
    name.remove_prefix(6);
    if (std::ranges::find(kPlain, name) != std::end(kPlain)) return Activation{std::string(name)};
    if (name == "relu6") return Activation{"hardtanh", 0, 6};
    if (name == "hardtanh" || name == "clamp") return clamp(node.inputs[1], node.inputs[2]);
    if (name != "gelu") return std::nullopt;
    const Value* const approximate = settled_value(node.inputs[1]);
    if (approximate == nullptr) return std::nullopt;
    return Activation{approximate->to_string() == "none" ? "gelu" : "gelu_tanh"};
  }

  void add_activation(Block& block, Position at) const {
    Node& node = **at;
    const auto activation = activation_of(node);
    if (!activation) return;
    const Node* const product = absorbable(uses_, block, at, node.inputs[0]);
    if (product == nullptr || !is_ours(*product) || has_activation(*product)) return;
    absorb(node, *product);
    const std::size_t tail = tail_of(node);
    node.inputs[tail + kActivation] = insert_constant(block, at, activation->name, Type::of(TypeKind::kString));
    node.inputs[tail + kLow] = insert_constant(block, at, activation->low, Type::of(TypeKind::kFloat));
    node.inputs[tail + kHigh] = insert_constant(block, at, activation->high, Type::of(TypeKind::kFloat));
  }

  Uses uses_;
};

}  // namespace

void fuse_epilogues(ir::Graph& graph) { Fuser{graph}; }

}  // namespace threadwheel::passes
