// Tensors from nothing: constants, ranges, triangles, lists of numbers.
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "ops/compose.h"
#include "ops/families.h"
#include "ops/shared/elementwise.h"
#include "ops/shared/numbers.h"
#include "ops/shared/options.h"
#include "tensor/layout.h"
#include "threadwheel/error.h"

namespace threadwheel {
namespace {

using Sizes = std::span<const std::int64_t>;
using MaybeDType = std::optional<DType>;

// The dtype of a factory without one: the default floating one.
constexpr DType kDefault = DType::kFloat32;

void check_options(const char* op, const Value& layout, const Value& device) {
  check_layout(op, layout);
  check_device(op, device);
}

Tensor filled(const char* op, Sizes sizes, Scalar value, DType dtype) {
  check_fits(op, value, dtype);
  Tensor out = Tensor::empty(sizes, dtype);
  convert_into(out, scalar_tensor(value, dtype), op);
  return out;
}

// --- constants: of given sizes, like a tensor, with a tensor's dtype ---------------------------------

Tensor empty(Sizes size, MaybeDType dtype, const Value& layout, const Value& device, const Value& /*pin_memory*/,
             const Value& memory_format) {
  check_options("empty", layout, device);
  check_memory_format("empty", memory_format);
  return Tensor::empty(size, dtype.value_or(kDefault));
}

Tensor empty_strided_of(const char* op, Sizes size, Sizes stride, DType dtype, const Value& layout,
                        const Value& device) {
  check_options(op, layout, device);
  if (size.size() != stride.size())
    throw Error(ErrorCode::kValue, std::string(op) + ": size is " + to_string(size) + " and stride " +
                                       to_string(stride) + "; they must have the same length");
  std::int64_t reach = count_elements(size) == 0 ? 0 : 1;
  bool fits = true;
  for (std::size_t i = 0; i < size.size() && reach > 0; ++i) {
    std::int64_t steps = 0;
    fits &= stride[i] >= 0 && !__builtin_mul_overflow(size[i] - 1, stride[i], &steps) &&
            !__builtin_add_overflow(reach, steps, &reach);
  }
  if (!fits)
    throw Error(ErrorCode::kValue, std::string(op) + ": stride is " + to_string(stride) + " for sizes " +
                                       to_string(size) + "; strides must be 0 or more and fit in memory");
  const Tensor flat = Tensor::empty(std::array{reach}, dtype);
  return flat.as_strided(Dims(size), Dims(stride));
}

Tensor empty_strided(Sizes size, Sizes stride, MaybeDType dtype, const Value& layout, const Value& device,
                     const Value& /*pin_memory*/) {
  return empty_strided_of("empty_strided", size, stride, dtype.value_or(kDefault), layout, device);
}

Tensor new_empty_strided(const Tensor& self, Sizes size, Sizes stride, MaybeDType dtype, const Value& layout,
                         const Value& device, const Value& /*pin_memory*/) {
  return empty_strided_of("new_empty_strided", size, stride, dtype.value_or(self.dtype()), layout, device);
}

template <std::int64_t Number>
Tensor constant(Sizes size, MaybeDType dtype, const Value& layout, const Value& device, const Value& /*pin_memory*/) {
  constexpr const char* kOp = Number == 0 ? "zeros" : "ones";
  check_options(kOp, layout, device);
  return filled(kOp, size, Number, dtype.value_or(kDefault));
}

Tensor full(Sizes size, Scalar fill_value, MaybeDType dtype, const Value& layout, const Value& device,
            const Value& /*pin_memory*/) {
  check_options("full", layout, device);
  return filled("full", size, fill_value, dtype.value_or(default_dtype(fill_value.category())));
}

// full before file format 5: without a dtype, a float whatever the number is.
Tensor legacy_full(Sizes size, Scalar fill_value, MaybeDType dtype, const Value& layout, const Value& device,
                   const Value& pin_memory) {
  return full(size, fill_value, dtype.value_or(kDefault), layout, device, pin_memory);
}

Tensor empty_like(const Tensor& self, MaybeDType dtype, const Value& layout, const Value& device,
                  const Value& pin_memory, const Value& memory_format) {
  const Tensor fresh = empty(self.sizes(), dtype.value_or(self.dtype()), layout, device, pin_memory, memory_format);
  return format_or_preserve(memory_format) == kPreserveFormat ? ordered_as(self, fresh) : fresh;
}

Tensor full_like(const Tensor& self, Scalar fill_value, MaybeDType dtype, const Value& layout, const Value& device,
                 const Value& /*pin_memory*/, const Value& memory_format) {
  check_options("full_like", layout, device);
  check_memory_format("full_like", memory_format);
  const Tensor fresh = filled("full_like", self.sizes(), fill_value, dtype.value_or(self.dtype()));
  return format_or_preserve(memory_format) == kPreserveFormat ? ordered_as(self, fresh) : fresh;
}

template <std::int64_t Number>
Tensor constant_like(const Tensor& self, MaybeDType dtype, const Value& layout, const Value& device,
                     const Value& pin_memory, const Value& memory_format) {
  return full_like(self, Number, dtype, layout, device, pin_memory, memory_format);
}

Tensor new_empty(const Tensor& self, Sizes size, MaybeDType dtype, const Value& layout, const Value& device,
                 const Value& /*pin_memory*/) {
  check_options("new_empty", layout, device);
  return Tensor::empty(size, dtype.value_or(self.dtype()));
}

Tensor new_full(const Tensor& self, Sizes size, Scalar fill_value, MaybeDType dtype, const Value& layout,
                const Value& device, const Value& /*pin_memory*/) {
  check_options("new_full", layout, device);
  return filled("new_full", size, fill_value, dtype.value_or(self.dtype()));
}

template <std::int64_t Number>
Tensor new_constant(const Tensor& self, Sizes size, MaybeDType dtype, const Value& layout, const Value& device,
                    const Value& pin_memory) {
  return new_full(self, size, Number, dtype, layout, device, pin_memory);
}

// --- ranges ----------------------------------------------------------------------------------------

// [f(0), f(1), ...] as T, converted.
template <class T, class Function>
Tensor generate(std::int64_t n, DType dtype, const char* op, Function function) {
  const Tensor out = Tensor::empty(std::array{n}, DTypeOf<T>::value);
  for (std::int64_t i = 0; i < n; ++i) out.data<T>()[i] = function(i);
  return convert(out, dtype, op);
}

bool is_integer(Scalar number) { return number.category() <= DTypeCategory::kInteger; }

// How many steps there are from start to end, the end not included.
std::int64_t count_steps(double start, double end, double distance, double step) {
  const double count = std::ceil(distance / step);
  if (step == 0 || !std::isfinite(start) || !std::isfinite(end) || !std::isfinite(step) ||
      (distance != 0 && (distance > 0) != (step > 0)) || !(count < 0x1.0p62))
    throw Error(ErrorCode::kValue, "arange: start is " + std::to_string(start) + ", end " + std::to_string(end) +
                                       ", step " + std::to_string(step) +
                                       "; they must be finite, step not 0 and towards end");
  return static_cast<std::int64_t>(count);
}

// Of an integer dtype, the limits lose their fractions first, as in torch. Differences are exact.
Tensor arange_integers(std::int64_t start, std::int64_t end, std::int64_t step, DType dtype) {
  std::int64_t distance = 0;
  if (__builtin_sub_overflow(end, start, &distance)) distance = end > start ? INT64_MAX : INT64_MIN;
  const std::int64_t n = count_steps(static_cast<double>(start), static_cast<double>(end),
                                     static_cast<double>(distance), static_cast<double>(step));
  return generate<std::int64_t>(n, dtype, "arange", [&](std::int64_t i) { return start + step * i; });
}

Tensor arange_of(Scalar start, Scalar end, Scalar step, MaybeDType dtype, const Value& layout, const Value& device) {
  check_options("arange", layout, device);
  const bool integers = is_integer(start) && is_integer(end) && is_integer(step);
  const DType result = dtype.value_or(integers ? DType::kInt64 : kDefault);
  if (is_complex(result) || result == DType::kBool)
    throw Error(ErrorCode::kUnsupported,
                std::string("arange: unsupported dtype ") + dtype_name(result) + "; supported are integers and floats");
  if (integers || result == DType::kInt64)
    return arange_integers(start.to<std::int64_t>(), end.to<std::int64_t>(), step.to<std::int64_t>(), result);
  const auto first = start.to<double>(), last = end.to<double>(), by = step.to<double>();
  return generate<double>(count_steps(first, last, last - first, by), result, "arange",
                          [&](std::int64_t i) { return first + by * static_cast<double>(i); });
}

Tensor arange(Scalar end, MaybeDType dtype, const Value& layout, const Value& device, const Value& /*pin_memory*/) {
  return arange_of(std::int64_t{0}, end, std::int64_t{1}, dtype, layout, device);
}

Tensor arange_start(Scalar start, Scalar end, MaybeDType dtype, const Value& layout, const Value& device,
                    const Value& /*pin_memory*/) {
  return arange_of(start, end, std::int64_t{1}, dtype, layout, device);
}

Tensor arange_step(Scalar start, Scalar end, Scalar step, MaybeDType dtype, const Value& layout, const Value& device,
                   const Value& /*pin_memory*/) {
  return arange_of(start, end, step, dtype, layout, device);
}

// `steps` numbers from start to end, each computed from the nearer end.
template <class T, class Function>
Tensor spread(const char* op, T start, T end, std::int64_t steps, DType dtype, Function function) {
  const T step = steps > 1 ? (end - start) / static_cast<T>(static_cast<double>(steps - 1)) : T(0);
  return generate<T>(steps, dtype, op, [&](std::int64_t i) {
    const bool low = i < steps / 2 || steps == 1;
    const auto distance = static_cast<T>(static_cast<double>(low ? i : steps - 1 - i));
    return function(low ? start + step * distance : end - step * distance);
  });
}

template <class Function>
Tensor space(const char* op, Scalar start, Scalar end, std::int64_t steps, MaybeDType dtype, const Value& layout,
             const Value& device, Function function) {
  check_options(op, layout, device);
  if (steps < 0)
    throw Error(ErrorCode::kValue, std::string(op) + ": steps is " + std::to_string(steps) + "; expected 0 or more");
  const bool complex = start.category() == DTypeCategory::kComplex || end.category() == DTypeCategory::kComplex;
  const DType result = dtype.value_or(complex ? DType::kComplex64 : kDefault);
  if (complex && !is_complex(result))
    throw Error(ErrorCode::kValue, std::string(op) + ": a limit is complex and the dtype " + dtype_name(result) +
                                       "; use a complex dtype");
  if (result == DType::kBool)
    throw Error(ErrorCode::kUnsupported,
                std::string(op) + ": unsupported dtype bool; supported are integers, floats and complex dtypes");
  if (is_integral(result)) {  // the limits lose their fractions first, as in torch
    const auto first = start.to<std::int64_t>(), last = end.to<std::int64_t>();
    if (result == DType::kUInt8 && std::min(first, last) < 0)
      throw Error(ErrorCode::kValue, std::string(op) + ": a limit is " + std::to_string(std::min(first, last)) +
                                         " for uint8; expected 0 or more");
    return spread(op, static_cast<double>(first), static_cast<double>(last), steps, result, function);
  }
  if (is_complex(result)) return spread(op, start.to<Complex>(), end.to<Complex>(), steps, result, function);
  return spread(op, start.to<double>(), end.to<double>(), steps, result, function);
}

Tensor linspace(Scalar start, Scalar end, std::int64_t steps, MaybeDType dtype, const Value& layout,
                const Value& device, const Value& /*pin_memory*/) {
  return space("linspace", start, end, steps, dtype, layout, device, [](auto x) { return x; });
}

Tensor logspace(Scalar start, Scalar end, std::int64_t steps, double base, MaybeDType dtype, const Value& layout,
                const Value& device, const Value& /*pin_memory*/) {
  return space("logspace", start, end, steps, dtype, layout, device,
               [&](auto x) { return std::pow(decltype(x)(base), x); });
}

// Limits that are tensors without dimensions.
Scalar limit(const char* op, const Value& value) {
  if (!value.is_tensor()) return value.to_scalar();
  if (value.to_tensor().dim() != 0)
    throw Error(ErrorCode::kValue, std::string(op) + ": a limit has sizes " + to_string(value.to_tensor().sizes()) +
                                       "; expected a tensor without dimensions");
  return aten_value("item", {value}).to_scalar();
}

Tensor linspace_tensors(const Value& start, const Value& end, std::int64_t steps, MaybeDType dtype,
                        const Value& layout, const Value& device, const Value& pin_memory) {
  return linspace(limit("linspace", start), limit("linspace", end), steps, dtype, layout, device, pin_memory);
}

Tensor logspace_tensors(const Value& start, const Value& end, std::int64_t steps, double base, MaybeDType dtype,
                        const Value& layout, const Value& device, const Value& pin_memory) {
  return logspace(limit("logspace", start), limit("logspace", end), steps, base, dtype, layout, device, pin_memory);
}

// Before file formats 8 and 9 the number of steps could be left out.
constexpr std::int64_t kLegacySteps = 100;

Tensor legacy_linspace(Scalar start, Scalar end, std::optional<std::int64_t> steps, MaybeDType dtype,
                       const Value& layout, const Value& device, const Value& pin_memory) {
  return linspace(start, end, steps.value_or(kLegacySteps), dtype, layout, device, pin_memory);
}

Tensor legacy_logspace(Scalar start, Scalar end, std::optional<std::int64_t> steps, double base, MaybeDType dtype,
                       const Value& layout, const Value& device, const Value& pin_memory) {
  return logspace(start, end, steps.value_or(kLegacySteps), base, dtype, layout, device, pin_memory);
}

// --- matrices --------------------------------------------------------------------------------------

Tensor eye_m(std::int64_t n, std::int64_t m, MaybeDType dtype, const Value& layout, const Value& device,
             const Value& /*pin_memory*/) {
  check_options("eye", layout, device);
  Tensor out = filled("eye", std::array{n, m}, std::int64_t{0}, dtype.value_or(kDefault));
  const Tensor diagonal = out.as_strided({std::min(n, m)}, {m + 1});
  convert_into(diagonal, scalar_tensor(true, out.dtype()), "eye");
  return out;
}

Tensor eye(std::int64_t n, MaybeDType dtype, const Value& layout, const Value& device, const Value& pin_memory) {
  return eye_m(n, n, dtype, layout, device, pin_memory);
}

// The columns [first, last) of `row` that lie below the diagonal (and on it), or above.
std::pair<std::int64_t, std::int64_t> triangle_row(bool lower, std::int64_t row, std::int64_t columns,
                                                   std::int64_t diagonal) {
  // The diagonal is limited first, so that row + diagonal does not overflow.
  const std::int64_t limit = std::clamp(diagonal, -row - 1, columns);
  const std::int64_t border = std::clamp<std::int64_t>(row + limit + (lower ? 1 : 0), 0, columns);
  return lower ? std::pair<std::int64_t, std::int64_t>(0, border) : std::pair(border, columns);
}

// Sets what is outside of the triangle to zero, matrix by matrix.
void clear_outside(const char* op, const Tensor& out, bool lower, std::int64_t diagonal) {
  const std::size_t rank = out.sizes().size();
  if (rank < 2)
    throw Error(ErrorCode::kValue, std::string(op) + ": the tensor has sizes " + to_string(out.sizes()) +
                                       "; expected two dimensions or more");
  const Tensor zero = scalar_tensor(false, out.dtype());
  const std::int64_t columns = out.size(rank - 1);
  for (std::int64_t row = 0; row < out.size(rank - 2); ++row) {
    const auto [first, last] = triangle_row(lower, row, columns, diagonal);
    const std::int64_t from = lower ? last : 0, count = lower ? columns - last : first;
    Dims sizes = out.sizes();
    sizes[rank - 2] = 1;
    sizes[rank - 1] = count;
    const std::int64_t offset = row * out.stride(rank - 2) + from * out.stride(rank - 1);
    if (count > 0 && out.numel() > 0) convert_into(out.as_strided(std::move(sizes), out.strides(), offset), zero, op);
  }
}

template <bool Lower, Into Where = Into::kNew>
Tensor triangle(const Tensor& self, std::int64_t diagonal) {
  const char* const op = Lower ? "tril" : "triu";
  Tensor out = self;
  if (Where == Into::kSelf) {
    check_writable(self, op);
  } else {
    out = Tensor::empty(self.sizes(), self.dtype());
    convert_into(out, self, op);
  }
  clear_outside(op, out, Lower, diagonal);
  return out;
}

// [2, n]: rows and columns of the elements of a triangle, row by row.
template <bool Lower>
Tensor triangle_indices(std::int64_t row, std::int64_t col, std::int64_t offset, MaybeDType dtype, const Value& layout,
                        const Value& device, const Value& /*pin_memory*/) {
  const char* const op = Lower ? "tril_indices" : "triu_indices";
  check_options(op, layout, device);
  if (row < 0 || col < 0)
    throw Error(ErrorCode::kValue, std::string(op) + ": row is " + std::to_string(row) + " and col " +
                                       std::to_string(col) + "; both must be 0 or more");
  std::vector<std::int64_t> rows, columns;
  for (std::int64_t i = 0; i < row; ++i) {
    const auto [first, last] = triangle_row(Lower, i, col, offset);
    for (std::int64_t j = first; j < last; ++j) {
      rows.push_back(i);
      columns.push_back(j);
    }
  }
  const auto n = static_cast<std::int64_t>(rows.size());
  Tensor out = Tensor::empty(std::array<std::int64_t, 2>{2, n}, DType::kInt64);
  std::ranges::copy(rows, out.data<std::int64_t>());
  std::ranges::copy(columns, out.data<std::int64_t>() + n);
  return convert(out, dtype.value_or(DType::kInt64), op);
}

// --- from numbers ----------------------------------------------------------------------------------

Tensor scalar_tensor_op(Scalar s, MaybeDType dtype, const Value& layout, const Value& device,
                        const Value& /*pin_memory*/) {
  check_options("scalar_tensor", layout, device);
  return filled("scalar_tensor", {}, s, dtype.value_or(kDefault));
}

template <class Number>
Tensor tensor_of_number(Number t, MaybeDType dtype, const Value& device) {
  check_device("tensor", device);
  const Scalar number(t);
  return filled("tensor", {}, number, dtype.value_or(default_dtype(number.category())));
}

template <class Number>
Tensor tensor_of_number_grad(Number t, MaybeDType dtype, const Value& device, bool /*requires_grad*/) {
  return tensor_of_number<Number>(t, dtype, device);
}

Tensor tensor_of_list(const Value& data, MaybeDType dtype, const Value& device) {
  check_device("tensor", device);
  return tensor_of("tensor", data, dtype);
}

Tensor tensor_of_list_grad(const Value& data, MaybeDType dtype, const Value& device, bool /*requires_grad*/) {
  return tensor_of_list(data, dtype, device);
}

Tensor as_tensor(const Tensor& data, MaybeDType dtype, const Value& device) {
  check_device("as_tensor", device);
  return convert(data, dtype.value_or(data.dtype()), "as_tensor");
}

// --- from tensors ----------------------------------------------------------------------------------

// self: int64 of any sizes -> [..., num_classes], 1 at each class.
Tensor one_hot(const Tensor& self, std::int64_t num_classes) {
  if (self.dtype() != DType::kInt64)
    throw Error(ErrorCode::kUnsupported,
                std::string("one_hot: unsupported dtype ") + dtype_name(self.dtype()) + "; supported is int64");
  const Tensor classes = self.contiguous();
  const std::span values(classes.data<const std::int64_t>(), static_cast<std::size_t>(classes.numel()));
  if (values.empty() && num_classes <= 0)
    throw Error(ErrorCode::kValue, "one_hot: the tensor is empty; give num_classes");
  std::int64_t count = num_classes;
  if (num_classes == -1) {
    const std::int64_t largest = *std::ranges::max_element(values);
    count = largest < INT64_MAX ? largest + 1 : largest;  // which the check below then refuses
  }
  for (const std::int64_t value : values)
    if (value < 0 || value >= count)
      throw Error(ErrorCode::kValue, "one_hot: a class is " + std::to_string(value) + " and num_classes " +
                                         std::to_string(count) + "; classes must be 0 or more and less than that");
  Dims sizes(self.sizes().size() + 1, count);
  std::ranges::copy(self.sizes(), sizes.begin());
  Tensor out = filled("one_hot", sizes, std::int64_t{0}, DType::kInt64);
  for (std::size_t i = 0; i < values.size(); ++i)
    out.data<std::int64_t>()[static_cast<std::int64_t>(i) * count + values[i]] = 1;
  return out;
}

constexpr OpDefinition kOps[] = {
    define_op<empty>(
        "aten::empty.memory_format(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? "
        "device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor"),
    define_op<empty_strided>(
        "aten::empty_strided(SymInt[] size, SymInt[] stride, *, ScalarType? dtype=None, Layout? layout=None, "
        "Device? device=None, bool? pin_memory=None) -> Tensor"),
    define_op<new_empty_strided>(
        "aten::new_empty_strided(Tensor self, SymInt[] size, SymInt[] stride, *, ScalarType? dtype=None, Layout? "
        "layout=None, Device? device=None, bool? pin_memory=None) -> Tensor"),
    define_op<constant<0>>(
        "aten::zeros(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
        "pin_memory=None) -> Tensor"),
    define_op<constant<1>>(
        "aten::ones(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
        "pin_memory=None) -> Tensor"),
    define_op<full>(
        "aten::full(SymInt[] size, Scalar fill_value, *, ScalarType? dtype=None, Layout? layout=None, Device? "
        "device=None, bool? pin_memory=None) -> Tensor"),
    define_op<legacy_full>(
        "legacy::full(int[] size, Scalar fill_value, *, ScalarType? dtype=None, Layout? layout=None, Device? "
        "device=None, bool? pin_memory=None) -> Tensor"),
    define_op<empty_like>(
        "aten::empty_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
        "pin_memory=None, MemoryFormat? memory_format=None) -> Tensor"),
    define_op<constant_like<0>>(
        "aten::zeros_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
        "pin_memory=None, MemoryFormat? memory_format=None) -> Tensor"),
    define_op<constant_like<1>>(
        "aten::ones_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
        "pin_memory=None, MemoryFormat? memory_format=None) -> Tensor"),
    define_op<full_like>(
        "aten::full_like(Tensor self, Scalar fill_value, *, ScalarType? dtype=None, Layout? layout=None, Device? "
        "device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor"),
    define_op<new_empty>(
        "aten::new_empty(Tensor self, SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? "
        "device=None, bool? pin_memory=None) -> Tensor"),
    define_op<new_constant<0>>(
        "aten::new_zeros(Tensor self, SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? "
        "device=None, bool? pin_memory=None) -> Tensor"),
    define_op<new_constant<1>>(
        "aten::new_ones(Tensor self, SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? "
        "device=None, bool? pin_memory=None) -> Tensor"),
    define_op<new_full>(
        "aten::new_full(Tensor self, SymInt[] size, Scalar fill_value, *, ScalarType? dtype=None, Layout? "
        "layout=None, Device? device=None, bool? pin_memory=None) -> Tensor"),
    define_op<arange>(
        "aten::arange(Scalar end, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
        "pin_memory=None) -> Tensor"),
    define_op<arange_start>(
        "aten::arange.start(Scalar start, Scalar end, *, ScalarType? dtype=None, Layout? layout=None, Device? "
        "device=None, bool? pin_memory=None) -> Tensor"),
    define_op<arange_step>(
        "aten::arange.start_step(Scalar start, Scalar end, Scalar step=1, *, ScalarType? dtype=None, Layout? "
        "layout=None, Device? device=None, bool? pin_memory=None) -> Tensor"),
    define_op<linspace>(
        "aten::linspace(Scalar start, Scalar end, int steps, *, ScalarType? dtype=None, Layout? layout=None, "
        "Device? device=None, bool? pin_memory=None) -> Tensor"),
    define_op<logspace>(
        "aten::logspace(Scalar start, Scalar end, int steps, float base=10., *, ScalarType? dtype=None, Layout? "
        "layout=None, Device? device=None, bool? pin_memory=None) -> Tensor"),
    define_op<linspace_tensors>(
        "aten::linspace.Tensor_Tensor(Tensor start, Tensor end, int steps, *, ScalarType? dtype=None, Layout? "
        "layout=None, Device? device=None, bool? pin_memory=None) -> Tensor"),
    define_op<linspace_tensors>(
        "aten::linspace.Tensor_Scalar(Tensor start, Scalar end, int steps, *, ScalarType? dtype=None, Layout? "
        "layout=None, Device? device=None, bool? pin_memory=None) -> Tensor"),
    define_op<linspace_tensors>(
        "aten::linspace.Scalar_Tensor(Scalar start, Tensor end, int steps, *, ScalarType? dtype=None, Layout? "
        "layout=None, Device? device=None, bool? pin_memory=None) -> Tensor"),
    define_op<logspace_tensors>(
        "aten::logspace.Tensor_Tensor(Tensor start, Tensor end, int steps, float base=10., *, ScalarType? dtype=None, "
        "Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor"),
    define_op<logspace_tensors>(
        "aten::logspace.Tensor_Scalar(Tensor start, Scalar end, int steps, float base=10., *, ScalarType? dtype=None, "
        "Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor"),
    define_op<logspace_tensors>(
        "aten::logspace.Scalar_Tensor(Scalar start, Tensor end, int steps, float base=10., *, ScalarType? dtype=None, "
        "Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor"),
    define_op<legacy_linspace>(
        "legacy::linspace(Scalar start, Scalar end, int? steps=None, *, ScalarType? dtype=None, Layout? layout=None, "
        "Device? device=None, bool? pin_memory=None) -> Tensor"),
    define_op<legacy_logspace>(
        "legacy::logspace(Scalar start, Scalar end, int? steps=None, float base=10., *, ScalarType? dtype=None, "
        "Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor"),
    define_op<eye>(
        "aten::eye(SymInt n, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
        "pin_memory=None) -> Tensor"),
    define_op<eye_m>(
        "aten::eye.m(SymInt n, SymInt m, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
        "bool? pin_memory=None) -> Tensor"),
    define_op<triangle<true>>("aten::tril(Tensor self, SymInt diagonal=0) -> Tensor"),
    define_op<triangle<true, Into::kSelf>>("aten::tril_(Tensor(a!) self, SymInt diagonal=0) -> Tensor(a!)"),
    define_op<triangle<false>>("aten::triu(Tensor self, SymInt diagonal=0) -> Tensor"),
    define_op<triangle<false, Into::kSelf>>("aten::triu_(Tensor(a!) self, SymInt diagonal=0) -> Tensor(a!)"),
    define_op<triangle_indices<true>>(
        "aten::tril_indices(int row, int col, int offset=0, *, ScalarType? dtype=4, Layout? layout=None, Device? "
        "device=None, bool? pin_memory=None) -> Tensor"),
    define_op<triangle_indices<false>>(
        "aten::triu_indices(int row, int col, int offset=0, *, ScalarType? dtype=4, Layout? layout=None, Device? "
        "device=None, bool? pin_memory=None) -> Tensor"),
    define_op<scalar_tensor_op>(
        "aten::scalar_tensor(Scalar s, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
        "pin_memory=None) -> Tensor"),
    define_op<tensor_of_number_grad<bool>>(
        "aten::tensor.bool(bool t, *, ScalarType? dtype=None, Device? device=None, bool requires_grad=False) -> "
        "Tensor"),
    define_op<tensor_of_number_grad<double>>(
        "aten::tensor.float(float t, *, ScalarType? dtype=None, Device? device=None, bool requires_grad=False) -> "
        "Tensor"),
    define_op<tensor_of_number_grad<std::int64_t>>(
        "aten::tensor.int(int t, *, ScalarType? dtype=None, Device? device=None, bool requires_grad=False) -> Tensor"),
    define_op<tensor_of_number_grad<Complex>>(
        "aten::tensor.complex(complex t, *, ScalarType? dtype=None, Device? device=None, bool "
        "requires_grad=False) -> Tensor"),
    define_op<tensor_of_list_grad>(
        "aten::tensor(t[] data, *, ScalarType? dtype=None, Device? device=None, bool requires_grad=False) -> Tensor"),
    define_op<tensor_of_number<bool>>(
        "aten::as_tensor.bool(bool t, *, ScalarType? dtype=None, Device? device=None) -> Tensor"),
    define_op<tensor_of_number<double>>(
        "aten::as_tensor.float(float t, *, ScalarType? dtype=None, Device? device=None) -> Tensor"),
    define_op<tensor_of_number<std::int64_t>>(
        "aten::as_tensor.int(int t, *, ScalarType? dtype=None, Device? device=None) -> Tensor"),
    define_op<tensor_of_number<Complex>>(
        "aten::as_tensor.complex(complex t, *, ScalarType? dtype=None, Device? device=None) -> Tensor"),
    define_op<as_tensor>(
        "aten::as_tensor(Tensor(a) data, *, ScalarType? dtype=None, Device? device=None) -> Tensor(b|a)"),
    define_op<tensor_of_list>(
        "aten::as_tensor.list(t[] data, *, ScalarType? dtype=None, Device? device=None) -> Tensor"),
    define_op<one_hot>("aten::one_hot(Tensor self, int num_classes=-1) -> Tensor"),
};

}  // namespace

std::span<const OpDefinition> factory_ops() { return kOps; }

}  // namespace threadwheel
