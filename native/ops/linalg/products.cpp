// Matrix products. Floating dtypes go to BLAS; integers and complex numbers, which models rarely multiply, to plain
// loops that are exact modulo the dtype's range.
#include "ops/linalg/products.h"

#include <algorithm>
#include <complex>
#include <optional>
#include <string>

#include "ops/compose.h"
#include "ops/shared/pointwise.h"
#include "ops/shared/shapes.h"
#include "providers/blas.h"
#include "threadwheel/error.h"
#include "threadwheel/parallel.h"

namespace threadwheel {
namespace {

// Multiplications below which one product is not worth the pool: several are spread over it instead.
constexpr double kSmallProduct = 1e6;

// A batch of matrices, [batch, rows, columns], as BLAS takes them: rows or columns dense, any distance between them.
struct Matrices {
  Tensor tensor;  // holds the memory
  std::int64_t batch_step, leading;
  bool transposed;

  template <class T>
  blas::Matrix<const T> at(std::int64_t index) const {
    return {tensor.data<const T>() + index * batch_step, leading, transposed};
  }
};

Matrices as_matrices(const Tensor& tensor) {
  const std::int64_t rows = tensor.size(1), columns = tensor.size(2);
  const auto dense = [&](std::size_t outer, std::size_t inner) {
    return (tensor.size(inner) <= 1 || tensor.stride(inner) == 1) &&
           (tensor.size(outer) <= 1 || tensor.stride(outer) >= tensor.size(inner));
  };
  // The distance between rows of a matrix with one row is never used, but BLAS checks it.
  if (dense(1, 2))
    return {tensor, tensor.stride(0), std::max<std::int64_t>({rows > 1 ? tensor.stride(1) : 0, columns, 1}), false};
  if (dense(2, 1))
    return {tensor, tensor.stride(0), std::max<std::int64_t>({columns > 1 ? tensor.stride(2) : 0, rows, 1}), true};
  // A batch that repeats one matrix is copied once.
  const bool repeats = tensor.stride(0) == 0 && tensor.size(0) > 1;
  const Tensor copy = (repeats ? narrow_view(tensor, 0, 0, 1) : tensor).contiguous();
  return {copy, repeats ? 0 : rows * columns, std::max<std::int64_t>(columns, 1), false};
}

// One product of any numbers, rows on the pool. Integers wrap around, as sums without sign do.
template <class T>
void multiply_plain(std::int64_t m, std::int64_t n, std::int64_t k, blas::Matrix<const T> a, blas::Matrix<const T> b,
                    T* c) {
  const std::int64_t a_row = a.transposed ? 1 : a.leading, a_column = a.transposed ? a.leading : 1;
  const std::int64_t b_row = b.transposed ? 1 : b.leading, b_column = b.transposed ? b.leading : 1;
  using Wide = std::conditional_t<std::is_integral_v<T>, std::uint64_t, T>;
  const std::int64_t grain = std::max<std::int64_t>(1, 32768 / std::max<std::int64_t>(1, n * k));
  parallel_for(0, m, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      for (std::int64_t j = 0; j < n; ++j) {
        Wide sum(0);
        for (std::int64_t p = 0; p < k; ++p)
          sum +=
              static_cast<Wide>(a.data[i * a_row + p * a_column]) * static_cast<Wide>(b.data[p * b_row + j * b_column]);
        c[i * n + j] = static_cast<T>(sum);
      }
  });
}

template <class T>
void multiply_one(std::int64_t m, std::int64_t n, std::int64_t k, blas::Matrix<const T> a, blas::Matrix<const T> b,
                  bool add, T* c) {
  if constexpr (std::is_floating_point_v<T>) {
    if (k == 0) {
      if (!add) std::fill_n(c, m * n, T(0));
      return;
    }
    blas::gemm(m, n, k, a, b, add ? T(1) : T(0), blas::Matrix<T>{c, std::max<std::int64_t>(n, 1)});
  } else {
    multiply_plain(m, n, k, a, b, c);
  }
}

// c = a b, or c + a b when `add`, which is for floating dtypes. c: [batch, m, n], contiguous.
template <class T>
void multiply_batch(const Tensor& self, const Tensor& other, bool add, const Tensor& c) {
  std::int64_t batch = self.size(0), m = self.size(1);
  const std::int64_t n = other.size(2), k = self.size(2);
  Matrices a = as_matrices(self);
  const Matrices b = as_matrices(other);
  if (batch > 1 && b.batch_step == 0 && !a.transposed && a.batch_step == m * a.leading) {
    m *= batch;  // one right operand for all: a single product of more rows
    batch = 1;
  }
  T* const out = c.data<T>();
  const auto one = [&](std::int64_t i) {
    multiply_one<T>(m, n, k, a.at<T>(i), b.at<T>(i), add, out + i * m * n);
  };
  const double work = static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  if (batch > 1 && (work < kSmallProduct || batch >= 4 * get_num_threads())) {
    const auto grain = static_cast<std::int64_t>(kSmallProduct / 8 / std::max(1.0, work)) + 1;
    parallel_for(0, batch, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) one(i);
    });
  } else {
    for (std::int64_t i = 0; i < batch; ++i) one(i);
  }
}

