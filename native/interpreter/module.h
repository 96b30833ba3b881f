// From an archive to a program.
#pragma once

#include <memory>
#include <string>

#include "archive/archive.h"
#include "interpreter/program.h"

namespace threadwheel::interpreter {

// Reads the values of an archive, running the programs' own __setstate__ where they have one, and returns the root, a
// module. `model_name` is as find_model takes it. Throws Error and ScriptError.
Object load(std::shared_ptr<archive::Archive> archive, const std::string& model_name = "");

}  // namespace threadwheel::interpreter
