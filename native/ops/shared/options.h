// The arguments that say where and how a tensor lives: dtype, layout, device, memory format. One device and one
// layout exist here; what else is asked for is refused.
#pragma once

#include <cstdint>
#include <optional>

#include "ops/value.h"

namespace threadwheel {

// Throw Error(kUnsupported) naming `op` unless the argument is None or means: strided, a CPU, contiguous or preserved.
void check_layout(const char* op, const Value& layout);
void check_device(const char* op, const Value& device);
void check_memory_format(const char* op, const Value& memory_format);

// The c10::MemoryFormat asked for. Preserved, which is the default of copies: dimensions keep their order in memory.
constexpr std::int64_t kPreserveFormat = 1;
std::int64_t format_or_preserve(const Value& memory_format);

// Whether the elements lie dense in the order of memory of c10::MemoryFormat `format`: channels last, or contiguous.
bool is_dense_in(const Tensor& self, std::int64_t format);

// The dtype that an `int?` argument names. Throws Error(kValue) for a number that is none.
DType read_dtype(const char* op, std::optional<std::int64_t> number, DType otherwise);

// Throws Error(kValue) when an integer dtype cannot hold the number, or a real one a complex number.
void check_fits(const char* op, Scalar value, DType dtype);

}  // namespace threadwheel
