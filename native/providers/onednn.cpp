// Neural network kernels from oneDNN.
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "parallel/libraries.h"
#include "providers/blas.h"
#include "providers/dnn.h"
#include "providers/gemm_dnn.h"
#include "providers/onednn_kernel.h"

namespace threadwheel {
namespace libraries {

std::string dnn_report() {
  const dnnl_version_t& version = *dnnl_version();
  return "Intel(R) MKL-DNN v" + std::to_string(version.major) + "." + std::to_string(version.minor) + "." +
         std::to_string(version.patch) + " (Git Hash " + version.hash + ")\n";
}

std::string dnn_runtime() {
  switch (dnnl_version()->cpu_runtime) {
    case DNNL_RUNTIME_OMP: return "OMP";
    case DNNL_RUNTIME_TBB: return "TBB";
    case DNNL_RUNTIME_SEQ: return "SEQ";
    case DNNL_RUNTIME_THREADPOOL: return "THREADPOOL";
    default: return "unknown";
  }
}

}  // namespace libraries

namespace dnn {
namespace {

using dnnl::memory;
using onednn::Kernel;
using onednn::Key;
using onednn::Operand;
using onednn::cpu;
using onednn::far_padding;
using onednn::joined;
using onednn::used;
using onednn::user_scratchpad;
using onednn::weight_layout;

constexpr auto kFloat = onednn::kFloat;

Kernel make_linear(const LinearShape& shape, bool has_bias) {
  using tag = memory::format_tag;
  const memory::desc source({shape.rows, shape.in_features}, kFloat, tag::ab);
  const memory::desc weight({shape.out_features, shape.in_features}, kFloat, tag::ab);
  const memory::desc bias = has_bias ? memory::desc({shape.out_features}, kFloat, tag::a) : memory::desc();
  const memory::desc destination({shape.rows, shape.out_features}, kFloat, tag::ab);
  const dnnl::inner_product_forward::primitive_desc description(cpu(), dnnl::prop_kind::forward_inference, source,
                                                                weight, bias, destination, user_scratchpad());
  std::vector<Operand> inputs{{DNNL_ARG_SRC, source, description.src_desc(), false},
                              {DNNL_ARG_WEIGHTS, weight, description.weights_desc(), false}};
  if (has_bias) inputs.emplace_back(DNNL_ARG_BIAS, bias, bias, false);
  return Kernel(dnnl::inner_product_forward(description), description.scratchpad_desc(), std::move(inputs),
                Operand(DNNL_ARG_DST, destination, description.dst_desc(), true));
}

template <class Primitive>
Kernel make_convolution(const ConvShape& s, bool has_bias, dnnl::algorithm algorithm) {
  using tag = memory::format_tag;
  const tag plain = s.dims == 1 ? tag::abc : s.dims == 2 ? tag::abcd : tag::abcde;
  const memory::dims source_dims = joined({s.batch, s.in_channels}, used(s, s.input));
  const memory::dims destination_dims = joined({s.batch, s.out_channels}, used(s, s.output));
  const memory::desc weight = weight_layout(s);
  const auto any = [](const memory::dims& dims) { return memory::desc(dims, kFloat, tag::any); };
  const memory::desc bias = has_bias ? memory::desc({s.out_channels}, kFloat, tag::a) : memory::desc();
  memory::dims dilation = used(s, s.dilation);
  for (auto& gaps : dilation) --gaps;  // oneDNN counts the gaps
  const typename Primitive::primitive_desc description(
      cpu(), dnnl::prop_kind::forward_inference, algorithm, any(source_dims), any(weight.get_dims()), bias,
      any(destination_dims), used(s, s.stride), dilation, used(s, s.padding), far_padding(s), user_scratchpad());
  std::vector<Operand> inputs{
      {DNNL_ARG_SRC, memory::desc(source_dims, kFloat, plain), description.src_desc(), false},
      {DNNL_ARG_WEIGHTS, weight, description.weights_desc(), false}};
  if (has_bias) inputs.emplace_back(DNNL_ARG_BIAS, bias, bias, false);
  return Kernel(Primitive(description), description.scratchpad_desc(), std::move(inputs),
                Operand(DNNL_ARG_DST, memory::desc(destination_dims, kFloat, plain), description.dst_desc(), true));
}

}  // namespace

void linear(const LinearShape& shape, const float* input, const float* weight, const float* bias, float* output) {
  // BLAS is as fast with weights as they are (64 x 128 to 1024 features, 107 microseconds with either), and oneDNN takes
  // 20 milliseconds to make its kernels for more than one thread. Few rows are a matter of reading the weights once.
  constexpr std::int64_t kFewRows = 32;
  if (blas::is_library() || shape.rows <= kFewRows) return gemm_dnn::linear(shape, input, weight, bias, output);
  const bool has_bias = bias != nullptr;
  double work = 1;
  for (const std::int64_t size : {shape.rows, shape.in_features, shape.out_features}) work *= static_cast<double>(size);
  onednn::run_cached(
      "linear", work, {onednn::kLinear, shape.rows, shape.in_features, shape.out_features, has_bias},
      [&] { return make_linear(shape, has_bias); }, std::array{input, weight, bias}, output);
}

void convolution(const ConvShape& shape, const float* input, const float* weight, const float* bias, float* output) {
  // oneDNN would rearrange input and output, which costs as much as these convolutions themselves. Measured: 256 to 64
  // channels of 56 x 56, 954 microseconds and 620 as a product.
  if (gemm_dnn::is_pointwise(shape) || gemm_dnn::is_depthwise(shape))
    return gemm_dnn::convolution(shape, input, weight, bias, output);
  const bool has_bias = bias != nullptr;
  Key key{onednn::kConvolution, shape.dims,   shape.batch, shape.in_channels, shape.out_channels,
          shape.groups, shape.transposed, has_bias};
  for (const auto& extent :
       {shape.input, shape.kernel, shape.output, shape.stride, shape.padding, shape.dilation})
    key.insert(key.end(), extent.begin(), extent.end());
  double work = static_cast<double>(shape.in_channels / shape.groups) * static_cast<double>(shape.batch) *
                static_cast<double>(shape.out_channels);
  const auto& grid = shape.transposed ? shape.input : shape.output;
  for (std::size_t i = 0; i < 3; ++i) work *= static_cast<double>(shape.kernel[i] * grid[i]);
  onednn::run_cached(
      "convolution", work, std::move(key),
      [&] {
        return shape.transposed ? make_convolution<dnnl::deconvolution_forward>(
                                      shape, has_bias, dnnl::algorithm::deconvolution_direct)
                                : make_convolution<dnnl::convolution_forward>(shape, has_bias,
                                                                              dnnl::algorithm::convolution_direct);
      },
      std::array{input, weight, bias}, output);
}

}  // namespace dnn
}  // namespace threadwheel
