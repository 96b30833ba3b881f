// What a function would execute: for people who ask whether a program can run here.
#pragma once

#include <set>
#include <string>

#include "ir/graph.h"

namespace threadwheel::interpreter {

struct Survey {
  std::set<std::string> ops;      // full names, "aten::add.Tensor"
  std::set<std::string> missing;  // names of ops that raise where they are executed: "aten::foo"
};

// Of all that is left after the passes, called and forked functions included; methods of interfaces are not known.
Survey survey(ir::Function& function);

}  // namespace threadwheel::interpreter
