// Sums of products by index notation, "bij,bjk->bik": two operands at a time, each time as products of matrices.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "ops/compose.h"
#include "ops/families.h"
#include "ops/linalg/products.h"
#include "ops/shared/checks.h"
#include "ops/shared/elementwise.h"
#include "ops/shared/moves.h"
#include "ops/shared/shapes.h"
#include "ops/shared/views.h"

namespace threadwheel {
namespace {

// A dimension's name: a letter, or -1, -2, ... for those that "..." stands for, the last first.
using Label = int;
using Labels = std::vector<Label>;

struct Operand {
  Tensor tensor;
  Labels labels;  // one for each dimension, none twice
};

[[noreturn]] void fail_equation(const std::string& equation, const std::string& problem) {
  fail_value("einsum", "equation '" + equation + "' " + problem);
}

bool holds(const Labels& labels, Label label) { return std::ranges::find(labels, label) != labels.end(); }

// One side of the equation: its letters, and where "..." stands (the number of letters before it, or none).
struct Subscript {
  Labels letters;
  std::optional<std::size_t> ellipsis;
};

Subscript parse_subscript(const std::string& equation, const std::string& text) {
  Subscript result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ' ') continue;
    if (c == '.' && text.compare(i, 3, "...") == 0 && !result.ellipsis) {
      result.ellipsis = result.letters.size();
      i += 2;
    } else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
      result.letters.push_back(c);
    } else {
      fail_equation(equation, "holds '" + std::string(1, c) + "'; subscripts are letters and one '...'");
    }
  }
  return result;
}

// "..." written out for as many dimensions as it stands for.
Labels expand_ellipsis(const Subscript& subscript, std::size_t count) {
  Labels labels = subscript.letters;
  if (!subscript.ellipsis) return labels;
  Labels dots;
  for (std::size_t i = count; i-- > 0;) dots.push_back(-1 - static_cast<Label>(i));
  labels.insert(labels.begin() + static_cast<std::ptrdiff_t>(*subscript.ellipsis), dots.begin(), dots.end());
  return labels;
}

// "ii" names the diagonal: of dimensions of one name one stays.
Operand take_diagonals(const std::string& equation, const Tensor& tensor, const Labels& labels) {
  Operand operand;
  std::vector<std::int64_t> kept_sizes, kept_strides;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto found = std::ranges::find(operand.labels, labels[i]);
    if (found == operand.labels.end()) {
      operand.labels.push_back(labels[i]);
      kept_sizes.push_back(tensor.size(i));
      kept_strides.push_back(tensor.stride(i));
      continue;
    }
    const auto k = static_cast<std::size_t>(found - operand.labels.begin());
    if (kept_sizes[k] != tensor.size(i))
      fail_equation(equation, std::string("repeats '") + static_cast<char>(labels[i]) + "' for sizes " +
                                  std::to_string(kept_sizes[k]) + " and " + std::to_string(tensor.size(i)) +
                                  "; they must be equal");
    kept_strides[k] += tensor.stride(i);
  }
  operand.tensor = tensor.as_strided(Dims(kept_sizes), Dims(kept_strides));
  return operand;
}

Operand parse_operand(const std::string& equation, const std::string& text, const Tensor& tensor) {
  const Subscript subscript = parse_subscript(equation, text);
  const std::size_t rank = tensor.sizes().size(), named = subscript.letters.size();
  if (named > rank || (named < rank && !subscript.ellipsis))
    fail_equation(equation, "has " + std::to_string(named) + " subscripts for a tensor of sizes " +
                                to_string(tensor.sizes()) + "; name each dimension, or use '...'");
  return take_diagonals(equation, tensor, expand_ellipsis(subscript, rank - named));
}

