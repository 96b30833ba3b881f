// Module: a loaded program, that is, its root object and the unit that defines its classes.
#pragma once

#include <memory>
#include <string>

#include "archive/archive.h"
#include "ops/value.h"
#include "script/unit.h"

namespace threadwheel::interpreter {

struct Module {
  std::shared_ptr<script::Unit> unit;
  Value root;
};

// Reads the values of an archive, running the programs' own __setstate__ where they have one. `model` is one of
// archive.models(). Throws Error and ScriptError.
Module load(std::shared_ptr<archive::Archive> archive, const std::string& model = "");

}  // namespace threadwheel::interpreter
