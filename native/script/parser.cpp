// A recursive-descent parser for the Python subset.
#include <algorithm>
#include <array>
#include <string_view>

#include "script/ast.h"
#include "script/lexer.h"

namespace threadwheel::script {
namespace {

constexpr std::string_view kKeywords[] = {"and", "or", "not", "if", "else", "in", "is", "for", "lambda"};

// Binary operators from the loosest on; those of one row associate to the left.
constexpr std::array<std::array<std::string_view, 5>, 6> kBinary{{{"|"}, {"^"}, {"&"}, {"<<", ">>"}, {"+", "-"},
                                                                  {"*", "/", "//", "%", "@"}}};

class Parser {
 public:
  explicit Parser(std::shared_ptr<const Source> source) : source_(std::move(source)), tokens_(tokenize(source_)) {}
  Parser(std::shared_ptr<const Source> source, const Hole& hole)
      : source_(std::move(source)), tokens_(tokenize(source_, hole)) {}

  Body file() {
    Body body;
    while (!is(TokenKind::kEnd)) statement(body);
    return body;
  }

  ExprPtr hole() {
    ExprPtr expr = expression_list();
    if (is_operator("=")) unsupported("'=' in an f-string", "write the text before the brace");
    if (is_operator("!")) unsupported("'!' in an f-string", "write the value alone");
    if (is_operator(":")) unsupported("a format after ':' in an f-string", "use '%'");
    if (!is(TokenKind::kNewline)) refuse("'}'");
    return expr;
  }

 private:
  // --- tokens -------------------------------------------------------------------------------------
  const Token& token() const { return tokens_[index_]; }
  bool is(TokenKind kind) const { return token().kind == kind; }
  bool is_operator(std::string_view text) const { return is(TokenKind::kOperator) && token().text == text; }
  bool is_word(std::string_view text) const { return is(TokenKind::kName) && token().text == text; }

  bool accept(std::string_view text) {
    if (!is_operator(text)) return false;
    ++index_;
    return true;
  }
  bool accept_word(std::string_view text) {
    if (!is_word(text)) return false;
    ++index_;
    return true;
  }
  void expect(std::string_view text) {
    if (!accept(text)) refuse("'" + std::string(text) + "'");
  }
  std::string expect_name() {
    if (!is(TokenKind::kName) || std::ranges::find(kKeywords, token().text) != std::end(kKeywords)) refuse("a name");
    return tokens_[index_++].text;
  }
  void expect_newline() {
    if (accept(";")) return;
    if (!is(TokenKind::kNewline)) refuse("the end of the line");
    ++index_;
  }

  [[noreturn]] void refuse(const std::string& expected) const {
    const std::string found = is(TokenKind::kNewline) || is(TokenKind::kEnd) ? "the line ends"
                              : is(TokenKind::kIndent) || is(TokenKind::kDedent) ? "the indentation changes"
                                                                                 : "found '" + token().text + "'";
    fail({source_, token().begin, std::max(token().end, token().begin + 1)}, found + "; expected " + expected);
  }
  [[noreturn]] void unsupported(const std::string& what, const std::string& instead) const {
    fail({source_, token().begin, token().end}, what + " is not supported; " + instead, ErrorCode::kUnsupported);
  }

  Range range_from(std::uint32_t begin) const { return {source_, begin, tokens_[index_ - 1].end}; }

  // --- statements ---------------------------------------------------------------------------------
  StmtPtr make(StmtKind kind) const {
    auto stmt = std::make_unique<Stmt>();
    stmt->kind = kind;
    stmt->range = {source_, token().begin, token().end};
    return stmt;
  }

  void statement(Body& body) {
    const Deeper deeper(*this);
    if (is(TokenKind::kNewline)) return void(++index_);
    using Handler = StmtPtr (Parser::*)();
    static constexpr std::pair<std::string_view, Handler> kCompound[] = {
        {"if", &Parser::if_statement},   {"while", &Parser::while_statement}, {"for", &Parser::for_statement},
        {"with", &Parser::with_statement}, {"def", &Parser::def_statement},   {"class", &Parser::class_statement}};
    for (const auto& [word, handler] : kCompound)
      if (is_word(word)) return body.push_back((this->*handler)());
    if (is_operator("@")) return decorator();
    for (const auto& [word, instead] : {std::pair("try", "use if and raise"), std::pair("global", "use an argument"),
                                        std::pair("nonlocal", "use an argument"), std::pair("async", "use fork")})
      if (is_word(word)) unsupported(std::string("'") + word + "'", instead);
    if (is_match()) unsupported("'match'", "use if and elif");
    if (StmtPtr stmt = simple_statement()) body.push_back(std::move(stmt));
    expect_newline();
  }

