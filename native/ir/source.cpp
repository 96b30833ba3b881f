// Lines and columns of offsets, and the text of errors.
#include "ir/source.h"

#include <algorithm>
#include <utility>

namespace threadwheel::ir {

Source::Source(std::string name, std::string text, int first_line, int indent)
    : name_(std::move(name)), text_(std::move(text)), first_line_(first_line), indent_(indent) {
  lines_.push_back(0);
  for (std::size_t i = 0; i < text_.size(); ++i)
    if (text_[i] == '\n') lines_.push_back(static_cast<std::uint32_t>(i + 1));
}

Source::Position Source::position(std::uint32_t offset) const {
  const auto next = std::ranges::upper_bound(lines_, offset);
  const auto line = static_cast<int>(next - lines_.begin()) - 1;
  const auto column = static_cast<int>(offset - lines_[static_cast<std::size_t>(line)]);
  return {first_line_ + line, indent_ + column + 1};
}

std::uint32_t Source::line_begin(std::uint32_t offset) const { return *(std::ranges::upper_bound(lines_, offset) - 1); }

std::string Range::place() const {
  if (source == nullptr) return "?";
  const auto [line, column] = source->position(begin);
  return source->name() + ":" + std::to_string(line) + ":" + std::to_string(column);
}

std::string Range::highlight() const {
  if (source == nullptr) return "";
  const std::uint32_t start = source->line_begin(begin);
  const std::size_t stop = std::min(source->text().find('\n', start), source->text().size());
  const std::string line = source->text().substr(start, stop - start);
  const std::size_t marked = std::max<std::size_t>(1, std::min<std::size_t>(end, stop) - begin);
  return "    " + line + "\n    " + std::string(begin - start, ' ') + std::string(marked, '~') + " <--- here";
}

void fail(const Range& range, const std::string& problem, ErrorCode code) {
  throw Error(code, range.place() + ": " + problem + "\n" + range.highlight());
}

}  // namespace threadwheel::ir
