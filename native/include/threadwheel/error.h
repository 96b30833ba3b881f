// The one exception type that threadwheel's own C++ code throws. It carries a code, not a Python type:
// bindings/ translates it, and nothing else may. Exceptions thrown by a caller's functor keep their own type.
#pragma once

#include <stdexcept>
#include <string>

namespace threadwheel {

enum class ErrorCode {
  kType,         // an argument is of the wrong type
  kValue,        // an argument has the right type and a value that is not allowed
  kUnsupported,  // allowed in principle, not implemented (a dtype, a layout)
  kRuntime,      // the call came at the wrong time, or a library failed
  kIndex,        // a position or a dimension that is not there
  kKey,          // a dict without that key
  kZeroDivision,
  kOverflow,     // a number that its type cannot hold
};

// Messages read `<where>: <what is wrong, with the value>; <what is allowed or what to do>`.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}

  ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace threadwheel
