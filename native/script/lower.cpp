// Lowering of statements and control flow.
#include <algorithm>
#include <limits>
#include <set>

#include "script/lowering.h"
#include "threadwheel/error.h"

namespace threadwheel::script {
namespace {

void collect_targets(const Expr& target, std::set<std::string>& names) {
  if (target.kind == ExprKind::kName) names.insert(target.text);
  if (target.kind == ExprKind::kTuple || target.kind == ExprKind::kList || target.kind == ExprKind::kStarred)
    for (const ExprPtr& element : target.args) collect_targets(*element, names);
}

// The names that a body assigns, in any depth.
void collect_assigned(const Body& body, std::set<std::string>& names) {
  for (const StmtPtr& statement : body) {
    if (statement->kind == StmtKind::kAssign || statement->kind == StmtKind::kAugAssign ||
        statement->kind == StmtKind::kFor)
      for (const ExprPtr& target : statement->targets) collect_targets(*target, names);
    if (statement->kind == StmtKind::kDef) continue;
    collect_assigned(statement->body, names);
    collect_assigned(statement->otherwise, names);
  }
}

}  // namespace

std::unique_ptr<ir::Graph> lower(Unit& unit, const ir::Function& function, const Stmt& definition) {
  auto graph = std::make_unique<ir::Graph>();
  graph->name = function.name();
  Lowering(unit, *graph).function(function, definition);
  return graph;
}

void Lowering::function(const ir::Function& function, const Stmt& definition) {
  ir::Block* const top = builder_.block();
  const Scope scope(*this, top);
  for (const ir::Parameter& parameter : function.parameters())
    bind(parameter.name, top->add_parameter(parameter.type, parameter.name));
  declared_result_ = function.result();
  const bool ends = body(definition.body);
  builder_.set_range(definition.range);
  const TypePtr type = declared_result_ ? declared_result_ : Type::of(TypeKind::kNone);
  if (!ends) {
    returned_ = uninitialized(top, type);
  } else if (returned_ == nullptr) {
    returned_ = as_type(builder_.none(), type, definition.range);
  }
  top->results = {returned_};
}

bool Lowering::body(const Body& statements) {
  try {
    for (const StmtPtr& each : statements) {
      if (returned_ != nullptr) ir::fail(each->range, "nothing may follow a return; archives have one, at the end");
      statement(*each);
    }
  } catch (const Unreachable&) {
    return false;
  }
  return true;
}

void Lowering::statement(const Stmt& statement) {
  builder_.set_range(statement.range);
  switch (statement.kind) {
    case StmtKind::kExpr: static_cast<void>(binding(*statement.value)); return;
    case StmtKind::kAssign: return assign(statement);
    case StmtKind::kIf: return if_statement(statement);
    case StmtKind::kWhile: return while_statement(statement);
    case StmtKind::kFor: return for_statement(statement);
    case StmtKind::kWith: return with_statement(statement);
    case StmtKind::kPass: return;
    case StmtKind::kDef: return bind(statement.text, Closure{&statement});
    case StmtKind::kReturn:
      if (scope_->outer != nullptr) ir::fail(statement.range, "a return inside a block is not supported in archives");
      returned_ = statement.value ? expression(*statement.value, declared_result_) : builder_.none();
      if (declared_result_) returned_ = as_type(returned_, declared_result_, statement.range);
      return;
    default: ir::fail(statement.range, "this statement is not supported in archives", ErrorCode::kUnsupported);
  }
}

void Lowering::assign(const Stmt& statement) {
  if (!statement.value) return;  // a declaration alone
  const Expr& target = *statement.targets[0];
  if (statement.annotation) {
    const TypePtr type = unit_.type_of(*statement.annotation);
    return assign_to(target, as_type(expression(*statement.value, type), type, statement.range));
  }
  if (target.kind == ExprKind::kTuple) return assign_many(target, *statement.value);
  const Binding value = binding(*statement.value);
  for (const ExprPtr& each : statement.targets) assign_to(*each, value);
}

void Lowering::assign_to(const Expr& target, Binding value) {
  if (target.kind == ExprKind::kName) return bind(target.text, std::move(value));
  Variable* const* const variable = std::get_if<Variable*>(&value);
  if (target.kind != ExprKind::kAttribute || variable == nullptr)
    ir::fail(target.range, "only names and attributes can be assigned to");
  Variable* const object = expression(*target.args[0]);
  if (!object->type->is(TypeKind::kClass))
    ir::fail(target.range, "a " + object->type->to_string() + " has no attributes that could be set");
  const auto& definition = *object->type->definition();
  const std::int64_t slot = definition.find(target.text);
  if (slot < 0) ir::fail(target.range, definition.name + " has no attribute '" + target.text + "'");
  const TypePtr& type = definition.attributes[static_cast<std::size_t>(slot)].type;
  ir::Node* const node = builder_.node(ir::NodeKind::kSetAttribute, {object, as_type(*variable, type, target.range)});
  node->index = slot;
  node->name = target.text;
}

// a, b = x, y evaluates the whole right side first; a, b = f() takes a tuple or a list apart.
void Lowering::assign_many(const Expr& target, const Expr& value) {
  if (value.kind == ExprKind::kTuple && value.args.size() == target.args.size()) {
    std::vector<Binding> values;
    for (const ExprPtr& each : value.args) values.push_back(binding(*each));
    for (std::size_t i = 0; i < values.size(); ++i) assign_to(*target.args[i], values[i]);
    return;
  }
  Variable* const whole = expression(value);
  const Type& type = *whole->type;
  std::vector<TypePtr> types;
  if (type.is(TypeKind::kTuple)) types = type.elements();
  if (type.is(TypeKind::kList)) types.assign(target.args.size(), type.element());
  if (types.size() != target.args.size())
    ir::fail(target.range, "a " + type.to_string() + " cannot be unpacked into " + std::to_string(target.args.size()) + " names");
  const std::vector<Variable*> elements = builder_.unpack(whole, types);
  for (std::size_t i = 0; i < elements.size(); ++i) assign_to(*target.args[i], elements[i]);
}

const Lowering::Binding* Lowering::find(const std::string& name) const {
  for (const Scope* scope = scope_; scope != nullptr; scope = scope->outer)
    if (const auto found = scope->names.find(name); found != scope->names.end()) return &found->second;
  return nullptr;
}

void Lowering::if_statement(const Stmt& statement) {
  Variable* const decides = condition(*statement.value);
  builder_.set_range(statement.range);
  ir::Node* const node = builder_.node(ir::NodeKind::kIf, {decides});
  const Branch then = branch(*node, statement.body), otherwise = branch(*node, statement.otherwise);
  builder_.set_range(statement.range);
  merge(*node, then, otherwise);
  if (!then.ends && !otherwise.ends) throw Unreachable();
}

Lowering::Branch Lowering::branch(ir::Node& node, const Body& statements) {
  Scope scope(*this, node.add_block());
  const bool ends = body(statements);
  return {std::move(scope.names), ends};
}

ir::Variable* Lowering::uninitialized(ir::Block* block, TypePtr type) {
  ir::Node* const node = block->append(ir::NodeKind::kUninitialized);
  return node->add_output(std::move(type));
}

// The variable of that name at the end of the branch; null: there is none.
ir::Variable* Lowering::value_in(const Branch& branch, const std::string& name) const {
  const auto found = branch.names.find(name);
  const Binding* const binding = found != branch.names.end() ? &found->second : find(name);
  Variable* const* const variable = binding != nullptr ? std::get_if<Variable*>(binding) : nullptr;
  return variable != nullptr ? *variable : nullptr;
}

// What both branches leave under one name becomes an output of the node; what only one leaves is gone, unless the
// name had a value before, or the other branch never ends.
void Lowering::merge(ir::Node& node, const Branch& then, const Branch& otherwise) {
  std::set<std::string> assigned;
  for (const Branch* branch : {&then, &otherwise})
    if (branch->ends)
      for (const auto& [name, binding] : branch->names) assigned.insert(name);
  for (const std::string& name : assigned) {
    Variable* values[] = {value_in(then, name), value_in(otherwise, name)};
    for (const std::size_t i : {0, 1})
      if (!(i == 0 ? then : otherwise).ends && values[1 - i] != nullptr)
        values[i] = uninitialized(node.blocks[i].get(), values[1 - i]->type);
    if (values[0] == nullptr || values[1] == nullptr) continue;
    const TypePtr type = unify(values[0]->type, values[1]->type);
    if (type == nullptr) continue;  // it cannot be used any more; looking it up says that it is not defined
    for (std::size_t i = 0; i < 2; ++i) node.blocks[i]->results.push_back(values[i]);
    bind(name, node.add_output(type, name));
  }
}

void Lowering::while_statement(const Stmt& statement) {
  Variable* const first = condition(*statement.value);
  builder_.set_range(statement.range);
  loop(statement, builder_.integer(std::numeric_limits<std::int64_t>::max()), first, nullptr, nullptr);
}

void Lowering::for_statement(const Stmt& statement) {
  const Expr& range = *statement.value;
  if (range.kind != ExprKind::kCall || dotted_name(*range.args[0]) != "range" || range.args.size() < 2 || range.args.size() > 4)
    ir::fail(range.range, "only range() can be iterated over in archives", ErrorCode::kUnsupported);
  std::vector<Variable*> bounds;
  for (std::size_t i = 1; i < range.args.size(); ++i)
    bounds.push_back(as_type(expression(*range.args[i]), Type::of(TypeKind::kInt), range.range));
  builder_.set_range(statement.range);
  Variable* const yes = builder_.boolean(true);
  if (bounds.size() == 1) return loop(statement, bounds[0], yes, nullptr, nullptr);
  if (bounds.size() == 2) bounds.push_back(builder_.integer(1));
  Variable* const trips = op("aten::__range_length", {bounds, {}});
  loop(statement, trips, yes, bounds[0], bounds[2]);
}

// Names that the body assigns and that had a value before are carried from round to round.
void Lowering::loop(const Stmt& statement, Variable* trips, Variable* first_condition, Variable* start, Variable* step) {
  std::set<std::string> assigned;
  collect_assigned(statement.body, assigned);
  Carried carried;
  for (const std::string& name : assigned)
    if (const Binding* const before = find(name))
      if (Variable* const* const variable = std::get_if<Variable*>(before)) carried.emplace_back(name, *variable);
  ir::Node* const node = builder_.node(ir::NodeKind::kLoop, {trips, first_condition});
  for (const auto& [name, variable] : carried) node->inputs.push_back(variable);
  loop_body(statement, *node->add_block(), carried, start, step);
  for (const auto& [name, variable] : carried) bind(name, node->add_output(variable->type, name));
}

void Lowering::loop_body(const Stmt& statement, ir::Block& inner, const Carried& carried, Variable* start,
                         Variable* step) {
  Scope scope(*this, &inner);
  Variable* index = inner.add_parameter(Type::of(TypeKind::kInt), "i");
  for (const auto& [name, variable] : carried) bind(name, inner.add_parameter(variable->type, name));
  std::vector<Variable*> results;
  try {
    if (start != nullptr) index = op("aten::__derive_index", {{index, start, step}, {}});
    if (statement.kind == StmtKind::kFor) assign_to(*statement.targets[0], index);
    if (!body(statement.body)) throw Unreachable();
    results.push_back(statement.kind == StmtKind::kWhile ? condition(*statement.value) : builder_.boolean(true));
    for (const auto& [name, variable] : carried) {
      Variable* const* const value = std::get_if<Variable*>(find(name));
      if (value == nullptr) ir::fail(statement.range, "'" + name + "' has no value at the end of the loop");
      results.push_back(as_type(*value, variable->type, statement.range));
    }
  } catch (const Unreachable&) {  // no round ends, so there is no second one
    results = {builder_.boolean(false)};
    for (std::size_t i = 0; i < carried.size(); ++i) results.push_back(inner.parameters[i + 1].get());
  }
  inner.results = std::move(results);
}

void Lowering::with_statement(const Stmt& statement) {
  std::vector<Variable*> managers;
  for (std::size_t i = 0; i < statement.targets.size(); ++i) {
    managers.push_back(expression(*statement.targets[i]));
    const auto enter = find_method(*managers.back(), "__enter__", statement.range);
    Variable* const entered = call_function(enter, {{managers.back()}, {}});
    if (statement.names[i]) assign_to(*statement.names[i], entered);
  }
  body(statement.body);
  builder_.set_range(statement.range);
  for (std::size_t i = managers.size(); i-- > 0;) {
    const auto exit = find_method(*managers[i], "__exit__", statement.range);
    call_function(exit, {{managers[i], builder_.none(), builder_.none(), builder_.none()}, {}});
  }
}

}  // namespace threadwheel::script
