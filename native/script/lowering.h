// Lowering: one function's syntax to its graph. Names are bound to variables of the graph, or to things that exist only
// while compiling: namespaces of ops, functions, classes, closures.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "ir/builder.h"
#include "script/match.h"
#include "script/unit.h"

namespace threadwheel::script {

class Lowering {
 public:
  Lowering(Unit& unit, ir::Graph& graph) : unit_(unit), builder_(&graph.top) {}

  // The whole function: parameters, body, result.
  void function(const ir::Function& function, const Stmt& definition);

 private:
  using Variable = ir::Variable;

  struct Closure {
    const Stmt* definition;
  };
  struct Path {  // a dotted name that means something only when it is used: "torch.add", "ops.prim", "__torch__.a.f"
    std::string name;
  };
  using Binding = std::variant<Variable*, Closure, Path, std::shared_ptr<ir::Function>, TypePtr>;
  using Names = std::unordered_map<std::string, Binding>;

  // Thrown where the program cannot go on, and caught at the end of the block: what follows there is never executed.
  struct Unreachable {};

  // While it lives, nodes go into the block, and names that are assigned are the block's own.
  class Scope {
   public:
    Scope(Lowering& lowering, ir::Block* block)
        : outer(lowering.scope_), lowering_(lowering), outer_block_(lowering.builder_.block()) {
      lowering.scope_ = this;
      lowering.builder_.set_block(block);
    }
    ~Scope() {
      lowering_.scope_ = outer;
      lowering_.builder_.set_block(outer_block_);
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

    Names names;
    Scope* const outer;

   private:
    Lowering& lowering_;
    ir::Block* const outer_block_;
  };

  // How a block ended: the names that it assigned, and whether its end is reached at all.
  struct Branch {
    Names names;
    bool ends;
  };

  // --- lower.cpp: statements
  bool body(const Body& statements);  // returns whether its end is reached
  void statement(const Stmt& statement);
  void assign(const Stmt& statement);
  void assign_to(const Expr& target, Binding value);
  void assign_many(const Expr& target, const Expr& value);
  void if_statement(const Stmt& statement);
  void while_statement(const Stmt& statement);
  void for_statement(const Stmt& statement);
  void loop(const Stmt& statement, Variable* trips, Variable* first_condition, Variable* start, Variable* step);
  using Carried = std::vector<std::pair<std::string, Variable*>>;
  void loop_body(const Stmt& statement, ir::Block& inner, const Carried& carried, Variable* start, Variable* step);
  void with_statement(const Stmt& statement);
  Branch branch(ir::Node& node, const Body& statements);
  void merge(ir::Node& node, const Branch& then, const Branch& otherwise);
  Variable* value_in(const Branch& branch, const std::string& name) const;
  Variable* uninitialized(ir::Block* block, TypePtr type);
  const Binding* find(const std::string& name) const;
  void bind(const std::string& name, Binding binding) { scope_->names[name] = std::move(binding); }

  // --- lower_expression.cpp
  Variable* expression(const Expr& expr, const TypePtr& expected = nullptr);
  Binding binding(const Expr& expr, const TypePtr& expected = nullptr);
  Binding binding_without_range(const Expr& expr, const TypePtr& expected);
  Variable* literal(const Expr& expr);
  Binding name(const Expr& expr);
  Binding attribute(const Expr& expr);
  Variable* attribute_of(Variable* object, const std::string& name, const Expr& expr);
  Variable* subscript(const Expr& expr);
  Variable* tuple_subscript(Variable* tuple, const Expr& index);
  Variable* list(const Expr& expr, const TypePtr& expected);
  Variable* tuple(const Expr& expr, const TypePtr& expected);
  Variable* dict(const Expr& expr, const TypePtr& expected);
  Variable* unary(const Expr& expr);
  TypePtr common_type(const Expr& expr, const std::vector<Variable*>& elements);
  Variable* as_type(Variable* variable, const TypePtr& type, const Range& range);
  Variable* condition(const Expr& expr);

  // --- lower_call.cpp
  Variable* op(const std::string& name, const CallArguments& arguments);
  [[noreturn]] void raise(Variable* message, std::string exception);
  Binding call(const Expr& expr);
  Binding call_path(const std::string& path, const Expr& expr);
  Variable* call_special(const std::string& name, const Expr& expr, bool& handled);
  Variable* call_prim(const std::string& name, const Expr& expr, bool& handled);
  Variable* call_method(Variable* object, const std::string& name, const Expr& expr);
  Variable* call_function(const std::shared_ptr<ir::Function>& function, const CallArguments& arguments);
  std::shared_ptr<ir::Function> find_method(const Variable& object, const std::string& name, const Range& range);
  Variable* construct(const TypePtr& type, const Expr& expr);
  Variable* annotated(const Expr& expr);
  Variable* is_instance(const Expr& expr);
  Variable* fork(const Expr& expr);
  CallArguments arguments(const Expr& expr);
  std::vector<TypePtr> types_of(const Expr& expr);

  static TypePtr result_type(const ir::Function& function);

  Unit& unit_;
  ir::Builder builder_;
  Scope* scope_ = nullptr;
  TypePtr declared_result_;
  Variable* returned_ = nullptr;
};

}  // namespace threadwheel::script
