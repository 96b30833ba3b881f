// Views of one tensor as one tensor: sizes, strides and offset change, the memory is shared.
#include "ops/shared/views.h"

#include <vector>

#include "ops/compose.h"
#include "ops/families.h"
#include "ops/shared/checks.h"
#include "tensor/strided_loop.h"

namespace threadwheel {
namespace {

using namespace views;

Tensor same_view(const Tensor& self) { return self.as_strided(self.sizes(), self.strides()); }

Tensor view_dtype(const Tensor& self, DType dtype) {
  const auto from = static_cast<std::int64_t>(dtype_size(self.dtype()));
  const auto to = static_cast<std::int64_t>(dtype_size(dtype));
  const auto over = [&](std::int64_t offset, Dims sizes, Dims strides) {
    return Tensor(self.storage(), dtype, offset, std::move(sizes), std::move(strides));
  };
  if (from == to) return over(self.offset(), self.sizes(), self.strides());
  check_rank_at_least("view", self, 1);
  const auto last = static_cast<std::size_t>(self.dim()) - 1;
  const auto refuse = [&] {
    fail_value("view", std::string("sizes ") + to_string(self.sizes()) + " with strides " +
                           to_string(self.strides()) + " and offset " + std::to_string(self.offset()) + " of " +
                           dtype_name(self.dtype()) + " cannot be seen as " + dtype_name(dtype) +
                           "; the last dimension must be dense, and all must be multiples of the new element");
  };
  if (self.stride(last) != 1) refuse();
  Dims sizes = self.sizes(), strides = self.strides();
  const bool wider = to > from;
  const std::int64_t ratio = wider ? to / from : from / to;
  if (wider && (sizes[last] % ratio != 0 || self.offset() % ratio != 0)) refuse();
  for (std::size_t i = 0; i < last; ++i) {
    if (wider && strides[i] % ratio != 0) refuse();
    strides[i] = wider ? strides[i] / ratio : strides[i] * ratio;
  }
  sizes[last] = wider ? sizes[last] / ratio : sizes[last] * ratio;
  return over(wider ? self.offset() / ratio : self.offset() * ratio, std::move(sizes), std::move(strides));
}

Tensor reverse_dims(const Tensor& self) {
  Dims order(static_cast<std::size_t>(self.dim()));
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(order.size() - 1 - i);
  return permute(self, order);
}

Tensor matrix_transpose(const Tensor& self) {
  if (self.dim() == 0) return same_view(self);
  check_rank_at_least("mT", self, 2);
  return transpose(self, -2, -1);
}

Tensor t(const Tensor& self) {
  if (self.dim() > 2)
    fail_value("t", "the tensor has sizes " + to_string(self.sizes()) + "; it must have 2 dimensions or fewer");
  return reverse_dims(self);
}

// Of complex numbers a copy: there are no views here that change signs.
Tensor adjoint(const Tensor& self) { return aten("conj", {matrix_transpose(self)}); }

Tensor expand_op(const Tensor& self, Ints sizes, bool) { return expand(self, sizes); }
Tensor expand_as(const Tensor& self, const Tensor& other) { return expand(self, other.sizes()); }
Tensor view_as(const Tensor& self, const Tensor& other) { return view(self, other.sizes()); }
Tensor reshape_as(const Tensor& self, const Tensor& other) { return reshape(self, other.sizes()); }

Tensor unflatten(const Tensor& self, std::int64_t dim, Ints sizes) {
  const std::size_t split = wrap_dim("unflatten", dim, self.dim());
  if (sizes.empty()) fail_value("unflatten", "sizes are []; name one or more");
  const Dims parts = infer_sizes("unflatten", sizes, size_at(self, split));
  Dims result(std::max<std::size_t>(self.sizes().size(), 1) - 1 + parts.size());
  auto out = std::copy_n(self.sizes().begin(), split, result.begin());
  out = std::copy(parts.begin(), parts.end(), out);
  if (self.dim() > 0) std::copy(self.sizes().begin() + split + 1, self.sizes().end(), out);
  return view(self, result);
}

// A copy unless contiguous, even where a view would do.
Tensor ravel(const Tensor& self) { return view(self.contiguous(), Dims{-1}); }

Tensor narrow_tensor(const Tensor& self, std::int64_t dim, const Tensor& start, std::int64_t length) {
  if (start.dim() != 0 || dtype_info(start.dtype()).category != DTypeCategory::kInteger)
    fail_value("narrow", std::string("start is a ") + dtype_name(start.dtype()) + " tensor of sizes " +
                             to_string(start.sizes()) + "; it must be one integer without dimensions");
  const std::int64_t value = visit_dtype(IntegerTypes(), start.dtype(), "narrow",
                                         [&]<class T>() { return static_cast<std::int64_t>(*start.data<const T>()); });
  return narrow(self, dim, value, length);
}

// Any sizes and strides whose elements all lie in the storage.
Tensor as_strided(const Tensor& self, Ints sizes, Ints strides, std::optional<std::int64_t> storage_offset) {
  const std::int64_t offset = storage_offset.value_or(self.offset());
  if (sizes.size() != strides.size() || offset < 0 || std::ranges::any_of(strides, [](auto s) { return s < 0; }))
    fail_value("as_strided", "sizes are " + to_string(sizes) + ", strides " + to_string(strides) + ", offset " +
                                 std::to_string(offset) + "; give a stride for each size, none of them negative");
  const bool empty = count_elements(sizes) == 0;
  std::int64_t last = offset, step = 0;
  bool overflow = false;
  for (std::size_t i = 0; i < sizes.size() && !empty; ++i) {
    overflow |= __builtin_mul_overflow(sizes[i] - 1, strides[i], &step);
    overflow |= __builtin_add_overflow(last, step, &last);
  }
  const auto held = static_cast<std::int64_t>(self.storage()->size_bytes() / dtype_size(self.dtype()));
  if (overflow || (!empty && last >= held) || offset > held)
    fail_value("as_strided", "sizes " + to_string(sizes) + ", strides " + to_string(strides) + " and offset " +
                                 std::to_string(offset) + " reach beyond the storage of " + std::to_string(held) +
                                 " elements");
  return Tensor(self.storage(), self.dtype(), offset, Dims(sizes), Dims(strides));
}

Tensor unfold(const Tensor& self, std::int64_t dimension, std::int64_t size, std::int64_t step) {
  const std::size_t dim = wrap_dim("unfold", dimension, self.dim());
  const std::int64_t held = size_at(self, dim);
  if (step <= 0 || size < 0 || size > held)
    fail_value("unfold", "size is " + std::to_string(size) + " and step " + std::to_string(step) +
                             " for a dimension of size " + std::to_string(held) +
                             "; the step must be positive, the size from 0 to that");
  const auto rank = static_cast<std::size_t>(self.dim());
  Dims sizes(rank + 1), strides(rank + 1);
  std::ranges::copy(self.sizes(), sizes.begin());
  std::ranges::copy(self.strides(), strides.begin());
  sizes[rank] = size;
  strides[rank] = rank == 0 ? 1 : self.stride(dim);
  if (rank > 0) {
    sizes[dim] = (held - size) / step + 1;
    strides[dim] = step * self.stride(dim);
  }
  return self.as_strided(std::move(sizes), std::move(strides));
}

Tensor linalg_diagonal(const Tensor& self, std::int64_t offset, std::int64_t dim1, std::int64_t dim2) {
  return diagonal(self, offset, dim1, dim2);
}

Tensor atleast_1d(const Tensor& self) { return self.dim() >= 1 ? self : reshape(self, Dims{1}); }

Tensor atleast_2d(const Tensor& self) {
  return self.dim() >= 2 ? self : unsqueeze(atleast_1d(self), 0);
}

Tensor atleast_3d(const Tensor& self) { return self.dim() >= 3 ? self : unsqueeze(atleast_2d(self), -1); }

template <Tensor (*Each)(const Tensor&)>
std::vector<Tensor> each(std::span<const Tensor> tensors) {
  std::vector<Tensor> results;
  for (const Tensor& tensor : tensors) results.push_back(Each(tensor));
  return results;
}

Tensor reshape_alias(const Tensor& self, Ints sizes, Ints strides) {
  return as_strided(self, sizes, strides, std::nullopt);
}

// The in-place form of a view: the tensor itself becomes it.
template <auto View, class Signature = decltype(View)>
struct InPlace;
template <auto View, class... Args>
struct InPlace<View, Tensor (*)(const Tensor&, Args...)> {
  static Tensor call(const Tensor& self, Args... args) {
    self.become(View(self, args...));
    return self;
  }
};

// The copying form of a view: never shares memory.
template <auto View, class Signature = decltype(View)>
struct Copying;
template <auto View, class... Args>
struct Copying<View, Tensor (*)(const Tensor&, Args...)> {
  static Tensor call(const Tensor& self, Args... args) {
    const Tensor view = View(self, args...);
    Tensor copy = Tensor::empty(view.sizes(), view.dtype());
    copy_elements(view, copy);
    return copy;
  }
};

constexpr OpDefinition kOps[] = {
    define_op<view>("aten::view(Tensor(a) self, SymInt[] size) -> Tensor(a)"),
    define_op<view_dtype>("aten::view.dtype(Tensor(a) self, ScalarType dtype) -> Tensor(a)"),
    define_op<reshape>("aten::reshape(Tensor(a) self, SymInt[] shape) -> Tensor(a)"),
    define_op<reshape_alias>("aten::_reshape_alias(Tensor(a) self, SymInt[] size, SymInt[] stride) -> Tensor(a)"),
    define_op<view_as>("aten::view_as(Tensor(a) self, Tensor other) -> Tensor(a)"),
    define_op<reshape_as>("aten::reshape_as(Tensor(a) self, Tensor other) -> Tensor(a)"),
    define_op<permute>("aten::permute(Tensor(a) self, int[] dims) -> Tensor(a)"),
    define_op<transpose>("aten::transpose.int(Tensor(a) self, int dim0, int dim1) -> Tensor(a)"),
    define_op<transpose>("aten::swapaxes(Tensor(a) self, int axis0, int axis1) -> Tensor(a)"),
    define_op<transpose>("aten::swapdims(Tensor(a) self, int dim0, int dim1) -> Tensor(a)"),
    define_op<t>("aten::t(Tensor(a) self) -> Tensor(a)"),
    define_op<reverse_dims>("aten::numpy_T(Tensor(a) self) -> Tensor(a)"),
    define_op<reverse_dims>("aten::numpy_T.a(Tensor(a) self) -> Tensor(a)"),
    define_op<matrix_transpose>("aten::mT(Tensor(a) self) -> Tensor(a)"),
    define_op<matrix_transpose>("aten::mT.a(Tensor(a) self) -> Tensor(a)"),
    define_op<adjoint>("aten::mH(Tensor(a) self) -> Tensor(a)"),
    define_op<adjoint>("aten::mH.a(Tensor(a) self) -> Tensor(a)"),
    define_op<adjoint>("aten::adjoint(Tensor(a) self) -> Tensor(a)"),
    define_op<adjoint>("aten::matrix_H(Tensor(a) self) -> Tensor(a)"),
    define_op<adjoint>("aten::matrix_H.a(Tensor(a) self) -> Tensor(a)"),
    define_op<movedim>("aten::movedim.int(Tensor(a) self, int source, int destination) -> Tensor(a)"),
    define_op<movedim_list>("aten::movedim.intlist(Tensor(a) self, int[] source, int[] destination) -> Tensor(a)"),
    define_op<movedim_list>("aten::moveaxis.intlist(Tensor(a) self, int[] source, int[] destination) -> Tensor(a)"),
    define_op<movedim>("aten::moveaxis.int(Tensor(a) self, int source, int destination) -> Tensor(a)"),
    define_op<expand_op>("aten::expand(Tensor(a) self, SymInt[] size, *, bool implicit=False) -> Tensor(a)"),
    define_op<expand_as>("aten::expand_as(Tensor(a) self, Tensor other) -> Tensor(a)"),
    define_op<expand>("aten::broadcast_to(Tensor(a) self, SymInt[] size) -> Tensor(a)"),
    define_op<squeeze_all>("aten::squeeze(Tensor(a) self) -> Tensor(a)"),
    define_op<squeeze>("aten::squeeze.dim(Tensor(a) self, int dim) -> Tensor(a)"),
    define_op<squeeze_dims>("aten::squeeze.dims(Tensor(a) self, int[] dim) -> Tensor(a)"),
    define_op<unsqueeze>("aten::unsqueeze(Tensor(a) self, int dim) -> Tensor(a)"),
    define_op<select>("aten::select.int(Tensor(a) self, int dim, SymInt index) -> Tensor(a)"),
    define_op<slice>("aten::slice.Tensor(Tensor(a) self, int dim=0, SymInt? start=None, SymInt? end=None, "
                     "SymInt step=1) -> Tensor(a)"),
    define_op<narrow>("aten::narrow(Tensor(a) self, int dim, SymInt start, SymInt length) -> Tensor(a)"),
    define_op<narrow_tensor>("aten::narrow.Tensor(Tensor(a) self, int dim, Tensor start, SymInt length) -> Tensor(a)"),
    define_op<unflatten>("aten::unflatten.int(Tensor(a) self, int dim, SymInt[] sizes) -> Tensor(a)"),
    define_op<flatten>("aten::flatten.using_ints(Tensor(a) self, int start_dim=0, int end_dim=-1) -> Tensor(a)"),
    define_op<ravel>("aten::ravel(Tensor(a) self) -> Tensor(a)"),
    define_op<as_strided>(
        "aten::as_strided(Tensor(a) self, SymInt[] size, SymInt[] stride, SymInt? storage_offset=None) -> Tensor(a)"),
    define_op<same_view>("aten::detach(Tensor(a) self) -> Tensor(a)"),
    define_op<same_view>("aten::alias(Tensor(a) self) -> Tensor(a)"),
    define_op<same_view>("prim::data(Tensor(a) a) -> Tensor(a)"),
    define_op<same_view>("aten::data(Tensor self) -> Tensor"),
    define_op<diagonal>("aten::diagonal(Tensor(a) self, int offset=0, int dim1=0, int dim2=1) -> Tensor(a)"),
    define_op<linalg_diagonal>(
        "aten::linalg_diagonal(Tensor(a) A, *, int offset=0, int dim1=-2, int dim2=-1) -> Tensor(a)"),
    define_op<unfold>("aten::unfold(Tensor(a) self, int dimension, int size, int step) -> Tensor(a)"),
    define_op<atleast_1d>("aten::atleast_1d(Tensor self) -> Tensor"),
    define_op<each<atleast_1d>>("aten::atleast_1d.Sequence(Tensor[] tensors) -> Tensor[]"),
    define_op<atleast_2d>("aten::atleast_2d(Tensor self) -> Tensor"),
    define_op<each<atleast_2d>>("aten::atleast_2d.Sequence(Tensor[] tensors) -> Tensor[]"),
    define_op<atleast_3d>("aten::atleast_3d(Tensor self) -> Tensor"),
    define_op<each<atleast_3d>>("aten::atleast_3d.Sequence(Tensor[] tensors) -> Tensor[]"),
    define_op<InPlace<as_strided>::call>(
        "aten::as_strided_(Tensor(a!) self, SymInt[] size, SymInt[] stride, SymInt? storage_offset=None) -> "
        "Tensor(a!)"),
    define_op<InPlace<t>::call>("aten::t_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<InPlace<transpose>::call>("aten::transpose_(Tensor(a!) self, int dim0, int dim1) -> Tensor(a!)"),
    define_op<InPlace<squeeze_all>::call>("aten::squeeze_(Tensor(a!) self) -> Tensor(a!)"),
    define_op<InPlace<squeeze>::call>("aten::squeeze_.dim(Tensor(a!) self, int dim) -> Tensor(a!)"),
    define_op<InPlace<squeeze_dims>::call>("aten::squeeze_.dims(Tensor(a!) self, int[] dim) -> Tensor(a!)"),
    define_op<InPlace<unsqueeze>::call>("aten::unsqueeze_(Tensor(a!) self, int dim) -> Tensor(a!)"),
    define_op<Copying<same_view>::call>("aten::alias_copy(Tensor self) -> Tensor"),
    define_op<Copying<reshape>::call>("aten::view_copy(Tensor self, SymInt[] size) -> Tensor"),
    define_op<Copying<permute>::call>("aten::permute_copy(Tensor self, int[] dims) -> Tensor"),
    define_op<Copying<t>::call>("aten::t_copy(Tensor self) -> Tensor"),
    define_op<Copying<transpose>::call>("aten::transpose_copy.int(Tensor self, int dim0, int dim1) -> Tensor"),
    define_op<Copying<expand_op>::call>(
        "aten::expand_copy(Tensor self, SymInt[] size, *, bool implicit=False) -> Tensor"),
    define_op<Copying<squeeze_all>::call>("aten::squeeze_copy(Tensor self) -> Tensor"),
    define_op<Copying<squeeze>::call>("aten::squeeze_copy.dim(Tensor self, int dim) -> Tensor"),
    define_op<Copying<squeeze_dims>::call>("aten::squeeze_copy.dims(Tensor self, int[] dim) -> Tensor"),
    define_op<Copying<unsqueeze>::call>("aten::unsqueeze_copy(Tensor self, int dim) -> Tensor"),
    define_op<Copying<narrow>::call>("aten::narrow_copy(Tensor self, int dim, SymInt start, SymInt length) -> Tensor"),
    define_op<Copying<as_strided>::call>(
        "aten::as_strided_copy(Tensor self, SymInt[] size, SymInt[] stride, SymInt? storage_offset=None) -> Tensor"),
    define_op<Copying<diagonal>::call>(
        "aten::diagonal_copy(Tensor self, int offset=0, int dim1=0, int dim2=1) -> Tensor"),
    define_op<Copying<unfold>::call>("aten::unfold_copy(Tensor self, int dimension, int size, int step) -> Tensor"),
};

}  // namespace

std::span<const OpDefinition> view_ops() { return kOps; }

}  // namespace threadwheel