  // A name elsewhere: it is the word only where a case follows.
  bool is_match() const {
    if (!is_word("match")) return false;
    std::size_t at = index_;
    while (tokens_[at].kind != TokenKind::kNewline) ++at;
    return tokens_[at + 1].kind == TokenKind::kIndent && tokens_[at + 2].text == "case";
  }

  void decorator() {  // whoever compiles has looked at it already
    while (!is(TokenKind::kNewline)) ++index_;
    ++index_;
  }

  StmtPtr simple_statement() {
    using Handler = StmtPtr (Parser::*)();
    static constexpr std::pair<std::string_view, Handler> kSimple[] = {
        {"return", &Parser::return_statement}, {"assert", &Parser::assert_statement},
        {"raise", &Parser::raise_statement},   {"del", &Parser::delete_statement}};
    for (const auto& [word, handler] : kSimple)
      if (is_word(word)) return (this->*handler)();
    for (const auto& [word, kind] : {std::pair("pass", StmtKind::kPass), std::pair("break", StmtKind::kBreak),
                                     std::pair("continue", StmtKind::kContinue)})
      if (is_word(word)) {
        StmtPtr stmt = make(kind);
        ++index_;
        return stmt;
      }
    if (is_word("import") || is_word("from")) {
      if (functions_ > 0) unsupported("'import' inside a function", "import at the top of the file");
      // Old archives import their own classes: names are found without.
      while (!is(TokenKind::kNewline)) ++index_;
      return nullptr;
    }
    return expression_statement();
  }

  Body block() {
    expect(":");
    Body body;
    if (!is(TokenKind::kNewline)) {
      if (StmtPtr stmt = simple_statement()) body.push_back(std::move(stmt));
      expect_newline();
      return body;
    }
    ++index_;
    if (!is(TokenKind::kIndent)) refuse("an indented block");
    ++index_;
    while (!is(TokenKind::kDedent) && !is(TokenKind::kEnd)) statement(body);
    if (is(TokenKind::kDedent)) ++index_;
    return body;
  }

  StmtPtr if_statement() {
    StmtPtr stmt = make(StmtKind::kIf);
    ++index_;
    stmt->value = expression();
    stmt->body = block();
    if (is_word("elif")) {
      const Deeper deeper(*this);
      stmt->otherwise.push_back(if_statement());
    } else if (accept_word("else")) {
      stmt->otherwise = block();
    }
    return stmt;
  }

  StmtPtr while_statement() {
    StmtPtr stmt = make(StmtKind::kWhile);
    ++index_;
    stmt->value = expression();
    stmt->body = block();
    if (is_word("else")) unsupported("'else' after a loop", "use a flag");
    return stmt;
  }

  StmtPtr for_statement() {
    StmtPtr stmt = make(StmtKind::kFor);
    ++index_;
    stmt->targets.push_back(target_list());
    if (!accept_word("in")) refuse("'in'");
    stmt->value = expression_list();
    stmt->body = block();
    if (is_word("else")) unsupported("'else' after a loop", "use a flag");
    return stmt;
  }

  StmtPtr with_statement() {
    StmtPtr stmt = make(StmtKind::kWith);
    ++index_;
    do {
      stmt->targets.push_back(expression());
      stmt->names.push_back(accept_word("as") ? primary() : nullptr);
    } while (accept(","));
    stmt->body = block();
    return stmt;
  }

  StmtPtr def_statement() {
    StmtPtr stmt = make(StmtKind::kDef);
    ++index_;
    stmt->text = expect_name();
    expect("(");
    bool keyword_only = false;
    while (!accept(")")) {
      if (is_operator("**")) unsupported("'**' in a parameter list", "name each parameter");
      if (accept("*")) {
        if (!is_operator(",")) unsupported("'*' with a name in a parameter list", "name each parameter");
        keyword_only = true;
      } else if (is_operator("/")) {
        unsupported("'/' in a parameter list", "leave it out");
      } else {
        stmt->parameters.push_back(parameter(keyword_only));
      }
      if (!accept(",") && !is_operator(")")) refuse("',' or ')'");
    }
    if (accept("->")) stmt->annotation = expression();
    ++functions_;
    stmt->body = block();
    --functions_;
    return stmt;
  }

