// Lowering of control flow. The state of an exit is in names that begin with '$':
//   $exit      whether the statements so far have exited; bound only where that is not known
//   $return    what is returned
//   $returned  whether a loop was left by a return; $break: whether it was left at all
//   $name      at a break or continue: what `name`, which the loop carries, was then
#include <algorithm>
#include <limits>

#include "script/lowering.h"
#include "threadwheel/error.h"

namespace threadwheel::script {
namespace {

void collect_targets(const Expr& target, std::set<std::string>& names) {
  if (target.kind == ExprKind::kName) names.insert(target.text);
  if (target.kind == ExprKind::kTuple || target.kind == ExprKind::kList || target.kind == ExprKind::kStarred)
    for (const ExprPtr& element : target.args) collect_targets(*element, names);
}

// The names that a body assigns, and those that are variables of its loops, in any depth.
void collect_assigned(const Body& body, std::set<std::string>& names, std::set<std::string>& loop_names) {
  for (const StmtPtr& statement : body) {
    if (statement->kind == StmtKind::kDef) continue;
    if (statement->kind == StmtKind::kAssign || statement->kind == StmtKind::kAugAssign)
      for (const ExprPtr& target : statement->targets) collect_targets(*target, names);
    if (statement->kind == StmtKind::kFor) collect_targets(*statement->targets[0], loop_names);
    collect_assigned(statement->body, names, loop_names);
    collect_assigned(statement->otherwise, names, loop_names);
  }
}

bool contains_return(const Body& body) {
  return std::ranges::any_of(body, [](const StmtPtr& statement) {
    if (statement->kind == StmtKind::kDef) return false;
    return statement->kind == StmtKind::kReturn || contains_return(statement->body) ||
           contains_return(statement->otherwise);
  });
}

// Breaks of this loop, not of loops inside it.
bool contains_break(const Body& body) {
  return std::ranges::any_of(body, [](const StmtPtr& statement) {
    if (statement->kind == StmtKind::kFor || statement->kind == StmtKind::kWhile) return false;
    return statement->kind == StmtKind::kBreak || contains_break(statement->body) ||
           contains_break(statement->otherwise);
  });
}

bool is_exit_name(const std::string& name) { return name.starts_with('$'); }

template <class T>
class Restore {  // at the end of a block
 public:
  Restore(T& variable, T value) : variable_(variable), before_(std::exchange(variable, value)) {}
  ~Restore() { variable_ = before_; }
  Restore(const Restore&) = delete;
  Restore& operator=(const Restore&) = delete;

