// Which functions a program may come to, and which objects its values hold: what has to be known before something may
// be taken for constant.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "ir/graph.h"

namespace threadwheel::passes {

// Calls visit(node) for every node, those of nested blocks after the node that holds them.
template <class Visit>
void for_each_node(const ir::Block& block, const Visit& visit) {
  for (const auto& node : block.nodes) {
    visit(*node);
    for (const auto& inner : node->blocks) for_each_node(*inner, visit);
  }
}

class Reachable {
 public:
  // All classes of objects that calls by name may meet.
  explicit Reachable(std::vector<const ClassDefinition*> classes) : classes_(std::move(classes)) {}

  // Takes in what a graph or function calls, and what that calls. Functions that cannot be compiled cannot run.
  void add(const ir::Graph& graph);
  void add(const std::shared_ptr<ir::Function>& function);

  const std::vector<std::shared_ptr<ir::Function>>& functions() const noexcept { return functions_; }

 private:
  void add_methods(const ClassDefinition& definition, const std::string& name);
  void add_class(const ClassDefinition& definition);
  void add_name(const std::string& name);

  std::vector<const ClassDefinition*> classes_;
  std::set<std::string> names_;
  std::unordered_set<const ir::Function*> seen_;
  std::vector<std::shared_ptr<ir::Function>> functions_;
};

// The objects that a value holds, itself included, each once.
std::vector<Ref<ObjectValue>> objects_in(const Value& value);

}  // namespace threadwheel::passes
