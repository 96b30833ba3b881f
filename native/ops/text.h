// Values as text, as TorchScript writes them: "1.", "[1, 2.5]", "{a: 1}".
#pragma once

#include <string>

#include "ops/value.h"

namespace threadwheel {

// Throws Error(kUnsupported) for a tensor and for what programs have no notation for.
std::string to_text(const Value& value);

}  // namespace threadwheel
