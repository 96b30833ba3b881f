// The passes: each rewrites a graph and leaves it meaning the same. pipeline.cpp has them in the order they run.
#pragma once

#include <memory>
#include <unordered_map>

#include "ir/graph.h"

namespace threadwheel::passes {

// The graph that is executed for a function: calls replaced by bodies, then everything below.
std::unique_ptr<ir::Graph> prepare(ir::Function& function);

// Every pass below, in order.
void run_all(ir::Graph& graph);

// A copy of a function's graph in which calls of known functions are replaced by their bodies. Recursive calls stay.
std::unique_ptr<ir::Graph> inline_calls(const ir::Function& function, const ir::Graph& graph);

// Computes what depends on constants only, and takes the branch of conditions that are known.
void fold_constants(ir::Graph& graph);

// Removes nodes whose results nobody uses and that do nothing else.
void remove_dead_code(ir::Graph& graph);

// Removes ops that give what they are given.
void remove_identities(ir::Graph& graph);

// Makes numbers of the constants without dimensions that are second operands of arithmetic.
void take_number_operands(ir::Graph& graph);

// Takes batch normalisation into the convolution or linear before it.
void fold_batch_norm(ir::Graph& graph);

// Takes sums and activations into the linear or convolution before them, and keeps constant weights rearranged.
void fuse_epilogues(ir::Graph& graph);

// Makes one op of attention that is written out: product, scale, mask, softmax, product.
void fuse_attention(ir::Graph& graph);

// Decides which convolutions hand on their results with the channels last.
void choose_layouts(ir::Graph& graph);

}  // namespace threadwheel::passes
