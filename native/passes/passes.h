// The passes: each rewrites a graph and leaves it meaning the same. pipeline.cpp has them in the order they run.
#pragma once

#include <memory>
#include <unordered_map>

#include "ir/graph.h"

namespace threadwheel::passes {

// The graph that is executed for a function: calls replaced by bodies, then everything below.
std::unique_ptr<ir::Graph> prepare(ir::Function& function);

// A copy of a function's graph in which calls of known functions are replaced by their bodies. Recursive calls stay.
std::unique_ptr<ir::Graph> inline_calls(ir::Function& function);

// Computes what depends on constants only, and takes the branch of conditions that are known.
void fold_constants(ir::Graph& graph);

// Removes nodes whose results nobody uses and that do nothing else.
void remove_dead_code(ir::Graph& graph);

}  // namespace threadwheel::passes
