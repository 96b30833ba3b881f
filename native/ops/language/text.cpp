// Values as text, and the two ops that put them into other text.
#include "ops/language/text.h"

#include <array>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <functional>

#include "ops/families.h"
#include "tensor/format.h"
#include "threadwheel/error.h"

namespace threadwheel {
namespace {

std::string print(const char* format, double number) {
  std::array<char, 512> buffer{};  // the longest is "%f" of the largest double, 317 characters
  return {buffer.data(), static_cast<std::size_t>(std::snprintf(buffer.data(), buffer.size(), format, number))};
}

// Whole numbers that an int holds have a point and no digits behind it; others have all digits.
std::string number_text(double number) {
  constexpr double kLimit = 9223372036854775808.0;
  if (std::fabs(number) < kLimit && std::trunc(number) == number)
    return std::to_string(static_cast<std::int64_t>(number)) + ".";
  if (std::isnan(number)) return "nan";
  return print("%.17g", number);
}

std::string complex_text(Complex number) {
  const std::string imaginary = number_text(number.imag());
  return number_text(number.real()) + (imaginary[0] == '-' ? "" : "+") + imaginary + "j";
}

std::string joined(const std::vector<Value>& elements) {
  std::string text;
  for (const Value& element : elements) text.append(text.empty() ? "" : ", ").append(to_text(element));
  return text;
}

std::string dict_text(const DictValue& dict) {
  std::string text;
  for (const auto& [key, value] : dict.entries)
    text.append(text.empty() ? "" : ", ").append(to_text(key)).append(": ").append(to_text(value));
  return "{" + text + "}";
}

// "{}" stands for the next argument; what is left over is ignored.
Value format(Arguments arguments) {
  const std::string& pattern = arguments[0]->to_string();
  std::string text;
  std::size_t next = 1, start = 0;
  for (std::size_t at = pattern.find("{}"); at != std::string::npos; at = pattern.find("{}", start)) {
    if (next == arguments.size())
      throw Error(ErrorCode::kRuntime, "Too few arguments for format string: " + pattern);
    text.append(pattern, start, at - start).append(to_text(*arguments[next++]));
    start = at + 2;
  }
  return text.append(pattern, start);
}

double number_for(char specifier, const Value& value) {
  if (!value.is_int() && !value.is_double())
    throw Error(ErrorCode::kType, std::string("%") + specifier + " requires a number for formatting");
  return value.to_double();
}

std::string character_text(const Value& value) {
  if (value.is_string() && value.to_string().size() == 1) return value.to_string();
  if (!value.is_int() || value.to_int() < 0 || value.to_int() > 127)
    throw Error(ErrorCode::kType, "%c requires an int from 0 to 127 or a string of one character");
  return {static_cast<char>(value.to_int())};
}

std::string formatted(char specifier, const Value& value) {
  switch (specifier) {
    case 's': return to_text(value);
    case 'd':
    case 'i':
      if (value.is_int()) return std::to_string(value.to_int());
      return print("%.0f", std::trunc(number_for(specifier, value)));
    case 'e': return print("%e", number_for(specifier, value));
    case 'E': return print("%E", number_for(specifier, value));
    case 'f':
    case 'F': return print("%f", number_for(specifier, value));
    case 'c': return character_text(value);
    default:
      throw Error(ErrorCode::kUnsupported, std::string("The specifier %") + specifier +
                                               " is not supported in TorchScript format strings");
  }
}

Value percent_format(Arguments given) {
  const std::string& pattern = given[0]->to_string();
  // "%s %s" % (a, b): one tuple holds them all.
  std::vector<const Value*> arguments(given.begin(), given.end());
  if (given.size() == 2 && given[1]->is_tuple()) {
    arguments.pop_back();
    for (const Value& each : given[1]->to_tuple()) arguments.push_back(&each);
  }
  std::string text;
  std::size_t next = 1;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') {
      text += pattern[i];
      continue;
    }
    if (++i == pattern.size()) throw Error(ErrorCode::kValue, "Incomplete format specifier");
    if (pattern[i] == '%') {
      text += '%';
      continue;
    }
    if (next == arguments.size()) throw Error(ErrorCode::kType, "Too few arguments for format string");
    text += formatted(pattern[i], *arguments[next++]);
  }
  if (next != arguments.size()) throw Error(ErrorCode::kType, "Too many arguments for format string");
  return text;
}

std::string str(const Value& value) { return to_text(value); }

// One write of the whole line: programs print from several threads.
Value print(Arguments given) {
  std::string line;
  for (std::size_t i = 0; i < given.size(); ++i) line.append(i == 0 ? "" : " ").append(to_text(*given[i]));
  line += '\n';
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);
  return {};
}

// Remembers a text; false if it is known, or if more came than a program has reasons to warn. Without a lock, which a
// forked child might find held.
bool is_new(const std::string& text) {
  static std::array<std::atomic<std::size_t>, 256> known{};
  const std::size_t hash = std::hash<std::string>()(text) | 1;
  for (std::atomic<std::size_t>& each : known) {
    std::size_t found = 0;
    if (each.compare_exchange_strong(found, hash, std::memory_order_relaxed)) return true;
    if (found == hash) return false;
  }
  return false;
}

// Once in a process for each text: a model that warns does so at every call.
void warn(const std::string& message, std::int64_t) {
  if (is_new(message)) std::fprintf(stderr, "threadwheel: the program warns: %s\n", message.c_str());
}

constexpr OpDefinition kOps[] = {
    define_op<warn>("aten::warn(str message, int stacklevel=2) -> ()"),
    define_variadic_op("aten::format(str self, ...) -> str", format),
    define_variadic_op("aten::percentFormat(str self, ...) -> str", percent_format),
    define_variadic_op("prim::Print(...) -> ()", print),
    define_op<str>("aten::str(t elem) -> str"),
};

}  // namespace

std::string to_text(const Value& value) {
  switch (value.tag()) {
    case ValueTag::kNone: return "None";
    case ValueTag::kBool: return value.to_bool() ? "True" : "False";
    case ValueTag::kInt: return std::to_string(value.to_int());
    case ValueTag::kDouble: return number_text(value.to_double());
    case ValueTag::kComplex: return complex_text(value.to_complex());
    case ValueTag::kString:
    case ValueTag::kDevice: return value.to_string();
    case ValueTag::kList: return "[" + joined(value.to_list()) + "]";
    case ValueTag::kTuple: return "(" + joined(value.to_tuple()) + (value.to_tuple().size() == 1 ? ",)" : ")");
    case ValueTag::kDict: return dict_text(value.to_dict());
    case ValueTag::kTensor: return format_tensor(value.to_tensor());
    default: throw Error(ErrorCode::kUnsupported, "str: objects have no text; pass tensors, numbers or strings");
  }
}

std::span<const OpDefinition> text_ops() { return kOps; }

}  // namespace threadwheel