  Parameter parameter(bool keyword_only) {
    Parameter result;
    result.range = {source_, token().begin, token().end};
    result.name = expect_name();
    result.keyword_only = keyword_only;
    if (accept(":")) result.annotation = expression();
    if (accept("=")) result.default_value = expression();
    return result;
  }

  StmtPtr class_statement() {
    StmtPtr stmt = make(StmtKind::kClass);
    ++index_;
    stmt->text = expect_name();
    if (accept("("))
      while (!accept(")")) {
        stmt->targets.push_back(expression());
        if (!accept(",") && !is_operator(")")) refuse("',' or ')'");
      }
    stmt->body = block();
    return stmt;
  }

  StmtPtr return_statement() {
    StmtPtr stmt = make(StmtKind::kReturn);
    ++index_;
    if (!is(TokenKind::kNewline) && !is_operator(";")) stmt->value = expression_list();
    return stmt;
  }

  StmtPtr assert_statement() {
    StmtPtr stmt = make(StmtKind::kAssert);
    ++index_;
    stmt->value = expression();
    if (accept(",")) stmt->message = expression();
    return stmt;
  }

  StmtPtr raise_statement() {
    StmtPtr stmt = make(StmtKind::kRaise);
    ++index_;
    if (!is(TokenKind::kNewline)) stmt->value = expression();
    if (accept_word("from")) expression();
    return stmt;
  }

  StmtPtr delete_statement() {
    StmtPtr stmt = make(StmtKind::kDelete);
    ++index_;
    do stmt->targets.push_back(primary());
    while (accept(","));
    return stmt;
  }

  bool is_augmented() const {  // the comparisons that end so have been read as such
    return is(TokenKind::kOperator) && token().text.size() > 1 && token().text.back() == '=' && token().text != ":=";
  }

  StmtPtr expression_statement() {
    StmtPtr stmt = make(StmtKind::kExpr);
    const std::uint32_t begin = token().begin;
    ExprPtr first = expression_list();
    if (accept(":")) {
      stmt->kind = StmtKind::kAssign;
      stmt->annotation = expression();
      stmt->targets.push_back(std::move(first));
      if (accept("=")) stmt->value = expression_list();
    } else if (is_augmented()) {
      stmt->kind = StmtKind::kAugAssign;
      stmt->text = token().text.substr(0, token().text.size() - 1);
      ++index_;
      stmt->targets.push_back(std::move(first));
      stmt->value = expression_list();
    } else if (is_operator("=")) {
      stmt->kind = StmtKind::kAssign;
      stmt->targets.push_back(std::move(first));
      while (accept("=")) {
        if (stmt->value) stmt->targets.push_back(std::move(stmt->value));
        stmt->value = expression_list();
      }
    } else {
      stmt->value = std::move(first);
    }
    stmt->range = range_from(begin);
    return stmt;
  }

  // --- expressions --------------------------------------------------------------------------------
  // Guards the parser's own stack against programs nested beyond reason.
  class Deeper {
   public:
    explicit Deeper(Parser& parser) : parser_(parser) {
      if (++parser_.depth_ > kMaxDepth) parser_.refuse("less deep nesting");
    }
    ~Deeper() { --parser_.depth_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;

   private:
    Parser& parser_;
  };

  ExprPtr make(ExprKind kind, std::uint32_t begin) const {
    auto expr = std::make_unique<Expr>();
    expr->kind = kind;
    expr->range = {source_, begin, index_ > 0 ? std::max(begin, tokens_[index_ - 1].end) : begin};
    return expr;
  }
  template <class... Args>
  ExprPtr make(ExprKind kind, std::uint32_t begin, std::string text, Args... args) const {
    ExprPtr expr = make(kind, begin);
    expr->text = std::move(text);
    (expr->args.push_back(std::move(args)), ...);
    return expr;
  }

  bool ends_list() const {
    if (is(TokenKind::kNewline) || is(TokenKind::kEnd)) return true;
    return is(TokenKind::kOperator) && (token().text == ")" || token().text == "]" || token().text == "}" ||
                                        token().text == "=" || token().text == ":" || token().text == ";");
  }

