// Values to and from Python, by their static types.
#pragma once

#include "bindings/bindings.h"
#include "interpreter/program.h"
#include "ops/type.h"
#include "ops/value.h"

namespace threadwheel::bindings {

using interpreter::Converted;

struct Conversion {
  std::int64_t list_size = 0;  // of the schema's int[2]: one int stands for so many
  bool from_scalars = false;   // numpy's scalars may be tensors
};

// An argument as a value of the type. Lists, dicts and tuples are copied. Throws Error for buffers that a Tensor cannot
// describe and for ints beyond 64 bits.
Converted to_value(const Type& type, py::handle object, Conversion how = {});

// What Python sees of a value. Objects keep the unit that defines their class alive; null for values without.
py::object to_python(const Value& value, const TypePtr& type = nullptr,
                     const std::shared_ptr<script::Unit>& unit = nullptr);

}  // namespace threadwheel::bindings
