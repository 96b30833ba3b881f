// Lowering of functions and simple statements.
#include <algorithm>

#include "ops/registry.h"
#include "ops/tensor_syntax.h"
#include "script/lowering.h"
#include "threadwheel/error.h"

namespace threadwheel::script {

std::unique_ptr<ir::Graph> lower(Unit& unit, Names& names, const ir::Function& function, const Stmt& definition) {
  auto graph = std::make_unique<ir::Graph>();
  graph->name = function.name();
  Lowering(unit, names, *graph).function(function, definition);
  return graph;
}

void Lowering::function(const ir::Function& function, const Stmt& definition) {
  ir::Block* const top = builder_.block();
  const Scope scope(*this, top);
  for (const ir::Parameter& parameter : function.parameters())
    bind(parameter.name, top->add_parameter(parameter.type, parameter.name));
  declared_result_ = function.result();
  const End end = body(definition.body);
  builder_.set_range(definition.range);
  top->results = {result(end, declared_result_, definition.range)};
}

// What the function gives when its body ends so.
ir::Variable* Lowering::result(End end, const TypePtr& declared, const Range& range) {
  const TypePtr type = declared ? declared : Type::of(TypeKind::kNone);
  if (end == End::kRaises) return uninitialized(builder_.block(), type);
  if (end == End::kExits) return variable("$return");
  const auto nothing = [&]() -> Variable* {
    if (Variable* const none = convert(builder_, builder_.none(), type)) return none;
    ir::fail(range, "the function's end can be reached without a return; it returns " + type->to_string(),
             ErrorCode::kType);
  };
  if (end == End::kReached) return nothing();
  return choose(variable("$exit"), [&] { return variable("$return"); }, nothing);
}

Lowering::End Lowering::body(std::span<const StmtPtr> statements) {
  try {
    for (std::size_t i = 0; i < statements.size(); ++i) {
      const End end = statement(*statements[i]);
      if (end == End::kMaybe && i + 1 < statements.size())
        return unless_exited([&] { return body(statements.subspan(i + 1)); });
      if (end != End::kReached) return end;
    }
  } catch (const Unreachable&) {
    return End::kRaises;
  }
  return End::kReached;
}

Lowering::End Lowering::statement(const Stmt& statement) {
  builder_.set_range(statement.range);
  switch (statement.kind) {
    case StmtKind::kExpr: static_cast<void>(binding(*statement.value)); break;
    case StmtKind::kAssign: assign(statement); break;
    case StmtKind::kAugAssign: augmented_assign(statement); break;
    case StmtKind::kIf: return if_statement(statement);
    case StmtKind::kWhile: return while_statement(statement);
    case StmtKind::kFor: return for_statement(statement);
    case StmtKind::kWith: return with_statement(statement);
    case StmtKind::kPass: break;
    case StmtKind::kDef: bind(statement.text, Closure{&statement}); break;
    case StmtKind::kDelete: delete_statement(statement); break;
    case StmtKind::kAssert: return assert_statement(statement);
    case StmtKind::kRaise: raise_statement(statement); break;
    case StmtKind::kReturn:
    case StmtKind::kBreak:
    case StmtKind::kContinue: exit_by(statement); return End::kExits;
    case StmtKind::kClass:
      ir::fail(statement.range, "a class inside a function is not supported; define it outside",
               ErrorCode::kUnsupported);
  }
  return End::kReached;
}

void Lowering::assign(const Stmt& statement) {
  if (!statement.value) return;  // a declaration alone
  const Expr& target = *statement.targets[0];
  if (statement.annotation) {
    const TypePtr type = type_of(*statement.annotation);
    return assign_to(target, as_type(expression(*statement.value, type), type, statement.range));
  }
  if (target.kind == ExprKind::kTuple && statement.targets.size() == 1) return assign_many(target, *statement.value);
  const Binding value = binding(*statement.value);
  for (const ExprPtr& each : statement.targets) assign_to(*each, value);
}

void Lowering::assign_to(const Expr& target, Binding value) {
  if (target.kind == ExprKind::kName) return bind(target.text, std::move(value));
  Variable* const* const variable = std::get_if<Variable*>(&value);
  if (variable != nullptr && target.kind == ExprKind::kAttribute) return assign_attribute(target, *variable);
  if (variable != nullptr && target.kind == ExprKind::kSubscript) return assign_subscript(target, *variable);
  if (variable != nullptr && (target.kind == ExprKind::kTuple || target.kind == ExprKind::kList))
    return unpack_to(target, *variable);
  ir::fail(target.range, "only names, attributes, elements and tuples of these can be assigned to");
}

void Lowering::assign_attribute(const Expr& target, Variable* value) {
  Variable* const object = expression(*target.args[0]);
  if (!object->type->is(TypeKind::kClass))
    ir::fail(target.range, "a " + object->type->to_string() + " has no attributes that could be set");
  const auto& definition = *object->type->definition();
  std::int64_t slot = definition.find(target.text);
  if (slot < 0 && unit_.declare_attribute(definition, target.text, value->type)) slot = definition.find(target.text);
  if (slot < 0) ir::fail(target.range, definition.name + " has no attribute '" + target.text + "' that could be set");
  const TypePtr& type = definition.attributes[static_cast<std::size_t>(slot)].type;
  ir::Node* const node = builder_.node(ir::NodeKind::kSetAttribute, {object, as_type(value, type, target.range)});
  node->index = slot;
  node->name = target.text;
}

// a, b = x, y evaluates the whole right side first; a, b = f() takes a tuple or a list apart.
void Lowering::assign_many(const Expr& target, const Expr& value) {
  if (value.kind != ExprKind::kTuple || value.args.size() != target.args.size())
    return unpack_to(target, expression(value));
  std::vector<Binding> values;
  for (const ExprPtr& each : value.args) values.push_back(binding(*each));
  for (std::size_t i = 0; i < values.size(); ++i) assign_to(*target.args[i], values[i]);
}

void Lowering::unpack_to(const Expr& target, Variable* whole) {
  const Type& type = *whole->type;
  std::vector<TypePtr> types;
  if (type.is(TypeKind::kTuple)) types = type.elements();
  if (type.is(TypeKind::kList)) types.assign(target.args.size(), type.element());
  if (types.size() != target.args.size())
    ir::fail(target.range,
             "a " + type.to_string() + " cannot be unpacked into " + std::to_string(target.args.size()) + " names");
  const std::vector<Variable*> elements = builder_.unpack(whole, types);
  for (std::size_t i = 0; i < elements.size(); ++i) assign_to(*target.args[i], elements[i]);
}

// Tensors and lists are changed in place, as everyone who holds them sees.
void Lowering::augmented_assign(const Stmt& statement) {
  const Expr& target = *statement.targets[0];
  if (target.kind == ExprKind::kSubscript) return augment_subscript(target, statement.text, *statement.value);
  Variable* const before = expression(target);
  Variable* const value = expression(*statement.value);
  const std::string in_place = in_place_op(find_operator(binary_operators(), statement.text).tensor_op);
  const bool changes =
      (before->type->is(TypeKind::kTensor) || before->type->is(TypeKind::kList)) &&
      !Registry::instance().find(in_place).empty();
  assign_to(target, changes ? op(in_place, {{before, value}, {}}) : binary_of(statement.text, before, value));
}

void Lowering::delete_statement(const Stmt& statement) {
  for (const ExprPtr& target : statement.targets) {
    if (target->kind == ExprKind::kSubscript) {
      delete_subscript(*target);
    } else if (target->kind == ExprKind::kName) {
      bind(target->text, Unknown{"'" + target->text + "' was deleted"});
    } else {
      ir::fail(target->range, "only names and elements of lists and dicts can be deleted", ErrorCode::kUnsupported);
    }
  }
}

Lowering::End Lowering::assert_statement(const Stmt& statement) {
  if (known(*statement.value) == true) return End::kReached;
  ir::Node* const node = builder_.node(ir::NodeKind::kIf, {condition(*statement.value)});
  const Branch then = branch(*node, [&] {
    refine(*statement.value, true);
    return End::kReached;
  });
  const Branch otherwise = branch(*node, [&]() -> End {
    raise(statement.message ? op("aten::str", {{expression(*statement.message)}, {}}) : builder_.string(""),
          "AssertionError");
  });
  return merge(*node, then, otherwise);
}

// raise ValueError, or raise ValueError("message").
void Lowering::raise_statement(const Stmt& statement) {
  if (!statement.value)
    ir::fail(statement.range, "a raise without an exception is not supported; name one", ErrorCode::kUnsupported);
  const Expr& value = *statement.value;
  const bool has_message = value.kind == ExprKind::kCall && value.args.size() > 1;
  const Binding what = binding(value.kind == ExprKind::kCall ? *value.args[0] : value);
  constexpr std::string_view kExceptions = "exceptions.";
  const Path* const path = std::get_if<Path>(&what);
  if (path == nullptr || !path->name.starts_with(kExceptions))
    ir::fail(value.range, "only exceptions can be raised, as in raise ValueError(\"message\")", ErrorCode::kType);
  raise(has_message ? op("aten::str", {{expression(*value.args[1])}, {}}) : builder_.string(""),
        path->name.substr(kExceptions.size()));
}

Lowering::End Lowering::with_statement(const Stmt& statement) {
  std::vector<Variable*> managers;
  for (std::size_t i = 0; i < statement.targets.size(); ++i) {
    if (const auto path = called_path(*statement.targets[i]); path && path->name == "gradient_mode") {
      arguments(*statement.targets[i]);  // nothing records gradients, whatever they say
      continue;
    }
    managers.push_back(expression(*statement.targets[i]));
    const auto enter = find_method(*managers.back(), "__enter__", statement.range);
    Variable* const entered = call_function(enter, {{managers.back()}, {}});
    if (statement.names[i]) assign_to(*statement.names[i], entered);
  }
  const End end = body(statement.body);
  if (end == End::kRaises) return end;
  builder_.set_range(statement.range);
  for (std::size_t i = managers.size(); i-- > 0;) {
    const auto exit = find_method(*managers[i], "__exit__", statement.range);
    call_function(exit, {{managers[i], builder_.none(), builder_.none(), builder_.none()}, {}});
  }
  return end;
}

const Lowering::Binding* Lowering::find(const std::string& name) const {
  for (const Scope* scope = scope_; scope != nullptr; scope = scope->outer)
    if (const auto found = scope->names.find(name); found != scope->names.end()) return &found->second;
  return nullptr;
}

ir::Variable* Lowering::variable(const std::string& name) const {
  const Binding* const found = find(name);
  Variable* const* const bound = found != nullptr ? std::get_if<Variable*>(found) : nullptr;
  return bound != nullptr ? *bound : nullptr;
}

}  // namespace threadwheel::script
