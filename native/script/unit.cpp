// Finding and defining the classes and functions of a program.
#include "script/unit.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "script/archive_names.h"
#include "threadwheel/error.h"

namespace threadwheel::script {
namespace {

std::pair<std::string, std::string> split_name(const std::string& name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string::npos) return {"", name};
  return {name.substr(0, dot), name.substr(dot + 1)};
}

bool has_base(const Stmt& statement, std::initializer_list<const char*> names) {
  return std::ranges::any_of(statement.targets, [&](const ExprPtr& base) {
    return std::ranges::any_of(names, [&](const char* name) { return base->text == name; });
  });
}

// x.__annotations__["0"] style entries name their attribute by a string.
std::string attribute_name(const Expr& target) {
  if (target.kind == ExprKind::kName) return target.text;
  if (target.kind == ExprKind::kSubscript && target.args[1]->kind == ExprKind::kString) return target.args[1]->text;
  ir::fail(target.range, "an attribute of a class is a name or __annotations__[\"name\"]");
}

// A default as the parameter's annotation has it.
Value default_for(const ir::Parameter& parameter, const Value& value, const Range& range) {
  if (is_subtype(type_of_value(value), parameter.type)) return value;
  if (parameter.type->is(TypeKind::kFloat) && value.is_int()) return value.to_double();
  if (parameter.type->is(TypeKind::kList) && value.is_list() && value.to_list().empty()) return value;
  ir::fail(range,
           "the default of '" + parameter.name + "' is " + type_of_value(value)->to_string() + "; expected " +
               parameter.type->to_string(),
           ErrorCode::kType);
}

// What a name with dots means in these surroundings.
Meaning meaning_of(const Expr& expr, Names& names) {
  if (expr.kind == ExprKind::kName) return names.find(expr.text);
  if (expr.kind != ExprKind::kAttribute) return Unknown{"this is not a type"};
  Meaning base = meaning_of(*expr.args[0], names);
  if (const auto* const inner = std::get_if<std::shared_ptr<Names>>(&base)) return (*inner)->find(expr.text);
  if (Path* const path = std::get_if<Path>(&base)) return Path{path->name + "." + expr.text};
  return base;
}

bool is_annotations_entry(const Stmt& statement) {
  return statement.kind == StmtKind::kAssign && !statement.annotation && statement.targets.size() == 1 &&
         statement.targets[0]->kind == ExprKind::kSubscript &&
         dotted_name(*statement.targets[0]->args[0]) == "__annotations__";
}

}  // namespace

std::string dotted_name(const Expr& expr) {
  if (expr.kind == ExprKind::kName) return expr.text;
  if (expr.kind != ExprKind::kAttribute) return "";
  const std::string base = dotted_name(*expr.args[0]);
  return base.empty() ? "" : base + "." + expr.text;
}

Value constant_value(const Expr& expr, const Unit& unit) {
  const auto elements = [&] {
    std::vector<Value> values;
    for (const ExprPtr& element : expr.args) values.push_back(constant_value(*element, unit));
    return values;
  };
  switch (expr.kind) {
    case ExprKind::kInt: return expr.integer;
    case ExprKind::kFloat: return expr.number;
    case ExprKind::kImaginary: return Complex(0, expr.number);
    case ExprKind::kString: return expr.text;
    case ExprKind::kTrue: return true;
    case ExprKind::kFalse: return false;
    case ExprKind::kNone: return {};
    case ExprKind::kList: return Value::list(elements());
    case ExprKind::kTuple: return Value::tuple(elements());
    case ExprKind::kName:
      if (expr.text == "inf") return std::numeric_limits<double>::infinity();
      if (expr.text == "nan") return std::numeric_limits<double>::quiet_NaN();
      if (expr.text == "infj") return Complex(0, std::numeric_limits<double>::infinity());
      if (expr.text == "nanj") return Complex(0, std::numeric_limits<double>::quiet_NaN());
      break;
    case ExprKind::kUnary:
      if (expr.text == "-" || expr.text == "+") {
        const Value value = constant_value(*expr.args[0], unit);
        if (expr.text == "+") return value;
        if (value.is_int()) return static_cast<std::int64_t>(0 - static_cast<std::uint64_t>(value.to_int()));
        if (value.is_double()) return -value.to_double();
        if (value.is_complex()) return -value.to_complex();
      }
      break;
    case ExprKind::kBinary:  // 1.+2.j
      if (expr.text == "+" || expr.text == "-") {
        const Complex a = constant_value(*expr.args[0], unit).to_complex();
        const Complex b = constant_value(*expr.args[1], unit).to_complex();
        return expr.text == "+" ? a + b : a - b;
      }
      break;
    case ExprKind::kAttribute:
      if (const std::string name = dotted_name(expr); name.starts_with("CONSTANTS.c")) {
        const std::size_t index = std::strtoull(name.c_str() + 11, nullptr, 10);
        if (index < unit.constants().size()) return unit.constants()[index];
        ir::fail(expr.range,
                 name + " is not among the archive's " + std::to_string(unit.constants().size()) + " constants");
      }
      break;
    case ExprKind::kCall:  // annotate(T, constant)
      if (dotted_name(*expr.args[0]) == "annotate" && expr.args.size() == 3) return constant_value(*expr.args[2], unit);
      if (dotted_name(*expr.args[0]) == "torch.device" && expr.args.size() == 2)
        return Value::device(expr.args[1]->text);
      break;
    default: break;
  }
  ir::fail(expr.range, "a constant is expected here: a number, a string, None, or a list or tuple of such");
}

