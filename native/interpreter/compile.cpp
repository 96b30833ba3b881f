// From a graph to instructions: registers, jumps, and where values are let go.
#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "interpreter/code.h"
#include "threadwheel/error.h"

namespace threadwheel::interpreter {
namespace {

using ir::Block;
using ir::Node;
using ir::NodeKind;
using ir::Variable;

// Ops that have an instruction of their own.
constexpr std::pair<std::string_view, Opcode> kInline[] = {
    {"aten::add.int", Opcode::kAddInt},        {"aten::sub.int", Opcode::kSubInt},
    {"aten::mul.int", Opcode::kMulInt},        {"aten::lt.int", Opcode::kLessInt},
    {"aten::le.int", Opcode::kLessEqualInt},   {"aten::gt.int", Opcode::kGreaterInt},
    {"aten::ge.int", Opcode::kGreaterEqualInt}, {"aten::eq.int", Opcode::kEqualInt},
    {"aten::ne.int", Opcode::kNotEqualInt},    {"aten::add.float", Opcode::kAddFloat},
    {"aten::sub.float", Opcode::kSubFloat},    {"aten::mul.float", Opcode::kMulFloat},
    {"aten::__not__", Opcode::kNot},           {"aten::__and__.bool", Opcode::kAnd},
    {"aten::__or__.bool", Opcode::kOr}};

Opcode opcode_of(const Node& node) {
  switch (node.kind) {
    case NodeKind::kGetAttribute: return Opcode::kGetAttribute;
    case NodeKind::kSetAttribute: return Opcode::kSetAttribute;
    case NodeKind::kCall: return Opcode::kCall;
    case NodeKind::kCallMethod: return Opcode::kCallMethod;
    case NodeKind::kTuple: return Opcode::kTuple;
    case NodeKind::kList: return Opcode::kList;
    case NodeKind::kDict: return Opcode::kDict;
    case NodeKind::kUnpack: return Opcode::kUnpack;
    case NodeKind::kTupleIndex: return Opcode::kTupleIndex;
    case NodeKind::kCreateObject: return Opcode::kCreateObject;
    case NodeKind::kIsInstance: return Opcode::kIsInstance;
    case NodeKind::kEnumName: return Opcode::kEnumName;
    case NodeKind::kEnumValue: return Opcode::kEnumValue;
    case NodeKind::kFork: return Opcode::kFork;
    case NodeKind::kWait: return Opcode::kWait;
    case NodeKind::kRaise: return Opcode::kRaise;
    default: return Opcode::kOp;
  }
}

// The variable whose register a variable shares: a cast's is its input's.
const Variable* root_of(const Variable* variable) {
  while (variable->node != nullptr && variable->node->kind == NodeKind::kCast) variable = variable->node->inputs[0];
  return variable;
}

const Block* owner_of(const Variable* variable) { return variable->node ? variable->node->block : variable->block; }

// Where each variable is used last in a block, as the node's position; uses inside nested blocks count for the node
// that holds them, uses as the block's results for the end. Of casts their roots.
class LastUses {
 public:
  explicit LastUses(const Block& block) {
    for (const auto& node : block.nodes) {
      visit(*node);
      ++position_;
    }
    dying_.resize(static_cast<std::size_t>(position_));
    for (const Variable* result : block.results) uses_[root_of(result)] = position_;
    for (const auto& [variable, last] : uses_)
      if (last < position_ && owner_of(variable) == &block) dying_[static_cast<std::size_t>(last)].push_back(variable);
  }

  // -1: never.
  std::int64_t of(const Variable* variable) const {
    const auto found = uses_.find(root_of(variable));
    return found == uses_.end() ? -1 : found->second;
  }

  // The block's own variables that the node at this position uses last.
  const std::vector<const Variable*>& dying(std::int64_t position) const {
    return dying_[static_cast<std::size_t>(position)];
  }

 private:
  void visit(const Node& node) {
    for (const Variable* input : node.inputs) uses_[root_of(input)] = position_;
    for (const auto& block : node.blocks) {
      for (const auto& inner : block->nodes) visit(*inner);
      for (const Variable* result : block->results) uses_[root_of(result)] = position_;
    }
  }

  std::unordered_map<const Variable*, std::int64_t> uses_;
  std::vector<std::vector<const Variable*>> dying_;
  std::int64_t position_ = 0;
};

class Compiler {
 public:
  explicit Compiler(std::unique_ptr<const ir::Graph> graph) : graph_(*graph), code_(std::make_unique<Code>()) {
    code_->graph = std::move(graph);
  }

  std::unique_ptr<const Code> compile() {
    for (const auto& parameter : graph_.top.parameters) places_[parameter.get()] = new_register();
    block(graph_.top);
    emit(Opcode::kReturn, nullptr, 0, {place(graph_.top.results.at(0))});
    code_->num_registers = static_cast<std::size_t>(std::max(1, num_registers_));
    return std::move(code_);
  }

