// Lowering of what is gone through: ranges, lists, tensors, tuples, strings, dicts, enumerate, zip; and comprehensions.
#include <limits>

#include "script/lowering.h"
#include "threadwheel/error.h"

namespace threadwheel::script {

Lowering::Iterable Lowering::iterable(const Expr& expr) {
  if (expr.kind == ExprKind::kCall && expr.args[0]->kind == ExprKind::kName) {
    const Binding what = binding(*expr.args[0]);
    if (const Path* const path = std::get_if<Path>(&what)) {
      if (path->name == "range") return range_of(expr);
      if (path->name == "enumerate") return enumerate(expr);
      if (path->name == "zip") return zip(expr);
    }
  }
  const Binding what = binding(expr);
  if (const TypePtr* const type = std::get_if<TypePtr>(&what); type != nullptr && (*type)->is(TypeKind::kEnum)) {
    Iterable members;
    for (Value& member : unit_.enum_members(*type))
      members.fixed.push_back(builder_.constant(std::move(member), *type));
    return members;
  }
  Variable* const* const value = std::get_if<Variable*>(&what);
  if (value == nullptr) ir::fail(expr.range, "this cannot be gone through", ErrorCode::kType);
  return iterable_of(*value, expr.range);
}

Lowering::Iterable Lowering::iterable_of(Variable* value, const Range& range) {
  const Type& type = *value->type;
  Iterable source;
  const auto element = [this, value](Variable* index) { return op("aten::__getitem__", {{value, index}, {}}); };
  if (type.is(TypeKind::kDict)) return iterable_of(op("aten::keys", {{value}, {}}), range);
  if (type.is(TypeKind::kTuple)) {
    for (std::size_t i = 0; i < type.elements().size(); ++i)
      source.fixed.push_back(builder_.tuple_index(value, static_cast<std::int64_t>(i)));
    return source;
  }
  if (type.is(TypeKind::kClass) && type.definition()->is_module) {  // what it holds, as nn.Sequential and ModuleList do
    for (const ClassDefinition::Attribute& attribute : type.definition()->attributes)
      if (attribute.type->is(TypeKind::kClass)) source.fixed.push_back(attribute_of(value, attribute.name, range));
    return source;
  }
  if (!type.is(TypeKind::kList) && !type.is(TypeKind::kString) && !type.is(TypeKind::kTensor))
    ir::fail(range,
             "a " + type.to_string() + " cannot be gone through; expected a list, tuple, dict, string, tensor or range",
             ErrorCode::kType);
  source.length = op("aten::len", {{value}, {}});
  source.at = element;
  if (type.is(TypeKind::kTensor))
    source.at = [this, value](Variable* index) {
      return op("aten::select", {{value, builder_.integer(0), index}, {}});
    };
  return source;
}

Lowering::Iterable Lowering::range_of(const Expr& expr) {
  if (expr.args.size() < 2 || expr.args.size() > 4)
    ir::fail(expr.range, "range() takes one to three ints", ErrorCode::kType);
  std::vector<Variable*> bounds;
  for (std::size_t i = 1; i < expr.args.size(); ++i)
    bounds.push_back(as_type(expression(*expr.args[i]), Type::of(TypeKind::kInt), expr.range));
  if (bounds.size() == 1) return {bounds[0], [](Variable* index) { return index; }, {}};
  if (bounds.size() == 2) bounds.push_back(builder_.integer(1));
  Variable* const length = op("aten::__range_length", {bounds, {}});
  return {length,
          [this, bounds](Variable* index) { return op("aten::__derive_index", {{index, bounds[0], bounds[2]}, {}}); },
          {}};
}

Lowering::Iterable Lowering::enumerate(const Expr& expr) {
  const Iterable inner = iterable(argument(expr, 1));
  const CallArguments rest = arguments(expr, 2);
  Variable* start = !rest.positional.empty() ? rest.positional[0]
                    : !rest.named.empty()    ? rest.named[0].second
                                             : nullptr;
  const auto number = [this, start](Variable* index) {
    return start == nullptr ? index : op("aten::add", {{index, start}, {}});
  };
  Iterable source;
  for (std::size_t i = 0; i < inner.fixed.size(); ++i)
    source.fixed.push_back(builder_.tuple({number(builder_.integer(static_cast<std::int64_t>(i))), inner.fixed[i]}));
  source.length = inner.length;
  source.at = [this, number, inner](Variable* index) { return builder_.tuple({number(index), inner.at(index)}); };
  return source;
}

// As long as the shortest. Of tuples the length is known, and the whole is gone through as a tuple.
Lowering::Iterable Lowering::zip(const Expr& expr) {
  std::vector<Iterable> sources;
  std::vector<Variable*> lengths;
  std::size_t count = std::numeric_limits<std::size_t>::max();
  for (std::size_t i = 1; i < expr.args.size(); ++i) {
    sources.push_back(iterable(*expr.args[i]));
    if (sources.back().length != nullptr) {
      lengths.push_back(sources.back().length);
    } else {
      count = std::min(count, sources.back().fixed.size());
    }
  }
  if (sources.empty()) ir::fail(expr.range, "zip() takes at least one argument", ErrorCode::kType);
  const auto element = [this, sources](Variable* index) {
    std::vector<Variable*> parts;
    for (const Iterable& source : sources) parts.push_back(source.at(index));
    return builder_.tuple(std::move(parts));
  };
  if (lengths.size() == sources.size())
    return {op("prim::min", {{builder_.list(lengths, Type::of(TypeKind::kInt))}, {}}), element, {}};
  if (!lengths.empty())
    ir::fail(expr.range, "zip() of a tuple and of something whose length is not known is not supported",
             ErrorCode::kUnsupported);
  Iterable zipped;
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<Variable*> parts;
    for (const Iterable& source : sources) parts.push_back(source.fixed[i]);
    zipped.fixed.push_back(builder_.tuple(std::move(parts)));
  }
  return zipped;
}

