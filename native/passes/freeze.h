// Freezing: a module's methods with the module folded into them.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace threadwheel::passes {

struct Frozen {
  Value root;  // a copy of the module's objects, for what the program changes; tensors are shared
  std::map<std::string, std::shared_ptr<ir::Function>> methods;
};

// Attributes that no method sets become constants. Those of them that nothing writes are computed with: branches are
// decided, weights are transformed once. A method that cannot be compiled throws when it is called, as before.
Frozen freeze(const Value& root, const std::vector<std::string>& methods);

}  // namespace threadwheel::passes