Unit::Unit(Loader loader) : loader_(std::move(loader)), archive_names_(std::make_shared<ArchiveNames>(*this)) {}

Unit::~Unit() {
  for (const auto& [name, made] : classes_) made->definition->find_method = nullptr;
}

const Unit::File* Unit::file(const std::string& qualifier) {
  if (const auto found = files_.find(qualifier); found != files_.end()) return found->second.get();
  auto& entry = files_[qualifier];
  const auto source = loader_(qualifier);
  if (source == nullptr) return nullptr;
  entry = std::make_unique<File>();
  entry->body = parse(source);
  for (const StmtPtr& statement : entry->body)
    if (statement->kind == StmtKind::kDef || statement->kind == StmtKind::kClass)
      entry->definitions.emplace(statement->text, statement.get());
  return entry.get();
}

const Stmt* Unit::find_statement(const std::string& name) {
  const auto [qualifier, last] = split_name(name);
  const File* const holder = file(qualifier);
  if (holder == nullptr) return nullptr;
  const auto found = holder->definitions.find(last);
  return found == holder->definitions.end() ? nullptr : found->second;
}

Unit::Class* Unit::find_class(const std::string& name) {
  if (const auto found = classes_.find(name); found != classes_.end()) return found->second.get();
  const Stmt* const statement = find_statement(name);
  if (statement == nullptr || statement->kind != StmtKind::kClass) return nullptr;
  Class& made = *(classes_[name] = std::make_unique<Class>());
  define(made, name, *statement);
  return &made;
}

void Unit::define(Class& made, const std::string& name, const Stmt& statement) {
  made.definition = std::make_shared<ClassDefinition>();
  made.definition->name = name;
  made.definition->is_module = has_base(statement, {"Module"});
  made.definition->is_interface = has_base(statement, {"Interface", "ModuleInterface"});
  made.definition->find_method = [this, &definition = *made.definition](const std::string& method) {
    return find_method(definition, method);
  };
  if (has_base(statement, {"Enum"})) return define_enum(made, statement);
  const bool is_named_tuple = has_base(statement, {"NamedTuple"});
  // A class may name itself in its attributes; a named tuple cannot.
  if (!is_named_tuple) made.type = Type::class_of(made.definition);
  define_body(made, statement);
  if (is_named_tuple) made.type = Type::named_tuple(made.definition);
}

void Unit::define_body(Class& made, const Stmt& statement) {
  for (const StmtPtr& entry : statement.body) {
    if (entry->kind == StmtKind::kDef) {
      made.methods.emplace(entry->text, entry.get());
      made.method_order.push_back(entry->text);
    } else if (is_annotations_entry(*entry)) {
      made.definition->attributes.push_back({attribute_name(*entry->targets[0]), type_of(*entry->value)});
    } else if (entry->kind == StmtKind::kAssign && entry->annotation) {
      const std::string name = attribute_name(*entry->targets[0]);
      const bool is_final =
          entry->annotation->kind == ExprKind::kSubscript && dotted_name(*entry->annotation->args[0]) == "Final";
      if (entry->value && is_final) {
        made.constants.emplace(name, entry.get());
      } else {
        made.definition->attributes.push_back({name, type_of(*entry->annotation)});
      }
    }  // __parameters__ and its like say nothing that a runtime needs
  }
}

