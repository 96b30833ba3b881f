// Matching arguments against schemas: first without conversions for all overloads, then with.
#include "script/match.h"

#include <algorithm>
#include <map>
#include <span>

#include "ops/registry.h"
#include "threadwheel/error.h"

namespace threadwheel::script {
namespace {

using ir::Builder;
using ir::Variable;

// What stands for a schema's type variables.
using Bindings = std::map<std::string, TypePtr>;

enum class Conversion { kNone, kTupleToList, kRepeat, kRest, kToNumber, kToDevice, kIntToFloat, kBoolToInt };

bool fits(const TypePtr& actual, const TypePtr& formal, Bindings& bindings);

bool fit_elements(const Type& actual, const Type& formal, Bindings& bindings) {
  return std::ranges::equal(actual.elements(), formal.elements(), [&](const TypePtr& a, const TypePtr& f) {
    return fits(a, f, bindings);
  });
}

bool has_variable(const Type& type) {
  return type.is(TypeKind::kVariable) ||
         std::ranges::any_of(type.elements(), [](const TypePtr& element) { return has_variable(*element); });
}

bool fits(const TypePtr& actual, const TypePtr& formal, Bindings& bindings) {
  if (!has_variable(*formal)) return is_subtype(actual, formal);
  if (formal->is(TypeKind::kVariable)) {
    const auto [found, is_new] = bindings.try_emplace(formal->name(), actual);
    if (is_new || is_subtype(actual, found->second)) return true;
    return false;
  }
  if (formal->is(TypeKind::kOptional)) {
    if (actual->is(TypeKind::kNone)) return true;
    return fits(actual->is(TypeKind::kOptional) ? actual->element() : actual, formal->element(), bindings);
  }
  return actual->kind() == formal->kind() && fit_elements(*actual, *formal, bindings);
}

TypePtr substitute(const TypePtr& type, const Bindings& bindings) {
  if (!has_variable(*type)) return type;
  if (type->is(TypeKind::kVariable)) {
    const auto found = bindings.find(type->name());
    return found == bindings.end() ? Type::of(TypeKind::kAny) : found->second;
  }
  std::vector<TypePtr> elements;
  for (const TypePtr& element : type->elements()) elements.push_back(substitute(element, bindings));
  if (type->is(TypeKind::kOptional)) return Type::optional(elements[0]);
  return std::make_shared<const Type>(type->kind(), type->name(), std::move(elements), type->definition());
}

bool all_are(const Type& tuple, const TypePtr& type) {
  return std::ranges::all_of(tuple.elements(), [&](const TypePtr& element) { return is_subtype(element, type); });
}

const TypePtr& without_optional(const TypePtr& type) { return type->is(TypeKind::kOptional) ? type->element() : type; }

// A tensor becomes a number in annotations and calls of functions only. Not in calls of ops, as programs that were
// saved say so explicitly: an overload for tensors that is missing here must not turn into one for numbers.
enum class Allow { kNothing, kForOps, kAll };

// How an actual type becomes a formal one; nothing: it does not.
std::optional<Conversion> conversion(const TypePtr& actual, const TypePtr& formal, std::int64_t list_size, Allow allow,
                                     Bindings& bindings) {
  const TypePtr& target = without_optional(formal);
  // As a Scalar a bool is an int: full([2], True) holds integers in programs, unlike in Python.
  if (actual->is(TypeKind::kBool) && target->is(TypeKind::kNumber))
    return allow == Allow::kNothing ? std::nullopt : std::optional(Conversion::kBoolToInt);
  if (fits(actual, formal, bindings)) return Conversion::kNone;
  if (target->is(TypeKind::kList) && !has_variable(*target)) {
    if (actual->is(TypeKind::kTuple) && all_are(*actual, target->element())) return Conversion::kTupleToList;
    if (list_size > 0 && is_subtype(actual, target->element())) return Conversion::kRepeat;
    return std::nullopt;
  }
  if (allow == Allow::kNothing) return std::nullopt;
  const bool to_number = target->is(TypeKind::kInt) || target->is(TypeKind::kFloat) || target->is(TypeKind::kNumber) ||
                         target->is(TypeKind::kComplex);
  if (to_number && actual->is(TypeKind::kTensor) && allow == Allow::kAll) return Conversion::kToNumber;
  if (actual->is(TypeKind::kNumber) && (target->is(TypeKind::kInt) || target->is(TypeKind::kFloat)))
    return Conversion::kToNumber;
  if (target->is(TypeKind::kDevice) && actual->is(TypeKind::kString)) return Conversion::kToDevice;
  if (target->is(TypeKind::kFloat) && actual->is(TypeKind::kInt)) return Conversion::kIntToFloat;
  return std::nullopt;
}

Variable* apply(Builder& builder, Variable* variable, const TypePtr& formal, Conversion how, std::int64_t list_size) {
  const TypePtr& target = without_optional(formal);
  switch (how) {
    case Conversion::kNone:
    case Conversion::kRest: return variable;
    case Conversion::kTupleToList:
      return builder.list(builder.unpack(variable, variable->type->elements()), target->element());
    case Conversion::kRepeat:
      return builder.list(std::vector<Variable*>(static_cast<std::size_t>(list_size), variable), target->element());
    case Conversion::kToNumber:
      return try_call_op(builder, target->is(TypeKind::kInt)       ? "aten::IntImplicit"
                                  : target->is(TypeKind::kFloat)   ? "aten::FloatImplicit"
                                  : target->is(TypeKind::kComplex) ? "aten::ComplexImplicit"
                                                                   : "aten::ScalarImplicit",
                         {{variable}, {}});
    case Conversion::kToDevice: return try_call_op(builder, "aten::device", {{variable}, {}});
    case Conversion::kIntToFloat: return try_call_op(builder, "aten::Float", {{variable}, {}});
    case Conversion::kBoolToInt: return try_call_op(builder, "aten::Int", {{variable}, {}});
  }
  return nullptr;
}

// One overload and how the arguments go into it.
class Match {
 public:
  Match(const Op& op, const CallArguments& arguments, Allow allow) : op_(op), arguments_(arguments), allow_(allow) {}

