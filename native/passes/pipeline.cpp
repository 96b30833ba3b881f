// The one list of passes, in order.
#include "passes/passes.h"

namespace threadwheel::passes {

void run_all(ir::Graph& graph) {
  // Dead nodes go before the others look at who uses what, and after those that leave some.
  static constexpr void (*kPasses[])(ir::Graph&) = {
      fold_constants,   take_number_operands, remove_identities, remove_dead_code, fold_batch_norm,
      remove_dead_code, fuse_attention,       fuse_epilogues,    remove_dead_code, choose_layouts};
  for (const auto pass : kPasses) pass(graph);
}

std::unique_ptr<ir::Graph> prepare(ir::Function& function) {
  std::unique_ptr<ir::Graph> graph = inline_calls(function, function.graph());
  run_all(*graph);
  return graph;
}

}  // namespace threadwheel::passes