void Unit::define_enum(Class& made, const Stmt& statement) {
  made.type = Type::enum_of(made.definition);
  for (const StmtPtr& entry : statement.body)
    if (entry->kind == StmtKind::kAssign && entry->targets.size() == 1 && entry->targets[0]->kind == ExprKind::kName) {
      const std::string& name = entry->targets[0]->text;
      made.members.emplace_back(name, make_ref<EnumValue>(made.type, name, constant_value(*entry->value, *this)));
    }
}

TypePtr Unit::find_type(const std::string& name) {
  const std::lock_guard lock(*mutex_);
  if (const Class* const found = find_class(name)) {
    if (found->type == nullptr) throw Error(ErrorCode::kValue, name + ": a named tuple cannot have itself as a field");
    return found->type;
  }
  if (!name.starts_with(kLibraryClasses)) return nullptr;
  // A class of the op library: ops make its objects and take them apart.
  Class& made = *(classes_[name] = std::make_unique<Class>());
  made.definition = std::make_shared<ClassDefinition>();
  made.definition->name = name;
  made.type = Type::class_of(made.definition);
  return made.type;
}

std::shared_ptr<ir::Function> Unit::find_function(const std::string& name) {
  const std::lock_guard lock(*mutex_);
  if (const auto found = functions_.find(name); found != functions_.end()) return found->second;
  const Stmt* const statement = find_statement(name);
  if (statement == nullptr || statement->kind != StmtKind::kDef) return nullptr;
  return functions_[name] = make_function(name, *statement, nullptr, archive_names_, {});
}

std::shared_ptr<ir::Function> Unit::add_function(const std::string& name, FunctionSource source) {
  const std::lock_guard lock(*mutex_);
  return make_function(name, std::move(source), nullptr);
}

Unit::Class& Unit::add(std::shared_ptr<ClassDefinition> definition) {
  Class& made = *(classes_[definition->name] = std::make_unique<Class>());
  made.definition = std::move(definition);
  made.definition->find_method = [this, &definition = *made.definition](const std::string& method) {
    return find_method(definition, method);
  };
  return made;
}

TypePtr Unit::add_class(std::shared_ptr<ClassDefinition> definition, MethodLoader methods,
                        std::shared_ptr<Names> others) {
  const std::lock_guard lock(*mutex_);
  Class& made = add(std::move(definition));
  made.method_loader = std::move(methods);
  made.others = std::move(others);
  return made.type = Type::class_of(made.definition);
}

TypePtr Unit::add_object_class(const std::string& name, MethodLoader methods) {
  const std::lock_guard lock(*mutex_);
  auto definition = std::make_shared<ClassDefinition>();
  definition->name = name;
  Class& made = add(std::move(definition));
  made.method_loader = std::move(methods);
  made.type = Type::class_of(made.definition);
  made.is_open = true;
  if (const auto init = find_method(*made.definition, "__init__")) init->graph();
  made.is_open = false;
  return made.type;
}

bool Unit::declare_attribute(const ClassDefinition& definition, const std::string& name, TypePtr type) {
  const std::lock_guard lock(*mutex_);
  const auto holder = classes_.find(definition.name);
  if (holder == classes_.end() || !holder->second->is_open) return false;
  holder->second->definition->attributes.push_back({name, std::move(type)});
  return true;
}

TypePtr Unit::add_named_tuple(std::shared_ptr<ClassDefinition> definition) {
  const std::lock_guard lock(*mutex_);
  Class& made = add(std::move(definition));
  return made.type = Type::named_tuple(made.definition);
}

TypePtr Unit::add_enum(const std::string& name, std::vector<std::pair<std::string, Value>> members) {
  const std::lock_guard lock(*mutex_);
  auto definition = std::make_shared<ClassDefinition>();
  definition->name = name;
  Class& made = add(std::move(definition));
  made.type = Type::enum_of(made.definition);
  for (auto& [member, value] : members)
    made.members.emplace_back(member, make_ref<EnumValue>(made.type, member, std::move(value)));
  return made.type;
}

std::shared_ptr<ir::Function> Unit::find_method(const ClassDefinition& definition, const std::string& name) {
  const std::lock_guard lock(*mutex_);
  const auto holder = classes_.find(definition.name);
  if (holder == classes_.end()) return nullptr;
  Class& made = *holder->second;
  if (const auto found = made.functions.find(name); found != made.functions.end()) return found->second;
  const auto statement = made.methods.find(name);
  if (statement == made.methods.end()) return load_method(made, name);
  return made.functions[name] =
             make_function(definition.name + "." + name, *statement->second, made.type, archive_names_, {});
}

