// ScriptError: a fault at run time of a program, and where it happened. Through any number of waits it stays what it is
// and only gains places.
#pragma once

#include <string>

#include "ir/source.h"
#include "threadwheel/error.h"

namespace threadwheel::interpreter {

class ScriptError : public Error {
 public:
  // `python_type` is the exception that the program raises by name: a builtin one, "ValueError", or of another type its
  // qualified name. Empty: an op's error, which is what its code says.
  ScriptError(ErrorCode code, std::string python_type, std::string problem, std::string trace);

  const std::string& python_type() const noexcept { return python_type_; }

  // The same error with the places that it passed on its way: functions' names and ranges, innermost first.
  ScriptError with_trace(const std::string& more) const;

 private:
  std::string python_type_, problem_, trace_;
};

}  // namespace threadwheel::interpreter
