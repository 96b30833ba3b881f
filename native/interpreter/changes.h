// What has changed in a program's objects since they were made, for who makes them anew elsewhere.
#pragma once

#include <string>
#include <vector>

#include "interpreter/program.h"

namespace threadwheel::interpreter {

// An attribute, by the names that lead to it from the module on, with the value that it has now.
struct Change {
  std::vector<std::string> path;
  Value value;
  TypePtr type;
};

// The attributes of `now` whose values are not those of `before`, two objects of one program that were made apart:
// numbers and elements of tensors are compared by their bits. No thread may change either meanwhile.
std::vector<Change> find_changes(const Object& now, const Object& before);

}  // namespace threadwheel::interpreter
