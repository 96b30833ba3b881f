// Lowering: one function's syntax to its graph. Names are bound to variables of the graph, or to things that exist only
// while compiling: namespaces of ops, functions, classes, closures.
//
// return, break and continue inside blocks become values: what exits binds names that begin with '$', and what comes
// after a statement that may have exited is done only if it has not.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
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
  Lowering(Unit& unit, Names& names, ir::Graph& graph) : unit_(unit), names_(names), builder_(&graph.top) {}

  // The whole function: parameters, body, result.
  void function(const ir::Function& function, const Stmt& definition);

 private:
  using Variable = ir::Variable;

  struct Closure {
    const Stmt* definition;
  };
  struct BoundMethod {
    Variable* object;
    std::shared_ptr<ir::Function> function;
  };
  // Unknown: a name that has a value on some ways to here only.
  using Binding = std::variant<Variable*, Closure, BoundMethod, Path, TypePtr, std::shared_ptr<ir::Function>,
                               std::shared_ptr<Names>, Unknown>;
  using Bindings = std::unordered_map<std::string, Binding>;

  // Thrown where the program cannot go on, and caught at the end of the block: what follows there is never executed.
  struct Unreachable {};

  // How statements end: their end is reached, or may be, or they return, break or continue, or they raise.
  enum class End : std::uint8_t { kReached, kMaybe, kExits, kRaises };

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

    Bindings names;
    Scope* const outer;

   private:
    Lowering& lowering_;
    ir::Block* const outer_block_;
  };

  // What a block left: the names that it assigned, and how it ended.
  struct Branch {
    Bindings names;
    End end;

    bool goes_on() const { return end == End::kReached || end == End::kMaybe; }
    bool exits() const { return end == End::kExits || end == End::kMaybe; }
  };

  // --- lower.cpp: statements
  End body(std::span<const StmtPtr> statements);
  End statement(const Stmt& statement);
  Variable* result(End end, const TypePtr& type, const Range& range);
  void assign(const Stmt& statement);
  void assign_to(const Expr& target, Binding value);
  void assign_attribute(const Expr& target, Variable* value);
  void assign_many(const Expr& target, const Expr& value);
  void unpack_to(const Expr& target, Variable* whole);
  void augmented_assign(const Stmt& statement);
  void delete_statement(const Stmt& statement);
  End assert_statement(const Stmt& statement);
  void raise_statement(const Stmt& statement);
  End with_statement(const Stmt& statement);
  const Binding* find(const std::string& name) const;
  Variable* variable(const std::string& name) const;  // null: the name is not one of a variable
  void bind(const std::string& name, Binding binding) { scope_->names[name] = std::move(binding); }

  // --- lower_control.cpp: branches, loops, exits
  using Carried = std::vector<std::pair<std::string, Variable*>>;
  struct Loop {
    const Carried* carried;
    bool is_unrolled;
  };
  // What one way through a loop's body hands on: whether to go on, then the carried values.
  using Round = std::vector<Variable*>;
  End if_statement(const Stmt& statement);
  End while_statement(const Stmt& statement);
  End for_statement(const Stmt& statement);
  // The element of a loop's round; empty for while.
  using Element = std::function<Variable*(Variable* index)>;
  End loop(const Stmt& statement, Variable* trips, Variable* first_condition, const Element& element);
  End unrolled_loop(const Stmt& statement, std::span<Variable* const> elements);
  void loop_body(const Stmt& statement, ir::Node& node, const Carried& carried, const Element& element);
  Round round(End end, const std::function<Round()>& reached, const std::function<Round()>& exited);
  Round exited_round(const Stmt& statement, const ir::Block& inner, const Carried& carried);
  Round reached_round(const Stmt& statement, const ir::Block& inner, const Carried& carried);
  Round raised_round(const ir::Block& inner, std::size_t count);
  void bind_after_loop(const Stmt& statement, ir::Node& node, const Carried& carried);
  void exit_by(const Stmt& statement);
  Branch branch(ir::Node& node, const std::function<End()>& fill);
  End merge(ir::Node& node, const Branch& then, const Branch& otherwise);
  void merge_name(ir::Node& node, const Branch& then, const Branch& otherwise, const std::string& name);
  End unless_exited(const std::function<End()>& rest);
  Variable* value_in(const Branch& branch, const std::string& name) const;
  Variable* exited_in(ir::Node& node, std::size_t which, const Branch& branch);
  Variable* uninitialized(ir::Block* block, TypePtr type);
  // An if that gives a value.
  Variable* choose(Variable* condition, const std::function<Variable*()>& then,
                   const std::function<Variable*()>& otherwise);

  // --- lower_iteration.cpp: what for and comprehensions go through
  struct Iterable {
    Variable* length = nullptr;        // null: `fixed` has the elements
    Element at;
    std::vector<Variable*> fixed;
  };
  Iterable iterable(const Expr& expr);
  Iterable iterable_of(Variable* value, const Range& range);
  Iterable range_of(const Expr& expr);
  Iterable enumerate(const Expr& expr);
  Iterable zip(const Expr& expr);
  Variable* list_comprehension(const Expr& expr, const TypePtr& expected);
  Variable* dict_comprehension(const Expr& expr, const TypePtr& expected);
  Variable* list_of(const Iterable& source);
  void for_each(const Iterable& source, const Expr* target, std::span<const ExprPtr> conditions,
                const std::function<void(Variable*)>& use);

  // --- lower_refine.cpp: what is known of types before the program runs
  std::optional<bool> known(const Expr& expr);
  std::optional<bool> known_none(const Expr& expr);
  std::optional<bool> known_call(const Expr& expr);
  std::optional<Path> called_path(const Expr& expr);
  void refine(const Expr& expr, bool truth);
  void refine_to(const std::string& name, const TypePtr& type);

  // --- lower_expression.cpp
  Variable* expression(const Expr& expr, const TypePtr& expected = nullptr);
  static Variable* value_of(const Binding& bound, const Range& range);
  Binding binding(const Expr& expr, const TypePtr& expected = nullptr);
  Binding binding_without_range(const Expr& expr, const TypePtr& expected);
  Variable* literal(const Expr& expr);
  Binding name(const Expr& expr);
  Binding from_meaning(Meaning meaning, const Range& range);
  Variable* constant(const Constant& constant);
  Binding attribute(const Expr& expr);
  Binding attribute_of_binding(const Binding& base, const Expr& expr);
  Binding member(Variable* object, const std::string& name, const Range& range);
  std::optional<Meaning> other_member(const Variable& object, const std::string& name);
  Variable* attribute_of(Variable* object, const std::string& name, const Range& range);
  Variable* tensor_attribute(Variable* tensor, const std::string& name, const Range& range);
  Variable* list(const Expr& expr, const TypePtr& expected);
  Variable* tuple(const Expr& expr, const TypePtr& expected);
  Variable* dict(const Expr& expr, const TypePtr& expected);
  TypePtr common_type(const Expr& expr, const std::vector<Variable*>& elements);
  Variable* as_type(Variable* variable, const TypePtr& type, const Range& range);
  Variable* condition(const Expr& expr);

  // --- lower_operator.cpp
  Variable* unary(const Expr& expr);
  Variable* binary(const Expr& expr);
  Variable* binary_of(const std::string& text, Variable* left, Variable* right);
  Variable* compare(const Expr& expr);
  Variable* contains(Variable* container, Variable* item);
  Variable* boolean(const Expr& expr);
  Variable* conditional(const Expr& expr, const TypePtr& expected);
  Variable* formatted(const Expr& expr);

  // --- lower_subscript.cpp
  Variable* subscript(const Expr& expr);
  Variable* tuple_subscript(Variable* tuple, const Expr& index);
  Variable* sequence_slice(Variable* object, const Expr& index);
  // A tensor with the basic indices taken, and the tensors that stand for the others.
  struct Indexed {
    Variable* tensor;
    std::vector<Variable*> indices;
    std::int64_t dim = 0;        // of the next part; after an ellipsis from the end, below zero
    bool from_end = false;
    Variable* beyond = nullptr;  // how many dimensions masks took beyond the one that each part counts for
  };
  Indexed indexed(Variable* tensor, const Expr& index);
  Variable* dim_value(const Indexed& where, std::int64_t dim);
  void take_part(Indexed& where, const Expr& part, bool is_last);
  void take_tensor(Indexed& where, Variable* index, const Range& range, bool is_last);
  Variable* tensor_index_list(const Indexed& where);
  void assign_subscript(const Expr& target, Variable* value);
  void delete_subscript(const Expr& target);
  void augment_subscript(const Expr& target, const std::string& text, const Expr& value);

  // --- lower_call.cpp
  Variable* op(const std::string& name, const CallArguments& arguments);
  [[noreturn]] void raise(Variable* message, std::string exception);
  Binding call(const Expr& expr, const TypePtr& expected);
  Variable* call_value(Variable* object, const Expr& expr);
  Binding call_path(const std::string& path, const Expr& expr);
  Variable* call_special(const std::string& name, const Expr& expr, bool& handled);
  Variable* keyword_dict(const Expr& expr);
  Variable* call_builtin(const std::string& name, const Expr& expr, bool& handled);
  Variable* call_prim(const std::string& name, const Expr& expr, bool& handled);
  Variable* call_method(Variable* object, const std::string& name, const Expr& expr, const TypePtr& expected);
  Variable* call_tensor_method(const std::string& name, const CallArguments& given);
  Variable* to_list(Variable* tensor, const TypePtr& expected, const Range& range);
  Variable* call_function(const std::shared_ptr<ir::Function>& function, const CallArguments& arguments);
  Variable* wait(Variable* future, const Range& range);
  std::shared_ptr<ir::Function> find_method(const Variable& object, const std::string& name, const Range& range);
  Variable* construct(const TypePtr& type, const Expr& expr);
  Variable* annotated(const Expr& expr);
  Variable* is_instance(const Expr& expr);
  Variable* fork(const Expr& expr);
  Variable* fork_closure(const Closure& closure);
  Variable* fork_call(const std::shared_ptr<ir::Function>& function, const CallArguments& arguments);
  CallArguments arguments(const Expr& expr, std::size_t first = 1);
  const Expr& argument(const Expr& expr, std::size_t position);
  TypePtr type_of(const Expr& annotation);
  TypePtr tested_type(const Expr& expr);
  std::vector<TypePtr> tested_types(const Expr& expr);

  TypePtr result_type(ir::Function& function) const;

  Unit& unit_;
  Names& names_;
  ir::Builder builder_;
  Scope* scope_ = nullptr;
  TypePtr declared_result_;
  const Loop* loop_ = nullptr;
};

}  // namespace threadwheel::script
