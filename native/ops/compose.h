// Ops that are made of other ops: each is called by the name that its schema gives it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ops/value.h"

namespace threadwheel {

// Calls "add.Tensor" of aten with these arguments, in the schema's order and of its kinds; those left out at the end
// have their defaults. Throws Error(kRuntime) for a name that the registry lacks and for an argument without a default.
Value aten_value(std::string_view name, std::vector<Value> arguments);

// The same by the name in full, "quantized::conv2d.new".
Value op_value(const std::string& name, std::vector<Value> arguments);

// The same where the result is a tensor.
inline Tensor aten(std::string_view name, std::vector<Value> arguments) {
  return aten_value(name, std::move(arguments)).to_tensor();
}

}  // namespace threadwheel
