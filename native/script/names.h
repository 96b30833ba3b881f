// What free names mean: the seam between a program and its surroundings. For an archive these are its own qualified
// names; for a scripted function they are what Python finds, put into the words of the archives' dialect.
#pragma once

#include <memory>
#include <string>
#include <variant>

#include "ir/graph.h"
#include "ops/type.h"
#include "ops/value.h"

namespace threadwheel::script {

class Names;

// A word of the dialect that means something only when it is used: "torch.add", "annotate", "List", "ops.prim".
struct Path {
  std::string name;
};

struct Constant {
  Value value;
  TypePtr type;
};

struct Unknown {
  std::string problem;
};

using Meaning = std::variant<Unknown, Path, Constant, TypePtr, std::shared_ptr<ir::Function>, std::shared_ptr<Names>>;

class Names {
 public:
  virtual ~Names() = default;

  // What a name of a function's surroundings means, or an attribute of the module that this stands for.
  virtual Meaning find(const std::string& name) = 0;

  // Archives are full of branches that never run: what cannot be compiled there raises when it is run, if ever.
  virtual bool is_archive() const { return false; }
};

// The static type of a value that no annotation belongs to.
TypePtr type_of_value(const Value& value);

}  // namespace threadwheel::script
