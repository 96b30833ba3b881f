// Tokens of the Python subset, indentation included.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ir/source.h"

namespace threadwheel::script {

using ir::fail;
using ir::Range;
using ir::Source;

enum class TokenKind : std::uint8_t {
  kName,
  kInt,
  kFloat,
  kImaginary,
  kString,
  kFormatted,  // an f-string; text as written, escapes and braces left
  kOperator,   // and delimiters
  kNewline,
  kIndent,
  kDedent,
  kEnd,
};

struct Token {
  TokenKind kind;
  std::uint32_t begin, end;
  std::string text;  // of a string: its value
  std::int64_t integer = 0;
  double number = 0;
};

std::vector<Token> tokenize(const std::shared_ptr<const Source>& source);

}  // namespace threadwheel::script
