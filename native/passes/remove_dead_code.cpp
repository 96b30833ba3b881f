// Dead code: from the end backwards, so that what only dead nodes use is dead too.
#include <algorithm>
#include <unordered_set>

#include "passes/passes.h"
#include "passes/uses.h"

namespace threadwheel::passes {
namespace {

using ir::Block;
using ir::Node;
using ir::NodeKind;
using ir::Variable;

class Sweep {
 public:
  void block(Block& block) {
    for (const Variable* result : block.results) live_.insert(result);
    for (auto each = block.nodes.end(); each != block.nodes.begin();) {
      --each;
      Node& node = **each;
      if (!is_live(node)) {
        each = block.nodes.erase(each);
        continue;
      }
      if (node.kind == NodeKind::kIf) drop_unused_results(node);
      // A loop's blocks feed themselves: what they carry is looked at as a whole.
      for (const auto& inner : node.blocks) this->block(*inner);
      for (const Variable* input : node.inputs) live_.insert(input);
    }
  }

 private:
  bool is_live(const Node& node) const {
    return has_side_effects(node) ||
           std::ranges::any_of(node.outputs, [&](const auto& output) { return live_.contains(output.get()); });
  }

  void drop_unused_results(Node& node) {
    for (std::size_t i = node.outputs.size(); i-- > 0;) {
      if (live_.contains(node.outputs[i].get())) continue;
      const auto at = static_cast<std::ptrdiff_t>(i);
      node.outputs.erase(node.outputs.begin() + at);
      for (const auto& inner : node.blocks) inner->results.erase(inner->results.begin() + at);
    }
  }

  std::unordered_set<const Variable*> live_;
};

}  // namespace

void remove_dead_code(ir::Graph& graph) { Sweep().block(graph.top); }

}  // namespace threadwheel::passes
