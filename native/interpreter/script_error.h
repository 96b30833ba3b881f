// ScriptError: a fault at run time of a program, with the Python type that it stands for and where it happened. Through
// any number of waits it stays what it is and only gains places.
#pragma once

#include <string>

#include "ir/source.h"
#include "threadwheel/error.h"

namespace threadwheel::interpreter {

class ScriptError : public Error {
 public:
  // `python_type` is a builtin exception's name, "ValueError"; of a type that is not builtin, its qualified name.
  ScriptError(ErrorCode code, std::string python_type, std::string problem, std::string trace);

  const std::string& python_type() const noexcept { return python_type_; }

  // The same error with the places that it passed on its way: functions' names and ranges, innermost first.
  ScriptError with_trace(const std::string& more) const;

 private:
  std::string python_type_, problem_, trace_;
};

// The Python exception that an error of ours stands for.
const char* python_type_of(ErrorCode code);

}  // namespace threadwheel::interpreter
