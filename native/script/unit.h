// A unit: the classes and functions of one program, found by qualified name and read when first asked for. An archive's
// come from its files; those of Python are added one by one.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "ir/graph.h"
#include "ops/type.h"
#include "ops/value.h"
#include "script/ast.h"
#include "script/names.h"
#include "script/upgrades.h"

namespace threadwheel::script {

class Unit {
 public:
  // The source of what a qualifier holds, "__torch__.a.b" for its classes and functions; null: there is none.
  using Loader = std::function<std::shared_ptr<const Source>(const std::string& qualifier)>;

  // A function or method of Python.
  struct FunctionSource {
    std::shared_ptr<const Source> source;  // the def statement alone
    std::shared_ptr<Names> names;
    std::vector<std::pair<std::string, Value>> defaults;  // of parameters; Python evaluated them long ago
  };
  // Nothing: there is no such method.
  using MethodLoader = std::function<std::optional<FunctionSource>(const std::string& method)>;

  explicit Unit(Loader loader);
  ~Unit();
  Unit(const Unit&) = delete;
  Unit& operator=(const Unit&) = delete;

  // By qualified name; null: not found. Throw the program's errors.
  TypePtr find_type(const std::string& name);
  std::shared_ptr<ir::Function> find_function(const std::string& name);
  // A method, its own arguments after `self`; null: the class has none of that name.
  std::shared_ptr<ir::Function> find_method(const ClassDefinition& definition, const std::string& name);
  // What a name means of an object that has neither an attribute nor a method of it; nothing: its class does not say.
  std::optional<Meaning> find_other(const ClassDefinition& definition, const std::string& name);
  std::vector<std::string> method_names(const ClassDefinition& definition);
  // A constant written in the class: `size : Final[int] = 3`.
  std::optional<std::pair<TypePtr, Value>> find_constant(const ClassDefinition& definition, const std::string& name);
  Value enum_member(const TypePtr& type, const std::string& name);  // None: no such member
  std::vector<Value> enum_members(const TypePtr& type);
  TypePtr enum_value_type(const TypePtr& type);  // of all members' values; Any when they differ
  Value enum_with_value(const TypePtr& type, const Value& value);

  std::shared_ptr<ir::Function> add_function(const std::string& name, FunctionSource source);
  // `others` are what members mean that are neither attributes nor methods.
  TypePtr add_class(std::shared_ptr<ClassDefinition> definition, MethodLoader methods, std::shared_ptr<Names> others);
  // A class whose objects programs make. Its attributes are those that __init__ sets.
  TypePtr add_object_class(const std::string& name, MethodLoader methods);
  // Adds an attribute to a class whose __init__ is being compiled; returns whether it is one.
  bool declare_attribute(const ClassDefinition& definition, const std::string& name, TypePtr type);
  TypePtr add_named_tuple(std::shared_ptr<ClassDefinition> definition);
  TypePtr add_enum(const std::string& name, std::vector<std::pair<std::string, Value>> members);

  // The type that an annotation says, its names looked up in `names`; null: as archives write them.
  TypePtr type_of(const Expr& annotation, Names* names = nullptr);
  // The same from its text, as pickles have it.
  TypePtr parse_type(const std::string& text);

  // What the program calls CONSTANTS.c0 and on. Set before anything is compiled.
  const std::vector<Value>& constants() const noexcept { return constants_; }
  void set_constants(std::vector<Value> constants) { constants_ = std::move(constants); }

  // The version of the archive that the code is from: what its ops mean. Set before anything is compiled.
  int version() const noexcept { return version_; }
  void set_version(int version) { version_ = version; }

 private:
  struct File {
    Body body;
    std::unordered_map<std::string, const Stmt*> definitions;
  };
  struct Class {
    TypePtr type;
    std::shared_ptr<ClassDefinition> definition;
    std::unordered_map<std::string, const Stmt*> methods;
    std::vector<std::string> method_order;
    std::unordered_map<std::string, const Stmt*> constants;
    std::unordered_map<std::string, std::shared_ptr<ir::Function>> functions;
    std::vector<std::pair<std::string, Value>> members;  // of an enum
    MethodLoader method_loader;                          // of a class of Python
    std::shared_ptr<Names> others;                       // of a module of Python
    bool is_open = false;                                // while its __init__ is compiled
  };
  using Defaults = std::vector<std::pair<std::string, Value>>;

  const File* file(const std::string& qualifier);
  const Stmt* find_statement(const std::string& name);
  Class* find_class(const std::string& name);
  void define(Class& made, const std::string& name, const Stmt& statement);
  void define_body(Class& made, const Stmt& statement);
  void define_enum(Class& made, const Stmt& statement);
  std::shared_ptr<ir::Function> make_function(const std::string& name, const Stmt& statement, TypePtr self,
                                              std::shared_ptr<Names> names, const Defaults& defaults);
  std::shared_ptr<ir::Function> make_function(const std::string& name, FunctionSource source, TypePtr self);
  std::shared_ptr<ir::Function> load_method(Class& made, const std::string& name);
  Class& add(std::shared_ptr<ClassDefinition> definition);
  TypePtr parse_type(std::shared_ptr<const Source> source, Names* names);
  TypePtr subscripted_type(const Expr& annotation, Names* names);

  // Of its functions too, which may outlive it.
  const std::shared_ptr<std::recursive_mutex> mutex_ = std::make_shared<std::recursive_mutex>();
  Loader loader_;
  std::shared_ptr<Names> archive_names_;
  std::vector<Value> constants_;
  int version_ = kCurrentVersion;
  std::unordered_map<std::string, std::unique_ptr<File>> files_;
  std::unordered_map<std::string, std::unique_ptr<Class>> classes_;
  std::unordered_map<std::string, std::shared_ptr<ir::Function>> functions_;
  std::vector<Body> kept_;  // of functions of Python, and of annotations parsed from text
};

// "a.b.c" of nested attributes of a name; empty for other expressions.
std::string dotted_name(const Expr& expr);

// The value of a constant expression: a literal, a list or tuple of such, a negative number. Throws for others.
Value constant_value(const Expr& expr, const Unit& unit);

// Compiles one function to its graph.
std::unique_ptr<ir::Graph> lower(Unit& unit, Names& names, const ir::Function& function, const Stmt& definition);

}  // namespace threadwheel::script
