// What passes ask about nodes: who uses a variable, and what a node does beside giving values.
#pragma once

#include <unordered_map>
#include <vector>

#include "ir/graph.h"

namespace threadwheel::passes {

// All uses in a graph, nested blocks included. Of the moment: rewriting makes it stale.
class Uses {
 public:
  struct Use {
    const ir::Node* node;  // null: a result of a block
    std::size_t index;
  };

  explicit Uses(const ir::Graph& graph) { add(graph.top); }

  const std::vector<Use>& of(const ir::Variable* variable) const;

 private:
  void add(const ir::Block& block);

  std::unordered_map<const ir::Variable*, std::vector<Use>> uses_;
};

// Whether executing the node, or one inside it, may change something that others see, or stop the program.
bool has_side_effects(const ir::Node& node);

// Whether the node may write to its input, or give it away as an alias of an output or inside a container.
bool keeps_or_writes(const ir::Node& node, std::size_t input);

// Whether each call with the same arguments gives an equal result.
bool is_deterministic(const Schema& schema);

}  // namespace threadwheel::passes