std::vector<Operand> parse_operands(const std::string& equation, const std::string& left,
                                    std::span<const Tensor> tensors) {
  std::vector<Operand> operands;
  std::size_t start = 0;
  for (const Tensor& tensor : tensors) {
    if (start > left.size())
      fail_equation(equation, "has fewer subscripts than the " + std::to_string(tensors.size()) + " tensors");
    const std::size_t end = std::min(left.find(',', start), left.size());
    operands.push_back(parse_operand(equation, left.substr(start, end - start), tensor));
    start = end + 1;
  }
  if (start <= left.size())
    fail_equation(equation, "has more subscripts than the " + std::to_string(tensors.size()) + " tensors");
  return operands;
}

// Without "->": the dimensions of "...", then the letters that occur once, in the alphabet's order.
Labels default_output(const std::string& left, const std::vector<Operand>& operands) {
  Labels output;
  for (const Operand& operand : operands)
    for (const Label label : operand.labels)
      if (label < 0 && !holds(output, label)) output.push_back(label);
  std::ranges::sort(output);
  for (Label letter = 'A'; letter <= 'z'; ++letter)
    if (std::ranges::count(left, static_cast<char>(letter)) == 1) output.push_back(letter);
  return output;
}

Labels parse_output(const std::string& equation, const std::string& text, const std::vector<Operand>& operands) {
  const Subscript subscript = parse_subscript(equation, text);
  Label least = 0;
  for (const Operand& operand : operands)
    for (const Label label : operand.labels) least = std::min(least, label);
  const Labels output = expand_ellipsis(subscript, static_cast<std::size_t>(-least));
  for (const Label label : output) {
    if (std::ranges::count(output, label) > 1)
      fail_equation(equation,
                    std::string("has '") + static_cast<char>(label) + "' twice in its output; name each once");
    if (std::ranges::none_of(operands, [&](const Operand& operand) { return holds(operand.labels, label); }))
      fail_equation(equation, std::string("has '") + static_cast<char>(label) + "' in its output only");
  }
  return output;
}

// Every dimension of one name has one size, or 1, which repeats.
void check_sizes(const std::string& equation, const std::vector<Operand>& operands) {
  std::array<std::int64_t, 256> sizes;
  sizes.fill(1);
  for (const Operand& operand : operands)
    for (std::size_t i = 0; i < operand.labels.size(); ++i) {
      std::int64_t& known = sizes[static_cast<std::size_t>(operand.labels[i] + 128) & 255];
      const std::int64_t size = operand.tensor.size(i);
      if (known != 1 && size != 1 && known != size)
        fail_equation(equation, "names dimensions of sizes " + std::to_string(known) + " and " + std::to_string(size) +
                                    " alike; they must be equal or 1");
      if (size != 1) known = size;
    }
}

// The operand as [dimensions of each group in order]; a name it lacks, or has with size 1, repeats to `sizes`.
Tensor arrange(const Operand& operand, const Labels& order, const std::vector<std::int64_t>& sizes) {
  Dims strides(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto found = std::ranges::find(operand.labels, order[i]);
    if (found == operand.labels.end()) continue;
    const auto k = static_cast<std::size_t>(found - operand.labels.begin());
    if (operand.tensor.size(k) != 1) strides[i] = operand.tensor.stride(k);
  }
  return operand.tensor.as_strided(Dims(sizes), std::move(strides));
}

struct Group {
  Labels labels;
  std::vector<std::int64_t> sizes;

  std::int64_t numel() const { return count_elements(sizes); }
};

Labels joined(std::initializer_list<const Group*> groups) {
  Labels labels;
  for (const Group* group : groups) labels.insert(labels.end(), group->labels.begin(), group->labels.end());
  return labels;
}

std::vector<std::int64_t> joined_sizes(std::initializer_list<const Group*> groups) {
  std::vector<std::int64_t> sizes;
  for (const Group* group : groups) sizes.insert(sizes.end(), group->sizes.begin(), group->sizes.end());
  return sizes;
}

std::int64_t size_of(const Operand& operand, Label label) {
  const auto found = std::ranges::find(operand.labels, label);
  return found == operand.labels.end() ? 1
                                       : operand.tensor.size(static_cast<std::size_t>(found - operand.labels.begin()));
}

