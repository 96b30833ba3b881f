// Every conversion takes at most two steps: into the type that the source is computed in, which loses nothing, and
// from there into the target. So there are 12 + 5 * 12 loops and not 12 * 12, each compiled three times.
#include "tensor/convert.h"

#include <algorithm>
#include <cstring>

#include "tensor/layout.h"
#include "tensor/strided_loop.h"

namespace threadwheel {
namespace {

// The types that are computed in another one.
using NarrowTypes = TypeList<bool, std::uint8_t, std::int8_t, std::int16_t, std::int32_t, Half, BFloat16>;

template <class To, class From>
THREADWHEEL_KERNEL void convert_run(std::byte* to, std::int64_t to_stride, const std::byte* from,
                                    std::int64_t from_stride, std::int64_t n) {
  if (to_stride == sizeof(To) && from_stride == sizeof(From)) {
    auto* out = reinterpret_cast<To*>(to);
    const auto* in = reinterpret_cast<const From*>(from);
    for (std::int64_t i = 0; i < n; ++i) out[i] = convert_value<To>(in[i]);
  } else {
    for (std::int64_t i = 0; i < n; ++i)
      *reinterpret_cast<To*>(to + i * to_stride) =
          convert_value<To>(*reinterpret_cast<const From*>(from + i * from_stride));
  }
}

template <std::size_t Size>
void copy_run(std::byte* to, std::int64_t to_stride, const std::byte* from, std::int64_t from_stride, std::int64_t n) {
  if (to_stride == Size && from_stride == Size) {
    std::memmove(to, from, static_cast<std::size_t>(n) * Size);
  } else {
    for (std::int64_t i = 0; i < n; ++i) std::memcpy(to + i * to_stride, from + i * from_stride, Size);
  }
}

RunConverter copier(std::size_t size_bytes) {
  switch (size_bytes) {
    case 1: return &copy_run<1>;
    case 2: return &copy_run<2>;
    case 4: return &copy_run<4>;
    case 8: return &copy_run<8>;
    default: return &copy_run<16>;
  }
}

void check_convertible(DType dtype, const char* op) {
  const DTypeCategory category = dtype_info(dtype).category;
  if (category >= DTypeCategory::kQuantized)
    throw Error(ErrorCode::kUnsupported, std::string(op) + ": cannot convert from or to " + dtype_name(dtype) +
                                             (category == DTypeCategory::kNested
                                                  ? "; pad it with to_padded_tensor instead"
                                                  : "; quantize or dequantize instead"));
}

}  // namespace

RunConverter run_converter(DType from, DType to) {
  if (from == to) return copier(dtype_size(from));
  if (from == DType::kBool)  // conditions go along with operands of any type
    return visit_dtype(ComputeTypes(), to, "convert",
                       []<class To>() -> RunConverter { return &convert_run<To, bool>; });
  if (compute_dtype(from) == to)
    return visit_dtype(NarrowTypes(), from, "convert", []<class From>() -> RunConverter {
      return &convert_run<std::conditional_t<std::is_integral_v<From>, std::int64_t, float>, From>;
    });
  return visit_dtype(ComputeTypes(), from, "convert", [&]<class From>() {
    return visit_dtype(AllTypes(), to, "convert", [&]<class To>() -> RunConverter { return &convert_run<To, From>; });
  });
}

void convert_into(const Tensor& to, const Tensor& from, const char* op) {
  const Dims order = memory_order(to);
  const Tensor target = reordered(to, to.sizes(), order), source = reordered(from, to.sizes(), order);
  const StridedLoop loop(target.sizes(), {StridedOperand(target), StridedOperand(source)});
  if (to.dtype() != from.dtype()) {
    check_convertible(to.dtype(), op);
    check_convertible(from.dtype(), op);
  }
  const DType compute = to.dtype() == from.dtype() ? to.dtype() : compute_dtype(from.dtype());
  const RunConverter load = run_converter(from.dtype(), compute), store = run_converter(compute, to.dtype());
  if (from.dtype() == compute || to.dtype() == compute) {
    const RunConverter only = from.dtype() == compute ? store : load;
    loop.run([&](std::byte* const* p, const std::int64_t* s, std::int64_t n) { only(p[0], s[0], p[1], s[1], n); });
    return;
  }
  loop.run([&](std::byte* const* pointers, const std::int64_t* strides, std::int64_t n) {
    constexpr std::int64_t kBlock = 512;
    alignas(64) std::byte buffer[kBlock * sizeof(std::int64_t)];  // compute types wider than that are their own
    const auto size = static_cast<std::int64_t>(dtype_size(compute));
    for (std::int64_t i = 0; i < n; i += kBlock) {
      const std::int64_t count = std::min(kBlock, n - i);
      load(buffer, size, pointers[1] + i * strides[1], strides[1], count);
      store(pointers[0] + i * strides[0], strides[0], buffer, size, count);
    }
  });
}

Tensor convert(const Tensor& tensor, DType dtype, const char* op) {
  if (tensor.dtype() == dtype) return tensor;
  Tensor out = Tensor::empty(tensor.sizes(), dtype);
  convert_into(out, tensor, op);
  return out;
}

}  // namespace threadwheel