 private:
  std::int32_t new_register() { return num_registers_++; }

  std::int32_t place(const Variable* variable) const { return places_.at(variable); }

  std::int32_t add_constant(const Value& value) {
    code_->constants.push_back(value);
    return ~static_cast<std::int32_t>(code_->constants.size() - 1);
  }

  std::size_t emit(Opcode opcode, const Node* node, std::int32_t destination,
                   const std::vector<std::int32_t>& operands) {
    Instruction made{opcode};
    made.num_operands = static_cast<std::uint16_t>(operands.size());
    if (operands.size() > UINT16_MAX)
      throw Error(ErrorCode::kUnsupported, graph_.name + ": a call has more than 65535 arguments");
    made.destination = destination;
    made.operands = static_cast<std::uint32_t>(code_->operands.size());
    made.node = node;
    code_->operands.insert(code_->operands.end(), operands.begin(), operands.end());
    code_->instructions.push_back(made);
    return code_->instructions.size() - 1;
  }

  void land(std::size_t jump) {
    code_->instructions[jump].target = static_cast<std::uint32_t>(code_->instructions.size());
  }

  // Outputs keep a register that somebody has chosen for them before.
  std::int32_t output_place(const Variable* output) {
    const auto [found, is_new] = places_.try_emplace(output, 0);
    if (is_new) found->second = new_register();
    return found->second;
  }

  void block(const Block& block) {
    const LastUses uses(block);
    std::int64_t position = 0;
    for (const auto& node : block.nodes) {
      this->node(*node);
      clear_after(*node, uses, position++);
    }
  }

  // Lets go of what nobody looks at any more: variables used last here, and outputs never used.
  void clear_after(const Node& node, const LastUses& uses, std::int64_t position) {
    std::vector<std::int32_t> dead;
    const auto consider = [&](const Variable* variable) {
      if (const std::int32_t where = place(variable); where >= 0 && is_shared(*variable->type)) dead.push_back(where);
    };
    if (node.kind != NodeKind::kCast && node.kind != NodeKind::kLoop)
      for (const auto& output : node.outputs)
        if (uses.of(output.get()) < 0) consider(output.get());
    const auto is_output = [&](std::int32_t where) {  // a loop's home, which the node has just filled again
      return std::ranges::any_of(node.outputs, [&](const auto& output) { return place(output.get()) == where; });
    };
    for (const Variable* variable : uses.dying(position))
      if (!is_output(place(variable))) consider(variable);
    if (!dead.empty()) emit(Opcode::kClear, &node, 0, dead);
  }

  static bool is_shared(const Type& type) {
    return !type.is(TypeKind::kInt) && !type.is(TypeKind::kBool) && !type.is(TypeKind::kFloat) &&
           !type.is(TypeKind::kNone);
  }

  void node(const Node& node) {
    switch (node.kind) {
      case NodeKind::kConstant: places_[node.output()] = add_constant(node.constant); return;
      case NodeKind::kUninitialized: places_[node.output()] = add_constant({}); return;
      case NodeKind::kCast: return share(node.output(), node.inputs[0]);
      case NodeKind::kIf: return if_node(node);
      case NodeKind::kLoop: return loop_node(node);
      default: return plain_node(node);
    }
  }

  // A register that somebody chose for the output before needs the value moved there.
  void share(const Variable* output, const Variable* input) {
    if (const auto chosen = places_.find(output); chosen != places_.end()) {
      emit(Opcode::kMove, nullptr, chosen->second, {place(input)});
      return;
    }
    places_[output] = place(input);
  }

  void plain_node(const Node& node) {
    std::vector<std::int32_t> operands;
    for (const Variable* input : node.inputs) operands.push_back(place(input));
    std::int32_t destination = 0;
    if (node.kind == NodeKind::kUnpack) {
      for (const auto& output : node.outputs) operands.push_back(output_place(output.get()));
    } else if (!node.outputs.empty()) {
      destination = output_place(node.output());
    }
    const std::size_t made = emit(opcode_of(node), &node, destination, operands);
    if (node.kind != NodeKind::kOp) return;
    code_->instructions[made].kernel = node.op->kernel();
    const std::string name = node.op->schema().full_name();
    for (const auto& [spelling, opcode] : kInline)
      if (name == spelling) code_->instructions[made].opcode = opcode;
  }

  void if_node(const Node& node) {
    for (const auto& output : node.outputs) output_place(output.get());
    const std::size_t skip = emit(Opcode::kJumpUnless, &node, 0, {place(node.inputs[0])});
    branch(node, 0);
    const std::size_t end = emit(Opcode::kJump, &node, 0, {});
    land(skip);
    branch(node, 1);
    land(end);
  }

