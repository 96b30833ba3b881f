#include "ops/compose.h"

#include <algorithm>
#include <string>

#include "ops/registry.h"
#include "threadwheel/error.h"

namespace threadwheel {

Value aten_value(std::string_view name, std::vector<Value> arguments) {
  const std::string full = "aten::" + std::string(name);
  const auto overloads = Registry::instance().find(std::string_view(full).substr(0, full.find('.')));
  const auto found = std::ranges::find_if(overloads, [&](const Op* op) { return op->schema().full_name() == full; });
  if (found == overloads.end()) throw Error(ErrorCode::kRuntime, full + ": there is no such op");
  const Schema& schema = (*found)->schema();
  for (std::size_t i = arguments.size(); i < schema.arguments.size(); ++i) {
    const SchemaArgument& argument = schema.arguments[i];
    if (!argument.default_value)
      throw Error(ErrorCode::kRuntime, full + ": argument '" + argument.name + "' has no default; pass it");
    arguments.push_back(*argument.default_value);
  }
  return (*found)->call(std::span<const Value>(arguments));
}

}  // namespace threadwheel