  // One expression, or a tuple without parentheses.
  ExprPtr expression_list() { return list_of(&Parser::starred_or_expression); }
  // Targets of a for: no `in` inside.
  ExprPtr target_list() { return list_of(&Parser::bitwise); }

  ExprPtr list_of(ExprPtr (Parser::*element)()) {
    const std::uint32_t begin = token().begin;
    ExprPtr first = (this->*element)();
    if (!is_operator(",")) return first;
    std::vector<ExprPtr> elements;
    elements.push_back(std::move(first));
    while (accept(",")) {
      if (ends_list() || is_word("in")) break;
      elements.push_back((this->*element)());
    }
    ExprPtr tuple = make(ExprKind::kTuple, begin);
    tuple->args = std::move(elements);
    return tuple;
  }

  ExprPtr starred_or_expression() {
    const std::uint32_t begin = token().begin;
    if (!accept("*")) return expression();
    ExprPtr inner = bitwise();
    return make(ExprKind::kStarred, begin, "", std::move(inner));
  }

  ExprPtr expression() {
    const Deeper deeper(*this);
    const std::uint32_t begin = token().begin;
    for (const auto& [word, instead] : {std::pair("lambda", "write a function"), std::pair("yield", "return a list"),
                                        std::pair("await", "use wait")})
      if (is_word(word)) unsupported(std::string("'") + word + "'", instead);
    ExprPtr value = disjunction();
    if (is_operator(":=")) unsupported("':='", "assign on a line before");
    if (!accept_word("if")) return value;
    ExprPtr condition = disjunction();
    if (!accept_word("else")) refuse("'else'");
    ExprPtr otherwise = expression();
    return make(ExprKind::kConditional, begin, "", std::move(condition), std::move(value), std::move(otherwise));
  }

  ExprPtr disjunction() { return boolean("or", &Parser::conjunction); }
  ExprPtr conjunction() { return boolean("and", &Parser::negation); }

  ExprPtr boolean(const char* word, ExprPtr (Parser::*operand)()) {
    const std::uint32_t begin = token().begin;
    ExprPtr left = (this->*operand)();
    while (accept_word(word)) {
      ExprPtr right = (this->*operand)();
      left = make(ExprKind::kBool, begin, word, std::move(left), std::move(right));
    }
    return left;
  }

  ExprPtr negation() {
    const Deeper deeper(*this);
    const std::uint32_t begin = token().begin;
    if (!accept_word("not")) return comparison();
    ExprPtr operand = negation();
    return make(ExprKind::kUnary, begin, "not", std::move(operand));
  }

  std::string comparison_operator() {
    for (const std::string_view text : {"<", ">", "==", "<=", ">=", "!="})
      if (accept(text)) return std::string(text);
    if (accept_word("in")) return "in";
    if (accept_word("is")) return accept_word("not") ? "is not" : "is";
    if (is_word("not") && tokens_[index_ + 1].text == "in") {
      index_ += 2;
      return "not in";
    }
    return "";
  }

  ExprPtr comparison() {
    const std::uint32_t begin = token().begin;
    const std::size_t first = index_;
    ExprPtr left = bitwise(), chain;
    std::size_t start = first;
    for (std::string text = comparison_operator(); !text.empty(); text = comparison_operator()) {
      const std::size_t middle = index_;
      ExprPtr right = bitwise();
      ExprPtr compare = make(ExprKind::kCompare, begin, text, std::move(left), std::move(right));
      chain = chain ? make(ExprKind::kBool, begin, "and", std::move(chain), std::move(compare)) : std::move(compare);
      // The middle of a chain is read again: a < b < c is a < b and b < c.
      start = index_;
      index_ = middle;
      left = bitwise();
      index_ = start;
    }
    return chain ? std::move(chain) : std::move(left);
  }

  ExprPtr bitwise() { return binary(0); }

  ExprPtr binary(std::size_t row) {
    if (row == kBinary.size()) return unary();
    const std::uint32_t begin = token().begin;
    ExprPtr left = binary(row + 1);
    for (;;) {
      if (!is(TokenKind::kOperator) || token().text.empty()) return left;
      const auto found = std::ranges::find(kBinary[row], token().text);
      if (found == kBinary[row].end()) return left;
      ++index_;
      ExprPtr right = binary(row + 1);
      left = make(ExprKind::kBinary, begin, std::string(*found), std::move(left), std::move(right));
    }
  }

