// How Python writes ops on tensors: as operators, attributes and casts. Programs and the Tensor class read the same
// tables; all other methods are ops of their own name.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "tensor/dtype.h"

namespace threadwheel {

struct Operator {
  const char *text, *op, *method;   // "+", "aten::add", "__add__"
  const char* reflected = nullptr;  // the op that gives the same with its operands exchanged; null: there is none
  const char* tensor_op = op;       // where tensors have another op than numbers
};
std::span<const Operator> binary_operators();
std::span<const Operator> comparison_operators();
// One of them by its text, which must be there.
const Operator& find_operator(std::span<const Operator> operators, std::string_view text);

// "aten::add_" of "aten::add", "aten::__iand__" of "aten::__and__"; not every op has one.
std::string in_place_op(const std::string& op);

// x.T is the op numpy_T.
struct TensorAttribute {
  const char *name, *op;
};
std::span<const TensorAttribute> tensor_attributes();

// The dtype that C calls so: torch.long, and x.long() for a cast.
struct DTypeAlias {
  const char* name;
  DType dtype;
};
std::span<const DTypeAlias> dtype_aliases();

}  // namespace threadwheel
