// Tensors as text. One walk over the elements that are shown finds out how to write them, a second one writes.
#include "tensor/format.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <mutex>
#include <vector>

#include "parallel/fork_gate.h"
#include "tensor/convert.h"
#include "threadwheel/error.h"

namespace threadwheel {
namespace {

constexpr std::string_view kOpening = "tensor(";

// An element in the type that prints it: integers and bools in `integer`, the others in `real` and `imaginary`.
struct Number {
  std::int64_t integer = 0;
  double real = 0, imaginary = 0;
};

template <class T>
Number read_number(const std::byte* at) {
  const T value = *reinterpret_cast<const T*>(at);
  if constexpr (std::is_integral_v<T>) return {static_cast<std::int64_t>(value), 0, 0};
  else if constexpr (kIsComplex<T>) return {0, value.real(), value.imag()};
  else return {0, convert_value<double>(value), 0};
}

using Reader = Number (*)(const std::byte* at);

Reader reader_of(DType dtype) {
  if (dtype == DType::kQInt8) return &read_number<std::int8_t>;
  if (dtype == DType::kQUInt8) return &read_number<std::uint8_t>;
  if (dtype == DType::kQInt32) return &read_number<std::int32_t>;
  return visit_dtype(AllTypes(), dtype, "format", []<class T>() -> Reader { return &read_number<T>; });
}

constexpr std::int64_t kMostDigits = 100;

// As "%.*f" and its like do.
std::string print(const char* format, std::int64_t digits, double number) {
  if (std::isnan(number)) return "nan";  // without the sign that it may have
  std::array<char, 512> buffer{};  // the longest is "%.100f" of the largest double, 411 characters
  const int length = std::snprintf(buffer.data(), buffer.size(), format, static_cast<int>(digits), number);
  return {buffer.data(), static_cast<std::size_t>(length)};
}

// How all floats of one tensor are written: whole numbers without digits behind the point, numbers of very different
// size with exponents, others with as many digits as the options say.
class FloatStyle {
 public:
  explicit FloatStyle(const FormatOptions& options) : precision_(options.precision), sci_mode_(options.sci_mode) {}

  void see(double number) {
    if (number == 0 || !std::isfinite(number)) return;
    least_ = std::min(least_, std::fabs(number));
    most_ = std::max(most_, std::fabs(number));
    whole_ &= std::ceil(number) == number;
    seen_.push_back(number);
  }

  void settle() {
    if (seen_.empty()) return;
    exponents_ = sci_mode_.value_or(most_ / least_ > 1000 || most_ > 1e8 || least_ < 1e-4);
    for (const double number : seen_) width_ = std::max(width_, text(number).size());
  }

  std::string text(double number) const {
    if (exponents_) return print("%.*e", precision_, number);
    if (!whole_) return print("%.*f", precision_, number);
    return print("%.*f", 0, number) + (std::isfinite(number) ? "." : "");
  }

  std::size_t width() const noexcept { return width_; }

