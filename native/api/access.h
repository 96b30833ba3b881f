// What is behind the handles of the public headers, and the way in. Everything of this folder is the C++ counterpart of
// bindings/: the public types on one side, the library's own on the other.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "interpreter/program.h"
#include "ops/value.h"
#include "tensor/tensor.h"
#include "threadwheel/tensor.h"
#include "threadwheel/value.h"

namespace threadwheel::jit::detail {

struct TensorBody {
  threadwheel::Tensor tensor;
};

struct ValueBody {
  threadwheel::Value value;  // of one of the public kinds, elements included; its containers are never written
};

struct Access {
  static Tensor wrap(threadwheel::Tensor tensor) {
    Tensor made;
    made.body_ = std::make_shared<const TensorBody>(std::move(tensor));
    return made;
  }
  static Value wrap(threadwheel::Value value) {
    Value made;
    if (!value.is_none()) made.body_ = std::make_shared<const ValueBody>(std::move(value));
    return made;
  }

  // Throws Error(kValue) for the undefined tensor.
  static const threadwheel::Tensor& get(const Tensor& tensor);
  static const threadwheel::Value& get(const Value& value);
};

// An argument as a value of the type. Containers are copied: the program may write them.
interpreter::Converted to_argument(const Type& type, const threadwheel::Value& given);

// A result as a value of the public kinds, its containers copied: the program may keep them. Throws Error(kUnsupported)
// naming `where` for objects, enums and futures.
threadwheel::Value to_result(const std::string& where, const threadwheel::Value& value);

}  // namespace threadwheel::jit::detail