void check_dtypes(const char* op, const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype())
    fail_value(std::string(op) + ": the operands are " + dtype_name(a.dtype()) + " and " + dtype_name(b.dtype()) +
               "; they must have the same dtype");
}

void check_rank(const char* op, const char* name, const Tensor& tensor, std::int64_t rank) {
  if (tensor.dim() != rank)
    fail_value(std::string(op) + ": " + name + " has " + std::to_string(tensor.dim()) + " dimensions, sizes " +
               to_string(tensor.sizes()) + "; expected " +
               (rank == 1 ? "a vector" : rank == 2 ? "a matrix" : "a batch of matrices"));
}

// Products of [batch, m, k] and [batch, k, n], of sizes that were checked.
Tensor multiply(const char* op, const Tensor& a, const Tensor& b) {
  check_dtypes(op, a, b);
  Tensor c = Tensor::empty(Dims{a.size(0), a.size(1), b.size(2)}, a.dtype());
  if (c.numel() == 0) return c;
  visit_dtype(NumberTypes(), a.dtype(), op, [&]<class T>() { multiply_batch<T>(a, b, false, c); });
  return c;
}

void check_inner(const char* op, const Tensor& a, const Tensor& b, std::int64_t columns, std::int64_t rows) {
  if (columns != rows)
    fail_value(std::string(op) + ": sizes " + to_string(a.sizes()) + " and " + to_string(b.sizes()) +
               " cannot be multiplied; the columns of the first must be as many as the rows of the second");
}

Tensor product_of_matrices(const char* op, const Tensor& self, const Tensor& mat2) {
  check_rank(op, "self", self, 2);
  check_rank(op, "mat2", mat2, 2);
  check_inner(op, self, mat2, self.size(1), mat2.size(0));
  return select_view(multiply(op, unsqueeze_view(self, 0), unsqueeze_view(mat2, 0)), 0, 0);
}

Tensor product_of_batches(const char* op, const Tensor& self, const Tensor& mat2) {
  check_rank(op, "the first operand", self, 3);
  check_rank(op, "the second operand", mat2, 3);
  check_inner(op, self, mat2, self.size(2), mat2.size(1));
  if (self.size(0) != mat2.size(0))
    fail_value(std::string(op) + ": sizes " + to_string(self.sizes()) + " and " + to_string(mat2.sizes()) +
               " are batches of different lengths; they must be equal");
  return multiply(op, self, mat2);
}

