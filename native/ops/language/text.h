// Values as text, as TorchScript writes them: "1.", "[1, 2.5]", "{a: 1}"; tensors as Python shows them.
#pragma once

#include <string>

#include "ops/value.h"

namespace threadwheel {

// Throws Error(kUnsupported) for what programs have no notation for.
std::string to_text(const Value& value);

}  // namespace threadwheel
