// Objects and functions of a program, as Python holds them.
#pragma once

#include <memory>

#include "bindings/bindings.h"
#include "interpreter/program.h"

namespace threadwheel::bindings {

using ScriptFunction = interpreter::BoundFunction;

// An object of Python that threads without the interpreter's lock may let go.
using Held = std::shared_ptr<py::object>;
Held hold(py::object object);

struct ScriptObject : interpreter::Object {
  Held origin = nullptr;  // how to make it anew, for pickle; null for parts of modules
};

// The value that a ScriptObject holds; null for other objects.
const Value* script_object(py::handle object);
py::object wrap_script_object(const Value& value, const TypePtr& type, const std::shared_ptr<script::Unit>& unit);

}  // namespace threadwheel::bindings
