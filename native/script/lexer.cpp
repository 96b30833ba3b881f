// Python's lexical rules, as far as programs use them.
#include "script/lexer.h"

#include <array>
#include <cctype>
#include <charconv>

namespace threadwheel::script {
namespace {

constexpr std::string_view kOperators[] = {"**=", "//=", ">>=", "<<=", "...", "**", "//", ">>", "<<", "<=", ">=", "==",
                                           "!=",  "->",  "+=",  "-=",  "*=",  "/=", "%=", "@=", "&=", "|=", "^=", ":=",
                                           "+",   "-",   "*",   "/",   "%",   "@",  "&",  "|",  "^",  "~",  "<",  ">",
                                           "(",   ")",   "[",   "]",   "{",   "}",  ",",  ":",  ".",  "=",  ";", "!"};

constexpr std::string_view kStringPrefixes = "fFrRbBuU";

bool is_name_start(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' || (c & 0x80) != 0; }
bool is_name(char c) { return is_name_start(c) || std::isdigit(static_cast<unsigned char>(c)) != 0; }
bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

class Lexer {
 public:
  explicit Lexer(const std::shared_ptr<const Source>& source) : source_(source), text_(source->text()) {}

  // Inside brackets line ends and indentation mean nothing.
  Lexer(const std::shared_ptr<const Source>& source, const Hole& hole)
      : source_(source),
        text_(std::string_view(source->text()).substr(0, hole.end)),
        position_(hole.begin),
        depth_(1) {}

  std::vector<Token> run() {
    begin_line();
    while (position_ < text_.size()) next();
    return finish();
  }

  // As far as the ':' that begins a format, which has rules of its own.
  std::vector<Token> run_hole() {
    const auto begins_format = [&] {
      return depth_ == 1 && !tokens_.empty() && tokens_.back().kind == TokenKind::kOperator &&
             tokens_.back().text == ":";
    };
    while (position_ < text_.size() && !begins_format()) next();
    return finish();
  }

 private:
  std::vector<Token> finish() {
    if (!tokens_.empty() && tokens_.back().kind != TokenKind::kNewline) add(TokenKind::kNewline, position_);
    while (indents_.size() > 1) {
      indents_.pop_back();
      add(TokenKind::kDedent, position_);
    }
    add(TokenKind::kEnd, position_);
    return std::move(tokens_);
  }

  void next() {
    const char c = text_[position_];
    if (c == '\n') return newline();
    if (c == ' ' || c == '\t' || c == '\r') return void(++position_);
    if (c == '#') return skip_comment();
    if (c == '\\' && at(1) == '\n') return void(position_ += 2);
    if (string_start()) return string();
    if (is_name_start(c)) return name();
    if (is_digit(c) || (c == '.' && is_digit(at(1)))) return number();
    operator_token();
  }

  char at(std::size_t ahead) const { return position_ + ahead < text_.size() ? text_[position_ + ahead] : '\0'; }

  void add(TokenKind kind, std::size_t begin) {
    tokens_.push_back({kind, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(position_),
                       std::string(text_.substr(begin, position_ - begin))});
  }

  void skip_comment() {
    while (position_ < text_.size() && text_[position_] != '\n') ++position_;
  }

  void newline() {
    const std::size_t begin = position_++;
    if (depth_ > 0) return;
    if (!tokens_.empty() && tokens_.back().kind != TokenKind::kNewline && tokens_.back().kind != TokenKind::kIndent &&
        tokens_.back().kind != TokenKind::kDedent)
      add(TokenKind::kNewline, begin);
    begin_line();
  }

  // Measures the indentation of the next line that holds anything.
  void begin_line() {
    for (;;) {
      std::size_t width = 0;
      const std::size_t begin = position_;
      for (; at(0) == ' ' || at(0) == '\t'; ++position_) width = at(0) == ' ' ? width + 1 : (width / 8 + 1) * 8;
      if (at(0) == '#') skip_comment();
      if (at(0) == '\r') ++position_;
      if (position_ >= text_.size()) return;
      if (at(0) == '\n') {
        ++position_;
        continue;
      }
      return indent(width, begin);
    }
  }

  void indent(std::size_t width, std::size_t begin) {
    if (width > indents_.back()) {
      if (indents_.size() > kMaxDepth) refuse(begin, "blocks are nested too deeply");
      indents_.push_back(width);
      add(TokenKind::kIndent, begin);
    }
    while (width < indents_.back()) {
      indents_.pop_back();
      add(TokenKind::kDedent, begin);
    }
    if (width != indents_.back()) refuse(begin, "this line's indentation fits no block");
  }

  void name() {
    const std::size_t begin = position_;
    while (position_ < text_.size() && is_name(text_[position_])) ++position_;
    add(TokenKind::kName, begin);
  }

  void operator_token() {
    for (const std::string_view spelling : kOperators) {
      if (!text_.substr(position_).starts_with(spelling)) continue;
      const std::size_t begin = position_;
      position_ += spelling.size();
      if (spelling == "(" || spelling == "[" || spelling == "{") ++depth_;
      if ((spelling == ")" || spelling == "]" || spelling == "}") && depth_ > 0) --depth_;
      return add(TokenKind::kOperator, begin);
    }
    refuse(position_, "this character is not part of the language");
  }

  void number() {
    const std::size_t begin = position_;
    for (const auto& [letters, base] : {std::pair("xX", 16), std::pair("oO", 8), std::pair("bB", 2)})
      if (at(0) == '0' && (at(1) == letters[0] || at(1) == letters[1])) return whole_number(begin, base);
    bool whole = true;
    const auto digits = [&] {
      while (is_digit(at(0)) || at(0) == '_') ++position_;
    };
    digits();
    if (at(0) == '.') {
      whole = false;
      ++position_;
      digits();
    }
    if ((at(0) == 'e' || at(0) == 'E') && (is_digit(at(1)) || ((at(1) == '+' || at(1) == '-') && is_digit(at(2))))) {
      whole = false;
      position_ += 2;
      digits();
    }
    std::string spelling(text_.substr(begin, position_ - begin));
    std::erase(spelling, '_');
    const bool imaginary = at(0) == 'j';
    if (imaginary) ++position_;
    add(imaginary ? TokenKind::kImaginary : whole ? TokenKind::kInt : TokenKind::kFloat, begin);
    const char* const end = spelling.data() + spelling.size();
    std::from_chars(spelling.data(), end, tokens_.back().number);
    if (whole && !imaginary) tokens_.back().integer = integer(begin, spelling, 10);
  }

  void whole_number(std::size_t begin, int base) {
    position_ += 2;
    while (std::isxdigit(static_cast<unsigned char>(at(0))) != 0 || at(0) == '_') ++position_;
    std::string spelling(text_.substr(begin + 2, position_ - begin - 2));
    std::erase(spelling, '_');
    add(TokenKind::kInt, begin);
    tokens_.back().integer = integer(begin, spelling, base);
  }

  std::int64_t integer(std::size_t begin, const std::string& spelling, int base) const {
    // -9223372036854775808 is written as a minus and a number that does not fit: it wraps to what the minus keeps.
    std::uint64_t value = 0;
    const auto [stop, error] = std::from_chars(spelling.data(), spelling.data() + spelling.size(), value, base);
    if (error != std::errc() || value > std::uint64_t{1} << 63) refuse(begin, "this number does not fit in 64 bits");
    return static_cast<std::int64_t>(value);
  }

  bool string_start() const {
    std::size_t ahead = 0;
    while (ahead < 2 && at(ahead) != '\0' && kStringPrefixes.find(at(ahead)) != std::string_view::npos) ++ahead;
    return at(ahead) == '"' || at(ahead) == '\'';
  }

  void string() {
    const std::size_t begin = position_;
    bool formatted = false, raw = false;
    for (; at(0) != '"' && at(0) != '\''; ++position_) {
      formatted |= at(0) == 'f' || at(0) == 'F';
      raw |= at(0) == 'r' || at(0) == 'R';
      if (at(0) == 'b' || at(0) == 'B') refuse(begin, "bytes are not supported; use a str", ErrorCode::kUnsupported);
    }
    const char quote = at(0);
    const bool triple = at(1) == quote && at(2) == quote;
    position_ += triple ? 3 : 1;
    std::string value;
    std::vector<Hole> holes;
    for (;;) {
      if (position_ >= text_.size() || (at(0) == '\n' && !triple)) refuse(begin, "this string has no end");
      if (at(0) == quote && (!triple || (at(1) == quote && at(2) == quote))) break;
      if (at(0) == '\\' && !raw) {
        escape(value);
      } else if (formatted && at(0) == '{' && at(1) != '{') {
        holes.push_back(hole(value.size()));
      } else {
        if (formatted && (at(0) == '{' || at(0) == '}') && at(1) == at(0)) ++position_;
        value += text_[position_++];
      }
    }
    position_ += triple ? 3 : 1;
    add(formatted ? TokenKind::kFormatted : TokenKind::kString, begin);
    tokens_.back().text = std::move(value);
    tokens_.back().holes = std::move(holes);
  }

  Hole hole(std::size_t at) {
    const std::size_t begin = position_ + 1, end = text_.find('}', begin);
    if (end == std::string_view::npos) refuse(position_, "this brace of an f-string has no end");
    position_ = end + 1;
    return {at, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
  }

  void escape(std::string& value) {
    constexpr std::string_view kLetters = "abfnrtv\\'\"", kMeanings = "\a\b\f\n\r\t\v\\'\"";
    const char letter = at(1);
    position_ += 2;
    if (letter == '\n') return;
    if (const auto found = kLetters.find(letter); found != std::string_view::npos)
      return value.push_back(kMeanings[found]);
    if (letter == 'x') return value.push_back(static_cast<char>(digits(16, 2)));
    if (letter == 'u') return append_utf8(value, digits(16, 4));
    if (letter >= '0' && letter <= '7') {
      --position_;
      return value.push_back(static_cast<char>(digits(8, 3)));
    }
    value += '\\';
    value += letter;
  }

  std::uint32_t digits(int base, std::size_t most) {
    std::uint32_t value = 0;
    const std::string_view text = text_.substr(position_, most);
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc()) refuse(position_, "this escape has no digits");
    position_ += static_cast<std::size_t>(stop - text.data());
    return value;
  }

  static void append_utf8(std::string& value, std::uint32_t code) {
    if (code < 0x80) {
      value += static_cast<char>(code);
    } else if (code < 0x800) {
      value += static_cast<char>(0xC0 | code >> 6);
      value += static_cast<char>(0x80 | (code & 0x3F));
    } else {
      value += static_cast<char>(0xE0 | code >> 12);
      value += static_cast<char>(0x80 | (code >> 6 & 0x3F));
      value += static_cast<char>(0x80 | (code & 0x3F));
    }
  }

  [[noreturn]] void refuse(std::size_t at, const std::string& problem, ErrorCode code = ErrorCode::kValue) const {
    fail({source_, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at + 1)}, problem, code);
  }

  static constexpr std::size_t kMaxDepth = 100;

  std::shared_ptr<const Source> source_;
  std::string_view text_;
  std::size_t position_ = 0;
  int depth_ = 0;  // of brackets: inside, line ends mean nothing
  std::vector<std::size_t> indents_{0};
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(const std::shared_ptr<const Source>& source) { return Lexer(source).run(); }

std::vector<Token> tokenize(const std::shared_ptr<const Source>& source, const Hole& hole) {
  return Lexer(source, hole).run_hole();
}

}  // namespace threadwheel::script
