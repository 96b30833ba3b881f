// Checks of tensor options, and of numbers that become elements.
#include "ops/shared/options.h"

#include <limits>
#include <string>

#include "ops/shared/views.h"
#include "threadwheel/error.h"

namespace threadwheel {
namespace {

constexpr std::int64_t kStrided = 0;         // c10::Layout
constexpr std::int64_t kLastMemoryFormat = 3;  // c10::MemoryFormat: contiguous, preserve, channels last in 2d and 3d

[[noreturn]] void refuse(const char* op, const std::string& problem) {
  throw Error(ErrorCode::kUnsupported, std::string(op) + ": " + problem);
}

}  // namespace

void check_layout(const char* op, const Value& layout) {
  if (!layout.is_none() && layout.to_int() != kStrided)
    refuse(op, "layout is " + std::to_string(layout.to_int()) + "; supported is 0, strided");
}

void check_device(const char* op, const Value& device) {
  if (device.is_none()) return;
  if (device.to_string().substr(0, 3) != "cpu")
    refuse(op, "device is '" + device.to_string() + "'; supported is 'cpu'");
}

void check_memory_format(const char* op, const Value& memory_format) {
  if (memory_format.is_none()) return;
  const std::int64_t format = memory_format.to_int();
  // The layouts of images are wishes: elements and sizes are the same in any order of memory.
  if (format < 0 || format > kLastMemoryFormat)
    refuse(op, "memory_format is " + std::to_string(format) + "; supported are 0 to " +
                   std::to_string(kLastMemoryFormat));
}

std::int64_t format_or_preserve(const Value& memory_format) {
  return memory_format.is_none() ? kPreserveFormat : memory_format.to_int();
}

bool is_dense_in(const Tensor& self, std::int64_t format) {
  if (format <= kPreserveFormat) return self.is_contiguous();
  return self.dim() == format + 2 && views::movedim(self, 1, -1).is_contiguous();
}

DType read_dtype(const char* op, std::optional<std::int64_t> number, DType otherwise) {
  if (!number) return otherwise;
  if (const auto dtype = find_dtype(*number)) return *dtype;
  throw Error(ErrorCode::kValue,
              std::string(op) + ": dtype is " + std::to_string(*number) + "; there is no such dtype");
}

void check_fits(const char* op, Scalar value, DType dtype) {
  if (value.category() == DTypeCategory::kComplex && !is_complex(dtype) && value.to<Complex>().imag() != 0)
    throw Error(ErrorCode::kValue,
                std::string(op) + ": the value is complex and the tensor " + dtype_name(dtype) + "; use a real value");
  if (dtype == DType::kBool || !is_integral(dtype)) return;
  const auto wide = static_cast<double>(value.to<std::int64_t>());
  const auto given = value.to<double>();
  bool fits = given > -0x1.0p63 - 1024 && given < 0x1.0p63;
  visit_dtype(IntegerTypes(), dtype, op, [&]<class T>() {
    // torch lets an unsigned dtype wrap around below zero
    const double least = std::is_unsigned_v<T> ? -static_cast<double>(std::numeric_limits<T>::max())
                                               : static_cast<double>(std::numeric_limits<T>::min());
    fits &= wide >= least && wide <= static_cast<double>(std::numeric_limits<T>::max());
  });
  if (!fits)
    throw Error(ErrorCode::kValue, std::string(op) + ": the value is " + std::to_string(given) + ", which " +
                                       dtype_name(dtype) + " does not hold; use a wider dtype");
}

}  // namespace threadwheel
