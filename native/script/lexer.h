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
  kFormatted,  // an f-string; text between its holes
  kOperator,   // and delimiters
  kNewline,
  kIndent,
  kDedent,
  kEnd,
};

// What stands between the braces of an f-string.
struct Hole {
  std::size_t at;  // in the token's text
  std::uint32_t begin, end;
};

struct Token {
  TokenKind kind;
  std::uint32_t begin, end;
  std::string text;  // of a string: its value
  std::int64_t integer = 0;
  double number = 0;
  std::vector<Hole> holes = {};
};

std::vector<Token> tokenize(const std::shared_ptr<const Source>& source);
// The tokens of a hole, with their places in the source.
std::vector<Token> tokenize(const std::shared_ptr<const Source>& source, const Hole& hole);

}  // namespace threadwheel::script
