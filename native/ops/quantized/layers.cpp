// Layers on quantized tensors other than linear and convolution in two dimensions: activations and normalisations, which
// compute with the numbers that the integers stand for and round once; and what is made of other quantized layers.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "ops/compose.h"
#include "ops/families.h"
#include "ops/quantized/packed.h"
#include "ops/shared/pointwise.h"
#include "ops/shared/quantize.h"
#include "ops/shared/shapes.h"
#include "threadwheel/error.h"

namespace threadwheel {

namespace {

using Ints = std::span<const std::int64_t>;
using OptionalTensor = std::optional<Tensor>;

Value as_value(const OptionalTensor& tensor) { return tensor ? Value(*tensor) : Value(); }
Value as_value(Scalar number) {
  return number.category() == DTypeCategory::kFloating ? Value(number.to<double>()) : Value(number.to<std::int64_t>());
}

// --- activations ----------------------------------------------------------------------------------------------------

// An op of aten of one tensor.
template <Name Op>
Tensor activate(const Tensor& input, double scale, std::int64_t zero_point) {
  return quantize_result(aten(Op.text, {dequantize(input)}), scale, zero_point, input.dtype());
}

Tensor leaky_relu(const Tensor& qx, Scalar slope, bool /*inplace*/, double scale, std::int64_t zero_point) {
  return quantize_result(aten("leaky_relu", {dequantize(qx), as_value(slope)}), scale, zero_point, qx.dtype());
}

Tensor elu(const Tensor& self, double output_scale, std::int64_t zero_point, Scalar alpha, Scalar scale,
           Scalar input_scale) {
  const Tensor values = aten("elu", {dequantize(self), as_value(alpha), as_value(scale), as_value(input_scale)});
  return quantize_result(values, output_scale, zero_point, self.dtype());
}

Tensor celu(const Tensor& self, double output_scale, std::int64_t zero_point, Scalar alpha) {
  return quantize_result(aten("celu", {dequantize(self), as_value(alpha)}), output_scale, zero_point, self.dtype());
}

Tensor prelu(const Tensor& qx, const Tensor& weight, double scale, std::int64_t zero_point) {
  return quantize_result(aten("prelu", {dequantize(qx), dequantize(weight)}), scale, zero_point, qx.dtype());
}

Tensor softmax(const Tensor& qx, std::int64_t dim, double scale, std::int64_t zero_point) {
  return quantize_result(aten("softmax.int", {dequantize(qx), dim, Value()}), scale, zero_point, qx.dtype());
}

Tensor relu6(const Tensor& qx, bool /*inplace*/) {
  return quantize_like(aten("clamp", {dequantize(qx), 0.0, 6.0}), qx);
}

Tensor matmul(const Tensor& qa, const Tensor& qb, double scale, std::int64_t zero_point) {
  return quantize_result(aten("matmul", {dequantize(qa), dequantize(qb)}), scale, zero_point, qa.dtype());
}

// --- normalisations -------------------------------------------------------------------------------------------------

Tensor layer_norm(const Tensor& input, Ints shape, const OptionalTensor& weight, const OptionalTensor& bias, double eps,
                  double scale, std::int64_t zero_point) {
  const Value sizes = IntList(shape.begin(), shape.end());
  const Tensor values = aten("layer_norm", {dequantize(input), sizes, as_value(weight), as_value(bias), eps});
  return quantize_result(values, scale, zero_point, input.dtype());
}

Tensor group_norm(const Tensor& input, std::int64_t num_groups, const OptionalTensor& weight,
                  const OptionalTensor& bias, double eps, double scale, std::int64_t zero_point) {
  const Tensor values = aten("group_norm", {dequantize(input), num_groups, as_value(weight), as_value(bias), eps});
  return quantize_result(values, scale, zero_point, input.dtype());
}

Tensor instance_norm(const Tensor& input, const OptionalTensor& weight, const OptionalTensor& bias, double eps,
                     double scale, std::int64_t zero_point) {
  const Tensor values = aten("instance_norm", {dequantize(input), as_value(weight), as_value(bias), Value(), Value(),
                                               true, 0.0, eps, false});
  return quantize_result(values, scale, zero_point, input.dtype());
}

template <bool Relu>
Tensor batch_norm(const Tensor& qx, const OptionalTensor& weight, const OptionalTensor& bias, const Tensor& mean,
                  const Tensor& var, double eps, double scale, std::int64_t zero_point) {
  const Tensor values = aten("batch_norm", {dequantize(qx), as_value(weight), as_value(bias), mean, var, false, 0.0, eps,
                                            false});
  return quantize_result(Relu ? aten("relu", {values}) : values, scale, zero_point, qx.dtype());
}

// --- made of other layers -------------------------------------------------------------------------------------------

// A convolution in one dimension is one over images of one row.
Value conv1d_prepack(const Tensor& weight, const OptionalTensor& bias, Ints stride, Ints padding, Ints dilation,
                     std::int64_t groups) {
  if (weight.dim() != 3 || stride.size() != 1 || padding.size() != 1 || dilation.size() != 1)
    fail_value("quantized::conv1d_prepack: " + describe("weight", weight) + ", stride " + to_string(stride) +
               ", padding " + to_string(padding) + ", dilation " + to_string(dilation) +
               "; expected [out, in / groups, width] and one number each");
  const Tensor image = unsqueeze_view(weight, 2).with_quantizer(weight.quantizer());  // dimension 0 stays where it was
  return conv2d_prepack(image, bias, Dims{1, stride[0]}, Dims{0, padding[0]}, Dims{1, dilation[0]}, groups);
}

template <Name Op>
Tensor conv1d(const Tensor& qx, const Value& packed, double scale, std::int64_t zero_point) {
  const Tensor image = aten("unsqueeze", {qx, std::int64_t{-2}});
  const Tensor result = op_value(Op.text, {image, packed, scale, zero_point}).to_tensor();
  return aten("squeeze.dim", {result, std::int64_t{-2}});
}

// Both products of a cell, [batch, gates * hidden] each, with their biases.
std::pair<Tensor, Tensor> cell_products(const Tensor& input, const Tensor& hidden, const Value& w_ih,
                                        const Value& w_hh) {
  return {op_value("quantized::linear_dynamic", {input, w_ih, false}).to_tensor(),
          op_value("quantized::linear_dynamic", {hidden, w_hh, false}).to_tensor()};
}

std::vector<Tensor> gates_of(const Tensor& product, std::int64_t count) {
  const Value chunks = aten_value("chunk", {product, count, std::int64_t{1}});
  std::vector<Tensor> gates;
  for (const Value& gate : chunks.to_list()) gates.push_back(gate.to_tensor());
  return gates;
}

Tensor sum(const Tensor& a, const Tensor& b) { return aten("add.Tensor", {a, b}); }
Tensor product(const Tensor& a, const Tensor& b) { return aten("mul.Tensor", {a, b}); }

std::tuple<Tensor, Tensor> lstm_cell(const Tensor& input, std::span<const Tensor> hx, const Value& w_ih,
                                     const Value& w_hh, const Tensor& /*b_ih*/, const Tensor& /*b_hh*/) {
  if (hx.size() != 2)
    fail_value("quantized::quantized_lstm_cell_dynamic: there are " + std::to_string(hx.size()) +
               " states; expected the hidden and the cell state");
  const auto [given, kept] = cell_products(input, hx[0], w_ih, w_hh);
  const std::vector<Tensor> gates = gates_of(sum(given, kept), 4);  // in, forget, cell, out
  const Tensor cell = sum(product(aten("sigmoid", {gates[1]}), hx[1]),
                          product(aten("sigmoid", {gates[0]}), aten("tanh", {gates[2]})));
  return {product(aten("sigmoid", {gates[3]}), aten("tanh", {cell})), cell};
}

Tensor gru_cell(const Tensor& input, const Tensor& hx, const Value& w_ih, const Value& w_hh, const Tensor& /*b_ih*/,
                const Tensor& /*b_hh*/) {
  const auto [given, kept] = cell_products(input, hx, w_ih, w_hh);
  const std::vector<Tensor> a = gates_of(given, 3), b = gates_of(kept, 3);  // reset, update, new
  const Tensor reset = aten("sigmoid", {sum(a[0], b[0])}), update = aten("sigmoid", {sum(a[1], b[1])});
  const Tensor fresh = aten("tanh", {sum(a[2], product(reset, b[2]))});
  return sum(product(aten("sub.Tensor", {hx, fresh}), update), fresh);
}

template <Name Activation>
Tensor rnn_cell(const Tensor& input, const Tensor& hx, const Value& w_ih, const Value& w_hh, const Tensor& /*b_ih*/,
                const Tensor& /*b_hh*/) {
  const auto [given, kept] = cell_products(input, hx, w_ih, w_hh);
  return aten(Activation.text, {sum(given, kept)});
}

#define THREADWHEEL_RESULT "float output_scale, int output_zero_point) -> Tensor"
#define THREADWHEEL_BATCH_NORM \
  "(Tensor qx, Tensor? weight, Tensor? bias, Tensor mean, Tensor var, float eps, " THREADWHEEL_RESULT
#define THREADWHEEL_CELL THREADWHEEL_LINEAR_PARAMS " w_ih, " THREADWHEEL_LINEAR_PARAMS " w_hh, Tensor "

constexpr OpDefinition kOps[] = {
    define_op<activate<"hardswish">>("quantized::hardswish(Tensor input, " THREADWHEEL_RESULT),
    define_op<activate<"sigmoid">>("quantized::sigmoid(Tensor qx, " THREADWHEEL_RESULT),
    define_op<leaky_relu>("quantized::leaky_relu(Tensor qx, Scalar negative_slope, bool inplace, " THREADWHEEL_RESULT),
    define_op<elu>("quantized::elu(Tensor self, float output_scale, int output_zero_point, Scalar alpha=1, Scalar "
                   "scale=1, Scalar input_scale=1) -> Tensor"),
    define_op<celu>(
        "quantized::celu(Tensor self, float output_scale, int output_zero_point, Scalar alpha=1) -> Tensor"),
    define_op<prelu>("quantized::prelu(Tensor qx, Tensor weight, " THREADWHEEL_RESULT),
    define_op<softmax>("quantized::softmax(Tensor qx, int dim, " THREADWHEEL_RESULT),
    define_op<relu6>("quantized::relu6(Tensor qx, bool inplace=False) -> Tensor"),
    define_op<matmul>("quantized::matmul(Tensor qa, Tensor qb, float scale, int zero_point) -> Tensor qc"),
    define_op<layer_norm>("quantized::layer_norm(Tensor input, int[] normalized_shape, Tensor? weight, Tensor? bias, "
                          "float eps, " THREADWHEEL_RESULT),
    define_op<group_norm>("quantized::group_norm(Tensor input, int num_groups, Tensor? weight, Tensor? bias, float eps, "
                          THREADWHEEL_RESULT),
    define_op<instance_norm>("quantized::instance_norm(Tensor input, Tensor? weight, Tensor? bias, float eps, "
                             THREADWHEEL_RESULT),
    define_op<batch_norm<false>>("quantized::batch_norm" THREADWHEEL_BATCH_NORM),
    define_op<batch_norm<true>>("quantized::batch_norm_relu" THREADWHEEL_BATCH_NORM),
    define_op<batch_norm<false>>("quantized::batch_norm1d" THREADWHEEL_BATCH_NORM),
    define_op<batch_norm<true>>("quantized::batch_norm1d_relu" THREADWHEEL_BATCH_NORM),
    define_op<batch_norm<false>>("quantized::batch_norm2d" THREADWHEEL_BATCH_NORM),
    define_op<batch_norm<true>>("quantized::batch_norm2d_relu" THREADWHEEL_BATCH_NORM),
    define_op<batch_norm<false>>("quantized::batch_norm3d" THREADWHEEL_BATCH_NORM),
    define_op<batch_norm<true>>("quantized::batch_norm3d_relu" THREADWHEEL_BATCH_NORM),
    define_op<conv1d_prepack>("quantized::conv1d_prepack(Tensor weight, Tensor? bias, int[] stride, int[] padding, "
                              "int[] dilation, int groups) -> " THREADWHEEL_CONV2D_PARAMS),
    define_op<conv1d<"quantized::conv2d.new">>("quantized::conv1d(Tensor qx, " THREADWHEEL_CONV2D_PARAMS
                                               " packed_weight, " THREADWHEEL_RESULT),
    define_op<conv1d<"quantized::conv2d_relu.new">>("quantized::conv1d_relu(Tensor qx, " THREADWHEEL_CONV2D_PARAMS
                                                    " packed_weight, " THREADWHEEL_RESULT),
    define_op<lstm_cell>("quantized::quantized_lstm_cell_dynamic(Tensor input, Tensor[] hx, " THREADWHEEL_CELL
                         "bias_ih, Tensor bias_hh) -> (Tensor, Tensor)"),
    define_op<gru_cell>("quantized::quantized_gru_cell_dynamic(Tensor input, Tensor hx, " THREADWHEEL_CELL
                        "b_ih, Tensor b_hh) -> Tensor"),
    define_op<rnn_cell<"tanh">>("quantized::quantized_rnn_tanh_cell_dynamic(Tensor input, Tensor hx, " THREADWHEEL_CELL
                                "b_ih, Tensor b_hh) -> Tensor"),
    define_op<rnn_cell<"relu">>("quantized::quantized_rnn_relu_cell_dynamic(Tensor input, Tensor hx, " THREADWHEEL_CELL
                                "b_ih, Tensor b_hh) -> Tensor"),
};

#undef THREADWHEEL_LINEAR_PARAMS
#undef THREADWHEEL_CONV2D_PARAMS
#undef THREADWHEEL_RESULT
#undef THREADWHEEL_BATCH_NORM
#undef THREADWHEEL_CELL

}  // namespace

std::span<const OpDefinition> quantized_layer_ops() { return kOps; }

}  // namespace threadwheel