  ExprPtr unary() {
    const Deeper deeper(*this);
    const std::uint32_t begin = token().begin;
    for (const char* text : {"-", "+", "~"})
      if (accept(text)) {
        ExprPtr operand = unary();
        return make(ExprKind::kUnary, begin, text, std::move(operand));
      }
    ExprPtr base = primary();
    if (!accept("**")) return base;
    ExprPtr exponent = unary();
    return make(ExprKind::kBinary, begin, "**", std::move(base), std::move(exponent));
  }

  ExprPtr primary() {
    const std::uint32_t begin = token().begin;
    ExprPtr expr = atom();
    for (;;) {
      if (accept(".")) {
        std::string name = expect_name();
        expr = make(ExprKind::kAttribute, begin, std::move(name), std::move(expr));
      } else if (accept("(")) {
        expr = call(begin, std::move(expr));
      } else if (accept("[")) {
        ExprPtr index = subscript();
        expect("]");
        expr = make(ExprKind::kSubscript, begin, "", std::move(expr), std::move(index));
      } else {
        return expr;
      }
    }
  }

  ExprPtr call(std::uint32_t begin, ExprPtr callee) {
    std::vector<ExprPtr> args;
    std::vector<std::pair<std::string, ExprPtr>> keywords;
    args.push_back(std::move(callee));
    while (!accept(")")) {
      if (is_operator("**")) unsupported("'**' in a call", "name each argument");
      if (is(TokenKind::kName) && tokens_[index_ + 1].kind == TokenKind::kOperator && tokens_[index_ + 1].text == "=") {
        std::string name = expect_name();
        ++index_;
        keywords.emplace_back(std::move(name), expression());
      } else {
        args.push_back(starred_or_expression());
        if (is_word("for")) {
          const std::uint32_t first = args.back()->range.begin;  // an argument beside the move may be read after it
          args.back() = comprehension(first, ExprKind::kListComp, std::move(args.back()));
        }
      }
      if (!accept(",") && !is_operator(")")) refuse("',' or ')'");
    }
    ExprPtr expr = make(ExprKind::kCall, begin);
    expr->args = std::move(args);
    expr->keywords = std::move(keywords);
    return expr;
  }

  ExprPtr subscript() {
    const std::uint32_t begin = token().begin;
    std::vector<ExprPtr> parts;
    bool tuple = false;
    do {
      if (is_operator("]")) break;
      parts.push_back(slice_or_expression());
      tuple |= is_operator(",");
    } while (accept(","));
    if (parts.empty()) refuse("an index");
    if (!tuple) return std::move(parts.front());
    ExprPtr expr = make(ExprKind::kTuple, begin);
    expr->args = std::move(parts);
    return expr;
  }

  ExprPtr slice_or_expression() {
    const std::uint32_t begin = token().begin;
    const auto part = [&]() -> ExprPtr {
      return is_operator(":") || is_operator("]") || is_operator(",") ? nullptr : expression();
    };
    ExprPtr first = part();
    if (!accept(":")) {
      if (!first) refuse("an index");
      return first;
    }
    ExprPtr second = part();
    ExprPtr third = accept(":") ? part() : nullptr;
    return make(ExprKind::kSlice, begin, "", std::move(first), std::move(second), std::move(third));
  }

  ExprPtr atom() {
    const std::uint32_t begin = token().begin;
    switch (token().kind) {
      case TokenKind::kName: return name();
      case TokenKind::kInt:
      case TokenKind::kFloat:
      case TokenKind::kImaginary: return number();
      case TokenKind::kString:
      case TokenKind::kFormatted: return string();
      default: break;
    }
    if (accept("(")) return parenthesised(begin);
    if (accept("[")) return bracketed(begin);
    if (accept("{")) return braced(begin);
    if (accept("...")) return make(ExprKind::kEllipsis, begin);
    refuse("an expression");
  }

  ExprPtr name() {
    const std::uint32_t begin = token().begin;
    for (const auto& [word, kind] : {std::pair("True", ExprKind::kTrue), std::pair("False", ExprKind::kFalse),
                                     std::pair("None", ExprKind::kNone)})
      if (accept_word(word)) return make(kind, begin);
    std::string text = expect_name();
    return make(ExprKind::kName, begin, std::move(text));
  }