 private:
  const std::int64_t precision_;
  const std::optional<bool> sci_mode_;
  std::vector<double> seen_;
  double least_ = std::numeric_limits<double>::infinity(), most_ = 0;
  bool whole_ = true, exponents_ = false;
  std::size_t width_ = 1;
};

std::string padded(std::string text, std::size_t width) {
  return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

class Writer {
 public:
  Writer(const Tensor& tensor, const FormatOptions& options)
      : tensor_(tensor), options_(options), rank_(tensor.sizes().size()), reader_(reader_of(tensor.dtype())),
        summarized_(tensor.numel() > options.threshold), category_(dtype_info(tensor.dtype()).category),
        real_(options), imaginary_(options) {
    const auto* const quantizer = tensor.quantizer().get();
    if (category_ == DTypeCategory::kQuantized)
      category_ = quantizer != nullptr ? DTypeCategory::kFloating : DTypeCategory::kInteger;
    walk(0, tensor.raw_data(), 0, [&](const std::byte* at, std::int64_t channel) {
      const Number number = read(at, channel);
      real_.see(number.real);
      imaginary_.see(number.imaginary);
      if (category_ <= DTypeCategory::kInteger) width_ = std::max(width_, integer_text(number.integer).size());
    });
    real_.settle();
    imaginary_.settle();
  }

  std::string write() const { return write(0, tensor_.raw_data(), 0, static_cast<std::int64_t>(kOpening.size())); }

 private:
  static constexpr std::int64_t kGap = -1;

  // The indices of a dimension that are shown, kGap for those that are left out.
  std::vector<std::int64_t> shown(std::size_t dim) const {
    std::vector<std::int64_t> indices;
    const std::int64_t size = tensor_.size(dim);
    for (std::int64_t i = 0; i < size; ++i) {
      if (summarized_ && size > 2 * options_.edgeitems && i == options_.edgeitems) {
        indices.push_back(kGap);
        i = size - options_.edgeitems;
      }
      indices.push_back(i);
    }
    return indices;
  }

  const std::byte* step(std::size_t dim, const std::byte* at, std::int64_t index) const {
    return at + index * tensor_.stride(dim) * static_cast<std::int64_t>(dtype_size(tensor_.dtype()));
  }

  // The index along the dimension that a quantizer has parameters for.
  std::int64_t channel(std::size_t dim, std::int64_t before, std::int64_t index) const {
    const auto* const quantizer = tensor_.quantizer().get();
    return quantizer != nullptr && quantizer->axis == static_cast<std::int64_t>(dim) ? index : before;
  }

  template <class Visit>
  void walk(std::size_t dim, const std::byte* at, std::int64_t in_channel, const Visit& visit) const {
    if (dim == rank_) return visit(at, in_channel);
    for (const std::int64_t i : shown(dim))
      if (i != kGap) walk(dim + 1, step(dim, at, i), channel(dim, in_channel, i), visit);
  }

  Number read(const std::byte* at, std::int64_t in_channel) const {
    Number number = reader_(at);
    const auto* const quantizer = tensor_.quantizer().get();
    if (quantizer == nullptr) return number;
    const bool each = quantizer->per_channel();
    const double scale = each ? quantizer->scales.data<const double>()[in_channel] : quantizer->scale;
    const std::int64_t zero =
        each ? quantizer->zero_points.data<const std::int64_t>()[in_channel] : quantizer->zero_point;
    number.real = static_cast<float>(static_cast<double>(number.integer - zero) * scale);
    return number;
  }

  std::string integer_text(std::int64_t number) const {
    if (category_ == DTypeCategory::kBool) return number != 0 ? "True" : "False";
    return std::to_string(number);
  }

  std::string element(const std::byte* at, std::int64_t in_channel) const {
    const Number number = read(at, in_channel);
    if (category_ <= DTypeCategory::kInteger) return padded(integer_text(number.integer), width_);
    std::string text = padded(real_.text(number.real), real_.width());
    if (category_ != DTypeCategory::kComplex) return text;
    const std::string imaginary = imaginary_.text(number.imaginary) + "j";
    return text + (imaginary[0] == '-' ? "" : "+") + imaginary;
  }

  std::size_t element_width() const {
    if (category_ <= DTypeCategory::kInteger) return width_;
    return real_.width() + (category_ == DTypeCategory::kComplex ? imaginary_.width() + 1 : 0);
  }

  std::string write(std::size_t dim, const std::byte* at, std::int64_t in_channel, std::int64_t indent) const {
    if (dim == rank_) return element(at, in_channel);
    const bool last = dim + 1 == rank_;
    const std::int64_t fitting = (options_.linewidth - indent) / static_cast<std::int64_t>(element_width() + 2);
    const std::int64_t per_line = last ? std::max<std::int64_t>(1, fitting) : 1;
    const std::string next_line =
        "," + std::string(last ? 1 : rank_ - dim - 1, '\n') + std::string(static_cast<std::size_t>(indent) + 1, ' ');
    std::string text = "[";
    std::int64_t count = 0;
    for (const std::int64_t i : shown(dim)) {
      if (count > 0) text += count % per_line == 0 ? next_line : ", ";
      ++count;
      if (i == kGap) text += last ? " ..." : "...";
      else text += write(dim + 1, step(dim, at, i), channel(dim, in_channel, i), indent + 1);
    }
    return text + "]";
  }

  const Tensor& tensor_;
  const FormatOptions options_;
  const std::size_t rank_;
  const Reader reader_;
  const bool summarized_;
  DTypeCategory category_;
  FloatStyle real_, imaginary_;
  std::size_t width_ = 1;
};

std::string shortest(double number) {  // the fewest digits that are still this number
  std::string text;
  for (std::int64_t digits = 1; digits <= 17; ++digits) {
    text = print("%.*g", digits, number);
    if (std::strtod(text.c_str(), nullptr) == number) break;
  }
  return text;
}

std::vector<std::string> remarks_on(const Tensor& tensor) {
  std::vector<std::string> remarks;
  const DType dtype = tensor.dtype();
  if (tensor.numel() == 0 && tensor.dim() != 1) {
    std::string sizes;
    for (const std::int64_t size : tensor.sizes()) sizes += (sizes.empty() ? "" : ", ") + std::to_string(size);
    remarks.push_back("size=(" + sizes + ")");
  }
  const bool told = dtype == DType::kFloat32 || (tensor.numel() > 0 && (dtype == DType::kInt64 ||
                                                 dtype == DType::kBool || dtype == DType::kComplex64));
  if (!told) remarks.push_back(std::string("dtype=threadwheel.") + dtype_name(dtype));
  if (const auto& quantizer = tensor.quantizer(); quantizer && quantizer->per_channel()) {
    remarks.push_back("scale=" + format_tensor(quantizer->scales));
    remarks.push_back("zero_point=" + format_tensor(quantizer->zero_points));
    remarks.push_back("axis=" + std::to_string(quantizer->axis));
  } else if (quantizer) {
    remarks.push_back("scale=" + shortest(quantizer->scale));
    remarks.push_back("zero_point=" + std::to_string(quantizer->zero_point));
  }
  return remarks;
}

struct Settings {
  std::mutex mutex;
  FormatOptions options;
};

Settings& settings() {
  static Settings settings;
  return settings;
}

}  // namespace

FormatOptions format_options() {
  const detail::ForkSafeLock lock(settings().mutex);
  return settings().options;
}

void set_format_options(const FormatOptions& options) {
  if (options.precision < 0 || options.precision > kMostDigits || options.threshold < 0 || options.edgeitems < 1 ||
      options.linewidth < 1)
    throw Error(ErrorCode::kValue, "set_printoptions: precision is " + std::to_string(options.precision) +
                                       ", threshold " + std::to_string(options.threshold) + ", edgeitems " +
                                       std::to_string(options.edgeitems) + ", linewidth " +
                                       std::to_string(options.linewidth) + "; precision must be 0 to " +
                                       std::to_string(kMostDigits) + ", threshold 0 or more, the others 1 or more");
  const detail::ForkSafeLock lock(settings().mutex);
  settings().options = options;
}

std::string format_tensor(const Tensor& tensor) {
  if (tensor.dtype() == DType::kNested)
    return "nested_tensor(" + std::to_string(tensor.size(0)) + " sequences of " + std::to_string(tensor.size(2)) +
           " features)";
  const FormatOptions options = format_options();
  std::string text(kOpening);
  text += tensor.numel() == 0 ? "[]" : Writer(tensor, options).write();
  // Two more than the last line has, as torch counts.
  std::size_t length = text.size() + (text.rfind('\n') == std::string::npos ? 2 : 1 - text.rfind('\n'));
  for (const std::string& remark : remarks_on(tensor)) {
    const bool fits = length + remark.size() + 2 <= static_cast<std::size_t>(options.linewidth);
    text += fits ? ", " : ",\n" + std::string(kOpening.size(), ' ');
    length = (fits ? length + 2 : kOpening.size()) + remark.size();
    text += remark;
  }
  return text + ")";
}

}  // namespace threadwheel
