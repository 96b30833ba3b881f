// What ops meant in older archives. An archive's version says which meanings its code was written for.
#pragma once

#include <limits>
#include <string_view>

namespace threadwheel::script {

// Of programs that are written now.
inline constexpr int kCurrentVersion = std::numeric_limits<int>::max();

// The op that does what `name` ("aten::div") did in archives of `version`; null: it means what it means now. Overloads
// that the older op does not have never changed.
const char* older_op(std::string_view name, int version);

}  // namespace threadwheel::script
