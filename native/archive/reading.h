// What the files of this folder share: refusing, quoting what a file says, and little-endian numbers.
#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

#include "threadwheel/error.h"

namespace threadwheel::archive {

// Throws Error: `<where>: <what>`. What a file holds is wrong (kValue) or beyond this reader (kUnsupported).
[[noreturn]] inline void refuse(const std::string& where, const std::string& what, ErrorCode code = ErrorCode::kValue) {
  throw Error(code, where + ": " + what);
}

// 'text' with everything but printable ASCII escaped, and cut where it is long: files may name things as they like.
std::string quote(std::string_view text);

// As stored by this machine, which is little-endian as the formats are; at any alignment.
template <class T>
T load_little(const std::byte* data) noexcept {
  T value;
  std::memcpy(&value, data, sizeof(T));
  return value;
}

}  // namespace threadwheel::archive
