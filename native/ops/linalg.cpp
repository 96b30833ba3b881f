// Linear algebra: matrix products.
#include <algorithm>
#include <string>

#include "ops/families.h"
#include "ops/linalg.h"
#include "providers/blas.h"
#include "threadwheel/error.h"

namespace threadwheel {
namespace {

// BLAS takes rows or columns that are dense, with any distance between them; anything else is copied first.
// `keep` holds the copy.
template <class T>
blas::Matrix<const T> as_matrix(const Tensor& tensor, Tensor& keep) {
  const std::int64_t rows = tensor.size(0), columns = tensor.size(1);
  const auto row_major = [](const Tensor& t, std::size_t outer, std::size_t inner, std::int64_t least) {
    return (t.size(inner) <= 1 || t.stride(inner) == 1) && (t.size(outer) <= 1 || t.stride(outer) >= least);
  };
  // The distance between rows of a matrix with one row is never used, but BLAS checks it.
  if (row_major(tensor, 0, 1, columns))
    return {tensor.data<const T>(), std::max<std::int64_t>({rows > 1 ? tensor.stride(0) : 0, columns, 1}), false};
  if (row_major(tensor, 1, 0, rows))
    return {tensor.data<const T>(), std::max<std::int64_t>({columns > 1 ? tensor.stride(1) : 0, rows, 1}), true};
  keep = tensor.contiguous();
  return {keep.data<const T>(), std::max<std::int64_t>(columns, 1), false};
}

void check_mm(const Tensor& self, const Tensor& mat2) {
  for (const auto& [name, tensor] : {std::pair("self", &self), std::pair("mat2", &mat2)})
    if (tensor->dim() != 2)
      throw Error(ErrorCode::kValue, std::string("mm: ") + name + " has " + std::to_string(tensor->dim()) +
                                         " dimensions, sizes " + to_string(tensor->sizes()) + "; expected a matrix");
  if (self.size(1) != mat2.size(0))
    throw Error(ErrorCode::kValue, "mm: sizes " + to_string(self.sizes()) + " and " + to_string(mat2.sizes()) +
                                       " cannot be multiplied; self's columns must be as many as mat2's rows");
  if (self.dtype() != mat2.dtype())
    throw Error(ErrorCode::kValue, std::string("mm: self is ") + dtype_name(self.dtype()) + " and mat2 is " +
                                      dtype_name(mat2.dtype()) + "; they must have the same dtype");
}

}  // namespace

Tensor mm(const Tensor& self, const Tensor& mat2) {
  check_mm(self, mat2);
  const std::int64_t m = self.size(0), n = mat2.size(1), k = self.size(1);
  return visit_dtype(FloatingTypes(), self.dtype(), "mm", [&]<class T>() {
    Tensor result = Tensor::empty(Dims{m, n}, self.dtype()), keep_a, keep_b;
    if (k == 0) {
      std::fill_n(result.data<T>(), result.numel(), T(0));
    } else {
      blas::gemm(m, n, k, as_matrix<T>(self, keep_a), as_matrix<T>(mat2, keep_b), T(0),
                 {result.data<T>(), std::max<std::int64_t>(n, 1)});
    }
    return result;
  });
}

namespace {

constexpr OpDefinition kOps[] = {
    define_op<mm>("aten::mm(Tensor self, Tensor mat2) -> Tensor"),
};

}  // namespace

std::span<const OpDefinition> linalg_ops() { return kOps; }

}  // namespace threadwheel
