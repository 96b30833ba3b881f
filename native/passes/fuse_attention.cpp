// softmax(query @ keys / scale + mask) @ value, as models write attention out, becomes one op: a block of scores stays
// in the cache from the first product to the last, where each step of its own reads and writes all of them.
#include <optional>
#include <string>

#include "passes/edit.h"
#include "passes/passes.h"
#include "tensor/convert.h"

namespace threadwheel::passes {
namespace {

using ir::Block;
using ir::Node;
using ir::NodeKind;
using ir::Variable;

bool is_op(const Node& node, std::string_view name, std::string_view overload = {}) {
  return node.kind == NodeKind::kOp && node.op->name() == name && node.op->schema().overload == overload;
}

// A real number, or a tensor without dimensions that holds one.
std::optional<double> number_of(const Variable* variable) {
  const Value* const value = settled_value(variable);
  if (value == nullptr) return std::nullopt;
  if (value->is_int() || value->is_double()) return value->to_double();
  if (!value->is_tensor() || value->to_tensor().dim() != 0) return std::nullopt;
  const DType dtype = value->to_tensor().dtype();
  if (is_complex(dtype) || dtype == DType::kBool) return std::nullopt;
  return convert(value->to_tensor(), DType::kFloat64, "attention").data<const double>()[0];
}

// What a node multiplies its first input by; none where it does something else.
std::optional<double> factor_of(const Node& node) {
  for (const std::string_view overload : {"Tensor", "Scalar"}) {
    if (is_op(node, "aten::mul", overload)) return number_of(node.inputs[1]);
    if (!is_op(node, "aten::div", overload)) continue;
    const auto divisor = number_of(node.inputs[1]);
    return divisor ? std::optional(1.0 / *divisor) : std::nullopt;
  }
  return std::nullopt;
}

bool is_plain_softmax(const Node& node) {
  if (!is_op(node, "aten::softmax", "int")) return false;
  const Value *const dim = settled_value(node.inputs[1]), *const dtype = settled_value(node.inputs[2]);
  return dim != nullptr && dim->to_int() == -1 && dtype != nullptr && dtype->is_none();
}

bool is_plain_add(const Node& node) {
  if (!is_op(node, "aten::add", "Tensor")) return false;
  const Value* const alpha = settled_value(node.inputs[2]);
  return alpha != nullptr && alpha->is_int() && alpha->to_int() == 1;
}

class Fuser {
 public:
  explicit Fuser(ir::Graph& graph) : uses_(graph) {
    for_each_position(graph.top, [this](Block& block, Position at) { fuse(block, at); });
  }

 private:
  struct Scores {
    Variable *query, *keys;
    double scale = 1;
  };

  void fuse(Block& block, Position at) const {
    Node& node = **at;
    if (!is_op(node, "aten::matmul")) return;
    const Node* const softmax = absorbable(uses_, block, at, node.inputs[0]);
    if (softmax == nullptr || !is_plain_softmax(*softmax)) return;
    Variable* mask = nullptr;
    std::optional<Scores> scores = scores_of(block, at, softmax->inputs[0]);
    const Node* const sum = scores ? nullptr : absorbable(uses_, block, at, softmax->inputs[0]);
    if (sum != nullptr && is_plain_add(*sum)) {
      for (std::size_t i = 0; i < 2 && !scores; ++i) {
        scores = scores_of(block, at, sum->inputs[i]);
        mask = sum->inputs[1 - i];
      }
    }
    if (!scores) return;
    if (mask == nullptr) mask = insert_constant(block, at, {}, Type::of(TypeKind::kNone));
    Variable* const scale = insert_constant(block, at, scores->scale, Type::of(TypeKind::kFloat));
    node.op = find_op("threadwheel::attention");
    node.inputs = {scores->query, scores->keys, node.inputs[1], mask, scale};
  }

  // query @ keys, scaled or not.
  std::optional<Scores> scores_of(Block& block, Position at, const Variable* variable) const {
    const Node* node = absorbable(uses_, block, at, variable);
    std::optional<double> factor;
    if (node != nullptr && (factor = factor_of(*node))) node = absorbable(uses_, block, at, node->inputs[0]);
    if (node == nullptr || !is_op(*node, "aten::matmul")) return std::nullopt;
    return Scores{node->inputs[0], node->inputs[1], factor.value_or(1)};
  }

  Uses uses_;
};

}  // namespace

void fuse_attention(ir::Graph& graph) { Fuser{graph}; }

}  // namespace threadwheel::passes
