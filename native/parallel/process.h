// The shared objects that are mapped into this process, as the loader sees them: names, what they need, which of some
// symbols they define, and which of them this library's own calls go to. It knows no runtime by name; what is a
// threading runtime, and what that means, is decided by who asks.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace threadwheel {

struct MappedObject {
  std::string file;                               // as the loader opened it
  std::string soname;                             // "" if it has none
  std::vector<std::string> needed;                // DT_NEEDED
  std::map<std::string, std::uintptr_t> defined;  // of the symbols asked for: where they are
  bool is_ours = false;                           // this library
  bool is_called = false;                         // an import of this library is bound to it
};

// Returns the objects in the order in which the loader searches and loaded them: the program, what was preloaded, what
// the program needs, and then whatever was loaded since. The loader maps a file once: two objects are two copies.
// Reads memory of the process only, no file.
std::vector<MappedObject> mapped_objects(const std::vector<std::string>& symbols);

}  // namespace threadwheel
