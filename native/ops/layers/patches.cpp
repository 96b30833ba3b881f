// Images as columns of patches and back, pooling undone, grids of affine maps, and weights by length and direction.
#include <cmath>
#include <string>
#include <vector>

#include "ops/compose.h"
#include "ops/families.h"
#include "ops/shared/shapes.h"
#include "threadwheel/error.h"
#include "threadwheel/parallel.h"

namespace threadwheel {
namespace {

using Ints = std::span<const std::int64_t>;
using Int = std::int64_t;

// --- patches -----------------------------------------------------------------------------------------------

// Where the patches of an image of `height` x `width` lie; rows and columns of patches.
struct Patches {
  Int height, width, kernel[2], dilation[2], padding[2], stride[2], down, across;

  Patches(const char* op, Int image_height, Int image_width, Ints kernels, Ints dilations, Ints paddings, Ints strides)
      : height(image_height), width(image_width) {
    for (std::size_t i = 0; i < 2; ++i) {
      kernel[i] = pair(op, "kernel_size", kernels, i, 1);
      dilation[i] = pair(op, "dilation", dilations, i, 1);
      padding[i] = pair(op, "padding", paddings, i, 0);
      stride[i] = pair(op, "stride", strides, i, 1);
    }
    down = count(height, 0);
    across = count(width, 1);
    if (down < 1 || across < 1)
      fail_value(std::string(op) + ": an image of " + std::to_string(height) + " x " + std::to_string(width) +
                 " has no patch of kernel_size " + to_string(kernels) + ", dilation " + to_string(dilations) +
                 " and padding " + to_string(paddings));
  }

  Int area() const { return kernel[0] * kernel[1]; }

  // Calls visit(element of the columns, element of the image) for one channel, outside of the padding.
  template <class Visit>
  void walk(const Visit& visit) const {
    for (Int k = 0; k < area(); ++k)
      for (Int row = 0; row < down; ++row)
        for (Int column = 0; column < across; ++column) {
          const Int y = row * stride[0] - padding[0] + k / kernel[1] * dilation[0];
          const Int x = column * stride[1] - padding[1] + k % kernel[1] * dilation[1];
          if (y >= 0 && y < height && x >= 0 && x < width) visit((k * down + row) * across + column, y * width + x);
        }
  }

