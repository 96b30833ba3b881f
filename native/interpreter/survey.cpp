// A walk over the graphs that are executed.
#include "interpreter/survey.h"

#include "passes/passes.h"

namespace threadwheel::interpreter {
namespace {

// Lowering leaves "aten::foo: why" in the place of a call that no overload takes.
void add_missing(const ir::Node& raise, Survey& found) {
  const ir::Node* const message = raise.inputs[0]->node;
  if (raise.name != "NotImplementedError" || message == nullptr || message->kind != ir::NodeKind::kConstant) return;
  const std::string& text = message->constant.to_string();
  const std::string name = text.substr(0, text.find(": "));
  if (name.find("::") != std::string::npos) found.missing.insert(name);
}

void add(const ir::Block& block, Survey& found) {
  for (const auto& node : block.nodes) {
    if (node->kind == ir::NodeKind::kOp) found.ops.insert(node->op->schema().full_name());
    if (node->kind == ir::NodeKind::kRaise) add_missing(*node, found);
    if (node->kind == ir::NodeKind::kFork) add(passes::prepare(*node->function)->top, found);
    for (const auto& inner : node->blocks) add(*inner, found);
  }
}

}  // namespace

Survey survey(ir::Function& function) {
  Survey found;
  add(passes::prepare(function)->top, found);
  return found;
}

}  // namespace threadwheel::interpreter
