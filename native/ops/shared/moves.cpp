// Loads and stores at computed places.
#include "ops/shared/moves.h"

#include <cstring>
#include <string>

#include "ops/shared/checks.h"
#include "ops/shared/elementwise.h"
#include "tensor/strided_loop.h"
#include "threadwheel/parallel.h"

namespace threadwheel {
namespace {

template <class T>
void load_run(std::byte* const* pointers, const std::int64_t* strides, std::int64_t n) {
  constexpr std::int64_t kDense = sizeof(T);
  if (strides[2] == 0 && strides[0] == kDense && strides[1] == kDense) {  // one place, many neighbours
    std::memcpy(pointers[0], pointers[1] + *reinterpret_cast<const std::int64_t*>(pointers[2]),
                static_cast<std::size_t>(n) * sizeof(T));
    return;
  }
  for (std::int64_t i = 0; i < n; ++i) {
    const auto distance = *reinterpret_cast<const std::int64_t*>(pointers[2] + i * strides[2]);
    std::memcpy(pointers[0] + i * strides[0], pointers[1] + i * strides[1] + distance, sizeof(T));
  }
}

template <class T>
void store_run(std::byte* const* pointers, const std::int64_t* strides, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    const auto distance = *reinterpret_cast<const std::int64_t*>(pointers[1] + i * strides[1]);
    std::memcpy(pointers[0] + i * strides[0] + distance, pointers[2] + i * strides[2], sizeof(T));
  }
}

template <class T, Combine Operation>
T combined(T x, T y) {
  if constexpr (kIsHalf<T>) {  // rounded at each step
    return T(combined<float, Operation>(static_cast<float>(x), static_cast<float>(y)));
  } else if constexpr (Operation == Combine::kSum) {
    if constexpr (std::is_same_v<T, bool>) return x || y;
    else if constexpr (std::is_integral_v<T>)
      return static_cast<T>(static_cast<std::uint64_t>(x) + static_cast<std::uint64_t>(y));
    else return x + y;
  } else if constexpr (Operation == Combine::kProduct) {
    if constexpr (std::is_same_v<T, bool>) return x && y;
    else if constexpr (std::is_integral_v<T>)
      return static_cast<T>(static_cast<std::uint64_t>(x) * static_cast<std::uint64_t>(y));
    else return x * y;
  } else if constexpr (Operation == Combine::kMaximum) {
    return x != x || !(y <= x) ? (x != x ? x : y) : x;  // NaN wins
  } else {
    return x != x || !(y >= x) ? (x != x ? x : y) : x;
  }
}

template <class T, Combine Operation>
void combine_run(std::byte* const* pointers, const std::int64_t* strides, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    const auto distance = *reinterpret_cast<const std::int64_t*>(pointers[1] + i * strides[1]);
    T& place = *reinterpret_cast<T*>(pointers[0] + i * strides[0] + distance);
    place = combined<T, Operation>(place, *reinterpret_cast<const T*>(pointers[2] + i * strides[2]));
  }
}

template <class T>
auto* combine_kernel(Combine combine) {
  switch (combine) {
    case Combine::kSum: return &combine_run<T, Combine::kSum>;
    case Combine::kProduct: return &combine_run<T, Combine::kProduct>;
    case Combine::kMaximum: return &combine_run<T, Combine::kMaximum>;
    default: return &combine_run<T, Combine::kMinimum>;
  }
}

// Two threads must not write to one place.
void run_in_order(const StridedLoop& loop, StridedLoop::Kernel kernel, std::int64_t numel) {
  loop.run(kernel, numel + 1);
}

}  // namespace

Tensor zeros(std::span<const std::int64_t> sizes, DType dtype) {
  Tensor result = Tensor::empty(sizes, dtype);
  if (result.size_bytes() > 0) std::memset(result.raw_data(), 0, result.size_bytes());
  return result;
}

Tensor copy_of(const Tensor& tensor) {
  Tensor copy = Tensor::empty(tensor.sizes(), tensor.dtype());
  copy_elements(tensor, copy);
  return tensor.quantizer() ? copy.with_quantizer(tensor.quantizer()) : copy;
}

