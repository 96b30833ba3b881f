// Overload resolution: which schema of an op's name fits the arguments, by torch's rules on static types.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ir/builder.h"

namespace threadwheel::script {

struct CallArguments {
  std::vector<ir::Variable*> positional;
  std::vector<std::pair<std::string, ir::Variable*>> named;
};

// Appends a call of the overload of `name` ("aten::add") that fits, conversions included, and returns its result. Null,
// and nothing appended, when there is no such op or no overload fits.
ir::Variable* try_call_op(ir::Builder& builder, const std::string& name, const CallArguments& arguments);

// What to tell people when try_call_op gives null.
std::string describe_mismatch(const std::string& name, const CallArguments& arguments);

// `variable` as a value of `type`, by the conversions that calls make; null when there is none.
ir::Variable* convert(ir::Builder& builder, ir::Variable* variable, const TypePtr& type);

// The arguments of a function in its parameters' order, defaults filled in. Throws the program's error.
std::vector<ir::Variable*> bind_arguments(ir::Builder& builder, const ir::Function& function,
                                          const CallArguments& arguments);

}  // namespace threadwheel::script
