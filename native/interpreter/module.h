// Module: a loaded program, that is, its root object and the unit that defines its classes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "archive/archive.h"
#include "ir/graph.h"
#include "ops/value.h"
#include "script/unit.h"

namespace threadwheel::interpreter {

class Module {
 public:
  Module(std::shared_ptr<script::Unit> unit, Value root) : unit_(std::move(unit)), root_(std::move(root)) {}

  const std::shared_ptr<script::Unit>& unit() const noexcept { return unit_; }
  const Value& root() const noexcept { return root_; }

  std::vector<std::string> method_names() const;
  // Throws Error(kValue), naming those there are, for a method that is not.
  std::shared_ptr<ir::Function> method(const std::string& name) const;

 private:
  std::shared_ptr<script::Unit> unit_;
  Value root_;
};

// Reads the values of an archive, running the programs' own __setstate__ where they have one. `model` is one of
// archive.models(). Throws Error and ScriptError.
Module load(std::shared_ptr<archive::Archive> archive, const std::string& model = "");

}  // namespace threadwheel::interpreter
