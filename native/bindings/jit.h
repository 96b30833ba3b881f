// Objects of a program, as Python holds them.
#pragma once

#include <memory>

#include "bindings/bindings.h"
#include "ops/value.h"

namespace threadwheel::script {
class Unit;
}

namespace threadwheel::bindings {

// The value that a ScriptObject holds; null for other objects.
const Value* script_object(py::handle object);
py::object wrap_script_object(const Value& value, const std::shared_ptr<script::Unit>& unit);

}  // namespace threadwheel::bindings