// Calls `use` for each element that meets the conditions, bound to the target while it does.
void Lowering::for_each(const Iterable& source, const Expr* target, std::span<const ExprPtr> conditions,
                        const std::function<void(Variable*)>& use) {
  const auto visit = [&](Variable* element) {
    if (target != nullptr) assign_to(*target, element);
    const std::function<void(std::size_t)> filter = [&](std::size_t i) {
      if (i == conditions.size()) return use(element);
      ir::Node* const node = builder_.node(ir::NodeKind::kIf, {condition(*conditions[i])});
      branch(*node, [&] {
        refine(*conditions[i], true);
        filter(i + 1);
        return End::kReached;
      });
      branch(*node, [] { return End::kReached; });
    };
    filter(0);
  };
  if (source.length == nullptr) {
    const Scope scope(*this, builder_.block());
    for (Variable* element : source.fixed) visit(element);
    return;
  }
  ir::Node* const node = builder_.node(ir::NodeKind::kLoop, {source.length, builder_.boolean(true)});
  ir::Block& inner = *node->add_block();
  const Scope scope(*this, &inner);
  visit(source.at(inner.add_parameter(Type::of(TypeKind::kInt), "i")));
  inner.results = {builder_.boolean(true)};
}

// The type of the elements is known when the first is met, inside the loop.
ir::Variable* Lowering::list_comprehension(const Expr& expr, const TypePtr& expected) {
  const TypePtr element = expected && expected->is(TypeKind::kList) ? expected->element() : nullptr;
  const Iterable source = iterable(*expr.args[2]);
  Variable* const made = builder_.list({}, element ? element : Type::of(TypeKind::kTensor));
  for_each(source, expr.args[1].get(), std::span(expr.args).subspan(3), [&](Variable*) {
    Variable* const value = expression(*expr.args[0], element);
    if (element == nullptr) made->type = Type::list(value->type);
    op("aten::append", {{made, as_type(value, made->type->element(), expr.range)}, {}});
  });
  return made;
}

ir::Variable* Lowering::dict_comprehension(const Expr& expr, const TypePtr&) {
  const Iterable source = iterable(*expr.args[3]);
  Variable* const made =
      builder_.value(ir::NodeKind::kDict, {}, Type::dict(Type::of(TypeKind::kString), Type::of(TypeKind::kTensor)));
  for_each(source, expr.args[2].get(), std::span(expr.args).subspan(4), [&](Variable*) {
    Variable* const key = expression(*expr.args[0]);
    Variable* const value = expression(*expr.args[1]);
    made->type = Type::dict(key->type, value->type);
    op("aten::_set_item", {{made, key, value}, {}});
  });
  return made;
}

ir::Variable* Lowering::list_of(const Iterable& source) {
  Variable* const made = builder_.list({}, Type::of(TypeKind::kTensor));
  for_each(source, nullptr, {}, [&](Variable* element) {
    made->type = Type::list(element->type);
    op("aten::append", {{made, element}, {}});
  });
  return made;
}

}  // namespace threadwheel::script
