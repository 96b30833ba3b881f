// Lowering of calls: ops, functions, methods, constructors, and the words of the language that look like calls.
#include <algorithm>

#include "ops/tensor_syntax.h"
#include "script/lowering.h"
#include "script/upgrades.h"
#include "threadwheel/error.h"

namespace threadwheel::script {

void Lowering::raise(Variable* message, std::string exception) {
  builder_.node(ir::NodeKind::kRaise, {message})->name = std::move(exception);
  throw Unreachable();
}

ir::Variable* Lowering::op(const std::string& name, const CallArguments& given) {
  const char* const older = older_op(name, unit_.version());
  if (older != nullptr)
    if (Variable* const result = try_call_op(builder_, older, given)) return result;
  if (Variable* const result = try_call_op(builder_, name, given)) return result;
  std::string problem = describe_mismatch(name, given);
  if (!names_.is_archive()) ir::fail(builder_.range(), problem, ErrorCode::kType);
  if (older != nullptr)
    problem += "\n" + name + " has changed since the archive's version, " + std::to_string(unit_.version()) +
               ": " + describe_mismatch(older, given);
  raise(builder_.string(problem), "NotImplementedError");
}

CallArguments Lowering::arguments(const Expr& expr, std::size_t first) {
  CallArguments given;
  for (std::size_t i = first; i < expr.args.size(); ++i) {
    const Expr& each = *expr.args[i];
    Variable* const value = expression(each.kind == ExprKind::kStarred ? *each.args[0] : each);
    if (each.kind != ExprKind::kStarred) {
      given.positional.push_back(value);
      continue;
    }
    if (!value->type->is(TypeKind::kTuple))
      ir::fail(each.range, "'*' takes a tuple, whose length is known; this is a " + value->type->to_string(),
               ErrorCode::kType);
    for (Variable* element : builder_.unpack(value, value->type->elements())) given.positional.push_back(element);
  }
  for (const auto& [name, value] : expr.keywords) given.named.emplace_back(name, expression(*value));
  return given;
}

const Expr& Lowering::argument(const Expr& expr, std::size_t position) {
  if (position >= expr.args.size()) ir::fail(expr.range, "an argument is missing", ErrorCode::kType);
  return *expr.args[position];
}

TypePtr Lowering::type_of(const Expr& annotation) {
  return unit_.type_of(annotation, names_.is_archive() ? nullptr : &names_);
}

// A scripted function's callees are compiled with it: what is wrong with them is said at once, and one without an
// annotation gives what its body gives. An archive's wait until they are called.
TypePtr Lowering::result_type(ir::Function& function) const {
  if (names_.is_archive() && function.result()) return function.result();
  const ir::Graph& graph = function.graph();
  return function.result() ? function.result() : graph.top.results[0]->type;
}

Lowering::Binding Lowering::call(const Expr& expr, const TypePtr& expected) {
  const Expr& callee = *expr.args[0];
  Binding what;
  if (callee.kind == ExprKind::kAttribute) {  // a method of a value, or a name with dots
    const Binding base = binding(*callee.args[0]);
    if (Variable* const* const object = std::get_if<Variable*>(&base);
        object != nullptr && !other_member(**object, callee.text))
      return call_method(*object, callee.text, expr, expected);
    if (const TypePtr* const type = std::get_if<TypePtr>(&base); type != nullptr && callee.text == "__new__")
      return builder_.value(ir::NodeKind::kCreateObject, {}, *type);
    what = attribute_of_binding(base, callee);
  } else {
    what = binding(callee);
  }
  if (const auto* function = std::get_if<std::shared_ptr<ir::Function>>(&what))
    return call_function(*function, arguments(expr));
  if (const TypePtr* const type = std::get_if<TypePtr>(&what)) return construct(*type, expr);
  if (const Path* const path = std::get_if<Path>(&what)) return call_path(path->name, expr);
  if (Variable* const* const object = std::get_if<Variable*>(&what)) return call_value(*object, expr);
  if (const BoundMethod* const method = std::get_if<BoundMethod>(&what)) {
    CallArguments given = arguments(expr);
    given.positional.insert(given.positional.begin(), method->object);
    return call_function(method->function, given);
  }
  ir::fail(callee.range, "this cannot be called");
}

// A module's forward, or an object's __call__.
ir::Variable* Lowering::call_value(Variable* object, const Expr& expr) {
  const bool is_module = object->type->is(TypeKind::kClass) && object->type->definition()->is_module;
  const auto method = find_method(*object, is_module ? "forward" : "__call__", expr.range);
  CallArguments given = arguments(expr);
  given.positional.insert(given.positional.begin(), object);
  return call_function(method, given);
}

Lowering::Binding Lowering::call_path(const std::string& path, const Expr& expr) {
  bool handled = true;
  if (Variable* const result = call_special(path, expr, handled); handled) return result;
  handled = true;
  if (Variable* const result = call_builtin(path, expr, handled); handled) return result;
  if (path.starts_with("torch.")) return op("aten::" + path.substr(6), arguments(expr));
  if (path.starts_with("ops.")) {
    const std::string rest = path.substr(4);
    const std::size_t dot = rest.find('.');
    if (dot != std::string::npos) {
      const std::string space = rest.substr(0, dot), last = rest.substr(dot + 1);
      handled = true;
      if (space == "prim")
        if (Variable* const result = call_prim(last, expr, handled); handled) return result;
      return op(space + "::" + last, arguments(expr));
    }
  }
  ir::fail(expr.range, "'" + path + "' cannot be called here", ErrorCode::kUnsupported);
}

// What is more than a function: it takes a type, or something that is not a value.
ir::Variable* Lowering::call_special(const std::string& name, const Expr& expr, bool& handled) {
  if (name == "annotate" || name == "unchecked_cast") return annotated(expr);
  if (name == "uninitialized") return builder_.value(ir::NodeKind::kUninitialized, {}, type_of(argument(expr, 1)));
  if (name == "isinstance") return is_instance(expr);
  if (name == "fork") return fork(expr);
  if (name == "is_scripting") return builder_.boolean(true);
  if (name == "torch.wait") return wait(expression(argument(expr, 1)), expr.range);
  if (name == "getattr") {
    Variable* const object = expression(argument(expr, 1));
    return value_of(member(object, argument(expr, 2).text, expr.range), expr.range);
  }
  if (name == "hasattr")
    if (const auto has = known(expr)) return builder_.boolean(*has);
  if (name == "dict" && expr.args.size() == 1) return keyword_dict(expr);
  if (name == "list") {
    if (expr.args.size() == 1) return builder_.list({}, Type::of(TypeKind::kTensor));
    return list_of(iterable(argument(expr, 1)));
  }
  handled = false;
  return nullptr;
}

// dict(a=1, b=2).
ir::Variable* Lowering::keyword_dict(const Expr& expr) {
  std::vector<Variable*> entries, values;
  for (const auto& [name, value] : expr.keywords) values.push_back(expression(*value));
  const TypePtr type = values.empty() ? Type::of(TypeKind::kTensor) : common_type(expr, values);
  for (std::size_t i = 0; i < values.size(); ++i) {
    entries.push_back(builder_.string(expr.keywords[i].first));
    entries.push_back(as_type(values[i], type, expr.range));
  }
  return builder_.value(ir::NodeKind::kDict, std::move(entries), Type::dict(Type::of(TypeKind::kString), type));
}

// Python's functions that are ops.
ir::Variable* Lowering::call_builtin(const std::string& name, const Expr& expr, bool& handled) {
  static constexpr std::pair<const char*, const char*> kOps[] = {
      {"int", "aten::Int"},       {"float", "aten::Float"}, {"complex", "aten::Complex"}, {"str", "aten::str"},
      {"sorted", "aten::sorted"}, {"print", "prim::Print"}, {"len", "aten::len"},         {"min", "prim::min"},
      {"max", "prim::max"},       {"round", "aten::round"}, {"sum", "aten::sum"},         {"any", "aten::any"},
      {"all", "aten::all"},       {"ord", "aten::ord"},     {"chr", "aten::chr"},         {"hex", "aten::hex"},
      {"bin", "aten::bin"},       {"oct", "aten::oct"},     {"divmod", "aten::divmod"},   {"pow", "aten::pow"},
      {"dict", "aten::dict"}};
  for (const auto& [word, op_name] : kOps)
    if (name == word) return op(op_name, arguments(expr));
  if (name == "bool") return condition(argument(expr, 1));
  if (name == "abs") {
    const CallArguments given = arguments(expr);
    const bool is_tensor = !given.positional.empty() && given.positional[0]->type->is(TypeKind::kTensor);
    return op(is_tensor ? "aten::abs" : "prim::abs", given);
  }
  handled = false;
  return nullptr;
}

ir::Variable* Lowering::call_prim(const std::string& name, const Expr& expr, bool& handled) {
  if (name == "RaiseException") {
    const std::string exception = expr.args.size() > 2 ? expr.args[2]->text : "";
    constexpr std::string_view kBuiltins = "builtins.";
    raise(as_type(expression(argument(expr, 1)), Type::of(TypeKind::kString), expr.range),
          exception.starts_with(kBuiltins) ? exception.substr(kBuiltins.size()) : exception);
  }
  if (name == "unchecked_unwrap_optional") {
    Variable* const value = expression(argument(expr, 1));
    return builder_.cast(value, value->type->is(TypeKind::kOptional) ? value->type->element() : value->type);
  }
  handled = false;
  return nullptr;
}

ir::Variable* Lowering::annotated(const Expr& expr) {
  const TypePtr type = type_of(argument(expr, 1));
  Variable* const value = expression(argument(expr, 2), type);
  if (Variable* const converted = convert(builder_, value, type)) return converted;
  return builder_.cast(value, type);  // a refinement: Optional[T] that is known to be T
}

// What isinstance may ask for: a type, or a list or a tuple of whatever there is in it.
TypePtr Lowering::tested_type(const Expr& expr) {
  if (expr.kind == ExprKind::kName && find(expr.text) == nullptr) {
    const Meaning meaning = names_.find(expr.text);
    const Path* const path = std::get_if<Path>(&meaning);
    if (path != nullptr && path->name == "list") return Type::of(TypeKind::kAnyList);
    if (path != nullptr && path->name == "tuple") return Type::of(TypeKind::kAnyTuple);
  }
  return type_of(expr);
}

std::vector<TypePtr> Lowering::tested_types(const Expr& expr) {
  std::vector<TypePtr> types;
  if (expr.kind != ExprKind::kTuple) return {tested_type(expr)};
  for (const ExprPtr& each : expr.args) types.push_back(tested_type(*each));
  return types;
}

ir::Variable* Lowering::is_instance(const Expr& expr) {
  Variable* const value = expression(argument(expr, 1));
  const std::vector<TypePtr> types = tested_types(argument(expr, 2));
  if (std::ranges::any_of(types, [&](const TypePtr& type) { return is_subtype(value->type, type); }))
    return builder_.boolean(true);
  ir::Node* const node = builder_.node(ir::NodeKind::kIsInstance, {value});
  node->types = types;
  return node->add_output(Type::of(TypeKind::kBool));
}

ir::Variable* Lowering::call_function(const std::shared_ptr<ir::Function>& function, const CallArguments& given) {
  std::vector<Variable*> inputs = bind_arguments(builder_, *function, given);  // conversions go before the call
  ir::Node* const node = builder_.node(ir::NodeKind::kCall, std::move(inputs));
  node->function = function;
  return node->add_output(result_type(*function));
}

std::shared_ptr<ir::Function> Lowering::find_method(const Variable& object, const std::string& name,
                                                    const Range& range) {
  if (!object.type->is(TypeKind::kClass))
    ir::fail(range, "a " + object.type->to_string() + " has no method '" + name + "'");
  auto method = unit_.find_method(*object.type->definition(), name);
  if (method == nullptr) ir::fail(range, object.type->name() + " has no method '" + name + "'");
  return method;
}

ir::Variable* Lowering::wait(Variable* future, const Range& range) {
  if (!future->type->is(TypeKind::kFuture))
    ir::fail(range, "wait() takes a Future, not " + future->type->to_string(), ErrorCode::kType);
  return builder_.value(ir::NodeKind::kWait, {future}, future->type->element());
}

ir::Variable* Lowering::call_method(Variable* object, const std::string& name, const Expr& expr,
                                   const TypePtr& expected) {
  const Type& type = *object->type;
  if (type.is(TypeKind::kFuture) && (name == "wait" || name == "value")) return wait(object, expr.range);
  if (type.is(TypeKind::kClass) && type.definition()->find(name) >= 0)  // a module in an attribute
    return call_value(attribute_of(object, name, expr.range), expr);
  CallArguments given = arguments(expr);
  given.positional.insert(given.positional.begin(), object);
  if (type.is(TypeKind::kTensor) && name == "tolist") return to_list(object, expected, expr.range);
  if (type.is(TypeKind::kTensor)) return call_tensor_method(name, given);
  if (!type.is(TypeKind::kClass)) return op("aten::" + name, given);
  const auto method = find_method(*object, name, expr.range);
  if (!type.definition()->is_interface) return call_function(method, given);
  std::vector<Variable*> inputs = bind_arguments(builder_, *method, given);
  ir::Node* const node = builder_.node(ir::NodeKind::kCallMethod, std::move(inputs));
  node->name = name;
  return node->add_output(result_type(*method));
}

// Methods are ops of their name, but for those that name a dtype.
ir::Variable* Lowering::call_tensor_method(const std::string& name, const CallArguments& given) {
  if (given.positional.size() == 1 && given.named.empty())
    for (const DTypeAlias& alias : dtype_aliases())
      if (name == alias.name)
        return op("aten::to", {{given.positional[0], builder_.integer(static_cast<std::int64_t>(alias.dtype))}, {}});
  return op(name == "type" ? "aten::to" : "aten::" + name, given);
}

// How deep the lists are and of what only an annotation can say before the program runs; the op holds the tensor to it.
ir::Variable* Lowering::to_list(Variable* tensor, const TypePtr& expected, const Range& range) {
  static constexpr std::pair<TypeKind, DTypeCategory> kNumbers[] = {{TypeKind::kBool, DTypeCategory::kBool},
                                                                    {TypeKind::kInt, DTypeCategory::kInteger},
                                                                    {TypeKind::kFloat, DTypeCategory::kFloating},
                                                                    {TypeKind::kComplex, DTypeCategory::kComplex}};
  std::int64_t depth = 0;
  TypePtr element = expected;
  for (; element && element->is(TypeKind::kList); ++depth) element = element->element();
  for (const auto& [kind, category] : kNumbers)
    if (element && element->is(kind)) {
      Variable* const list = op("prim::tolist", {{tensor, builder_.integer(depth),
                                                  builder_.integer(static_cast<std::int64_t>(category))}, {}});
      return builder_.cast(list, expected);
    }
  ir::fail(range, "what tolist() gives is not known here; annotate it, as in 'values: list[int] = x.tolist()'",
           ErrorCode::kType);
}

// Name(...) of a named tuple, or of a class: its object, after __init__.
ir::Variable* Lowering::construct(const TypePtr& type, const Expr& expr) {
  const CallArguments given = arguments(expr);
  if (type->is(TypeKind::kTuple)) {
    const auto& fields = type->definition()->attributes;
    std::vector<Variable*> elements = given.positional;
    for (std::size_t i = elements.size(); i < fields.size(); ++i)
      for (const auto& [name, variable] : given.named)
        if (name == fields[i].name) elements.push_back(variable);
    if (elements.size() != fields.size())
      ir::fail(expr.range, type->name() + " has " + std::to_string(fields.size()) + " fields, got " +
                               std::to_string(elements.size()));
    for (std::size_t i = 0; i < fields.size(); ++i) elements[i] = as_type(elements[i], fields[i].type, expr.range);
    return builder_.tuple(std::move(elements), type);
  }
  if (type->is(TypeKind::kEnum))
    ir::fail(expr.range, "an enum is not made from its value here; name the member", ErrorCode::kUnsupported);
  Variable* const object = builder_.value(ir::NodeKind::kCreateObject, {}, type);
  if (const auto init = unit_.find_method(*type->definition(), "__init__")) {
    CallArguments with_self = given;
    with_self.positional.insert(with_self.positional.begin(), object);
    call_function(init, with_self);
  }
  return object;
}

namespace {

void collect_names(const Expr& expr, std::vector<std::string>& names) {
  if (expr.kind == ExprKind::kName) names.push_back(expr.text);
  for (const ExprPtr& each : expr.args)
    if (each) collect_names(*each, names);
  for (const auto& [name, value] : expr.keywords) collect_names(*value, names);
}

void collect_names(const Body& body, std::vector<std::string>& names) {
  for (const StmtPtr& statement : body) {
    for (const ExprPtr* expr : {&statement->value, &statement->message})
      if (*expr) collect_names(**expr, names);
    for (const ExprPtr& target : statement->targets) collect_names(*target, names);
    collect_names(statement->body, names);
    collect_names(statement->otherwise, names);
  }
}

}  // namespace

// fork(function or method or module, arguments), or fork(closure) as archives have it.
ir::Variable* Lowering::fork(const Expr& expr) {
  const Binding what = binding(argument(expr, 1));
  if (const Closure* const closure = std::get_if<Closure>(&what)) return fork_closure(*closure);
  CallArguments given = arguments(expr, 2);
  if (const auto* const function = std::get_if<std::shared_ptr<ir::Function>>(&what))
    return fork_call(*function, given);
  if (const BoundMethod* const method = std::get_if<BoundMethod>(&what)) {
    given.positional.insert(given.positional.begin(), method->object);
    return fork_call(method->function, given);
  }
  Variable* const* const object = std::get_if<Variable*>(&what);
  if (object == nullptr)
    ir::fail(expr.range, "fork() takes a function, a method or a module, and its arguments", ErrorCode::kType);
  given.positional.insert(given.positional.begin(), *object);
  return fork_call(find_method(**object, "forward", expr.range), given);
}

ir::Variable* Lowering::fork_call(const std::shared_ptr<ir::Function>& function, const CallArguments& given) {
  std::vector<Variable*> inputs = bind_arguments(builder_, *function, given);
  ir::Node* const node = builder_.node(ir::NodeKind::kFork, std::move(inputs));
  node->function = function;
  return node->add_output(Type::future(result_type(*function)));
}

// The closure's function takes what it captures, by value, as its parameters.
ir::Variable* Lowering::fork_closure(const Closure& closure) {
  std::vector<std::string> names;
  collect_names(closure.definition->body, names);
  std::vector<ir::Parameter> parameters;
  std::vector<Variable*> captured;
  for (const std::string& name : names) {
    const Binding* const found = find(name);
    Variable* const* const variable = found != nullptr ? std::get_if<Variable*>(found) : nullptr;
    if (variable == nullptr || std::ranges::any_of(parameters, [&](const auto& p) { return p.name == name; })) continue;
    parameters.push_back({name, (*variable)->type, std::nullopt});
    captured.push_back(*variable);
  }
  // Compiled here and now: the syntax that it comes from may be gone later.
  auto graph = std::make_unique<ir::Graph>();
  graph->name = closure.definition->text;
  const ir::Function signature(graph->name, parameters, nullptr, nullptr);
  Lowering inner(unit_, names_, *graph);
  inner.function(signature, *closure.definition);
  const TypePtr result = graph->top.results[0]->type;
  const auto holder = std::make_shared<std::unique_ptr<ir::Graph>>(std::move(graph));
  ir::Node* const node = builder_.node(ir::NodeKind::kFork, std::move(captured));
  node->function = std::make_shared<ir::Function>(signature.name(), std::move(parameters), result,
                                                  [holder](ir::Function&) { return std::move(*holder); });
  return node->add_output(Type::future(result));
}

}  // namespace threadwheel::script
