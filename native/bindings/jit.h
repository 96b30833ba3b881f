// Objects and functions of a program, as Python holds them.
#pragma once

#include <memory>
#include <optional>

#include "bindings/bindings.h"
#include "ir/graph.h"
#include "ops/value.h"
#include "passes/freeze.h"
#include "script/unit.h"

namespace threadwheel::bindings {

// An object or enum member of a program, and the unit that its class is defined in.
struct ScriptObject {
  Value value;
  std::shared_ptr<script::Unit> unit;
  std::shared_ptr<const passes::Frozen> frozen = nullptr;  // null: methods are the unit's

  const ClassDefinition& definition() const {
    if (value.is_object()) return *value.to_object().type->definition();
    return *value.to_enum().type->definition();
  }
};

// A function, or a method with its object.
struct ScriptFunction {
  std::shared_ptr<ir::Function> function;
  std::shared_ptr<script::Unit> unit;
  std::optional<Value> self;
};

// An object of Python that threads without the interpreter's lock may let go.
using Held = std::shared_ptr<py::object>;
Held hold(py::object object);

// The value that a ScriptObject holds; null for other objects.
const Value* script_object(py::handle object);
py::object wrap_script_object(const Value& value, const TypePtr& type, const std::shared_ptr<script::Unit>& unit);

}  // namespace threadwheel::bindings
