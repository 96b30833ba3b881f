// What a file is that is no zip archive, by its first bytes: for an error text that helps.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace threadwheel::archive {

// "is empty; ..." and the like, the end of an error text; an empty string for a file that begins as a zip archive.
std::string describe_foreign(std::span<const std::byte> file);

}  // namespace threadwheel::archive