// The leading dimensions as one, of sizes `lead`; the last two are matrices.
Tensor as_batch(const Tensor& tensor, std::span<const std::int64_t> lead) {
  const std::size_t rank = tensor.sizes().size();
  const std::int64_t rows = tensor.size(rank - 2), columns = tensor.size(rank - 1), batch = count_elements(lead);
  if (rank == 2)
    return tensor.as_strided(Dims{batch, rows, columns}, Dims{0, tensor.stride(0), tensor.stride(1)});
  Dims sizes(lead);
  Dims wide(lead.size() + 2);
  std::copy(sizes.begin(), sizes.end(), wide.begin());
  wide[lead.size()] = rows;
  wide[lead.size() + 1] = columns;
  const Tensor view = broadcast_to(tensor, wide);
  // A view as long as each leading stride continues the next.
  std::int64_t step = 0, run = 1;
  bool merges = true;
  for (std::size_t i = lead.size(); i-- > 0;) {
    if (view.size(i) == 1) continue;
    if (run == 1) {
      step = view.stride(i);
    } else {
      merges &= view.stride(i) == step * run;
    }
    run *= view.size(i);
  }
  const Dims merged{batch, rows, columns};
  if (!merges || batch == 0) return reshaped(view, merged);
  return view.as_strided(merged, Dims{step, view.stride(lead.size()), view.stride(lead.size() + 1)});
}

std::span<const std::int64_t> leading_sizes(const Tensor& tensor) {
  const std::span<const std::int64_t> sizes = tensor.sizes();
  return sizes.first(sizes.size() - 2);
}

Tensor matmul_ranked(const Tensor& self, const Tensor& other) {
  const std::size_t a = self.sizes().size(), b = other.sizes().size();
  check_inner("matmul", self, other, self.size(a - 1), other.size(b - 2));
  const Dims lead = broadcast_sizes("matmul", leading_sizes(self), leading_sizes(other));
  Dims sizes(lead.size() + 2);
  std::copy(lead.begin(), lead.end(), sizes.begin());
  sizes[lead.size()] = self.size(a - 2);
  sizes[lead.size() + 1] = other.size(b - 1);
  return reshaped(multiply("matmul", as_batch(self, lead), as_batch(other, lead)), sizes);
}

// beta self + alpha product, where beta = 0 ignores self.
template <class T>
struct Combine {
  T alpha, beta;

  THREADWHEEL_INLINE T operator()(T product, T self) const {
    if constexpr (std::is_integral_v<T>) {
      using Wide = std::uint64_t;
      return static_cast<T>(static_cast<Wide>(alpha) * static_cast<Wide>(product) +
                            static_cast<Wide>(beta) * static_cast<Wide>(self));
    } else {
      return alpha * product + beta * self;
    }
  }
};

// A float for integers is truncated, as torch has it.
void check_factor(const char* op, const char* name, DType dtype, Scalar factor) {
  if (factor.category() == DTypeCategory::kComplex && !is_complex(dtype))
    fail_value(std::string(op) + ": " + name + " is complex and the result is " + dtype_name(dtype) +
               "; use a real number");
}

Tensor combine(const char* op, const Tensor& self, const Tensor& product, Scalar beta, Scalar alpha) {
  check_dtypes(op, self, product);
  check_factor(op, "alpha", product.dtype(), alpha);
  check_factor(op, "beta", product.dtype(), beta);
  if (!std::ranges::equal(broadcast_sizes(op, self.sizes(), product.sizes()), product.sizes()))
    fail_value(std::string(op) + ": " + describe("self", self) + "; expected sizes that broadcast to " +
               to_string(product.sizes()));
  const bool ignores_self = beta.to<Complex>() == Complex(0);
  const Operand addend = ignores_self ? Operand(Scalar(false)) : Operand(self);
  return elementwise(ComputeTypes(), {.op = op}, {product, addend}, nullptr,
                     [&]<class T>() { return Combine<T>{alpha.to<T>(), beta.to<T>()}; });
}

}  // namespace

