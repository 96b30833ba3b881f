// A recursive-descent parser for the schema notation of aten's native_functions.yaml.
#include "ops/schema.h"

#include <cctype>
#include <charconv>

#include "threadwheel/error.h"

namespace threadwheel {
namespace {

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Schema parse() {
    Schema schema;
    schema.name = name(":_");
    if (accept(".")) schema.overload = name("_");
    parse_arguments(schema);
    expect("->");
    parse_returns(schema);
    if (position_ != text_.size()) fail("the end");
    return schema;
  }

 private:
  void parse_arguments(Schema& schema) {
    expect("(");
    bool keyword_only = false;
    while (!accept(")")) {
      if (accept("*")) {
        keyword_only = true;
      } else {
        schema.arguments.push_back(argument(keyword_only));
      }
      if (!accept(",") && !at(")")) fail("',' or ')'");
    }
  }

  void parse_returns(Schema& schema) {
    if (!accept("(")) {
      schema.returns.push_back(type());
      return;
    }
    while (!accept(")")) {
      schema.returns.push_back(type());
      if (!at(",") && !at(")")) name("_");  // results may be named
      if (!accept(",") && !at(")")) fail("',' or ')'");
    }
  }

  SchemaArgument argument(bool keyword_only) {
    SchemaArgument result;
    result.keyword_only = keyword_only;
    result.type = type();
    result.name = name("_");
    if (accept("=")) result.default_value = literal(result.type);
    return result;
  }

  SchemaType type() {
    SchemaType result;
    result.base = name("_");
    if (accept("(")) {
      result.alias = name("_|*");
      result.writes = accept("!");
      if (accept("->")) name("_|*");  // the alias set after the call
      expect(")");
    }
    if (accept("[")) {
      result.is_list = true;
      if (!accept("]")) {
        result.list_size = integer();
        expect("]");
      }
    }
    result.optional = accept("?");
    return result;
  }

  Value literal(const SchemaType& type) {
    if (accept("None")) return {};
    if (type.is_list) return list_literal(type);
    if (accept("True")) return true;
    if (accept("False")) return false;
    if (at("\"") || at("'")) return string_literal();
    const std::size_t start = position_;
    double number = 0;
    const auto [end, error] = std::from_chars(text_.data() + start, text_.data() + text_.size(), number);
    if (error != std::errc()) fail("a value");
    position_ = static_cast<std::size_t>(end - text_.data());
    const std::string_view spelling = text_.substr(start, position_ - start);
    skip_spaces();
    // A float argument may be given as "1"; a Scalar takes its category from the spelling.
    if (type.base == "float" || spelling.find_first_of(".einf") != std::string_view::npos) return number;
    return static_cast<std::int64_t>(number);
  }

  // "[1, 1]", or "1", which stands for as many as the list has.
  Value list_literal(const SchemaType& type) {
    IntList values;
    if (accept("[")) {
      while (!accept("]")) {
        values.push_back(integer());
        if (!accept(",") && !at("]")) fail("',' or ']'");
      }
    } else {
      values.assign(static_cast<std::size_t>(type.list_size), integer());
    }
    return values;
  }

  Value string_literal() {
    const char quote = text_[position_];
    const auto end = text_.find(quote, position_ + 1);
    if (end == std::string_view::npos) fail("the closing quote");
    std::string value(text_.substr(position_ + 1, end - position_ - 1));
    position_ = end + 1;
    skip_spaces();
    return value;
  }

  std::int64_t integer() {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text_.data() + position_, text_.data() + text_.size(), value);
    if (error != std::errc()) fail("an integer");
    position_ = static_cast<std::size_t>(end - text_.data());
    skip_spaces();
    return value;
  }

  std::string name(std::string_view extra) {
    const std::size_t start = position_;
    while (position_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[position_])) != 0 ||
                                        extra.find(text_[position_]) != std::string_view::npos))
      ++position_;
    if (position_ == start) fail("a name");
    std::string result(text_.substr(start, position_ - start));
    skip_spaces();
    return result;
  }

  bool at(std::string_view token) const { return text_.substr(position_).starts_with(token); }

  bool accept(std::string_view token) {
    if (!at(token)) return false;
    position_ += token.size();
    skip_spaces();
    return true;
  }

  void expect(std::string_view token) {
    if (!accept(token)) fail("'" + std::string(token) + "'");
  }

  void skip_spaces() {
    while (position_ < text_.size() && text_[position_] == ' ') ++position_;
  }

  [[noreturn]] void fail(const std::string& expected) const {
    throw Error(ErrorCode::kRuntime, "schema '" + std::string(text_) + "': cannot be read at column " +
                                         std::to_string(position_ + 1) + "; expected " + expected);
  }

  std::string_view text_;
  std::size_t position_ = 0;
};

}  // namespace

Schema parse_schema(std::string_view text) { return Parser(text).parse(); }

}  // namespace threadwheel
