// The table of ops that changed. The ops that changed their schema only, by another default or one argument more, are
// not here: old code calls them as new code does (gelu, which takes `approximate` since version 10).
#include "script/upgrades.h"

namespace threadwheel::script {
namespace {

struct Change {
  std::string_view name;
  int version;  // the first in which the op means what it means now
  const char* older;
};

// Source: torch's operator version map, torch/csrc/jit/operator_upgraders/version_map.cpp.
constexpr Change kChanges[] = {
    {"aten::div", 4, "legacy::div"},
    {"aten::div_", 4, "legacy::div_"},
    {"aten::full", 5, "legacy::full"},
    {"aten::linspace", 8, "legacy::linspace"},
    {"aten::logspace", 9, "legacy::logspace"},
};

}  // namespace

const char* older_op(std::string_view name, int version) {
  for (const Change& change : kChanges)
    if (change.name == name && version < change.version) return change.older;
  return nullptr;
}

}  // namespace threadwheel::script