void fill(const Tensor& tensor, Scalar value) {
  copy_elements(broadcast_to(scalar_tensor(value, tensor.dtype()), tensor.sizes()), tensor);
}

Tensor to_index(const char* op, const Tensor& index) {
  if (index.numel() > 0 && index.dtype() != DType::kInt64 && index.dtype() != DType::kInt32)
    throw Error(ErrorCode::kIndex, std::string(op) + ": the index is " + dtype_name(index.dtype()) +
                                       "; it must be int64 or int32");
  return convert(index, DType::kInt64, op);
}

Tensor to_distances(const char* op, const Tensor& index, std::int64_t size, std::int64_t stride, DType dtype,
                    bool negative) {
  Tensor distances = Tensor::empty(index.sizes(), DType::kInt64);
  const std::int64_t step = stride * static_cast<std::int64_t>(dtype_size(dtype)), least = negative ? -size : 0;
  StridedLoop({&distances, &index}).run([&](std::byte* const* pointers, const std::int64_t* strides, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) {
      const auto position = *reinterpret_cast<const std::int64_t*>(pointers[1] + i * strides[1]);
      if (position < least || position >= size)
        throw Error(ErrorCode::kIndex, std::string(op) + ": index " + std::to_string(position) +
                                           " is out of bounds for a dimension of size " + std::to_string(size));
      *reinterpret_cast<std::int64_t*>(pointers[0] + i * strides[0]) =
          (position < 0 ? position + size : position) * step;
    }
  });
  return distances;
}

void load_at(const Tensor& out, const Tensor& base, const Tensor& distances) {
  visit_bits(out.dtype(), [&]<class T>() { StridedLoop({&out, &base, &distances}).run(&load_run<T>); });
}

void store_at(const Tensor& base, const Tensor& distances, const Tensor& source) {
  visit_bits(base.dtype(), [&]<class T>() {
    run_in_order(StridedLoop({&base, &distances, &source}), &store_run<T>, base.numel());
  });
}

void combine_at(const char* op, Combine combine, const Tensor& base, const Tensor& distances, const Tensor& source) {
  const auto run = [&](StridedLoop::Kernel kernel) {
    run_in_order(StridedLoop({&base, &distances, &source}), kernel, base.numel());
  };
  if (is_complex(base.dtype()) && combine <= Combine::kProduct)  // complex numbers have no order
    return visit_dtype(ComplexTypes(), base.dtype(), op, [&]<class T>() {
      run(combine == Combine::kSum ? &combine_run<T, Combine::kSum> : &combine_run<T, Combine::kProduct>);
    });
  visit_dtype(RealHalfAndBoolTypes(), base.dtype(), op, [&]<class T>() { run(combine_kernel<T>(combine)); });
}

Tensor take_slices(const Tensor& self, std::size_t dim, std::span<const std::int64_t> positions) {
  const Tensor x = self.contiguous();
  Dims sizes = x.sizes();
  const std::int64_t held = sizes[dim], count = static_cast<std::int64_t>(positions.size());
  sizes[dim] = count;
  Tensor out = Tensor::empty(sizes, x.dtype());
  if (out.numel() == 0) return out;
  std::int64_t slice_bytes = static_cast<std::int64_t>(dtype_size(x.dtype())), outer = 1;
  for (std::size_t i = dim + 1; i < sizes.size(); ++i) slice_bytes *= sizes[i];
  for (std::size_t i = 0; i < dim; ++i) outer *= sizes[i];
  const std::int64_t grain = std::max<std::int64_t>(1, StridedLoop::kGrain * 4 / slice_bytes);
  parallel_for(0, outer * count, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      std::memcpy(out.raw_data() + i * slice_bytes,
                  x.raw_data() + (i / count * held + positions[static_cast<std::size_t>(i % count)]) * slice_bytes,
                  static_cast<std::size_t>(slice_bytes));
  });
  return out;
}

}  // namespace threadwheel
