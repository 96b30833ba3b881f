// Quantized tensors added, multiplied and joined, and floats rounded as quantization would round them. The numbers that
// the integers stand for are computed with, in float32, and rounded once.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "ops/compose.h"
#include "ops/families.h"
#include "ops/shared/quantize.h"
#include "ops/shared/shapes.h"
#include "threadwheel/error.h"

namespace threadwheel {
namespace {

using MaybeScale = std::optional<double>;
using MaybePoint = std::optional<std::int64_t>;

enum class Arithmetic { kAdd, kMultiply };

template <Arithmetic What, bool Relu>
Tensor combine(const Tensor& a, const Tensor& b, double scale, std::int64_t zero_point) {
  constexpr const char* kName = What == Arithmetic::kAdd ? "quantized::add" : "quantized::mul";
  if (a.dtype() != b.dtype())
    fail_value(std::string(kName) + ": the tensors are " + dtype_name(a.dtype()) + " and " + dtype_name(b.dtype()) +
               "; they must have one dtype");
  const Tensor values = aten(What == Arithmetic::kAdd ? "add.Tensor" : "mul.Tensor", {dequantize(a), dequantize(b)});
  return quantize_result(Relu ? aten("relu", {values}) : values, scale, zero_point, a.dtype());
}

// Without parameters those of the first tensor.
Tensor cat(std::span<const Tensor> tensors, std::int64_t dim, MaybeScale scale, MaybePoint zero_point) {
  if (tensors.empty()) fail_value("quantized::cat: there are no tensors; expected one or more");
  std::vector<Tensor> values;
  for (const Tensor& each : tensors) {
    if (each.dtype() != tensors[0].dtype())
      fail_value(std::string("quantized::cat: the tensors are ") + dtype_name(tensors[0].dtype()) + " and " +
                 dtype_name(each.dtype()) + "; they must have one dtype");
    values.push_back(dequantize(each));
  }
  const double to_scale = scale ? *scale : aten_value("q_scale", {tensors[0]}).to_double();
  const std::int64_t to_point = zero_point ? *zero_point : aten_value("q_zero_point", {tensors[0]}).to_int();
  const auto dtype = static_cast<std::int64_t>(tensors[0].dtype());
  return aten("quantize_per_tensor", {aten("cat", {values, dim}), to_scale, to_point, dtype});
}

// --- floats that are rounded as if they were quantized --------------------------------------------------------

void check_range(const char* op, const Tensor& self, std::int64_t least, std::int64_t most) {
  if (self.dtype() != DType::kFloat32)
    throw Error(ErrorCode::kUnsupported,
                std::string(op) + ": unsupported dtype " + dtype_name(self.dtype()) + "; supported is float32");
  if (least > most)
    fail_value(std::string(op) + ": quant_min is " + std::to_string(least) + " and quant_max " +
               std::to_string(most) + "; the first must not be the greater");
}

struct Rounding {
  float scale, inverse, zero_point, least, most;

  float operator()(float x) const {
    const float q = std::nearbyint(x * inverse) + zero_point;
    return (std::fmin(std::fmax(q, least), most) - zero_point) * scale;
  }
};

Rounding rounding_of(double scale, double zero_point, std::int64_t least, std::int64_t most) {
  const auto narrow = static_cast<float>(scale);
  return {narrow, 1.0F / narrow, static_cast<float>(zero_point), static_cast<float>(least), static_cast<float>(most)};
}

Tensor fake_quantize(const Tensor& self, double scale, std::int64_t zero_point, std::int64_t quant_min,
                     std::int64_t quant_max) {
  check_range("fake_quantize_per_tensor_affine", self, quant_min, quant_max);
  const Rounding round = rounding_of(scale, static_cast<double>(zero_point), quant_min, quant_max);
  const Tensor x = self.contiguous(), out = Tensor::empty(self.sizes(), self.dtype());
  std::transform(x.data<const float>(), x.data<const float>() + x.numel(), out.data<float>(), round);
  return out;
}

Tensor fake_quantize_tensor_params(const Tensor& self, const Tensor& scale, const Tensor& zero_point,
                                   std::int64_t quant_min, std::int64_t quant_max) {
  const Value number = aten_value("item", {scale}), point = aten_value("item", {zero_point});
  return fake_quantize(self, number.to_double(), static_cast<std::int64_t>(point.to_double()), quant_min, quant_max);
}

Tensor fake_quantize_per_channel(const Tensor& self, const Tensor& scale, const Tensor& zero_point, std::int64_t axis,
                                 std::int64_t quant_min, std::int64_t quant_max) {
  constexpr const char* kName = "fake_quantize_per_channel_affine";
  check_range(kName, self, quant_min, quant_max);
  const std::size_t at = wrap_dim(kName, axis, self.dim());
  const std::int64_t wanted[] = {self.dim() == 0 ? 1 : self.size(at)};
  if (!std::ranges::equal(scale.sizes(), wanted) || !std::ranges::equal(zero_point.sizes(), wanted))
    fail_value(std::string(kName) + ": " + describe("scale", scale) + " and " + describe("zero_point", zero_point) +
               "; expected " + to_string(wanted));
  const Tensor x = self.contiguous(), out = Tensor::empty(self.sizes(), self.dtype());
  const Tensor scales = convert(scale, DType::kFloat64, kName).contiguous();
  const Tensor points = convert(zero_point, DType::kFloat64, kName).contiguous();
  const std::int64_t inner = count_elements(std::span(self.sizes()).subspan(std::min(at + 1, self.sizes().size())));
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    const std::int64_t channel = i / inner % wanted[0];
    const Rounding round =
        rounding_of(scales.data<const double>()[channel], points.data<const double>()[channel], quant_min, quant_max);
    out.data<float>()[i] = round(x.data<const float>()[i]);
  }
  return out;
}

constexpr OpDefinition kOps[] = {
    define_op<combine<Arithmetic::kAdd, false>>(
        "quantized::add(Tensor qa, Tensor qb, float scale, int zero_point) -> Tensor qc"),
    define_op<combine<Arithmetic::kAdd, true>>(
        "quantized::add_relu(Tensor qa, Tensor qb, float scale, int zero_point) -> Tensor qc"),
    define_op<combine<Arithmetic::kMultiply, false>>(
        "quantized::mul(Tensor qa, Tensor qb, float scale, int zero_point) -> Tensor qc"),
    define_op<combine<Arithmetic::kMultiply, true>>(
        "quantized::mul_relu(Tensor qa, Tensor qb, float scale, int zero_point) -> Tensor qc"),
    define_op<cat>("quantized::cat(Tensor[] qx, int dim, float? scale, int? zero_point) -> Tensor"),
    define_op<fake_quantize>(
        "aten::fake_quantize_per_tensor_affine(Tensor self, float scale, int zero_point, int quant_min, int quant_max) "
        "-> Tensor"),
    define_op<fake_quantize_tensor_params>(
        "aten::fake_quantize_per_tensor_affine.tensor_qparams(Tensor self, Tensor scale, Tensor zero_point, int "
        "quant_min, int quant_max) -> Tensor"),
    define_op<fake_quantize_per_channel>(
        "aten::fake_quantize_per_channel_affine(Tensor self, Tensor scale, Tensor zero_point, int axis, int quant_min, "
        "int quant_max) -> Tensor"),
};

}  // namespace

std::span<const OpDefinition> quantized_arithmetic_ops() { return kOps; }

}  // namespace threadwheel
