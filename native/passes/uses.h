// What passes ask about nodes: who uses a variable, and what happens to what it refers to, what a node does beside
// giving values.
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

// Which values may be written, or given to somebody who may. Of the moment, as Uses are.
class Changes {
 public:
  explicit Changes(const ir::Graph& graph) : uses_(graph) {}

  // Whether what the variable refers to may be written, kept or handed out, by this name or through an alias of it.
  bool may_change(const ir::Variable* variable) const;

 private:
  bool may_change_by(const Uses::Use& use) const;
  bool may_change_by_op(const Uses::Use& use) const;

  Uses uses_;
};

// Whether executing the node, or one inside it, may change something that others see, or stop the program.
bool has_side_effects(const ir::Node& node);

// Whether each call with the same arguments gives an equal result.
bool is_deterministic(const Schema& schema);

}  // namespace threadwheel::passes
