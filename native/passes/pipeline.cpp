// The one list of passes, in order.
#include "passes/passes.h"

namespace threadwheel::passes {

std::unique_ptr<ir::Graph> prepare(ir::Function& function) {
  static constexpr void (*kPasses[])(ir::Graph&) = {fold_constants, remove_dead_code};
  std::unique_ptr<ir::Graph> graph = inline_calls(function);
  for (const auto pass : kPasses) pass(*graph);
  return graph;
}

}  // namespace threadwheel::passes
