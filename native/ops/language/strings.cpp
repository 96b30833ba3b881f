// Ops on strings. Strings are bytes and letters are ASCII's, as in TorchScript.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "ops/families.h"
#include "ops/language/language.h"

namespace threadwheel {
namespace {

using namespace language;  // NOLINT: the vocabulary of these tables

using Text = const std::string&;
constexpr std::string_view kSpaces = " \n\t\f\v\r\x1c\x1d\x1e";

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_letter(char c) { return is_lower(c) || is_upper(c); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter_or_digit(char c) { return is_letter(c) || is_digit(c); }
bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_printable(char c) { return c >= ' ' && c <= '~'; }
char to_lower(char c) { return is_upper(c) ? static_cast<char>(c + 32) : c; }
char to_upper(char c) { return is_lower(c) ? static_cast<char>(c - 32) : c; }
char swap_case(char c) { return is_upper(c) ? to_lower(c) : to_upper(c); }

template <char (*Each)(char)>
std::string map(Text self) {
  std::string result = self;
  std::ranges::transform(result, result.begin(), Each);
  return result;
}

// Whether the string has characters and all are of the kind.
template <bool (*Kind)(char)>
bool all_are(Text self) {
  return !self.empty() && std::ranges::all_of(self, Kind);
}

bool is_printable_text(Text self) { return std::ranges::all_of(self, is_printable); }

bool is_identifier(Text self) {
  return !self.empty() && !is_digit(self[0]) &&
         std::ranges::all_of(self, [](char c) { return c == '_' || is_letter_or_digit(c); });
}

template <bool (*Wanted)(char), bool (*Other)(char)>
bool has_case(Text self) {
  return std::ranges::any_of(self, Wanted) && std::ranges::none_of(self, Other);
}

std::string capitalize(Text self) {
  std::string result = map<to_lower>(self);
  if (!result.empty()) result[0] = to_upper(result[0]);
  return result;
}

std::string title(Text self) {
  std::string result = self;
  bool in_word = false;
  for (char& c : result) {
    c = in_word ? to_lower(c) : to_upper(c);
    in_word = is_letter(c);
  }
  return result;
}

bool is_title(Text self) { return std::ranges::any_of(self, is_letter) && title(self) == self; }

// --- parts ---------------------------------------------------------------------------------------------------------

Int length(Text self) { return static_cast<Int>(self.size()); }

std::string get_item(Text self, Int index) {
  return {self[position(index, self.size(), "string index out of range")]};
}

std::string slice(Text self, std::optional<Int> start, std::optional<Int> end, Int step) {
  const SliceRange range = slice_range(self.size(), start, end, step);
  std::string result;
  for (Int i = 0; i < range.count; ++i) result += self[static_cast<std::size_t>(range.first + i * range.step)];
  return result;
}

std::string concatenate(Text a, Text b) { return a + b; }

template <bool Left, bool Right>
std::string strip(Text self, Text chars) {
  const std::size_t first = Left ? self.find_first_not_of(chars) : 0;
  if (first == std::string::npos) return "";
  const std::size_t last = Right ? self.find_last_not_of(chars) + 1 : self.size();
  return last > first ? self.substr(first, last - first) : "";
}

void check_separator(Text separator) {
  if (separator.empty()) throw Error(ErrorCode::kValue, "empty separator");
}

Value strings(const std::vector<std::string>& parts) { return Value::list({parts.begin(), parts.end()}); }

Value split_words(Text self, Int most) {
  std::vector<std::string> parts;
  std::size_t at = self.find_first_not_of(kSpaces);
  while (at != std::string::npos) {
    std::size_t end = std::min(self.find_first_of(kSpaces, at), self.size());
    // The last part is all the rest, but for spaces at its end.
    if (most >= 0 && static_cast<Int>(parts.size()) == most) end = self.find_last_not_of(kSpaces) + 1;
    parts.push_back(self.substr(at, end - at));
    at = self.find_first_not_of(kSpaces, end);
  }
  return strings(parts);
}

Value split(Text self, const Value& separator, Int most) {
  if (separator.is_none()) return split_words(self, most);
  const std::string& by = separator.to_string();
  check_separator(by);
  std::vector<std::string> parts;
  std::size_t start = 0;
  for (std::size_t at = self.find(by); at != std::string::npos && (most < 0 || static_cast<Int>(parts.size()) < most);
       at = self.find(by, start)) {
    parts.push_back(self.substr(start, at - start));
    start = at + by.size();
  }
  parts.push_back(self.substr(start));
  return strings(parts);
}

Value rsplit(Text self, Text separator, Int most) {
  check_separator(separator);
  std::vector<std::string> parts;
  std::size_t end = self.size();
  while ((most < 0 || static_cast<Int>(parts.size()) < most) && end >= separator.size()) {
    const std::size_t at = self.rfind(separator, end - separator.size());
    if (at == std::string::npos) break;
    parts.push_back(self.substr(at + separator.size(), end - at - separator.size()));
    end = at;
  }
  parts.push_back(self.substr(0, end));
  std::ranges::reverse(parts);
  return strings(parts);
}

// Each of the characters ends a line, so that "\r\n" ends two; with `keep` they are parts of their own.
Value split_lines(Text self, bool keep) {
  constexpr std::string_view kEnds = "\n\r\v\f\x1c\x1d\x1e";
  std::vector<std::string> parts;
  std::size_t start = 0;
  for (std::size_t at = self.find_first_of(kEnds); at != std::string::npos; at = self.find_first_of(kEnds, start)) {
    parts.push_back(self.substr(start, at - start));
    if (keep) parts.emplace_back(1, self[at]);
    start = at + 1;
  }
  if (start < self.size()) parts.push_back(self.substr(start));
  return strings(parts);
}

using Parts = std::tuple<std::string, std::string, std::string>;

Parts partition(Text self, Text separator) {
  check_separator(separator);
  const std::size_t at = self.find(separator);
  if (at == std::string::npos) return {self, "", ""};
  return {self.substr(0, at), separator, self.substr(at + separator.size())};
}

Parts rpartition(Text self, Text separator) {
  check_separator(separator);
  const std::size_t at = self.rfind(separator);
  if (at == std::string::npos) return {"", "", self};
  return {self.substr(0, at), separator, self.substr(at + separator.size())};
}

std::string join(Text self, const Value& values) {
  std::string result;
  bool first = true;
  for (const Value& value : values.to_list()) {
    if (!first) result += self;
    result += value.to_string();
    first = false;
  }
  return result;
}

std::string replace(Text self, Text old_text, Text new_text, Int most) {
  std::string result;
  std::size_t start = 0;
  for (Int count = 0; most < 0 || count < most; ++count) {
    // Nothing is found before each character and at the end.
    const std::size_t at = old_text.empty() ? start : self.find(old_text, start);
    if (at == std::string::npos || at > self.size()) break;
    result.append(self, start, at - start).append(new_text);
    start = at + old_text.size();
    if (!old_text.empty()) continue;
    if (start >= self.size()) return result;
    result += self[start++];
  }
  return result.append(self, std::min(start, self.size()));
}

// --- search --------------------------------------------------------------------------------------------------------

// [start, end) of the string; an end of -1 is the end of the string, -2 the character before.
std::string_view window(Text self, Int start, Int end, std::size_t& first) {
  const auto size = static_cast<Int>(self.size());
  const Int from = std::clamp(start < 0 ? start + size : start, Int{0}, size);
  const Int to = std::clamp(end < 0 ? end + size + 1 : end, Int{0}, size);
  first = static_cast<std::size_t>(from);
  return std::string_view(self).substr(first, static_cast<std::size_t>(std::max(to - from, Int{0})));
}

template <bool FromRight>
Int find(Text self, Text text, Int start, Int end) {
  std::size_t first = 0;
  const std::string_view part = window(self, start, end, first);
  const std::size_t at = FromRight ? part.rfind(text) : part.find(text);
  return at == std::string_view::npos ? -1 : static_cast<Int>(at + first);
}

template <bool FromRight>
Int index(Text self, Text text, Int start, Int end) {
  const Int at = find<FromRight>(self, text, start, end);
  if (at < 0) throw Error(ErrorCode::kValue, "substring not found");
  return at;
}

Int count(Text self, Text text, Int start, Int end) {
  std::size_t first = 0;
  const std::string_view part = window(self, start, end, first);
  if (text.empty()) return static_cast<Int>(part.size()) + 1;
  Int found = 0;
  for (std::size_t at = part.find(text); at != std::string_view::npos; at = part.find(text, at + text.size())) ++found;
  return found;
}

bool starts_with(Text self, Text text, Int start, Int end) {
  std::size_t first = 0;
  return window(self, start, end, first).starts_with(text);
}

bool ends_with(Text self, Text text, Int start, Int end) {
  std::size_t first = 0;
  return window(self, start, end, first).ends_with(text);
}

// --- widths --------------------------------------------------------------------------------------------------------

constexpr Int kLongest = Int{1} << 40;  // more does not fit in memory

// How many characters are missing to the width.
std::size_t missing(Text self, Int width, Text fill) {
  if (fill.size() != 1)
    throw Error(ErrorCode::kType, "The fill character must be exactly one character long");
  if (width > kLongest)
    throw Error(ErrorCode::kValue, "str: a width of " + std::to_string(width) + " does not fit in memory");
  return static_cast<std::size_t>(std::max(width - static_cast<Int>(self.size()), Int{0}));
}

std::string ljust(Text self, Int width, Text fill) { return self + std::string(missing(self, width, fill), fill[0]); }
std::string rjust(Text self, Int width, Text fill) { return std::string(missing(self, width, fill), fill[0]) + self; }
std::string zero_fill(Text self, Int width) { return rjust(self, width, "0"); }

std::string center(Text self, Int width, Text fill) {
  const std::size_t total = missing(self, width, fill);
  const std::size_t left = total / 2 + (total & static_cast<std::size_t>(width) & 1);
  return std::string(left, fill[0]) + self + std::string(total - left, fill[0]);
}

// Columns count from the start of the string, lines or not.
std::string expand_tabs(Text self, Int tab_size) {
  if (tab_size > kLongest)
    throw Error(ErrorCode::kValue, "str: a tab of " + std::to_string(tab_size) + " does not fit in memory");
  std::string result;
  for (const char c : self) {
    if (c != '\t') {
      result += c;
    } else if (tab_size > 0) {
      const auto size = static_cast<std::size_t>(tab_size);
      result.append(size - result.size() % size, ' ');
    }
  }
  return result;
}

// --- numbers -------------------------------------------------------------------------------------------------------

std::string in_base(Int number, int base, const char* prefix) {
  char digits[65];
  const std::uint64_t magnitude =
      number < 0 ? 0 - static_cast<std::uint64_t>(number) : static_cast<std::uint64_t>(number);
  const auto end = std::to_chars(digits, digits + sizeof digits, magnitude, base).ptr;
  return (number < 0 ? "-" : "") + std::string(prefix) + std::string(digits, end);
}
std::string bin(Int number) { return in_base(number, 2, "0b"); }
std::string oct(Int number) { return in_base(number, 8, "0o"); }
std::string hex(Int number) { return in_base(number, 16, "0x"); }

std::string chr(Int number) {
  if (number < 0 || number > 127)
    throw Error(ErrorCode::kValue, "chr: the number is " + std::to_string(number) + "; it must be from 0 to 127");
  return {static_cast<char>(number)};
}

Int ord(Text self) {
  if (self.size() != 1)
    throw Error(ErrorCode::kType, "String for ord() must be 1 character, found " + std::to_string(self.size()));
  return static_cast<unsigned char>(self[0]);
}

// Where a number starts that may have spaces and a plus, which from_chars does not read, before it.
const char* number_start(Text self) {
  const char* const last = self.data() + self.size();
  const char* const first = std::find_if_not(self.data(), last, is_space);
  return last - first > 1 && first[0] == '+' && first[1] != '-' ? first + 1 : first;
}

Int to_int(Text self) {
  const char* const last = self.data() + self.size();
  Int number = 0;
  const auto [end, error] = std::from_chars(number_start(self), last, number);
  if (error == std::errc::result_out_of_range)
    throw Error(ErrorCode::kOverflow, "int: " + self + " does not fit in 64 bits; use a smaller number");
  if (error != std::errc() || end != last)
    throw Error(ErrorCode::kValue, "invalid literal for int() with base 10: '" + self + "'");
  return number;
}

double to_float(Text self) {
  const char* const last = self.data() + self.size();
  double number = 0;
  const auto [end, error] = std::from_chars(number_start(self), last, number);
  if (error != std::errc() || end != last)
    throw Error(ErrorCode::kValue, "could not convert string to float: '" + self + "'");
  return number;
}

constexpr OpDefinition kOps[] = {
    define_op<length>("aten::len.str(str s) -> int"),
    define_op<get_item>("aten::__getitem__.str(str s, int index) -> str"),
    define_op<get_item>("prim::StringIndex(str string, int index) -> str"),
    define_op<slice>("aten::slice.str(str string, int? start=None, int? end=None, int step=1) -> str"),
    define_op<concatenate>("aten::add.str(str a, str b) -> str"),
    define_op<map<to_upper>>("aten::upper(str self) -> str"),
    define_op<map<to_lower>>("aten::lower(str self) -> str"),
    define_op<map<swap_case>>("aten::swapcase(str self) -> str"),
    define_op<capitalize>("aten::capitalize(str self) -> str"),
    define_op<title>("aten::title(str self) -> str"),
    define_op<is_title>("aten::istitle(str self) -> bool"),
    define_op<has_case<is_upper, is_lower>>("aten::isupper(str self) -> bool"),
    define_op<has_case<is_lower, is_upper>>("aten::islower(str self) -> bool"),
    define_op<all_are<is_digit>>("aten::isdigit(str self) -> bool"),
    define_op<all_are<is_digit>>("aten::isdecimal(str self) -> bool"),
    define_op<all_are<is_digit>>("aten::isnumeric(str self) -> bool"),
    define_op<all_are<is_space>>("aten::isspace(str self) -> bool"),
    define_op<all_are<is_letter>>("aten::isalpha(str self) -> bool"),
    define_op<all_are<is_letter_or_digit>>("aten::isalnum(str self) -> bool"),
    define_op<is_identifier>("aten::isidentifier(str self) -> bool"),
    define_op<is_printable_text>("aten::isprintable(str self) -> bool"),
    define_op<strip<true, true>>("aten::strip(str self, str chars=\" \\n\\t\\f\\v\") -> str"),
    define_op<strip<true, false>>("aten::lstrip(str self, str chars=\" \\n\\t\\f\\v\") -> str"),
    define_op<strip<false, true>>("aten::rstrip(str self, str chars=\" \\n\\t\\f\\v\") -> str"),
    define_op<split>("aten::split.str(str self, str? separator=None, int max=-1) -> str[]"),
    define_op<rsplit>("aten::rsplit(str self, str separator=\" \", int max=-1) -> str[]"),
    define_op<split_lines>("aten::splitlines(str self, bool keepends=False) -> str[]"),
    define_op<partition>("aten::partition(str self, str separator) -> (str, str, str)"),
    define_op<rpartition>("aten::rpartition(str self, str separator) -> (str, str, str)"),
    define_op<join>("aten::join(str self, str[] values) -> str"),
    define_op<replace>("aten::replace(str self, str old, str new, int max=-1) -> str"),
    define_op<find<false>>("aten::find(str self, str substr, int start=0, int end=-1) -> int"),
    define_op<find<true>>("aten::rfind(str self, str substr, int start=0, int end=-1) -> int"),
    define_op<index<false>>("aten::index.str(str self, str substr, int start=0, int end=-1) -> int"),
    define_op<index<true>>("aten::rindex(str self, str substr, int start=0, int end=-1) -> int"),
    define_op<count>("aten::count(str self, str substr, int start=0, int end=-1) -> int"),
    define_op<starts_with>("aten::startswith(str self, str substr, int start=0, int end=-1) -> bool"),
    define_op<ends_with>("aten::endswith(str self, str substr, int start=0, int end=-1) -> bool"),
    define_op<ljust>("aten::ljust(str self, int width, str fillchar=\" \") -> str"),
    define_op<rjust>("aten::rjust(str self, int width, str fillchar=\" \") -> str"),
    define_op<center>("aten::center(str self, int width, str fillchar=\" \") -> str"),
    define_op<zero_fill>("aten::zfill(str self, int width) -> str"),
    define_op<expand_tabs>("aten::expandtabs(str self, int tabsize=8) -> str"),
    define_op<bin>("aten::bin(int i) -> str"),
    define_op<oct>("aten::oct(int i) -> str"),
    define_op<hex>("aten::hex(int i) -> str"),
    define_op<chr>("aten::chr(int i) -> str"),
    define_op<ord>("aten::ord(str string) -> int"),
    define_op<to_int>("aten::Int.str(str a) -> int"),
    define_op<to_float>("aten::Float.str(str a) -> float"),
};

}  // namespace

std::span<const OpDefinition> language_string_ops() { return kOps; }

}  // namespace threadwheel