  void branch(const Node& node, std::size_t which) {
    const Block& inner = *node.blocks[which];
    // A value made in the branch is made where it has to go.
    for (std::size_t i = 0; i < inner.results.size(); ++i) {
      const Variable* const result = inner.results[i];
      if (result->node != nullptr && result->node->block == &inner && result->node->kind != NodeKind::kLoop &&
          result->node->kind != NodeKind::kConstant && result->node->kind != NodeKind::kUninitialized)
        places_.try_emplace(result, place(node.output(i)));
    }
    block(inner);
    for (std::size_t i = 0; i < inner.results.size(); ++i)
      if (const std::int32_t from = place(inner.results[i]), to = place(node.output(i)); from != to)
        emit(Opcode::kMove, &node, to, {from});
  }

  void loop_node(const Node& node) {
    const Block& inner = *node.blocks[0];
    const std::size_t carried = node.outputs.size();
    const std::int32_t index = new_register(), condition = new_register();
    places_[inner.parameters[0].get()] = new_register();  // the body sees a copy: the counter is the loop's
    std::vector<std::int32_t> homes;
    for (std::size_t i = 0; i < carried; ++i) {
      homes.push_back(output_place(node.output(i)));
      places_[inner.parameters[i + 1].get()] = homes[i];
    }
    emit(Opcode::kMove, &node, index, {add_constant(std::int64_t{0})});
    emit(Opcode::kMove, &node, condition, {place(node.inputs[1])});
    for (std::size_t i = 0; i < carried; ++i) emit(Opcode::kMove, &node, homes[i], {place(node.inputs[i + 2])});
    const auto start = static_cast<std::uint32_t>(code_->instructions.size());
    const std::size_t test =
        emit(Opcode::kNextRound, &node, place(inner.parameters[0].get()), {index, place(node.inputs[0]), condition});
    choose_homes(inner, homes);
    block(inner);
    move_all(node, inner, condition, homes);
    code_->instructions[emit(Opcode::kJump, &node, 0, {})].target = start;
    land(test);
  }

  // A round's result may be made in its home when nothing looks at the old value afterwards.
  void choose_homes(const Block& inner, const std::vector<std::int32_t>& homes) {
    const LastUses uses(inner);
    std::unordered_map<const Node*, std::int64_t> positions;
    for (const auto& node : inner.nodes) positions.emplace(node.get(), static_cast<std::int64_t>(positions.size()));
    for (std::size_t i = 0; i < homes.size(); ++i) {
      const Variable* const result = inner.results[i + 1];
      const Node* const maker = result->node;
      if (maker == nullptr || maker->block != &inner || !maker->blocks.empty() || maker->kind == NodeKind::kConstant ||
          maker->kind == NodeKind::kUninitialized || maker->kind == NodeKind::kCast || maker->kind == NodeKind::kUnpack)
        continue;
      if (uses.of(inner.parameters[i + 1].get()) <= positions.at(maker)) places_.try_emplace(result, homes[i]);
    }
  }

  // Whether a value of the block's own is handed on once, so that its register may be emptied.
  static bool is_only_result(const Block& inner, const Variable* result) {
    return result->node != nullptr && result->node->block == &inner && result->node->kind != NodeKind::kConstant &&
           result->node->kind != NodeKind::kUninitialized &&
           std::ranges::count_if(inner.results, [&](const Variable* each) { return root_of(each) == result; }) == 1;
  }

  // The results become the next round's values all at once.
  void move_all(const Node& node, const Block& inner, std::int32_t condition, const std::vector<std::int32_t>& homes) {
    if (const std::int32_t from = place(inner.results[0]); from != condition)
      emit(Opcode::kMove, &node, condition, {from});
    struct Move {
      Opcode how;
      std::int32_t to, from;
    };
    std::vector<Move> moves;
    for (std::size_t i = 0; i < homes.size(); ++i) {
      const Variable* const result = root_of(inner.results[i + 1]);
      Move move{is_only_result(inner, result) ? Opcode::kTake : Opcode::kMove, homes[i], place(result)};
      if (move.from == homes[i]) continue;
      if (std::ranges::find(homes, move.from) != homes.end()) {  // another home, which may be overwritten first
        const std::int32_t spare = new_register();
        emit(Opcode::kMove, &node, spare, {move.from});
        move = {Opcode::kTake, homes[i], spare};
      }
      moves.push_back(move);
    }
    for (const Move& move : moves) emit(move.how, &node, move.to, {move.from});
  }

  const ir::Graph& graph_;
  std::unique_ptr<Code> code_;
  std::int32_t num_registers_ = 0;
  std::unordered_map<const Variable*, std::int32_t> places_;
};

}  // namespace

std::unique_ptr<const Code> compile(std::unique_ptr<const ir::Graph> graph) {
  return Compiler(std::move(graph)).compile();
}

}  // namespace threadwheel::interpreter