 private:
  static Int pair(const char* op, const char* name, Ints values, std::size_t i, Int least) {
    if (values.size() != 2 || values[i] < least || values[i] > INT32_MAX)
      fail_value(std::string(op) + ": " + name + " is " + to_string(values) + "; expected two numbers of " +
                 std::to_string(least) + " or more");
    return values[i];
  }
  Int count(Int size, std::size_t i) const {
    const Int room = size + 2 * padding[i] - dilation[i] * (kernel[i] - 1) - 1;
    return room < 0 ? 0 : room / stride[i] + 1;
  }
};

// [n, c, h, w] -> [n, c * area, patches]; without a batch as well.
Tensor im2col(const Tensor& self, Ints kernel_size, Ints dilation, Ints padding, Ints stride) {
  const std::size_t rank = self.sizes().size();
  if (rank != 3 && rank != 4)
    fail_value("im2col: " + describe("input", self) + "; expected 3 or 4 dimensions");
  const Patches patches("im2col", self.size(rank - 2), self.size(rank - 1), kernel_size, dilation, padding, stride);
  const Int length = patches.down * patches.across, channels = self.size(rank - 3);
  const Int rows = channels * patches.area();
  const Dims sizes = rank == 4 ? Dims{self.size(0), rows, length} : Dims{rows, length};
  const Tensor x = self.contiguous(), out = zeros(sizes, self.dtype());
  visit_bits(self.dtype(), [&]<class T>() {
    const Int planes = x.numel() / std::max<Int>(1, patches.height * patches.width);
    parallel_for(0, planes, 1 + 16384 / (patches.area() * length), [&](Int begin, Int end) {
      for (Int plane = begin; plane < end; ++plane) {
        const T* const from = x.data<const T>() + plane * patches.height * patches.width;
        T* const to = out.data<T>() + plane * patches.area() * length;
        patches.walk([&](Int at, Int pixel) { to[at] = from[pixel]; });
      }
    });
  });
  return out;
}

// The reverse: patches are added where they overlap.
Tensor col2im(const Tensor& self, Ints output_size, Ints kernel_size, Ints dilation, Ints padding, Ints stride) {
  constexpr const char* kName = "col2im";
  if (output_size.size() != 2)
    fail_value(std::string(kName) + ": output_size is " + to_string(output_size) + "; expected two numbers");
  const Patches patches(kName, output_size[0], output_size[1], kernel_size, dilation, padding, stride);
  const std::size_t rank = self.sizes().size();
  const Int length = patches.down * patches.across;
  if ((rank != 2 && rank != 3) || self.size(rank - 1) != length || self.size(rank - 2) % patches.area() != 0)
    fail_value(std::string(kName) + ": " + describe("input", self) + "; expected " + std::to_string(length) +
               " columns of a multiple of " + std::to_string(patches.area()) + " numbers");
  const Int channels = self.size(rank - 2) / patches.area();
  const Dims sizes = rank == 3 ? Dims{self.size(0), channels, patches.height, patches.width}
                               : Dims{channels, patches.height, patches.width};
  const Tensor x = self.contiguous(), out = zeros(sizes, self.dtype());
  visit_dtype(FloatingAndComplexTypes(), self.dtype(), kName, [&]<class T>() {
    const Int planes = out.numel() / std::max<Int>(1, patches.height * patches.width);
    parallel_for(0, planes, 1 + 16384 / (patches.area() * length), [&](Int begin, Int end) {
      for (Int plane = begin; plane < end; ++plane) {
        const T* const from = x.data<const T>() + plane * patches.area() * length;
        T* const to = out.data<T>() + plane * patches.height * patches.width;
        patches.walk([&](Int at, Int pixel) { to[pixel] += from[at]; });
      }
    });
  });
  return out;
}

// --- pooling undone ------------------------------------------------------------------------------------------

// Each element goes to its index in the plane, a space of the last `dims` dimensions; the others are zero.
Tensor unpool(const char* op, const Tensor& self, const Tensor& indices, Ints output_size, std::size_t dims) {
  const std::size_t rank = self.sizes().size();
  if (output_size.size() != dims || (rank != dims + 1 && rank != dims + 2) || self.sizes() != indices.sizes() ||
      indices.dtype() != DType::kInt64)
    fail_value(std::string(op) + ": " + describe("input", self) + ", " + describe("indices", indices) +
               " and output_size is " + to_string(output_size) + "; expected int64 indices of the input's sizes, and " +
               std::to_string(dims) + " numbers");
  Dims sizes = self.sizes();
  std::ranges::copy(output_size, sizes.end() - static_cast<std::ptrdiff_t>(dims));
  const Int plane = count_elements(output_size), before = count_elements(std::span(self.sizes()).last(dims));
  const Tensor x = self.contiguous(), places = indices.contiguous(), out = zeros(sizes, self.dtype());
  visit_bits(self.dtype(), [&]<class T>() {
    for (Int i = 0; i < x.numel(); ++i) {
      const Int place = places.data<const Int>()[i];
      if (place < 0 || place >= plane)
        throw Error(ErrorCode::kIndex, std::string(op) + ": an index is " + std::to_string(place) +
                                           "; a plane of the output has " + std::to_string(plane) + " elements");
      out.data<T>()[i / before * plane + place] = x.data<const T>()[i];
    }
  });
  return out;
}

Tensor max_unpool2d(const Tensor& self, const Tensor& indices, Ints output_size) {
  return unpool("max_unpool2d", self, indices, output_size, 2);
}
Tensor max_unpool3d(const Tensor& self, const Tensor& indices, Ints output_size, Ints /*stride*/, Ints /*padding*/) {
  return unpool("max_unpool3d", self, indices, output_size, 3);
}

// --- grids and weights -----------------------------------------------------------------------------------------

// The places of `size` samples between -1 and 1: the outermost at the corners, or half a sample inside.
Tensor places_between(Int size, bool align_corners, DType dtype) {
  const double step = size == 1 ? 0 : 2.0 / static_cast<double>(align_corners ? size - 1 : size);
  const double half = size == 1 ? 0 : static_cast<double>(size - 1) / 2;
  const Tensor out = Tensor::empty(Dims{size}, DType::kFloat64);
  for (Int i = 0; i < size; ++i) out.data<double>()[i] = (static_cast<double>(i) - half) * step;
  return convert(out, dtype, "affine_grid_generator");
}

// theta: [n, d, d + 1], size: [n, channels, space of d dimensions] -> [n, space, d], the last dimension x first.
Tensor affine_grid_generator(const Tensor& theta, Ints size, bool align_corners) {
  constexpr const char* kName = "affine_grid_generator";
  const std::size_t d = size.size() - 2;
  if ((size.size() != 4 && size.size() != 5) || theta.dim() != 3 || theta.size(0) != size[0] ||
      theta.size(1) != static_cast<Int>(d) || theta.size(2) != static_cast<Int>(d) + 1)
    fail_value(std::string(kName) + ": " + describe("theta", theta) + " and size is " + to_string(size) +
               "; expected [n, 2, 3] with 4 numbers or [n, 3, 4] with 5");
  Dims sizes(d + 1);
  std::copy(size.begin() + 2, size.end(), sizes.begin());
  sizes[d] = static_cast<Int>(d) + 1;
  const Tensor base = filled(sizes, theta.dtype(), 1.0);
  for (std::size_t i = 0; i < d; ++i) {  // dimension i of space is coordinate d - 1 - i
    Dims shape(d, 1);
    shape[i] = sizes[i];
    const Tensor places = reshaped(places_between(sizes[i], align_corners, theta.dtype()), shape);
    copy_into(select_view(base, d, static_cast<Int>(d - 1 - i)), places, kName);
  }
  const Tensor rows = reshaped(base, Dims{1, base.numel() / (static_cast<Int>(d) + 1), static_cast<Int>(d) + 1});
  IntList out(size.begin(), size.end());
  out.erase(out.begin() + 1);
  out.push_back(static_cast<Int>(d));
  return reshaped(aten("matmul", {rows, transpose_view(theta, 1, 2)}), out);
}

// The norms over all dimensions but one; -1 stands for all of them.
Tensor norm_except_dim(const Tensor& v, Int pow, Int dim) {
  if (dim == -1) return aten("norm.Scalar", {v, pow});
  const std::size_t at = wrap_dim("norm_except_dim", dim, v.dim());
  IntList others;
  for (std::size_t i = 0; i < v.sizes().size(); ++i)
    if (i != at) others.push_back(static_cast<Int>(i));
  return others.empty() ? aten("abs", {v}) : aten("linalg_vector_norm", {v, pow, others, true});
}

Tensor weight_norm(const Tensor& v, const Tensor& g, Int dim) {
  return aten("mul.Tensor", {v, aten("div.Tensor", {g, norm_except_dim(v, 2, dim)})});
}

constexpr OpDefinition kOps[] = {
    define_op<im2col>(
        "aten::im2col(Tensor self, int[2] kernel_size, int[2] dilation, int[2] padding, int[2] stride) -> Tensor"),
    define_op<in_float<col2im>>(
        "aten::col2im(Tensor self, SymInt[2] output_size, int[2] kernel_size, int[2] dilation, int[2] padding, int[2] "
        "stride) -> Tensor"),
    define_op<max_unpool2d>("aten::max_unpool2d(Tensor self, Tensor indices, SymInt[2] output_size) -> Tensor"),
    define_op<max_unpool3d>(
        "aten::max_unpool3d(Tensor self, Tensor indices, SymInt[3] output_size, int[3] stride, int[3] padding) -> "
        "Tensor"),
    define_op<affine_grid_generator>(
        "aten::affine_grid_generator(Tensor theta, SymInt[] size, bool align_corners) -> Tensor"),
    define_op<norm_except_dim>("aten::norm_except_dim(Tensor v, int pow=2, int dim=0) -> Tensor"),
    define_op<weight_norm>("aten::_weight_norm(Tensor v, Tensor g, int dim=0) -> Tensor"),
};

}  // namespace

std::span<const OpDefinition> patch_ops() { return kOps; }

}  // namespace threadwheel
