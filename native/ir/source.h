// A program's text and places in it, for errors that show the line.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "threadwheel/error.h"

namespace threadwheel::ir {

class Source {
 public:
  // `first_line` is the number of the text's first line in its file, from 1; `indent` the columns that were cut off.
  Source(std::string name, std::string text, int first_line = 1, int indent = 0);

  const std::string& name() const noexcept { return name_; }
  const std::string& text() const noexcept { return text_; }

  struct Position {
    int line, column;  // from 1, as in the file
  };
  Position position(std::uint32_t offset) const;
  // The offset where the line that holds this one begins.
  std::uint32_t line_begin(std::uint32_t offset) const;

 private:
  std::string name_, text_;
  int first_line_, indent_;
  std::vector<std::uint32_t> lines_;  // where each begins
};

// A stretch of a source; of nothing when there is none.
struct Range {
  std::shared_ptr<const Source> source;
  std::uint32_t begin = 0, end = 0;

  // "models.py:12:5"
  std::string place() const;
  // The line with the stretch marked, two lines of text, each indented by four spaces.
  std::string highlight() const;
};

// Throws the Error(code) of a program's fault: `<file>:<line>:<column>: <problem>` and the marked line.
[[noreturn]] void fail(const Range& range, const std::string& problem, ErrorCode code = ErrorCode::kValue);

}  // namespace threadwheel::ir
