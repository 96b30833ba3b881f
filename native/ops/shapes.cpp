// Views and copies that ops of several families share.
#include "ops/shapes.h"

#include <algorithm>
#include <cstring>

#include "threadwheel/error.h"

namespace threadwheel {
namespace {

template <std::size_t Size>
void copy_elements(std::byte* const* pointers, const std::int64_t* strides, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i)
    std::memcpy(pointers[0] + i * strides[0], pointers[1] + i * strides[1], Size);
}

auto* copy_kernel(std::size_t size_bytes) {
  switch (size_bytes) {
    case 1: return &copy_elements<1>;
    case 2: return &copy_elements<2>;
    case 4: return &copy_elements<4>;
    case 8: return &copy_elements<8>;
    default: return &copy_elements<16>;
  }
}

}  // namespace

void fail_value(const std::string& message) { throw Error(ErrorCode::kValue, message); }

std::string describe(const char* name, const Tensor& tensor) {
  return std::string(name) + " has sizes " + to_string(tensor.sizes());
}

std::size_t wrap_dim(const char* op, std::int64_t dim, std::int64_t rank) {
  const std::int64_t most = std::max<std::int64_t>(rank, 1) - 1;
  if (dim < -most - 1 || dim > most)
    fail_value(std::string(op) + ": dim is " + std::to_string(dim) + " for a tensor of " + std::to_string(rank) +
               " dimensions; expected " + std::to_string(-most - 1) + " to " + std::to_string(most));
  return static_cast<std::size_t>(dim < 0 ? dim + most + 1 : dim);
}

std::vector<std::size_t> wrap_dims(const char* op, std::span<const std::int64_t> dims, std::int64_t rank) {
  std::vector<std::size_t> wrapped;
  for (const std::int64_t dim : dims) {
    wrapped.push_back(wrap_dim(op, dim, rank));
    if (std::count(wrapped.begin(), wrapped.end(), wrapped.back()) > 1)
      fail_value(std::string(op) + ": dim " + std::to_string(dim) + " is given twice; name each dimension once");
  }
  return wrapped;
}

Tensor transpose_view(const Tensor& tensor, std::size_t a, std::size_t b) {
  Dims sizes = tensor.sizes(), strides = tensor.strides();
  std::swap(sizes[a], sizes[b]);
  std::swap(strides[a], strides[b]);
  return tensor.as_strided(std::move(sizes), std::move(strides));
}

Tensor select_view(const Tensor& tensor, std::size_t dim, std::int64_t index) {
  Dims sizes(tensor.sizes().size() - 1), strides(sizes.size());
  for (std::size_t i = 0, k = 0; i < tensor.sizes().size(); ++i)
    if (i != dim) {
      sizes[k] = tensor.size(i);
      strides[k++] = tensor.stride(i);
    }
  return tensor.as_strided(std::move(sizes), std::move(strides), index * tensor.stride(dim));
}

Tensor narrow_view(const Tensor& tensor, std::size_t dim, std::int64_t start, std::int64_t length) {
  Dims sizes = tensor.sizes();
  sizes[dim] = length;
  return tensor.as_strided(std::move(sizes), tensor.strides(), start * tensor.stride(dim));
}

Tensor unsqueeze_view(const Tensor& tensor, std::size_t dim) {
  Dims sizes(tensor.sizes().size() + 1, 1), strides(sizes.size(), 1);
  for (std::size_t i = 0; i < tensor.sizes().size(); ++i) {
    sizes[i + (i >= dim)] = tensor.size(i);
    strides[i + (i >= dim)] = tensor.stride(i);
  }
  return tensor.as_strided(std::move(sizes), std::move(strides));
}

Tensor permute_view(const Tensor& tensor, std::span<const std::size_t> order) {
  Dims sizes(order.size()), strides(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    sizes[i] = tensor.size(order[i]);
    strides[i] = tensor.stride(order[i]);
  }
  return tensor.as_strided(std::move(sizes), std::move(strides));
}

Tensor reshaped(const Tensor& tensor, std::span<const std::int64_t> sizes) {
  return tensor.contiguous().as_strided(Dims(sizes), contiguous_strides(sizes));
}

Tensor filled(std::span<const std::int64_t> sizes, DType dtype, Scalar value) {
  Tensor out = Tensor::empty(sizes, dtype);
  copy_into(out, scalar_tensor(value, dtype), "fill");
  return out;
}

Tensor zeros(std::span<const std::int64_t> sizes, DType dtype) {
  Tensor out = Tensor::empty(sizes, dtype);
  std::memset(out.raw_data(), 0, out.size_bytes());
  return out;
}

void copy_into(const Tensor& to, const Tensor& from, const char* op) {
  const Tensor same = broadcast_to(convert(from, to.dtype(), op), to.sizes());
  StridedLoop({&to, &same}).run(copy_kernel(dtype_size(to.dtype())));
}

Tensor clone_contiguous(const Tensor& tensor) {
  Tensor copy = Tensor::empty(tensor.sizes(), tensor.dtype());
  copy_into(copy, tensor, "clone");
  return copy;
}

}  // namespace threadwheel