 private:
  T& variable_;
  const T before_;
};

}  // namespace

// --- branches -----------------------------------------------------------------------------------------
Lowering::End Lowering::if_statement(const Stmt& statement) {
  if (const auto decided = known(*statement.value)) return body(*decided ? statement.body : statement.otherwise);
  Variable* const decides = condition(*statement.value);
  builder_.set_range(statement.range);
  ir::Node* const node = builder_.node(ir::NodeKind::kIf, {decides});
  const auto way = [&](bool truth, const Body& statements) {
    return branch(*node, [&] {
      refine(*statement.value, truth);
      return body(statements);
    });
  };
  const Branch then = way(true, statement.body), otherwise = way(false, statement.otherwise);
  builder_.set_range(statement.range);
  return merge(*node, then, otherwise);
}

Lowering::Branch Lowering::branch(ir::Node& node, const std::function<End()>& fill) {
  Scope scope(*this, node.add_block());
  try {
    const End end = fill();
    return {std::move(scope.names), end};
  } catch (const Unreachable&) {
    return {std::move(scope.names), End::kRaises};
  }
}

ir::Variable* Lowering::uninitialized(ir::Block* block, TypePtr type) {
  ir::Node* const node = block->append(ir::NodeKind::kUninitialized);
  return node->add_output(std::move(type));
}

// The variable of that name at the end of the branch; null: there is none.
ir::Variable* Lowering::value_in(const Branch& branch, const std::string& name) const {
  const auto found = branch.names.find(name);
  if (found == branch.names.end()) return variable(name);
  Variable* const* const bound = std::get_if<Variable*>(&found->second);
  return bound != nullptr ? *bound : nullptr;
}

// What both branches leave under one name becomes an output of the node. A branch that does not go on has no say in
// what follows, and one that does not exit none in the state of the exit.
Lowering::End Lowering::merge(ir::Node& node, const Branch& then, const Branch& otherwise) {
  if (then.end == End::kRaises && otherwise.end == End::kRaises) return End::kRaises;
  End end = End::kMaybe;
  if (then.end == otherwise.end || otherwise.end == End::kRaises) end = then.end;
  if (then.end == End::kRaises) end = otherwise.end;
  std::set<std::string> assigned;
  for (const Branch* branch : {&then, &otherwise})
    for (const auto& [name, binding] : branch->names)
      if (name != "$exit" && (is_exit_name(name) ? branch->exits() : branch->goes_on())) assigned.insert(name);
  for (const std::string& name : assigned) merge_name(node, then, otherwise, name);
  if (end != End::kMaybe) return end;
  node.blocks[0]->results.push_back(exited_in(node, 0, then));
  node.blocks[1]->results.push_back(exited_in(node, 1, otherwise));
  bind("$exit", node.add_output(Type::of(TypeKind::kBool)));
  return end;
}

void Lowering::merge_name(ir::Node& node, const Branch& then, const Branch& otherwise, const std::string& name) {
  const auto counts = [&](const Branch& branch) { return is_exit_name(name) ? branch.exits() : branch.goes_on(); };
  const bool both = counts(then) && counts(otherwise);
  Variable* values[] = {counts(then) ? value_in(then, name) : nullptr,
                        counts(otherwise) ? value_in(otherwise, name) : nullptr};
  if (values[0] == nullptr && values[1] == nullptr) return;
  for (const std::size_t i : {0, 1}) {
    if (values[i] != nullptr) continue;
    if (both && !is_exit_name(name))
      return bind(name, Unknown{"'" + name + "' has no value when the condition of the if before is " +
                                (i == 0 ? "true" : "false")});
    values[i] = uninitialized(node.blocks[i].get(), values[1 - i]->type);
  }
  const TypePtr type = unify(values[0]->type, values[1]->type);
  const auto mismatch = [&](const std::string& what) {
    return what + " is " + values[0]->type->to_string() + " in one branch and " + values[1]->type->to_string() +
           " in the other";
  };
  if (type == nullptr && name == "$return") ir::fail(node.range, mismatch("what is returned"), ErrorCode::kType);
  if (type == nullptr) return bind(name, Unknown{mismatch("'" + name + "'")});
  for (std::size_t i = 0; i < 2; ++i) node.blocks[i]->results.push_back(values[i]);
  bind(name, node.add_output(type, name));
}

// Whether the branch has exited, as a variable.
ir::Variable* Lowering::exited_in(ir::Node& node, std::size_t which, const Branch& branch) {
  if (branch.end == End::kMaybe) return value_in(branch, "$exit");
  const Scope scope(*this, node.blocks[which].get());
  return builder_.boolean(branch.end == End::kExits);
}

Lowering::End Lowering::unless_exited(const std::function<End()>& rest) {
  ir::Node* const node = builder_.node(ir::NodeKind::kIf, {variable("$exit")});
  const Branch gone = branch(*node, [] { return End::kExits; });
  const Branch others = branch(*node, rest);
  return merge(*node, gone, others);
}

ir::Variable* Lowering::choose(Variable* decides, const std::function<Variable*()>& then,
                               const std::function<Variable*()>& otherwise) {
  ir::Node* const node = builder_.node(ir::NodeKind::kIf, {decides});
  Variable* values[2] = {nullptr, nullptr};
  for (const std::size_t i : {0, 1})
    branch(*node, [&] {
      values[i] = i == 0 ? then() : otherwise();
      return End::kReached;
    });
  if (values[0] == nullptr && values[1] == nullptr) throw Unreachable();
  for (const std::size_t i : {0, 1})
    if (values[i] == nullptr) values[i] = uninitialized(node->blocks[i].get(), values[1 - i]->type);
  const TypePtr type = unify(values[0]->type, values[1]->type);
  if (type == nullptr)
    ir::fail(
        builder_.range(),
        "this is " + values[0]->type->to_string() + " on one way and " + values[1]->type->to_string() + " on the other",
        ErrorCode::kType);
  for (const std::size_t i : {0, 1}) node->blocks[i]->results = {values[i]};
  return node->add_output(type);
}

// --- exits --------------------------------------------------------------------------------------------
void Lowering::exit_by(const Stmt& statement) {
  if (statement.kind == StmtKind::kReturn) {
    Variable* value = statement.value ? expression(*statement.value, declared_result_) : builder_.none();
    if (declared_result_) value = as_type(value, declared_result_, statement.range);
    bind("$return", value);
    if (loop_ == nullptr) return;
    bind("$break", builder_.boolean(true));
    return bind("$returned", builder_.boolean(true));
  }
  if (loop_ == nullptr) ir::fail(statement.range, "break and continue belong into a loop");
  if (loop_->is_unrolled)
    ir::fail(statement.range,
             "break and continue are not supported in a loop over a tuple or modules; loop over a list or a range",
             ErrorCode::kUnsupported);
  bind("$break", builder_.boolean(statement.kind == StmtKind::kBreak));
  bind("$returned", builder_.boolean(false));
  for (const auto& [name, before] : *loop_->carried)
    if (Variable* const value = is_exit_name(name) ? nullptr : variable(name)) bind("$" + name, value);
}

// --- loops --------------------------------------------------------------------------------------------
Lowering::End Lowering::while_statement(const Stmt& statement) {
  Variable* const first = condition(*statement.value);
  builder_.set_range(statement.range);
  return loop(statement, builder_.integer(std::numeric_limits<std::int64_t>::max()), first, nullptr);
}

Lowering::End Lowering::for_statement(const Stmt& statement) {
  const Iterable source = iterable(*statement.value);
  builder_.set_range(statement.range);
  if (source.length == nullptr) return unrolled_loop(statement, source.fixed);
  return loop(statement, source.length, builder_.boolean(true), source.at);
}

Lowering::End Lowering::unrolled_loop(const Stmt& statement, std::span<Variable* const> elements) {
  if (elements.empty()) return End::kReached;
  const Loop here{loop_ != nullptr ? loop_->carried : nullptr, true};
  End end;
  {
    const Restore restore(loop_, &here);
    assign_to(*statement.targets[0], elements[0]);
    end = body(statement.body);
  }
  const auto others = [&] { return unrolled_loop(statement, elements.subspan(1)); };
  if (end == End::kMaybe) return unless_exited(others);
  return end == End::kReached ? others() : end;
}

// Names that the body assigns and that had a value before are carried from round to round.
Lowering::End Lowering::loop(const Stmt& statement, Variable* trips, Variable* first_condition,
                             const Element& element) {
  std::set<std::string> assigned, loop_names;
  collect_assigned(statement.body, assigned, loop_names);
  Carried carried;
  for (const std::string& name : assigned)
    if (Variable* const before = variable(name)) carried.emplace_back(name, before);
  const bool returns = contains_return(statement.body);
  if (returns) {
    carried.emplace_back("$returned", builder_.boolean(false));
    // Of which type is known when the return is met: see exited_round.
    carried.emplace_back(
        "$return", uninitialized(builder_.block(), declared_result_ ? declared_result_ : Type::of(TypeKind::kNever)));
  }
  ir::Node* const node = builder_.node(ir::NodeKind::kLoop, {trips, first_condition});
  for (const auto& [name, before] : carried) node->inputs.push_back(before);
  loop_body(statement, *node, carried, element);
  bind_after_loop(statement, *node, carried);
  if (!returns) return End::kReached;
  const bool is_endless =
      statement.kind == StmtKind::kWhile && statement.value->kind == ExprKind::kTrue && !contains_break(statement.body);
  return is_endless ? End::kExits : End::kMaybe;
}

void Lowering::bind_after_loop(const Stmt& statement, ir::Node& node, const Carried& carried) {
  std::set<std::string> assigned, loop_names;
  collect_assigned(statement.body, assigned, loop_names);
  if (statement.kind == StmtKind::kFor) collect_targets(*statement.targets[0], loop_names);
  for (const std::string& name : assigned)
    bind(name, Unknown{"'" + name + "' gets its value in a loop that may run no round; give it one before"});
  for (const std::string& name : loop_names)
    bind(name, Unknown{"'" + name + "' is the variable of a loop; keep what is needed after it under another name"});
  for (const auto& [name, before] : carried) {
    Variable* const after = node.add_output(before->type, name);
    bind(name, after);
    if (name != "$returned") continue;
    bind("$exit", after);
    bind("$break", after);
  }
}

void Lowering::loop_body(const Stmt& statement, ir::Node& node, const Carried& carried, const Element& element) {
  ir::Block& inner = *node.add_block();
  Scope scope(*this, &inner);
  Variable* const index = inner.add_parameter(Type::of(TypeKind::kInt), "i");
  std::set<std::string> assigned, loop_names;
  collect_assigned(statement.body, assigned, loop_names);
  for (const std::string& name : loop_names)
    bind(name, Unknown{"'" + name + "' is the variable of a loop that comes later"});
  for (const auto& [name, before] : carried) bind(name, inner.add_parameter(before->type, name));
  const Loop here{&carried, false};
  const Restore restore(loop_, &here);
  try {
    if (element) {
      assign_to(*statement.targets[0], element(index));
    } else {
      refine(*statement.value, true);
    }
    const End end = body(statement.body);
    builder_.set_range(statement.range);
    inner.results = end == End::kRaises ? raised_round(inner, carried.size())
                                        : round(
                                              end, [&] { return reached_round(statement, inner, carried); },
                                              [&] { return exited_round(statement, inner, carried); });
  } catch (const Unreachable&) {
    inner.results = raised_round(inner, carried.size());
  }
}

Lowering::Round Lowering::round(End end, const std::function<Round()>& reached, const std::function<Round()>& exited) {
  if (end != End::kMaybe) return end == End::kReached ? reached() : exited();
  ir::Node* const node = builder_.node(ir::NodeKind::kIf, {variable("$exit")});
  Round rounds[2], merged;
  for (const std::size_t i : {0, 1})
    branch(*node, [&] {
      rounds[i] = i == 0 ? exited() : reached();
      return End::kReached;
    });
  for (std::size_t i = 0; i < rounds[0].size(); ++i) {
    for (const std::size_t way : {0, 1})
      node->blocks[way]->results.push_back(
          i < rounds[way].size() ? rounds[way][i] : uninitialized(node->blocks[way].get(), rounds[0][i]->type));
    merged.push_back(node->add_output(rounds[0][i]->type));
  }
  return merged;
}

// No round ends, so there is no second one.
Lowering::Round Lowering::raised_round(const ir::Block& inner, std::size_t count) {
  Round round{builder_.boolean(false)};
  for (std::size_t i = 0; i < count; ++i) round.push_back(inner.parameters[i + 1].get());
  return round;
}

// After a continue the condition is asked of what the names are then.
Lowering::Round Lowering::exited_round(const Stmt& statement, const ir::Block& inner, const Carried& carried) {
  Round round{nullptr};
  for (std::size_t i = 0; i < carried.size(); ++i) {
    const auto& [name, before] = carried[i];
    Variable* const parameter = inner.parameters[i + 1].get();
    Variable* const value = variable(is_exit_name(name) ? name : "$" + name);
    if (name == "$return" && before->type->is(TypeKind::kNever)) before->type = parameter->type = value->type;
    round.push_back(value != nullptr ? as_type(value, parameter->type, statement.range) : parameter);
    if (!is_exit_name(name)) bind(name, round.back());
  }
  Variable* const is_over = variable("$break");
  const auto next = [&] { return condition(*statement.value); };
  round[0] = statement.kind == StmtKind::kWhile ? choose(is_over, [&] { return builder_.boolean(false); }, next)
                                                : op("aten::__not__", {{is_over}, {}});
  return round;
}

Lowering::Round Lowering::reached_round(const Stmt& statement, const ir::Block& inner, const Carried& carried) {
  Round round{statement.kind == StmtKind::kWhile ? condition(*statement.value) : builder_.boolean(true)};
  for (std::size_t i = 0; i < carried.size(); ++i) {
    const auto& [name, before] = carried[i];
    Variable* const parameter = inner.parameters[i + 1].get();
    if (is_exit_name(name)) {
      round.push_back(parameter);
      continue;
    }
    Variable* const value = variable(name);
    if (value == nullptr) ir::fail(statement.range, "'" + name + "' has no value at the end of the loop");
    Variable* const converted = convert(builder_, value, parameter->type);
    if (converted == nullptr)
      ir::fail(statement.range,
               "'" + name + "' is " + parameter->type->to_string() + " before the loop and " +
                   value->type->to_string() + " at its end; annotate it where it gets its first value",
               ErrorCode::kType);
    round.push_back(converted);
  }
  return round;
}

}  // namespace threadwheel::script
