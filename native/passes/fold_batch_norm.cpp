// Batch normalisation with constant statistics after a convolution or linear with a constant weight: one with another
// weight and bias.
#include <cmath>

#include "passes/edit.h"
#include "passes/passes.h"

namespace threadwheel::passes {
namespace {

using ir::Block;
using ir::Node;
using ir::NodeKind;
using ir::Variable;

// A parameter by channel; `otherwise` where the program has None.
class Parameter {
 public:
  Parameter(const ir::Variable* variable, double otherwise) : otherwise_(otherwise) {
    const Value* const value = settled_value(variable);
    if (value == nullptr) return;
    if (const Tensor* const tensor = settled_weight(variable)) values_ = tensor->contiguous();
    known_ = value->is_none() || values_.defined();
  }

  bool is_known(std::int64_t channels) const { return known_ && (!values_.defined() || values_.numel() == channels); }
  bool is_given() const { return values_.defined(); }
  double operator[](std::int64_t i) const { return values_.defined() ? values_.data<const float>()[i] : otherwise_; }

 private:
  Tensor values_;
  double otherwise_;
  bool known_ = false;
};

// Positions of batch_norm's arguments.
enum Argument : std::size_t { kInput, kWeight, kBias, kMean, kVariance, kTraining, kMomentum, kEps };

bool is_plain_convolution(const Node& node) {
  const std::string_view name = base_name(node);
  if (name == "aten::conv1d" || name == "aten::conv2d" || name == "aten::conv3d") return true;
  if (name != "aten::_convolution" && name != "aten::convolution") return false;
  const Value* const transposed = settled_value(node.inputs[6]);
  return transposed != nullptr && !transposed->to_bool();
}

struct Folded {
  Tensor weight, bias;
};

// weight: [out_channels, ...]
std::optional<Folded> fold(const Node& product, const Node& norm) {
  const Tensor* const given = settled_weight(product.inputs[1]);
  const Value* const training = settled_value(norm.inputs[kTraining]);
  const Value* const eps = settled_value(norm.inputs[kEps]);
  if (given == nullptr || given->dim() < 2 || eps == nullptr) return std::nullopt;
  if (training == nullptr || training->to_bool()) return std::nullopt;
  const Tensor weight = given->contiguous();
  const std::int64_t channels = weight.size(0), inner = channels == 0 ? 0 : weight.numel() / channels;
  const Parameter bias(product.inputs[2], 0), gamma(norm.inputs[kWeight], 1), beta(norm.inputs[kBias], 0),
      mean(norm.inputs[kMean], 0), variance(norm.inputs[kVariance], 1);
  for (const Parameter* parameter : {&bias, &gamma, &beta, &mean, &variance})
    if (!parameter->is_known(channels)) return std::nullopt;
  if (!mean.is_given() || !variance.is_given()) return std::nullopt;
  const std::int64_t sizes[] = {channels};
  auto memory = Storage::allocate_lasting(weight.size_bytes());
  Folded result{Tensor(std::move(memory), DType::kFloat32, 0, weight.sizes(), weight.strides()),
                Tensor::empty(sizes, DType::kFloat32)};
  for (std::int64_t c = 0; c < channels; ++c) {
    const double scale = gamma[c] / std::sqrt(variance[c] + eps->to_double());
    for (std::int64_t i = c * inner; i < (c + 1) * inner; ++i)
      result.weight.data<float>()[i] = static_cast<float>(weight.data<const float>()[i] * scale);
    result.bias.data<float>()[c] = static_cast<float>((bias[c] - mean[c]) * scale + beta[c]);
  }
  return result;
}

// The constants of the product that does the work of both, before the position.
std::vector<Variable*> folded_inputs(Block& block, Position at, const Node& product, const Folded& folded) {
  std::vector<Variable*> inputs = product.inputs;
  inputs[1] = insert_constant(block, at, folded.weight, Type::of(TypeKind::kTensor));
  inputs[2] = insert_constant(block, at, folded.bias, Type::of(TypeKind::kTensor));
  return inputs;
}

Variable* append_op(Block& block, const Op* op, std::vector<Variable*> inputs) {
  Node* const node = block.append(NodeKind::kOp);
  node->op = op;
  node->inputs = std::move(inputs);
  return node->add_output(Type::of(TypeKind::kTensor));
}

// Normalisation goes by the second dimension, linear by the last: they are the same of matrices only, which the program
// finds out when it runs.
void fold_linear(Block& block, Position at, const Node& linear, const Folded& folded) {
  Node& norm = **at;
  const auto before = [&](const Op* op, std::vector<Variable*> inputs, TypeKind type) {
    Node& made = **block.nodes.insert(at, std::make_unique<Node>(NodeKind::kOp, &block));
    made.op = op;
    made.inputs = std::move(inputs);
    return made.add_output(Type::of(type));
  };
  Variable* const rank = before(find_op("aten::dim"), {linear.inputs[0]}, TypeKind::kInt);
  Variable* const two = insert_constant(block, at, std::int64_t{2}, Type::of(TypeKind::kInt));
  Variable* const is_matrix = before(find_op("aten::eq", "int"), {rank, two}, TypeKind::kBool);
  const std::vector<Variable*> inputs = folded_inputs(block, at, linear, folded);
  Block *const matrix = norm.add_block(), *const other = norm.add_block();
  matrix->results = {append_op(*matrix, linear.op, inputs)};
  std::vector<Variable*> norm_inputs = norm.inputs;
  norm_inputs[kInput] = append_op(*other, linear.op, linear.inputs);
  other->results = {append_op(*other, norm.op, norm_inputs)};
  norm.kind = NodeKind::kIf;
  norm.op = nullptr;
  norm.inputs = {is_matrix};
}

}  // namespace

void fold_batch_norm(ir::Graph& graph) {
  const Uses uses(graph);
  for_each_position(graph.top, [&](Block& block, Position at) {
    Node& norm = **at;
    if (base_name(norm) != "aten::batch_norm") return;
    const Node* const product = absorbable(uses, block, at, norm.inputs[kInput]);
    if (product == nullptr) return;
    const bool is_linear = base_name(*product) == "aten::linear";
    if (!is_linear && !is_plain_convolution(*product)) return;
    const auto folded = fold(*product, norm);
    if (!folded) return;
    if (is_linear) return fold_linear(block, at, *product, *folded);
    settled_weight(product->inputs[1])->storage()->trim();
    norm.op = product->op;
    norm.inputs = folded_inputs(block, at, *product, *folded);
  });
}

}  // namespace threadwheel::passes
