// Views and copies that ops of several families share.
#include "ops/shared/shapes.h"

#include <algorithm>

#include "threadwheel/error.h"

namespace threadwheel {
void fail_value(const std::string& message) { throw Error(ErrorCode::kValue, message); }

std::string describe(const char* name, const Tensor& tensor) { return describe(name, tensor.sizes()); }

std::string describe(const char* name, const Dims& sizes) {
  return std::string(name) + " has sizes " + to_string(sizes);
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

void copy_into(const Tensor& to, const Tensor& from, const char* op) {
  const Tensor same = broadcast_to(convert(from, to.dtype(), op), to.sizes());
  copy_elements(same, to);
}

}  // namespace threadwheel