std::shared_ptr<ir::Function> Unit::load_method(Class& made, const std::string& name) {
  std::optional<FunctionSource> source;
  if (made.method_loader) source = made.method_loader(name);
  if (!source) return nullptr;
  made.method_order.push_back(name);
  return made.functions[name] = make_function(made.definition->name + "." + name, *std::move(source), made.type);
}

std::optional<Meaning> Unit::find_other(const ClassDefinition& definition, const std::string& name) {
  const std::lock_guard lock(*mutex_);
  const auto holder = classes_.find(definition.name);
  if (holder == classes_.end() || holder->second->others == nullptr) return std::nullopt;
  if (definition.find(name) >= 0 || find_method(definition, name)) return std::nullopt;
  return holder->second->others->find(name);
}

std::vector<std::string> Unit::method_names(const ClassDefinition& definition) {
  const std::lock_guard lock(*mutex_);
  const auto holder = classes_.find(definition.name);
  return holder == classes_.end() ? std::vector<std::string>() : holder->second->method_order;
}

std::optional<std::pair<TypePtr, Value>> Unit::find_constant(const ClassDefinition& definition,
                                                             const std::string& name) {
  const std::lock_guard lock(*mutex_);
  const auto holder = classes_.find(definition.name);
  if (holder == classes_.end()) return std::nullopt;
  const auto found = holder->second->constants.find(name);
  if (found == holder->second->constants.end()) return std::nullopt;
  return std::pair(type_of(*found->second->annotation->args[1]), constant_value(*found->second->value, *this));
}

Value Unit::enum_member(const TypePtr& type, const std::string& name) {
  const std::lock_guard lock(*mutex_);
  for (const auto& [member, value] : find_class(type->name())->members)
    if (member == name) return value;
  return {};
}

std::vector<Value> Unit::enum_members(const TypePtr& type) {
  const std::lock_guard lock(*mutex_);
  std::vector<Value> members;
  for (const auto& [name, member] : find_class(type->name())->members) members.push_back(member);
  return members;
}

TypePtr Unit::enum_value_type(const TypePtr& type) {
  const std::lock_guard lock(*mutex_);
  TypePtr common = Type::of(TypeKind::kNever);
  for (const auto& [member, value] : find_class(type->name())->members)
    if (common != nullptr) common = unify(common, type_of_value(value.to_enum().value));
  return common ? common : Type::of(TypeKind::kAny);
}

Value Unit::enum_with_value(const TypePtr& type, const Value& value) {
  const std::lock_guard lock(*mutex_);
  for (const auto& [member, instance] : find_class(type->name())->members)
    if (ValueEqual()(instance.to_enum().value, value)) return instance;
  return {};
}

std::shared_ptr<ir::Function> Unit::make_function(const std::string& name, FunctionSource source, TypePtr self) {
  kept_.push_back(parse(source.source));
  const Body& body = kept_.back();
  if (body.size() != 1 || body[0]->kind != StmtKind::kDef)
    throw Error(ErrorCode::kValue, name + ": its source is not one function");
  return make_function(name, *body[0], std::move(self), std::move(source.names), source.defaults);
}

std::shared_ptr<ir::Function> Unit::make_function(const std::string& name, const Stmt& statement, TypePtr self,
                                                  std::shared_ptr<Names> names, const Defaults& defaults) {
  Names* const annotations = names->is_archive() ? nullptr : names.get();
  std::vector<ir::Parameter> parameters;
  for (const Parameter& parameter : statement.parameters) {
    const bool is_self = self != nullptr && parameters.empty();
    ir::Parameter made{parameter.name, is_self ? self : Type::of(TypeKind::kTensor), std::nullopt};
    if (parameter.annotation && !is_self) made.type = type_of(*parameter.annotation, annotations);
    if (parameter.default_value && names->is_archive())
      made.default_value = constant_value(*parameter.default_value, *this);
    for (const auto& [which, value] : defaults)
      if (which == parameter.name) made.default_value = default_for(made, value, parameter.range);
    parameters.push_back(std::move(made));
  }
  TypePtr result = statement.annotation ? type_of(*statement.annotation, annotations) : nullptr;
  return std::make_shared<ir::Function>(
      name, std::move(parameters), std::move(result),
      [this, &statement, names = std::move(names)](ir::Function& function) {
        return lower(*this, *names, function, statement);
      },
      mutex_);
}

