// What this library was built from, compiled in. The definition is generated at configure time from the plan and
// holds the same text as build_info.json beside the package.
#pragma once

namespace threadwheel {

// JSON text: {"schema": 1, "name", "version", "label", "family", "runtimes", "options", "libraries", "compiler"}.
const char* build_info_json() noexcept;

}  // namespace threadwheel
