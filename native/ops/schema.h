// Aten schema strings, "aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor": the one place
// where an op's name, overload, arguments, defaults and aliasing are written down.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ops/value.h"

namespace threadwheel {

struct SchemaType {
  TypePtr type;
  std::string alias;           // "a" of Tensor(a); empty: a new value
  bool writes = false;         // Tensor(a!)
  std::int64_t list_size = 0;  // 2 of int[2], where one int stands for two; 0: any number

  // "int[]?": what a kernel's C++ parameter must correspond to.
  std::string kind() const { return type->to_schema_string(); }
};

struct SchemaArgument {
  std::string name;
  SchemaType type;
  std::optional<Value> default_value;
  bool keyword_only = false;
};

struct Schema {
  std::string name;      // "aten::add"
  std::string overload;  // "Tensor", or empty
  std::vector<SchemaArgument> arguments;
  std::vector<SchemaType> returns;
  std::vector<std::string> return_names;  // "values" of (Tensor values, Tensor indices); empty where there is none
  bool variadic = false;  // "...": further arguments of any type

  // "aten::add.Tensor"
  std::string full_name() const { return overload.empty() ? name : name + "." + overload; }
};

// Throws Error(kRuntime) with the text and the column of what it cannot read.
Schema parse_schema(std::string_view text);

}  // namespace threadwheel