TypePtr Unit::type_of(const Expr& annotation, Names* names) {
  if (annotation.kind == ExprKind::kNone) return Type::of(TypeKind::kNone);
  if (annotation.kind == ExprKind::kSubscript) return subscripted_type(annotation, names);
  if (annotation.kind == ExprKind::kString) {
    const auto [line, column] = annotation.range.source->position(annotation.range.begin);
    return parse_type(std::make_shared<const Source>(annotation.range.source->name(), annotation.text, line, column),
                      names);
  }
  if (annotation.kind == ExprKind::kBinary && annotation.text == "|") {  // int | None
    const TypePtr a = type_of(*annotation.args[0], names), b = type_of(*annotation.args[1], names);
    if (const TypePtr both = unify(a, b)) return both;
    return Type::union_of({a, b});
  }
  std::string name = dotted_name(annotation);
  if (names != nullptr) {
    const Meaning meaning = meaning_of(annotation, *names);
    if (const TypePtr* const type = std::get_if<TypePtr>(&meaning)) return *type;
    if (const Unknown* const unknown = std::get_if<Unknown>(&meaning)) ir::fail(annotation.range, unknown->problem);
    if (const Path* const path = std::get_if<Path>(&meaning)) name = path->name;
  }
  static constexpr std::pair<std::string_view, TypeKind> kTypes[]{
      {"Tensor", TypeKind::kTensor},       {"int", TypeKind::kInt},
      {"float", TypeKind::kFloat},         {"bool", TypeKind::kBool},
      {"complex", TypeKind::kComplex},     {"str", TypeKind::kString},
      {"NoneType", TypeKind::kNone},       {"number", TypeKind::kNumber},
      {"Scalar", TypeKind::kNumber},       {"Any", TypeKind::kAny},
      {"Device", TypeKind::kDevice},       {"Generator", TypeKind::kGenerator},
      {"Storage", TypeKind::kStorage},     {"Stream", TypeKind::kStream},
      {"torch.Tensor", TypeKind::kTensor}, {"torch.device", TypeKind::kDevice}};
  for (const auto& [known, kind] : kTypes)
    if (name == known) return Type::of(kind);
  if (name == "Layout" || name == "MemoryFormat" || name == "ScalarType") return Type::named_int(name);
  if (!name.empty())
    if (TypePtr type = find_type(name)) return type;
  ir::fail(annotation.range, "'" + (name.empty() ? "this" : name) + "' is not a type that is known here");
}

TypePtr Unit::subscripted_type(const Expr& annotation, Names* names) {
  std::string name = dotted_name(*annotation.args[0]);
  if (names != nullptr)
    if (const Meaning meaning = meaning_of(*annotation.args[0], *names); const Path* path = std::get_if<Path>(&meaning))
      name = path->name;
  std::vector<TypePtr> elements;
  const Expr& inside = *annotation.args[1];
  if (inside.kind == ExprKind::kTuple) {
    for (const ExprPtr& element : inside.args) elements.push_back(type_of(*element, names));
  } else {
    elements.push_back(type_of(inside, names));
  }
  const auto expect = [&](std::size_t count) {
    if (elements.size() != count)
      ir::fail(annotation.range,
               name + " has " + std::to_string(elements.size()) + " types; expected " + std::to_string(count));
  };
  if (name == "Tuple" || name == "tuple") return Type::tuple(std::move(elements));
  if (name == "Union") {
    const bool with_none = std::ranges::any_of(elements, [](const TypePtr& t) { return t->is(TypeKind::kNone); });
    if (elements.size() == 2 && with_none) return unify(elements[0], elements[1]);
    return Type::union_of(std::move(elements));
  }
  if (name == "Dict" || name == "dict") {
    expect(2);
    return Type::dict(elements[0], elements[1]);
  }
  expect(1);
  if (name == "List" || name == "list") return Type::list(elements[0]);
  if (name == "Optional") return Type::optional(elements[0]);
  if (name == "Future") return Type::future(elements[0]);
  if (name == "Final" || name == "Await") return elements[0];
  ir::fail(annotation.range, "'" + name + "' is not a type that is known here");
}

TypePtr Unit::parse_type(const std::string& text) {
  return parse_type(std::make_shared<const Source>("type", text), nullptr);
}

TypePtr Unit::parse_type(std::shared_ptr<const Source> source, Names* names) {
  const std::lock_guard lock(*mutex_);
  kept_.push_back(parse(source));
  const Body& body = kept_.back();
  if (body.size() != 1 || body[0]->kind != StmtKind::kExpr)
    throw Error(ErrorCode::kValue,
                "type '" + source->text() + "': cannot be read; expected one type, as in \"List[int]\"");
  return type_of(*body[0]->value, names);
}

}  // namespace threadwheel::script