  // Why the arguments do not fit; empty when they do.
  std::string check() {
    const Schema& schema = op_.schema();
    std::size_t next = 0, used = 0;
    for (std::size_t i = 0; i < schema.arguments.size(); ++i) {
      const SchemaArgument& argument = schema.arguments[i];
      if (takes_the_rest(i, next)) {
        rest_ = std::span(arguments_.positional).subspan(next);
        next = arguments_.positional.size();
        steps_.push_back({nullptr, Conversion::kRest});
        continue;
      }
      const auto named =
          std::ranges::find(arguments_.named, argument.name, [](const auto& each) { return each.first; });
      const bool is_named = named != arguments_.named.end();
      const bool is_positional = !argument.keyword_only && next < arguments_.positional.size();
      if (is_positional && is_named) return "argument '" + argument.name + "' is given twice";
      if (!is_positional && !is_named) {
        if (!argument.default_value) return "argument '" + argument.name + "' is missing";
        steps_.push_back({nullptr, Conversion::kNone});
        continue;
      }
      used += is_named;
      Variable* const given = is_positional ? arguments_.positional[next++] : named->second;
      const auto how = conversion(given->type, argument.type.type, argument.type.list_size, allow_, bindings_);
      if (!how) return "argument '" + argument.name + "' is " + given->type->to_string();
      steps_.push_back({given, *how});
    }
    if (used < arguments_.named.size()) return "there is no argument '" + arguments_.named.back().first + "'";
    if (next < arguments_.positional.size() && !schema.variadic)
      return "there are " + std::to_string(arguments_.positional.size()) + " arguments";
    return "";
  }

  Variable* emit(Builder& builder) const {
    const Schema& schema = op_.schema();
    std::vector<Variable*> inputs;
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      const SchemaArgument& argument = schema.arguments[i];
      if (steps_[i].second == Conversion::kRest) {
        inputs.push_back(builder.list({rest_.begin(), rest_.end()}, argument.type.type->element()));
        continue;
      }
      inputs.push_back(steps_[i].first == nullptr ? builder.constant(*argument.default_value, argument.type.type)
                                                  : apply(builder, steps_[i].first, argument.type.type,
                                                          steps_[i].second, argument.type.list_size));
    }
    for (std::size_t i = steps_.size(); schema.variadic && i < arguments_.positional.size(); ++i)
      inputs.push_back(arguments_.positional[i]);
    ir::Node* const node = builder.node(ir::NodeKind::kOp, std::move(inputs));
    node->op = &op_;
    return node->add_output(result_type());
  }

 private:
  TypePtr result_type() const {
    std::vector<TypePtr> types;
    for (const SchemaType& type : op_.schema().returns) types.push_back(substitute(type.type, bindings_));
    if (types.empty()) return Type::of(TypeKind::kNone);
    return types.size() == 1 ? types[0] : Type::tuple(std::move(types));
  }

