// The ops of the registry as Python calls them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bindings/bindings.h"
#include "ops/registry.h"

namespace threadwheel::bindings {

// The overloads of one name: the first that the arguments fit is called.
class Function {
 public:
  explicit Function(std::vector<const Op*> overloads);

  // All public overloads of "aten::add": those on tensors.
  static Function named(const std::string& op);

  bool empty() const noexcept { return overloads_.empty(); }

  // Throws Error(kType) that says why no overload fits; try_call() returns nothing then.
  py::object operator()(const py::args& args, const py::kwargs& kwargs) const;
  std::optional<py::object> try_call(const py::args& args, const py::kwargs& kwargs = {}) const;

  std::string name() const;
  std::string documentation() const;  // the schemas
  py::object object() const;

 private:
  [[noreturn]] void refuse(const py::args& args, const py::kwargs& kwargs) const;

  std::vector<const Op*> overloads_;
};

}  // namespace threadwheel::bindings
