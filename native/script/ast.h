// The syntax tree of the Python subset that programs are written in: archives' code and the user's @script source.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ir/source.h"

namespace threadwheel::script {

using ir::Range;
using ir::Source;

struct Expr;
struct Stmt;
using ExprPtr = std::unique_ptr<Expr>;
using StmtPtr = std::unique_ptr<Stmt>;
using Body = std::vector<StmtPtr>;

enum class ExprKind : std::uint8_t {
  kName,         // text
  kInt,          // integer
  kFloat,        // number
  kImaginary,    // number
  kString,       // text
  kTrue,
  kFalse,
  kNone,
  kEllipsis,
  kTuple,        // args
  kList,         // args
  kDict,         // args: key, value, key, value, ...
  kUnary,        // text: - + ~ not; args[0]
  kBinary,       // text: + - * / // % ** @ & | ^ << >>; args[0], args[1]
  kCompare,      // text: < > == >= <= != in, not in, is, is not; args[0], args[1]; chains are kBool of these
  kBool,         // text: and or; args[0], args[1]
  kConditional,  // args: condition, then, otherwise
  kCall,         // args[0]: what is called; the rest positional; keywords
  kAttribute,    // args[0] . text
  kSubscript,    // args[0] [ args[1] ]
  kSlice,        // args: begin, end, step; null where left out
  kStarred,      // args[0]
  kFormatted,    // an f-string. args: strings and values in turn
  kListComp,     // args: element, target, iterable, conditions...
  kDictComp,     // args: key, value, target, iterable, conditions...
};

struct Expr {
  ExprKind kind;
  Range range;
  std::string text;
  std::int64_t integer = 0;
  double number = 0;
  std::vector<ExprPtr> args;
  std::vector<std::pair<std::string, ExprPtr>> keywords;
};

enum class StmtKind : std::uint8_t {
  kExpr,        // value
  kAssign,      // targets (more than one: a = b = value), value; annotation perhaps
  kAugAssign,   // targets[0], text: the operator, value
  kReturn,      // value, null for none
  kIf,          // value, body, otherwise
  kWhile,       // value, body
  kFor,         // targets[0], value, body
  kWith,        // targets: expressions; names: where bound, null for none; body
  kPass,
  kBreak,
  kContinue,
  kAssert,      // value, message or null
  kRaise,       // value, null for none
  kDelete,      // targets
  kDef,         // text: name; parameters, annotation: of the result; body
  kClass,       // text: name; bases: targets; body
};

struct Parameter {
  std::string name;
  ExprPtr annotation, default_value;  // null: none
  bool keyword_only = false;
  Range range;
};

struct Stmt {
  StmtKind kind;
  Range range;
  std::string text;
  std::vector<ExprPtr> targets;
  ExprPtr value, annotation, message;
  Body body, otherwise;
  std::vector<Parameter> parameters;
  std::vector<ExprPtr> names;
};

// Throws the Error(kValue) that shows the line of what it cannot read, and names what is not supported.
Body parse(std::shared_ptr<const Source> source);

}  // namespace threadwheel::script