// The product of two operands, summed over all names that are not in `wanted`: [batch, m, k] times [batch, k, n].
Operand contract(const Operand& a, const Operand& b, const Labels& wanted) {
  Group batch, rows, columns, inner;
  const auto place = [&](Label label, bool in_a, bool in_b) {
    Group& group = !holds(wanted, label) ? inner : in_a && in_b ? batch : in_a ? rows : columns;
    group.labels.push_back(label);
    group.sizes.push_back(std::max(size_of(a, label), size_of(b, label)));
    if (size_of(a, label) == 0 || size_of(b, label) == 0) group.sizes.back() = 0;
  };
  for (const Label label : a.labels) place(label, true, holds(b.labels, label));
  for (const Label label : b.labels)
    if (!holds(a.labels, label)) place(label, false, true);
  const std::int64_t batches = batch.numel(), m = rows.numel(), n = columns.numel(), k = inner.numel();
  const Tensor left = views::reshape(arrange(a, joined({&batch, &rows, &inner}), joined_sizes({&batch, &rows, &inner})),
                                     Dims{batches, m, k});
  const Tensor right = views::reshape(
      arrange(b, joined({&batch, &inner, &columns}), joined_sizes({&batch, &inner, &columns})), Dims{batches, k, n});
  Tensor product = Tensor::empty(Dims{batches, m, n}, a.tensor.dtype());
  for (std::int64_t i = 0; i < batches; ++i)
    copy_elements(mm(views::select(left, 0, i), views::select(right, 0, i)), views::select(product, 0, i));
  return {views::reshape(product, Dims(joined_sizes({&batch, &rows, &columns}))), joined({&batch, &rows, &columns})};
}

// One operand alone: what is not in the output is summed, and integers become int64, as sums have it.
Operand sum_out(const Operand& operand, const Labels& output) {
  IntList dims;
  Operand result{operand.tensor, {}};
  for (std::size_t i = 0; i < operand.labels.size(); ++i) {
    if (holds(output, operand.labels[i])) result.labels.push_back(operand.labels[i]);
    else dims.push_back(static_cast<std::int64_t>(i));
  }
  result.tensor = aten("sum.dim_IntList", {operand.tensor, dims});
  return result;
}

Tensor einsum(const std::string& equation, std::span<const Tensor> tensors,
              std::optional<std::span<const std::int64_t>>) {
  if (tensors.empty()) fail_equation(equation, "has no tensors; give one or more");
  const std::size_t arrow = equation.find("->");
  const std::string left = equation.substr(0, arrow);
  std::vector<Operand> operands = parse_operands(equation, left, tensors);
  const Labels output = arrow == std::string::npos ? default_output(left, operands)
                                                   : parse_output(equation, equation.substr(arrow + 2), operands);
  check_sizes(equation, operands);
  Operand result = operands[0];
  const bool plain = operands.size() == 1 && output.size() == result.labels.size();  // nothing to sum
  if (operands.size() == 1 && !plain) {
    result = sum_out(result, output);
  }
  for (std::size_t i = 1; i < operands.size(); ++i) {
    Labels wanted = output;  // and all that later operands need
    for (std::size_t k = i + 1; k < operands.size(); ++k)
      wanted.insert(wanted.end(), operands[k].labels.begin(), operands[k].labels.end());
    result = contract(result, operands[i], wanted);
  }
  Dims order(output.size());
  for (std::size_t i = 0; i < output.size(); ++i)
    order[i] = std::ranges::find(result.labels, output[i]) - result.labels.begin();
  return views::permute(result.tensor, order);
}

constexpr OpDefinition kOps[] = {
    define_op<in_float<einsum>>("aten::einsum(str equation, Tensor[] tensors, *, int[]? path=None) -> Tensor"),
};

}  // namespace

std::span<const OpDefinition> einsum_ops() { return kOps; }

}  // namespace threadwheel