Tensor mm(const Tensor& self, const Tensor& mat2) { return product_of_matrices("mm", self, mat2); }

Tensor bmm(const Tensor& self, const Tensor& mat2) { return product_of_batches("bmm", self, mat2); }

Tensor matmul(const Tensor& self, const Tensor& other) {
  if (self.dim() == 0 || other.dim() == 0)
    fail_value("matmul: " + describe("self", self) + " and " + describe("other", other) +
               "; both need a dimension or more");
  if (self.dim() == 2 && other.dim() == 2) return product_of_matrices("matmul", self, other);
  const bool row = self.dim() == 1, column = other.dim() == 1;
  const Tensor product =
      matmul_ranked(row ? unsqueeze_view(self, 0) : self, column ? unsqueeze_view(other, 1) : other);
  const auto rank = static_cast<std::size_t>(product.dim());
  Tensor result = column ? select_view(product, rank - 1, 0) : product;
  return row ? select_view(result, rank - 2, 0) : result;
}

namespace {

Tensor mv(const Tensor& self, const Tensor& vec) {
  check_rank("mv", "self", self, 2);
  check_rank("mv", "vec", vec, 1);
  check_inner("mv", self, vec, self.size(1), vec.size(0));
  return matmul(self, vec);
}

void check_vectors(const char* op, const Tensor& a, const Tensor& b) {
  check_rank(op, "self", a, 1);
  check_rank(op, "the second operand", b, 1);
}

Tensor dot(const Tensor& self, const Tensor& tensor) {
  check_vectors("dot", self, tensor);
  check_inner("dot", self, tensor, self.size(0), tensor.size(0));
  return matmul(self, tensor);
}

template <class T>
struct Conjugate {
  THREADWHEEL_INLINE T operator()(T x) const { return std::conj(x); }
};

Tensor conjugate(const Tensor& self) {
  if (dtype_info(self.dtype()).category != DTypeCategory::kComplex) return self;
  return elementwise(ComplexTypes(), {.op = "conj"}, {self}, nullptr, []<class T>() { return Conjugate<T>(); });
}

Tensor vdot(const Tensor& self, const Tensor& other) { return dot(conjugate(self), other); }

// The last dimensions are contracted. A tensor without dimensions is a factor.
Tensor inner(const Tensor& self, const Tensor& other) {
  if (self.dim() == 0 || other.dim() == 0) return aten("mul.Tensor", {self, other});
  const std::size_t a = self.sizes().size() - 1, b = other.sizes().size() - 1;
  check_inner("inner", self, other, self.size(a), other.size(b));
  const std::int64_t k = self.size(a);
  Dims sizes(a + b);
  std::copy_n(self.sizes().begin(), a, sizes.begin());
  std::copy_n(other.sizes().begin(), b, sizes.begin() + a);
  const auto rows = [&](const Tensor& t, std::size_t dims) {
    return reshaped(t, Dims{count_elements(std::span(t.sizes().begin(), dims)), k});
  };
  return reshaped(mm(rows(self, a), transpose_view(rows(other, b), 0, 1)), sizes);
}

Tensor outer(const Tensor& self, const Tensor& vec2) {
  check_vectors("outer", self, vec2);
  const DType dtype = promote_types(self.dtype(), vec2.dtype());
  const DType own = dtype == DType::kBool ? DType::kUInt8 : dtype;
  const Tensor a = convert(self, own, "outer"), b = convert(vec2, own, "outer");
  return convert(product_of_matrices("outer", unsqueeze_view(a, 1), unsqueeze_view(b, 0)), dtype, "outer");
}

Tensor addmm(const Tensor& self, const Tensor& mat1, const Tensor& mat2, Scalar beta, Scalar alpha) {
  const bool plain = alpha.category() != DTypeCategory::kComplex && beta.category() != DTypeCategory::kComplex &&
                     alpha.to<double>() == 1 && beta.to<double>() == 1;
  const bool floating = self.dtype() == DType::kFloat32 || self.dtype() == DType::kFloat64;
  if (!plain || !floating || mat1.dim() != 2 || mat2.dim() != 2 || mat1.size(1) != mat2.size(0) ||
      mat1.dtype() != self.dtype() || mat2.dtype() != self.dtype())
    return combine("addmm", self, product_of_matrices("addmm", mat1, mat2), beta, alpha);
  const Dims sizes{mat1.size(0), mat2.size(1)};
  if (!std::ranges::equal(broadcast_sizes("addmm", self.sizes(), sizes), sizes))
    fail_value("addmm: " + describe("self", self) + "; expected sizes that broadcast to " + to_string(sizes));
  Tensor out = Tensor::empty(sizes, self.dtype());
  if (out.numel() == 0) return out;
  copy_into(out, self, "addmm");
  visit_dtype(FloatingTypes(), self.dtype(), "addmm",
              [&]<class T>() { multiply_batch<T>(unsqueeze_view(mat1, 0), unsqueeze_view(mat2, 0), true, out); });
  return out;
}

Tensor addmv(const Tensor& self, const Tensor& mat, const Tensor& vec, Scalar beta, Scalar alpha) {
  return combine("addmv", self, mv(mat, vec), beta, alpha);
}

Tensor addr(const Tensor& self, const Tensor& vec1, const Tensor& vec2, Scalar beta, Scalar alpha) {
  for (const auto& [name, factor] : {std::pair("alpha", alpha), std::pair("beta", beta)})
    if (is_integral(self.dtype()) && factor.category() >= DTypeCategory::kFloating)
      fail_value(std::string("addr: ") + name + " is not an int and the result is " + dtype_name(self.dtype()) +
                 "; use an int");
  return combine("addr", self, outer(vec1, vec2), beta, alpha);
}

Tensor baddbmm(const Tensor& self, const Tensor& batch1, const Tensor& batch2, Scalar beta, Scalar alpha) {
  return combine("baddbmm", self, product_of_batches("baddbmm", batch1, batch2), beta, alpha);
}

// The sum over the batch is one product of matrices that lie side by side.
Tensor addbmm(const Tensor& self, const Tensor& batch1, const Tensor& batch2, Scalar beta, Scalar alpha) {
  check_rank("addbmm", "batch1", batch1, 3);
  check_rank("addbmm", "batch2", batch2, 3);
  check_inner("addbmm", batch1, batch2, batch1.size(2), batch2.size(1));
  if (batch1.size(0) != batch2.size(0))
    fail_value("addbmm: " + describe("batch1", batch1) + " and " + describe("batch2", batch2) +
               "; they must be batches of one length");
  const std::int64_t k = batch1.size(0) * batch1.size(2);
  const Tensor a = reshaped(transpose_view(batch1, 0, 1), Dims{batch1.size(1), k});
  return combine("addbmm", self, mm(a, reshaped(batch2, Dims{k, batch2.size(2)})), beta, alpha);
}

// The form that writes to `self`.
template <Name Text, auto Kernel>
Tensor in_place(const Tensor& self, const Tensor& a, const Tensor& b, Scalar beta, Scalar alpha) {
  const Tensor result = in_float<Kernel>(self, a, b, beta, alpha);
  if (result.sizes() != self.sizes())
    fail_value(std::string(Text.text) + ": " + describe("self", self) + "; the result has sizes " +
               to_string(result.sizes()) + ", they must be the same");
  copy_into(self, result, Text.text);
  return self;
}

Tensor chain(std::span<const Tensor> matrices) {
  if (matrices.empty()) fail_value("multi_dot: there are no tensors; expected one or more");
  Tensor product = matrices[0];
  for (const Tensor& matrix : matrices.subspan(1)) product = matmul(product, matrix);
  return product;
}

// Groups of rows, each with a matrix of its own: mixtures of experts. self: [m, k], mat2: [groups, k, n], offs: where
// each group of rows ends, int32; rows behind the last one give 0.
Tensor grouped_mm(const Tensor& self, const Tensor& mat2, const std::optional<Tensor>& offs,
                  const std::optional<Tensor>& bias, std::optional<DType> out_dtype) {
  check_rank("_grouped_mm", "mat2", mat2, 3);
  check_rank("_grouped_mm", "self", self, 2);
  check_inner("_grouped_mm", self, mat2, self.size(1), mat2.size(1));
  if (!offs || offs->dim() != 1 || offs->size(0) != mat2.size(0) || bias)
    fail_value("_grouped_mm: " + describe("mat2", mat2) + " with " + (offs ? describe("offs", *offs) : "no offs") +
               (bias ? " and a bias" : "") + "; expected an end of rows for each matrix, and no bias");
  Tensor out = filled(Dims{self.size(0), mat2.size(2)}, self.dtype(), Scalar(false));
  const Tensor ends = convert(*offs, DType::kInt64, "_grouped_mm").contiguous();
  std::int64_t begin = 0;
  for (std::int64_t i = 0; i < mat2.size(0); ++i) {
    const std::int64_t end = ends.data<const std::int64_t>()[i];
    if (end < begin || end > self.size(0))
      fail_value("_grouped_mm: offs has " + std::to_string(end) + " after " + std::to_string(begin) +
                 "; expected ends in order, up to " + std::to_string(self.size(0)));
    copy_into(narrow_view(out, 0, begin, end - begin),
              product_of_matrices("_grouped_mm", narrow_view(self, 0, begin, end - begin), select_view(mat2, 0, i)),
              "_grouped_mm");
    begin = end;
  }
  return convert(out, out_dtype.value_or(self.dtype()), "_grouped_mm");
}

// `tensor` without what `other` has once only along a contracted dimension: there its elements are added up.
Tensor summed_where_other_is_one(Tensor tensor, const std::vector<std::size_t>& dims, const Tensor& other,
                                 const std::vector<std::size_t>& other_dims) {
  for (std::size_t i = 0; i < dims.size(); ++i)
    if (other.size(other_dims[i]) == 1 && tensor.size(dims[i]) != 1)
      tensor = aten("sum.dim_IntList", {tensor, IntList{static_cast<std::int64_t>(dims[i])}, true,
                                        static_cast<std::int64_t>(tensor.dtype())});
  return tensor;
}

Tensor tensordot(const Tensor& given_self, const Tensor& given_other, std::span<const std::int64_t> dims_self,
                 std::span<const std::int64_t> dims_other) {
  const auto a = wrap_dims("tensordot", dims_self, given_self.dim());
  const auto b = wrap_dims("tensordot", dims_other, given_other.dim());
  if (a.size() != b.size())
    fail_value("tensordot: dims are " + to_string(dims_self) + " and " + to_string(dims_other) +
               "; expected lists of one length");
  const Tensor self = summed_where_other_is_one(given_self, a, given_other, b);
  const Tensor other = summed_where_other_is_one(given_other, b, given_self, a);
  std::vector<std::size_t> order_a, order_b(b);
  std::vector<std::int64_t> sizes;
  std::int64_t rows = 1, depth = 1, columns = 1;
  const auto keep = [&](const Tensor& t, const std::vector<std::size_t>& dims, std::vector<std::size_t>& order,
                        std::int64_t& count) {
    for (std::size_t i = 0; i < t.sizes().size(); ++i)
      if (std::ranges::find(dims, i) == dims.end()) {
        order.push_back(i);
        sizes.push_back(t.size(i));
        count *= t.size(i);
      }
  };
  keep(self, a, order_a, rows);
  order_a.insert(order_a.end(), a.begin(), a.end());
  keep(other, b, order_b, columns);
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (self.size(a[i]) != other.size(b[i]))
      fail_value("tensordot: " + describe("self", self) + " and " + describe("other", other) +
                 "; contracted sizes must be equal or 1");
    depth *= self.size(a[i]);
  }
  return reshaped(mm(reshaped(permute_view(self, order_a), Dims{rows, depth}),
                     reshaped(permute_view(other, order_b), Dims{depth, columns})),
                  sizes);
}

