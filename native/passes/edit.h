// What rewriting passes share: looking at constants, and putting one node in the place of two.
#pragma once

#include <list>
#include <memory>
#include <string_view>

#include "ir/graph.h"
#include "passes/uses.h"

namespace threadwheel::passes {

using Position = std::list<std::unique_ptr<ir::Node>>::iterator;

// Calls visit(block, position) for the nodes of a block and of those inside it. The visit may put nodes before the
// position and change the node there.
template <class Visit>
void for_each_position(ir::Block& block, const Visit& visit) {
  for (Position each = block.nodes.begin(); each != block.nodes.end(); ++each) {
    for (const auto& inner : (*each)->blocks) for_each_position(*inner, visit);
    visit(block, each);
  }
}

// The value of a constant that stays as it is: a number, a string, None, or what nothing writes. Null otherwise.
const Value* settled_value(const ir::Variable* variable);

// The same for a float32 tensor; null otherwise.
const Tensor* settled_weight(const ir::Variable* variable);

// A new constant before the position.
ir::Variable* insert_constant(ir::Block& block, Position before, Value value, TypePtr type);

// The node that makes `input` when the node at the position may do that node's work as well: it is the only user, and
// nothing between the two writes. Null otherwise.
ir::Node* absorbable(const Uses& uses, ir::Block& block, Position at, const ir::Variable* input);

// "aten::relu" of aten::relu and aten::relu_. Empty for nodes that are no ops.
std::string_view base_name(const ir::Node& node);

// An op that exists.
const Op* find_op(std::string_view name, std::string_view overload = {});

}  // namespace threadwheel::passes