  ExprPtr number() {
    const Token& literal = tokens_[index_++];
    const ExprKind kind = literal.kind == TokenKind::kInt     ? ExprKind::kInt
                          : literal.kind == TokenKind::kFloat ? ExprKind::kFloat
                                                              : ExprKind::kImaginary;
    ExprPtr expr = make(kind, literal.begin);
    expr->integer = literal.integer;
    expr->number = literal.number;
    return expr;
  }

  // Adjacent strings are one.
  ExprPtr string() {
    const std::uint32_t begin = token().begin;
    std::string text;
    bool formatted = false;
    std::vector<ExprPtr> parts;
    for (; is(TokenKind::kString) || is(TokenKind::kFormatted); ++index_) {
      if (is(TokenKind::kString)) {
        text += token().text;
      } else {
        formatted = true;
        format_parts(token(), text, parts);
      }
    }
    if (!formatted) return make(ExprKind::kString, begin, std::move(text));
    if (!text.empty()) parts.push_back(make(ExprKind::kString, begin, std::move(text)));
    ExprPtr expr = make(ExprKind::kFormatted, begin);
    expr->args = std::move(parts);
    return expr;
  }

  void format_parts(const Token& literal, std::string& text, std::vector<ExprPtr>& parts) {
    std::size_t done = 0;
    for (const Hole& each : literal.holes) {
      text += literal.text.substr(done, each.at - done);
      done = each.at;
      if (!text.empty()) parts.push_back(make(ExprKind::kString, literal.begin, std::move(text)));
      text.clear();
      parts.push_back(Parser(source_, each).hole());
    }
    text += literal.text.substr(done);
  }

  ExprPtr parenthesised(std::uint32_t begin) {
    if (accept(")")) return make(ExprKind::kTuple, begin);
    ExprPtr inner = expression_list();
    if (is_word("for")) inner = comprehension(begin, ExprKind::kListComp, std::move(inner));
    expect(")");
    return inner;
  }

  ExprPtr bracketed(std::uint32_t begin) {
    std::vector<ExprPtr> elements;
    while (!accept("]")) {
      elements.push_back(starred_or_expression());
      if (elements.size() == 1 && is_word("for")) {
        ExprPtr expr = comprehension(begin, ExprKind::kListComp, std::move(elements[0]));
        expect("]");
        return expr;
      }
      if (!accept(",") && !is_operator("]")) refuse("',' or ']'");
    }
    ExprPtr expr = make(ExprKind::kList, begin);
    expr->args = std::move(elements);
    return expr;
  }

  ExprPtr braced(std::uint32_t begin) {
    std::vector<ExprPtr> entries;
    while (!accept("}")) {
      entries.push_back(expression());
      if (!is_operator(":")) unsupported("a set", "use a list or a dict");
      expect(":");
      entries.push_back(expression());
      if (entries.size() == 2 && is_word("for")) {
        ExprPtr expr = comprehension(begin, ExprKind::kDictComp, std::move(entries[0]), std::move(entries[1]));
        expect("}");
        return expr;
      }
      if (!accept(",") && !is_operator("}")) refuse("',' or '}'");
    }
    ExprPtr expr = make(ExprKind::kDict, begin);
    expr->args = std::move(entries);
    return expr;
  }

  template <class... Elements>
  ExprPtr comprehension(std::uint32_t begin, ExprKind kind, Elements... elements) {
    ++index_;  // for
    ExprPtr target = target_list();
    if (!accept_word("in")) refuse("'in'");
    ExprPtr iterable = disjunction();
    std::vector<ExprPtr> conditions;
    while (accept_word("if")) conditions.push_back(disjunction());
    if (is_word("for")) unsupported("a second 'for' in a comprehension", "use nested loops");
    ExprPtr expr = make(kind, begin, "", std::move(elements)..., std::move(target), std::move(iterable));
    for (ExprPtr& condition : conditions) expr->args.push_back(std::move(condition));
    return expr;
  }

  static constexpr int kMaxDepth = 1000;

  std::shared_ptr<const Source> source_;
  std::vector<Token> tokens_;
  std::size_t index_ = 0;
  int depth_ = 0;
  int functions_ = 0;  // that the statement is inside
};

}  // namespace

Body parse(std::shared_ptr<const Source> source) { return Parser(std::move(source)).file(); }

}  // namespace threadwheel::script
