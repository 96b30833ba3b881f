// What callers outside hold of a program, its objects and functions, and how their arguments reach it. Callers in Python
// and in C++ differ only in the form of their values.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ir/graph.h"
#include "ops/value.h"
#include "passes/freeze.h"
#include "script/unit.h"

namespace threadwheel::interpreter {

// An object or enum member, and the unit that its class is defined in.
struct Object {
  Value value;
  std::shared_ptr<script::Unit> unit;
  std::shared_ptr<const passes::Frozen> frozen = nullptr;  // null: methods are the unit's

  const ClassDefinition& definition() const;
  // Null: there is no such method.
  std::shared_ptr<ir::Function> find_method(const std::string& name) const;
};

// A function, or a method with its object.
struct BoundFunction {
  std::shared_ptr<ir::Function> function;
  std::shared_ptr<script::Unit> unit;
  std::optional<Value> self;
};

// Throws Error(kType) that names the class and the method.
BoundFunction method_of(const Object& object, const std::string& name);

// The module with its attributes folded into its methods. Methods named __...__ make and store objects; they are not
// frozen. Of a frozen module: itself. Throws Error(kType) for an object that is not a module.
Object freeze(const Object& module);

// Sets `training` of a module and of the modules inside it. Throws Error(kValue) where that is another mode than a module
// was frozen in, Error(kType) for an object that is not a module.
void set_training(const Object& module, bool mode);

// As declared; of a function of Python without an annotation, what its body gives.
TypePtr result_type(ir::Function& function);

// A value of the parameter's type, or why the argument is none: "must be int, not str".
using Converted = std::variant<Value, std::string>;

// The arguments of one call, in the caller's form.
class GivenArguments {
 public:
  virtual ~GivenArguments() = default;
  virtual std::size_t num_positional() const = 0;
  virtual std::size_t num_named() const = 0;
  virtual bool has(const std::string& name) const = 0;
  virtual Converted positional(std::size_t i, const Type& type) const = 0;
  virtual Converted named(const std::string& name, const Type& type) const = 0;
};

// The arguments in the parameters' order, `self` first, defaults filled in. Throws Error(kType) that names the function
// and the argument.
std::vector<Value> bind(const BoundFunction& called, const GivenArguments& given);

}  // namespace threadwheel::interpreter