  // view(2, 3) for view([2, 3]): elements for the list that is the last argument, or the last before those by name
  // only.
  bool takes_the_rest(std::size_t i, std::size_t next) const {
    const std::vector<SchemaArgument>& all = op_.schema().arguments;
    const Type& type = *all[i].type.type;
    const bool is_last = i + 1 == all.size() || all[i + 1].keyword_only;
    if (!is_last || all[i].keyword_only || all[i].type.list_size > 0 || !type.is(TypeKind::kList) ||
        next >= arguments_.positional.size() ||
        !(type.element()->is(TypeKind::kInt) || type.element()->is(TypeKind::kTensor)))
      return false;
    return std::ranges::all_of(std::span(arguments_.positional).subspan(next),
                               [&](const Variable* each) { return is_subtype(each->type, type.element()); });
  }

  const Op& op_;
  const CallArguments& arguments_;
  const Allow allow_;
  std::span<Variable* const> rest_;
  Bindings bindings_;
  std::vector<std::pair<Variable*, Conversion>> steps_;
};

std::string describe(const CallArguments& arguments) {
  std::string text;
  for (const Variable* variable : arguments.positional)
    text.append(text.empty() ? "" : ", ").append(variable->type->to_string());
  for (const auto& [name, variable] : arguments.named)
    text.append(text.empty() ? "" : ", ").append(name).append("=").append(variable->type->to_string());
  return "(" + text + ")";
}

}  // namespace

Variable* try_call_op(Builder& builder, const std::string& name, const CallArguments& arguments) {
  for (const Allow allow : {Allow::kNothing, Allow::kForOps})
    for (const Op* op : Registry::instance().find(name)) {
      Match match(*op, arguments, allow);
      if (match.check().empty()) return match.emit(builder);
    }
  return nullptr;
}

std::string describe_mismatch(const std::string& name, const CallArguments& arguments) {
  const auto overloads = Registry::instance().find(name);
  if (overloads.empty())
    return name + ": this op is not implemented; the command `threadwheel ops` lists those that are";
  std::string problem = name + ": no overload takes " + describe(arguments) + "; there are";
  for (const Op* op : overloads)
    problem.append("\n  ").append(op->schema_text()).append(": ").append(Match(*op, arguments, Allow::kForOps).check());
  return problem;
}

Variable* convert(Builder& builder, Variable* variable, const TypePtr& type) {
  if (equal(variable->type, type)) return variable;
  Bindings bindings;
  const auto how = conversion(variable->type, type, 0, Allow::kAll, bindings);
  if (!how) return nullptr;
  Variable* const converted = apply(builder, variable, type, *how, 0);
  if (converted == nullptr) return nullptr;
  return equal(converted->type, type) ? converted : builder.cast(converted, type);
}

std::vector<Variable*> bind_arguments(Builder& builder, const ir::Function& function, const CallArguments& arguments) {
  const auto refuse = [&](const std::string& problem) {
    ir::fail(builder.range(), "call of " + function.name() + ": " + problem, ErrorCode::kType);
  };
  std::vector<Variable*> bound;
  if (arguments.positional.size() > function.parameters().size())
    refuse("takes " + std::to_string(function.parameters().size()) + " arguments, got " +
           std::to_string(arguments.positional.size()));
  for (std::size_t i = 0; i < function.parameters().size(); ++i) {
    const ir::Parameter& parameter = function.parameters()[i];
    const auto named = std::ranges::find(arguments.named, parameter.name, [](const auto& each) { return each.first; });
    Variable* given = nullptr;
    if (i < arguments.positional.size()) given = arguments.positional[i];
    if (named != arguments.named.end()) {
      if (given != nullptr) refuse("argument '" + parameter.name + "' is given twice");
      given = named->second;
    }
    if (given == nullptr) {
      if (!parameter.default_value) refuse("argument '" + parameter.name + "' is missing");
      bound.push_back(builder.constant(*parameter.default_value, parameter.type));
      continue;
    }
    Variable* const converted = convert(builder, given, parameter.type);
    if (converted == nullptr)
      refuse("argument '" + parameter.name + "' is " + given->type->to_string() + "; expected " +
             parameter.type->to_string());
    bound.push_back(converted);
  }
  for (const auto& [name, variable] : arguments.named)
    if (std::ranges::none_of(function.parameters(), [&](const auto& parameter) { return parameter.name == name; }))
      refuse("there is no argument '" + name + "'");
  return bound;
}

}  // namespace threadwheel::script
