// Static types: of schema arguments, of a program's variables, of a class's attributes. Immutable and shared.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace threadwheel {

enum class TypeKind : std::uint8_t {
  kAny,
  kTensor,
  kBool,
  kInt,
  kFloat,
  kComplex,
  kNumber,  // Scalar of the schemas: a bool, int, float or complex
  kString,
  kNone,
  kDevice,
  kGenerator,
  kStorage,
  kStream,
  kList,      // elements: one
  kDict,      // elements: key, value
  kTuple,     // elements; with `definition` for a named tuple
  kOptional,  // elements: one
  kUnion,     // elements
  kFuture,    // elements: one
  kClass,     // `definition`
  kEnum,      // `definition`
  kAnyEnum,   // of a schema: every enum
  kAnyList,   // what isinstance asks for with `list`, and below with `tuple`: no variable has these types
  kAnyTuple,
  kFunction,
  kNever,     // of what raises instead of giving a value: a subtype of every type
  kVariable,  // of a schema: stands for any type, the same everywhere in the schema
};

class Type;
using TypePtr = std::shared_ptr<const Type>;

// The base of what a class's methods are: ir::Function, which this folder does not know.
struct Method {
  virtual ~Method() = default;
};

// What a program says about a class, an enum or a named tuple.
struct ClassDefinition {
  struct Attribute {
    std::string name;
    TypePtr type;
  };

  std::string name;  // qualified, "__torch__.models.Net"
  std::vector<Attribute> attributes;
  // Null for no such method; empty when the unit that defined the class is gone.
  std::function<std::shared_ptr<Method>(const std::string& method)> find_method;
  bool is_module = false;
  bool is_interface = false;

  // The attribute's position; -1: there is none.
  std::int64_t find(std::string_view attribute) const noexcept;
};

// What the names of classes begin with that a library has, and no program.
inline constexpr std::string_view kLibraryClasses = "__torch__.torch.classes.";

class Type {
 public:
  Type(TypeKind kind, std::string name, std::vector<TypePtr> elements,
       std::shared_ptr<const ClassDefinition> definition)
      : kind_(kind), name_(std::move(name)), elements_(std::move(elements)), definition_(std::move(definition)) {}

  static const TypePtr& of(TypeKind kind);  // the kinds without elements and name
  // An int that a schema calls ScalarType, Layout or MemoryFormat: what a dtype and its like are in a program.
  static TypePtr named_int(std::string name);
  static TypePtr variable(std::string name);
  static TypePtr list(TypePtr element);
  static TypePtr dict(TypePtr key, TypePtr value);
  static TypePtr tuple(std::vector<TypePtr> elements);
  static TypePtr optional(TypePtr element);  // of an optional or None: itself
  static TypePtr union_of(std::vector<TypePtr> elements);
  static TypePtr future(TypePtr element);
  static TypePtr named_tuple(std::shared_ptr<const ClassDefinition> definition);
  static TypePtr class_of(std::shared_ptr<const ClassDefinition> definition);
  static TypePtr class_of(std::string name, std::vector<ClassDefinition::Attribute> attributes);
  static TypePtr enum_of(std::shared_ptr<const ClassDefinition> definition);

  TypeKind kind() const noexcept { return kind_; }
  bool is(TypeKind kind) const noexcept { return kind_ == kind; }
  const std::string& name() const noexcept { return name_; }
  const std::vector<TypePtr>& elements() const noexcept { return elements_; }
  const TypePtr& element(std::size_t i = 0) const { return elements_[i]; }
  const std::shared_ptr<const ClassDefinition>& definition() const noexcept { return definition_; }

  // As TorchScript writes it: "Optional[List[int]]".
  std::string to_string() const;
  // As schemas write it: "int[]?".
  std::string to_schema_string() const;

 private:
  TypeKind kind_;
  std::string name_;
  std::vector<TypePtr> elements_;
  std::shared_ptr<const ClassDefinition> definition_;
};

// The same type. A named int is an int.
bool equal(const Type& a, const Type& b);
inline bool equal(const TypePtr& a, const TypePtr& b) { return a == b || equal(*a, *b); }

// Whether each value of type `a` is one of type `b`: T of Optional[T], Tuple[int] of Tuple[number], all of Any. A list
// is not, unless its elements' type is the same: someone may append.
bool is_subtype(const TypePtr& a, const TypePtr& b);

// The least type that holds both: T and None give Optional[T]. Null: there is none.
TypePtr unify(const TypePtr& a, const TypePtr& b);

}  // namespace threadwheel
