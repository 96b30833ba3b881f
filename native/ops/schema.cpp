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
      if (accept("...")) {
        schema.variadic = true;
      } else if (accept("*")) {
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
      schema.return_names.push_back(position_ != text_.size() ? name("_") : "");
      return;
    }
    while (!accept(")")) {
      schema.returns.push_back(type());
      schema.return_names.push_back(!at(",") && !at(")") ? name("_") : "");
      if (!accept(",") && !at(")")) fail("',' or ')'");
    }
  }

  SchemaArgument argument(bool keyword_only) {
    SchemaArgument result;
    result.keyword_only = keyword_only;
    result.type = type();
    result.name = name("_");
    if (accept("=")) result.default_value = literal(*result.type.type, result.type.list_size);
    return result;
  }

  SchemaType type() {
    SchemaType result;
    result.type = base_type();
    for (;;) {
      if (accept("(")) {
        result.alias = name("_|*");
        result.writes = accept("!");
        if (accept("->")) name("_|*");  // the alias set after the call
        expect(")");
      } else if (accept("[")) {
        result.type = Type::list(result.type);
        if (!accept("]")) {
          result.list_size = integer();
          expect("]");
        }
      } else if (accept("?")) {
        result.type = Type::optional(result.type);
      } else {
        return result;
      }
    }
  }

  TypePtr base_type() {
    if (accept("(")) {
      std::vector<TypePtr> elements;
      while (!accept(")")) {
        elements.push_back(type().type);
        if (!accept(",") && !at(")")) fail("',' or ')'");
      }
      return Type::tuple(std::move(elements));
    }
    const std::string base = name("_.");
    if (base == "Dict" || base == "Future") {
      expect("(");
      const TypePtr first = type().type;
      if (base == "Dict") expect(",");
      const TypePtr result = base == "Dict" ? Type::dict(first, type().type) : Type::future(first);
      expect(")");
      return result;
    }
    return named_type(base);
  }

  TypePtr named_type(const std::string& base) const {
    static constexpr std::pair<std::string_view, TypeKind> kTypes[] = {
        {"Any", TypeKind::kAny},         {"Tensor", TypeKind::kTensor}, {"bool", TypeKind::kBool},
        {"int", TypeKind::kInt},         {"SymInt", TypeKind::kInt},    {"float", TypeKind::kFloat},
        {"complex", TypeKind::kComplex}, {"Scalar", TypeKind::kNumber}, {"str", TypeKind::kString},
        {"NoneType", TypeKind::kNone},   {"Device", TypeKind::kDevice}, {"Generator", TypeKind::kGenerator},
        {"Storage", TypeKind::kStorage}, {"Stream", TypeKind::kStream}, {"AnyEnumType", TypeKind::kAnyEnum}};
    for (const auto& [spelling, kind] : kTypes)
      if (spelling == base) return Type::of(kind);
    if (base == "ScalarType" || base == "Layout" || base == "MemoryFormat") return Type::named_int(base);
    if (base.starts_with("__torch__.")) return Type::class_of(base, {});
    if (base == "t" || base == "t1" || base == "t2" || base == "tVal") return Type::variable(base);
    fail("a type, not '" + base + "'");
  }

  Value literal(const Type& type, std::int64_t list_size) {
    if (accept("None")) return {};
    if (type.is(TypeKind::kOptional)) return literal(*type.element(), list_size);
    if (type.is(TypeKind::kList)) return list_literal(*type.element(), list_size);
    if (accept("True")) return true;
    if (accept("False")) return false;
    if (at("\"") || at("'")) return string_literal();
    return number(type);
  }

  Value number(const Type& type) {
    const std::size_t start = position_;
    double number = 0;
    const auto [end, error] = std::from_chars(text_.data() + start, text_.data() + text_.size(), number);
    if (error != std::errc()) fail("a value");
    position_ = static_cast<std::size_t>(end - text_.data());
    const std::string_view spelling = text_.substr(start, position_ - start);
    skip_spaces();
    // A float argument may be given as "1"; a Scalar takes its category from the spelling.
    if (type.is(TypeKind::kFloat) || spelling.find_first_of(".einf") != std::string_view::npos) return number;
    std::int64_t whole = 0;
    std::from_chars(spelling.data(), spelling.data() + spelling.size(), whole);
    return whole;
  }

  // "[1, 1]", or "1", which stands for as many as the list has.
  Value list_literal(const Type& element, std::int64_t list_size) {
    if (!accept("[")) return Value::list(std::vector<Value>(static_cast<std::size_t>(list_size), literal(element, 0)));
    std::vector<Value> values;
    while (!accept("]")) {
      values.push_back(literal(element, 0));
      if (!accept(",") && !at("]")) fail("',' or ']'");
    }
    return Value::list(std::move(values));
  }

  Value string_literal() {
    const char quote = text_[position_];
    const auto end = text_.find(quote, position_ + 1);
    if (end == std::string_view::npos) fail("the closing quote");
    const std::string value = unescape(text_.substr(position_ + 1, end - position_ - 1));
    position_ = end + 1;
    skip_spaces();
    return value;
  }

  // Spaces other than ' ' are written as in C.
  static std::string unescape(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
      constexpr std::string_view kNames = "ntfv\\", kCharacters = "\n\t\f\v\\";
      const bool escaped = text[i] == '\\' && i + 1 < text.size() && kNames.find(text[i + 1]) != kNames.npos;
      result += escaped ? kCharacters[kNames.find(text[++i])] : text[i];
    }
    return result;
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
