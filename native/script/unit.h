// A unit: the classes and functions of one program, found by qualified name and read when first asked for.
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

namespace threadwheel::script {

class Unit {
 public:
  // The source of what a qualifier holds, "__torch__.a.b" for its classes and functions; null: there is none.
  using Loader = std::function<std::shared_ptr<const Source>(const std::string& qualifier)>;

  explicit Unit(Loader loader) : loader_(std::move(loader)) {}
  ~Unit();
  Unit(const Unit&) = delete;
  Unit& operator=(const Unit&) = delete;

  // By qualified name; null: not found. Throw the program's errors.
  TypePtr find_type(const std::string& name);
  std::shared_ptr<ir::Function> find_function(const std::string& name);
  // A method, its own arguments after `self`; null: the class has none of that name.
  std::shared_ptr<ir::Function> find_method(const ClassDefinition& definition, const std::string& name);
  std::vector<std::string> method_names(const ClassDefinition& definition);
  // A constant written in the class: `size : Final[int] = 3`.
  std::optional<std::pair<TypePtr, Value>> find_constant(const ClassDefinition& definition, const std::string& name);
  Value enum_member(const TypePtr& type, const std::string& name);  // None: no such member
  Value enum_with_value(const TypePtr& type, const Value& value);

  // The type that an annotation says.
  TypePtr type_of(const Expr& annotation);
  // The same from its text, as pickles have it.
  TypePtr parse_type(const std::string& text);

  // What the program calls CONSTANTS.c0 and on. Set before anything is compiled.
  const std::vector<Value>& constants() const noexcept { return constants_; }
  void set_constants(std::vector<Value> constants) { constants_ = std::move(constants); }

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
  };

  const File* file(const std::string& qualifier);
  const Stmt* find_statement(const std::string& name);
  Class* find_class(const std::string& name);
  void define(Class& made, const std::string& name, const Stmt& statement);
  void define_body(Class& made, const Stmt& statement);
  void define_enum(Class& made, const Stmt& statement);
  std::shared_ptr<ir::Function> make_function(const std::string& name, const Stmt& statement, TypePtr self);
  TypePtr subscripted_type(const Expr& annotation);

  std::recursive_mutex mutex_;
  Loader loader_;
  std::vector<Value> constants_;
  std::unordered_map<std::string, std::unique_ptr<File>> files_;
  std::unordered_map<std::string, std::unique_ptr<Class>> classes_;
  std::unordered_map<std::string, std::shared_ptr<ir::Function>> functions_;
  std::vector<Body> kept_;  // of annotations parsed from text
};

// "a.b.c" of nested attributes of a name; empty for other expressions.
std::string dotted_name(const Expr& expr);

// The value of a constant expression: a literal, a list or tuple of such, a negative number. Throws for others.
Value constant_value(const Expr& expr, const Unit& unit);

// Compiles one function to its graph.
std::unique_ptr<ir::Graph> lower(Unit& unit, const ir::Function& function, const Stmt& definition);

}  // namespace threadwheel::script