constexpr OpDefinition kOps[] = {
    define_op<in_float<mm>>("aten::mm(Tensor self, Tensor mat2) -> Tensor"),
    define_op<in_float<bmm>>("aten::bmm(Tensor self, Tensor mat2) -> Tensor"),
    define_op<in_float<matmul>>("aten::matmul(Tensor self, Tensor other) -> Tensor"),
    define_op<in_float<matmul>>("aten::linalg_matmul(Tensor self, Tensor other) -> Tensor"),
    define_op<in_float<mv>>("aten::mv(Tensor self, Tensor vec) -> Tensor"),
    define_op<in_float<dot>>("aten::dot(Tensor self, Tensor tensor) -> Tensor"),
    define_op<in_float<vdot>>("aten::vdot(Tensor self, Tensor other) -> Tensor"),
    define_op<in_float<inner>>("aten::inner(Tensor self, Tensor other) -> Tensor"),
    define_op<in_float<outer>>("aten::outer(Tensor self, Tensor vec2) -> Tensor"),
    define_op<in_float<outer>>("aten::ger(Tensor self, Tensor vec2) -> Tensor"),
    define_op<in_float<addmm>>(
        "aten::addmm(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) -> Tensor"),
    define_op<in_place<"addmm_", addmm>>("aten::addmm_(Tensor(a!) self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar "
                              "alpha=1) -> Tensor(a!)"),
    define_op<in_float<addmv>>(
        "aten::addmv(Tensor self, Tensor mat, Tensor vec, *, Scalar beta=1, Scalar alpha=1) -> Tensor"),
    define_op<in_float<addr>>(
        "aten::addr(Tensor self, Tensor vec1, Tensor vec2, *, Scalar beta=1, Scalar alpha=1) -> Tensor"),
    define_op<in_float<baddbmm>>(
        "aten::baddbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor"),
    define_op<in_place<"baddbmm_", baddbmm>>("aten::baddbmm_(Tensor(a!) self, Tensor batch1, Tensor batch2, *, Scalar beta=1, "
                                "Scalar alpha=1) -> Tensor(a!)"),
    define_op<in_float<addbmm>>(
        "aten::addbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor"),
    define_op<in_float<tensordot>>(
        "aten::tensordot(Tensor self, Tensor other, int[] dims_self, int[] dims_other) -> Tensor"),
    define_op<in_float<grouped_mm>>("aten::_grouped_mm(Tensor self, Tensor mat2, Tensor? offs=None, Tensor? bias=None, "
                                    "ScalarType? out_dtype=None) -> Tensor"),
    define_op<in_float<chain>>("aten::chain_matmul(Tensor[] matrices) -> Tensor"),
    define_op<in_float<chain>>("aten::linalg_multi_dot(Tensor[] tensors) -> Tensor"),
    define_op<in_place<"addmv_", addmv>>(
        "aten::addmv_(Tensor(a!) self, Tensor mat, Tensor vec, *, Scalar beta=1, Scalar alpha=1) -> Tensor(a!)"),
    define_op<in_place<"addr_", addr>>(
        "aten::addr_(Tensor(a!) self, Tensor vec1, Tensor vec2, *, Scalar beta=1, Scalar alpha=1) -> Tensor(a!)"),
    define_op<in_place<"addbmm_", addbmm>>("aten::addbmm_(Tensor(a!) self, Tensor batch1, Tensor batch2, *, Scalar "
                                           "beta=1, Scalar alpha=1) -> Tensor(a!)"),
};

}  // namespace

std::span<const OpDefinition> product_ops() { return kOps; }

}  // namespace threadwheel
