#include "ops/compose.h"

#include <algorithm>

#include "ops/registry.h"
#include "threadwheel/error.h"

namespace threadwheel {

Value aten_value(std::string_view name, std::vector<Value> arguments) {
  return op_value("aten::" + std::string(name), std::move(arguments));
}

Value op_value(const std::string& name, std::vector<Value> arguments) {
  const auto overloads = Registry::instance().find(std::string_view(name).substr(0, name.find('.')));
  const auto found = std::ranges::find_if(overloads, [&](const Op* op) { return op->schema().full_name() == name; });
  if (found == overloads.end()) throw Error(ErrorCode::kRuntime, name + ": there is no such op");
  const Schema& schema = (*found)->schema();
  for (std::size_t i = arguments.size(); i < schema.arguments.size(); ++i) {
    const SchemaArgument& argument = schema.arguments[i];
    if (!argument.default_value)
      throw Error(ErrorCode::kRuntime, name + ": argument '" + argument.name + "' has no default; pass it");
    arguments.push_back(*argument.default_value);
  }
  return (*found)->call(std::span<const Value>(arguments));
}

}  // namespace threadwheel
