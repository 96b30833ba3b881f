// Convolutions whose results go to convolutions only leave them with the channels last, where the library likes that.
// Programs never see such a tensor: its strides are not those of torch.
#include <algorithm>

#include "passes/edit.h"
#include "passes/passes.h"
#include "providers/dnn.h"

namespace threadwheel::passes {
namespace {

using ir::Node;
using ir::NodeKind;

// Positions of threadwheel::convolution's arguments.
constexpr std::size_t kInput = 0, kSum = 7, kChannelsLast = 12;

bool is_convolution(const Node* node) {
  return node != nullptr && node->kind == NodeKind::kOp && node->op->name() == "threadwheel::convolution";
}

bool takes_any_layout(const Uses::Use& use) {
  return is_convolution(use.node) && (use.index == kInput || use.index == kSum);
}

}  // namespace

void choose_layouts(ir::Graph& graph) {
  if (!dnn::prefers_channels_last()) return;
  const Uses uses(graph);
  for_each_position(graph.top, [&](ir::Block& block, Position at) {
    Node& node = **at;
    if (!is_convolution(&node) || !std::ranges::all_of(uses.of(node.output()), takes_any_layout)) return;
    node.inputs[kChannelsLast] = insert_constant(block, at, true, Type::of(TypeKind::kBool));
  });
}

}  // namespace threadwheel::passes
