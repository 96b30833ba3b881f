// Names, subtypes and unification of static types.
#include "ops/type.h"
#include "parallel/never_destroyed.h"

#include <algorithm>
#include <array>
#include <utility>

namespace threadwheel {
namespace {

struct KindName {
  TypeKind kind;
  const char* script;
  const char* schema;
};

constexpr KindName kNames[] = {
    {TypeKind::kAny, "Any", "Any"},
    {TypeKind::kTensor, "Tensor", "Tensor"},
    {TypeKind::kBool, "bool", "bool"},
    {TypeKind::kInt, "int", "int"},
    {TypeKind::kFloat, "float", "float"},
    {TypeKind::kComplex, "complex", "complex"},
    {TypeKind::kNumber, "number", "Scalar"},
    {TypeKind::kString, "str", "str"},
    {TypeKind::kNone, "NoneType", "NoneType"},
    {TypeKind::kDevice, "Device", "Device"},
    {TypeKind::kGenerator, "Generator", "Generator"},
    {TypeKind::kStorage, "Storage", "Storage"},
    {TypeKind::kStream, "Stream", "Stream"},
    {TypeKind::kAnyEnum, "AnyEnumType", "AnyEnumType"},
    {TypeKind::kAnyList, "list", "list"},
    {TypeKind::kAnyTuple, "tuple", "tuple"},
    {TypeKind::kFunction, "Function", "Function"},
    {TypeKind::kNever, "Never", "Never"},
};

const KindName* find_name(TypeKind kind) {
  const auto found = std::ranges::find(kNames, kind, &KindName::kind);
  return found == std::end(kNames) ? nullptr : found;
}

TypePtr make(TypeKind kind, std::vector<TypePtr> elements, std::string name = {},
             std::shared_ptr<const ClassDefinition> definition = nullptr) {
  return std::make_shared<const Type>(kind, std::move(name), std::move(elements), std::move(definition));
}

std::string join(const std::vector<TypePtr>& types) {
  std::string text;
  for (const TypePtr& type : types) text.append(text.empty() ? "" : ", ").append(type->to_string());
  return text;
}

bool all_subtypes(const Type& a, const Type& b) {
  return std::ranges::equal(a.elements(), b.elements(), is_subtype);
}

bool is_number(const Type& type) {
  return type.is(TypeKind::kBool) || type.is(TypeKind::kInt) || type.is(TypeKind::kFloat) ||
         type.is(TypeKind::kComplex);
}

}  // namespace

std::int64_t ClassDefinition::find(std::string_view attribute) const noexcept {
  const auto found = std::ranges::find(attributes, attribute, &Attribute::name);
  return found == attributes.end() ? -1 : found - attributes.begin();
}

const TypePtr& Type::of(TypeKind kind) {
  static const auto& types = detail::never_destroyed([] {
    std::array<TypePtr, static_cast<std::size_t>(TypeKind::kVariable) + 1> made;
    for (const KindName& name : kNames) made[static_cast<std::size_t>(name.kind)] = make(name.kind, {});
    return made;
  }());
  return types[static_cast<std::size_t>(kind)];
}

TypePtr Type::named_int(std::string name) { return make(TypeKind::kInt, {}, std::move(name)); }
TypePtr Type::variable(std::string name) { return make(TypeKind::kVariable, {}, std::move(name)); }
TypePtr Type::list(TypePtr element) { return make(TypeKind::kList, {std::move(element)}); }
TypePtr Type::dict(TypePtr key, TypePtr value) { return make(TypeKind::kDict, {std::move(key), std::move(value)}); }
TypePtr Type::tuple(std::vector<TypePtr> elements) { return make(TypeKind::kTuple, std::move(elements)); }
TypePtr Type::union_of(std::vector<TypePtr> elements) { return make(TypeKind::kUnion, std::move(elements)); }
TypePtr Type::future(TypePtr element) { return make(TypeKind::kFuture, {std::move(element)}); }

TypePtr Type::optional(TypePtr element) {
  if (element->is(TypeKind::kOptional) || element->is(TypeKind::kNone) || element->is(TypeKind::kAny)) return element;
  return make(TypeKind::kOptional, {std::move(element)});
}

TypePtr Type::named_tuple(std::shared_ptr<const ClassDefinition> definition) {
  std::vector<TypePtr> elements;
  for (const ClassDefinition::Attribute& attribute : definition->attributes) elements.push_back(attribute.type);
  std::string name = definition->name;
  return make(TypeKind::kTuple, std::move(elements), std::move(name), std::move(definition));
}

TypePtr Type::class_of(std::shared_ptr<const ClassDefinition> definition) {
  std::string name = definition->name;
  return make(TypeKind::kClass, {}, std::move(name), std::move(definition));
}

TypePtr Type::class_of(std::string name, std::vector<ClassDefinition::Attribute> attributes) {
  auto definition = std::make_shared<ClassDefinition>();
  definition->name = std::move(name);
  definition->attributes = std::move(attributes);
  return class_of(std::move(definition));
}

TypePtr Type::enum_of(std::shared_ptr<const ClassDefinition> definition) {
  std::string name = definition->name;
  return make(TypeKind::kEnum, {}, std::move(name), std::move(definition));
}

std::string Type::to_string() const {
  switch (kind_) {
    case TypeKind::kList: return "List[" + join(elements_) + "]";
    case TypeKind::kDict: return "Dict[" + join(elements_) + "]";
    case TypeKind::kOptional: return "Optional[" + join(elements_) + "]";
    case TypeKind::kUnion: return "Union[" + join(elements_) + "]";
    case TypeKind::kFuture: return "Future[" + join(elements_) + "]";
    case TypeKind::kTuple: return definition_ ? name_ : "Tuple[" + (elements_.empty() ? "()" : join(elements_)) + "]";
    case TypeKind::kClass:
    case TypeKind::kEnum:
    case TypeKind::kVariable: return name_;
    default: return find_name(kind_)->script;
  }
}

std::string Type::to_schema_string() const {
  if (!name_.empty()) return name_;
  switch (kind_) {
    case TypeKind::kList: return elements_[0]->to_schema_string() + "[]";
    case TypeKind::kOptional: return elements_[0]->to_schema_string() + "?";
    case TypeKind::kDict:
      return "Dict(" + elements_[0]->to_schema_string() + ", " + elements_[1]->to_schema_string() + ")";
    case TypeKind::kFuture: return "Future(" + elements_[0]->to_schema_string() + ")";
    case TypeKind::kTuple: {
      std::string text = "(";
      for (const TypePtr& element : elements_)
        text.append(element == elements_.front() ? "" : ", ").append(element->to_schema_string());
      return text + ")";
    }
    default: return find_name(kind_) != nullptr ? find_name(kind_)->schema : to_string();
  }
}

bool equal(const Type& a, const Type& b) {
  if (a.kind() != b.kind()) return false;
  if (!a.is(TypeKind::kInt) && a.name() != b.name()) return false;
  return std::ranges::equal(a.elements(), b.elements(), [](const TypePtr& x, const TypePtr& y) { return equal(x, y); });
}

bool is_subtype(const TypePtr& a, const TypePtr& b) {
  if (b->is(TypeKind::kAny) || a->is(TypeKind::kNever) || equal(a, b)) return true;
  if (a->is(TypeKind::kUnion) || (a->is(TypeKind::kOptional) && !b->is(TypeKind::kOptional))) {
    if (a->is(TypeKind::kOptional) && !is_subtype(Type::of(TypeKind::kNone), b)) return false;
    return std::ranges::all_of(a->elements(), [&](const TypePtr& element) { return is_subtype(element, b); });
  }
  switch (b->kind()) {
    case TypeKind::kNumber: return is_number(*a);
    case TypeKind::kOptional:
      return a->is(TypeKind::kNone) || is_subtype(a->is(TypeKind::kOptional) ? a->element() : a, b->element());
    case TypeKind::kUnion:
      return std::ranges::any_of(b->elements(), [&](const TypePtr& element) { return is_subtype(a, element); });
    case TypeKind::kTuple:
      return a->is(TypeKind::kTuple) && (!b->definition() || a->name() == b->name()) && all_subtypes(*a, *b);
    case TypeKind::kAnyEnum: return a->is(TypeKind::kEnum);
    case TypeKind::kAnyList: return a->is(TypeKind::kList);
    case TypeKind::kAnyTuple: return a->is(TypeKind::kTuple);
    case TypeKind::kFuture: return a->is(TypeKind::kFuture) && all_subtypes(*a, *b);
    case TypeKind::kClass:  // an interface holds any class; whether the methods are there is seen at the call
      return a->is(TypeKind::kClass) && b->definition()->is_interface;
    default: return false;
  }
}

TypePtr unify(const TypePtr& a, const TypePtr& b) {
  if (is_subtype(a, b)) return b;
  if (is_subtype(b, a)) return a;
  if (a->is(TypeKind::kNone)) return Type::optional(b);
  if (b->is(TypeKind::kNone)) return Type::optional(a);
  if (a->is(TypeKind::kOptional) || b->is(TypeKind::kOptional)) {
    const TypePtr inner = unify(a->is(TypeKind::kOptional) ? a->element() : a,
                                b->is(TypeKind::kOptional) ? b->element() : b);
    return inner ? Type::optional(inner) : nullptr;
  }
  if (a->is(TypeKind::kTuple) && b->is(TypeKind::kTuple) && a->elements().size() == b->elements().size()) {
    std::vector<TypePtr> elements;
    for (std::size_t i = 0; i < a->elements().size(); ++i) {
      elements.push_back(unify(a->element(i), b->element(i)));
      if (!elements.back()) return nullptr;
    }
    return Type::tuple(std::move(elements));
  }
  return nullptr;
}

}  // namespace threadwheel
