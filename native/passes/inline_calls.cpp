// Inlining: a copy of the graph with bodies in the place of calls.
#include <algorithm>
#include <vector>

#include "passes/passes.h"

namespace threadwheel::passes {
namespace {

using ir::Block;
using ir::Function;
using ir::Graph;
using ir::Node;
using ir::NodeKind;
using ir::Variable;

class Copier {
 public:
  explicit Copier(const Function& function) : open_{&function} {}

  std::unique_ptr<Graph> copy(const Graph& from) {
    auto to = std::make_unique<Graph>();
    to->name = from.name;
    for (const auto& parameter : from.top.parameters)
      copies_[parameter.get()] = to->top.add_parameter(parameter->type, parameter->name);
    body(from.top, to->top);
    for (const Variable* result : from.top.results) to->top.results.push_back(copies_.at(result));
    return to;
  }

 private:
  void body(const Block& from, Block& to) {
    for (const auto& each : from.nodes) node(*each, to);
  }

  void node(const Node& from, Block& to) {
    const bool known = from.kind == NodeKind::kCall && num_nodes_ < kMostNodes &&
                       std::ranges::find(open_, from.function.get()) == open_.end();
    return known ? inlined(from, to) : copied(from, to);
  }

  void inlined(const Node& call, Block& to) {
    const Graph& callee = call.function->graph();
    for (std::size_t i = 0; i < callee.top.parameters.size(); ++i)
      copies_[callee.top.parameters[i].get()] = copies_.at(call.inputs[i]);
    open_.push_back(call.function.get());
    body(callee.top, to);
    open_.pop_back();
    copies_[call.output()] = copies_.at(callee.top.results.at(0));
  }

  void copied(const Node& from, Block& to) {
    ++num_nodes_;
    Node* const made = to.append(from.kind);
    made->op = from.op;
    for (const Variable* input : from.inputs) made->inputs.push_back(copies_.at(input));
    for (const auto& output : from.outputs) copies_[output.get()] = made->add_output(output->type, output->name);
    made->constant = from.constant;
    made->settled = from.settled;
    made->name = from.name;
    made->index = from.index;
    made->types = from.types;
    made->function = from.function;
    made->range = from.range;
    for (const auto& block : from.blocks) {
      Block* const inner = made->add_block();
      for (const auto& parameter : block->parameters)
        copies_[parameter.get()] = inner->add_parameter(parameter->type, parameter->name);
      body(*block, *inner);
      for (const Variable* result : block->results) inner->results.push_back(copies_.at(result));
    }
  }

  // Real models have thousands. A function that calls another twice, which calls another twice, and so on, has more
  // than any memory holds: from here on calls stay calls.
  static constexpr std::size_t kMostNodes = 50'000;

  std::size_t num_nodes_ = 0;
  std::unordered_map<const Variable*, Variable*> copies_;
  std::vector<const Function*> open_;  // whose bodies we are in: calls of them are recursive
};

}  // namespace

std::unique_ptr<Graph> inline_calls(const Function& function, const Graph& graph) {
  return Copier(function).copy(graph);
}

}  // namespace threadwheel::passes
