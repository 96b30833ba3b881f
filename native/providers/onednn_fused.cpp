// Fused kernels from oneDNN: the epilogue is part of the primitive, and weights that nobody writes are arranged as the
// primitive likes them once. Convolutions run with the channels last.
#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <vector>

#include "providers/dnn.h"
#include "providers/gemm_dnn.h"
#include "providers/onednn_kernel.h"
#include "providers/weight.h"

namespace threadwheel::dnn {
namespace {

using dnnl::memory;
using onednn::cpu;
using onednn::joined;
using onednn::Kernel;
using onednn::Key;
using onednn::Operand;
using onednn::used;

void append(dnnl::post_ops& steps, const Epilogue& epilogue) {
  using dnnl::algorithm;
  const auto eltwise = [&](algorithm which, float alpha = 0, float beta = 0) {
    steps.append_eltwise(which, alpha, beta);
  };
  switch (epilogue.activation) {
    case Activation::kNone: return;
    case Activation::kRelu: return eltwise(algorithm::eltwise_relu);
    case Activation::kClamp: return eltwise(algorithm::eltwise_clip, epilogue.low, epilogue.high);
    case Activation::kSigmoid: return eltwise(algorithm::eltwise_logistic);
    case Activation::kTanh: return eltwise(algorithm::eltwise_tanh);
    case Activation::kHardswish: return eltwise(algorithm::eltwise_hardswish, 1.0F / 6.0F, 0.5F);
    case Activation::kHardsigmoid: return eltwise(algorithm::eltwise_hardsigmoid, 1.0F / 6.0F, 0.5F);
    case Activation::kSilu: return eltwise(algorithm::eltwise_swish, 1.0F);
    case Activation::kGelu: return eltwise(algorithm::eltwise_gelu_erf);
    case Activation::kGeluTanh: return eltwise(algorithm::eltwise_gelu_tanh);
  }
}

dnnl::primitive_attr attributes_for(const Epilogue& epilogue, const memory::desc& result) {
  dnnl::primitive_attr attributes = onednn::user_scratchpad();
  dnnl::post_ops steps;
  if (epilogue.sum != nullptr) steps.append_binary(dnnl::algorithm::binary_add, result);
  append(steps, epilogue);
  attributes.set_post_ops(steps);
  return attributes;
}

void append(Key& key, const Epilogue& epilogue) {
  const auto bits = [](float value) { return std::int64_t{std::bit_cast<std::int32_t>(value)}; };
  key.insert(key.end(), {static_cast<std::int64_t>(epilogue.activation), bits(epilogue.low), bits(epilogue.high),
                         epilogue.sum != nullptr});
}

std::int64_t address(const void* pointer) {
  return static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(pointer));
}

// Run inside library_call, as primitives themselves.
void reorder(const memory::desc& from, const float* source, const memory::desc& to, std::byte* target) {
  std::vector<std::shared_ptr<Storage>> keep;
  dnnl::stream stream(cpu());
  memory given(from, cpu(), const_cast<float*>(source)), wanted(to, cpu(), target);
  const dnnl::reorder::primitive_desc description(cpu(), from, cpu(), to, onednn::user_scratchpad());
  dnnl::reorder(description)
      .execute(stream, {{DNNL_ARG_FROM, given},
                        {DNNL_ARG_TO, wanted},
                        {DNNL_ARG_SCRATCHPAD, onednn::allocate(description.scratchpad_desc(), keep)}});
  stream.wait();
}

// A weight as a primitive wants it. Kernels of different sizes share it: an input of another length must not cost
// another copy of the model.
struct Arranged final : Weight::Form {
  memory::desc given, wanted;
  std::shared_ptr<Storage> storage;

  Arranged(const memory::desc& given_layout, const memory::desc& wanted_layout, const Tensor& plain)
      : given(given_layout), wanted(wanted_layout), storage(Storage::allocate_lasting(wanted.get_size())) {
    reorder(given, plain.data<const float>(), wanted, storage->data());
  }

  Tensor plain(const Dims& sizes) const override {
    const Tensor result = Tensor::empty(sizes, DType::kFloat32);
    library_call(static_cast<double>(result.numel()), [&](int) {
      reorder(wanted, reinterpret_cast<const float*>(storage->data()), given, result.raw_data());
    });
    return result;
  }
};

void set_weight(Kernel& kernel, const WeightPtr& weight, const memory::desc& given,
                const memory::desc& wanted) {
  const Weight::FormPtr form = weight->form(
      [&](const Weight::Form& each) { return static_cast<const Arranged&>(each).wanted == wanted; },
      [&](const Tensor& plain) { return std::make_shared<const Arranged>(given, wanted, plain); });
  kernel.set_constant(DNNL_ARG_WEIGHTS, static_cast<const Arranged&>(*form).storage, wanted, weight);
}

constexpr int kSumArgument = DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1;

// --- linear -----------------------------------------------------------------------------------------------
// As matmul: inner_product, of the same sizes, is up to a fifth slower where rows do not fill blocks (197 rows of 192).
Kernel make_linear(const LinearShape& shape, const WeightPtr& constant, bool has_bias, const Epilogue& epilogue) {
  using tag = memory::format_tag;
  const memory::dims weight_dims{shape.in_features, shape.out_features};
  const memory::desc source({shape.rows, shape.in_features}, onednn::kFloat, tag::ab);
  const memory::desc bias = has_bias ? memory::desc({1, shape.out_features}, onednn::kFloat, tag::ab) : memory::desc();
  const memory::desc result({shape.rows, shape.out_features}, onednn::kFloat, tag::ab);
  const dnnl::matmul::primitive_desc description(cpu(), source, memory::desc(weight_dims, onednn::kFloat, tag::any),
                                                 bias, result, attributes_for(epilogue, result));
  std::vector<Operand> inputs{{DNNL_ARG_SRC, source, description.src_desc(), false}};
  if (has_bias) inputs.emplace_back(DNNL_ARG_BIAS, bias, bias, false);
  if (epilogue.sum != nullptr) inputs.emplace_back(kSumArgument, result, result, false);
  Kernel kernel(dnnl::matmul(description), description.scratchpad_desc(), std::move(inputs),
                Operand(DNNL_ARG_DST, result, description.dst_desc(), true));
  set_weight(kernel, constant, memory::desc(weight_dims, onednn::kFloat, tag::ba), description.weights_desc());
  return kernel;
}

// The inputs of a kernel, in its order.
std::vector<const float*> pointers(const float* input, const float* bias, const Epilogue& epilogue) {
  std::vector<const float*> result{input};
  if (bias != nullptr) result.push_back(bias);
  if (epilogue.sum != nullptr) result.push_back(epilogue.sum);
  return result;
}

// --- convolution ------------------------------------------------------------------------------------------
memory::format_tag row_major(const ConvShape& shape) {
  constexpr memory::format_tag kTags[] = {memory::format_tag::abc, memory::format_tag::abcd, memory::format_tag::abcde};
  return kTags[shape.dims - 1];
}

memory::format_tag channels_last(const ConvShape& shape) {
  constexpr memory::format_tag kTags[] = {memory::format_tag::acb, memory::format_tag::acdb, memory::format_tag::acdeb};
  return kTags[shape.dims - 1];
}

using Description = dnnl::convolution_forward::primitive_desc;

Description describe(const ConvShape& s, bool has_bias, const Epilogue& epilogue) {
  const memory::dims weight_dims = onednn::weight_layout(s).get_dims();
  const memory::desc source(joined({s.batch, s.in_channels}, used(s, s.input)), onednn::kFloat, channels_last(s));
  const memory::desc result(joined({s.batch, s.out_channels}, used(s, s.output)), onednn::kFloat, channels_last(s));
  const memory::desc bias =
      has_bias ? memory::desc({s.out_channels}, onednn::kFloat, memory::format_tag::a) : memory::desc();
  memory::dims dilation = used(s, s.dilation);
  for (auto& gaps : dilation) --gaps;  // oneDNN counts the gaps
  return Description(cpu(), dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, source,
                     memory::desc(weight_dims, onednn::kFloat, memory::format_tag::any), bias, result,
                     used(s, s.stride), dilation, used(s, s.padding), onednn::far_padding(s),
                     attributes_for(epilogue, result));
}

Kernel make_convolution(const ConvShape& s, const ChannelsLast& layout, const WeightPtr& constant, bool has_bias,
                        const Epilogue& epilogue) {
  const Description description = describe(s, has_bias, epilogue);
  const auto given = [&](const memory::desc& desc, bool last) {
    return memory::desc(desc.get_dims(), onednn::kFloat, last ? channels_last(s) : row_major(s));
  };
  const memory::desc source = description.src_desc(), result = description.dst_desc();
  std::vector<Operand> inputs{{DNNL_ARG_SRC, given(source, layout.input), source, false}};
  if (has_bias) inputs.emplace_back(DNNL_ARG_BIAS, description.bias_desc(), description.bias_desc(), false);
  if (epilogue.sum != nullptr) inputs.emplace_back(kSumArgument, given(result, layout.sum), result, false);
  Kernel kernel(dnnl::convolution_forward(description), description.scratchpad_desc(), std::move(inputs),
                Operand(DNNL_ARG_DST, given(result, layout.output), result, true));
  set_weight(kernel, constant, onednn::weight_layout(s), description.weights_desc());
  return kernel;
}

// Kernels of oneDNN for few channels in a group are its slow reference; it does not take all forms of all sizes.
bool is_fast(const ConvShape& shape) {
  const bool depthwise = shape.groups == shape.in_channels && shape.groups == shape.out_channels;
  return !shape.transposed && (shape.groups == 1 || depthwise);
}

double work_of(const ConvShape& shape) {
  double work = static_cast<double>(shape.in_channels / shape.groups) * static_cast<double>(shape.batch) *
                static_cast<double>(shape.out_channels);
  for (std::size_t i = 0; i < 3; ++i) work *= static_cast<double>(shape.kernel[i] * shape.output[i]);
  return work;
}

}  // namespace

bool linear_fused(const LinearShape& shape, const float* input, const WeightPtr& weight, const float* bias,
                  const Epilogue& epilogue, float* output) {
  if (shape.rows == 1) return false;  // reading the weights is all there is to it
  if (shape.out_features == 1) return false;  // arranged, 63 of 64 numbers would be padding
  const bool has_bias = bias != nullptr;
  Key key{onednn::kFusedLinear, shape.rows, shape.in_features, shape.out_features, has_bias, address(weight.get())};
  append(key, epilogue);
  const double work = static_cast<double>(shape.rows) * static_cast<double>(shape.in_features) *
                      static_cast<double>(shape.out_features);
  onednn::run_cached(
      "linear", work, std::move(key), [&] { return make_linear(shape, weight, has_bias, epilogue); },
      pointers(input, bias, epilogue), output);
  return true;
}

bool convolution_fused(const ConvShape& shape, const ChannelsLast& layout, const float* input,
                       const WeightPtr& weight, const float* bias, const Epilogue& epilogue, float* output) {
  if (!is_fast(shape)) return false;
  // Alone between row-major tensors, a pointwise convolution costs less as a product than two conversions and what they
  // gain. Measured: 256 to 64 channels of 56 x 56 with relu, 990 microseconds fused and 754 as a product and relu.
  if (!layout.input && !layout.output && gemm_dnn::is_pointwise(shape)) return false;
  const bool has_bias = bias != nullptr;
  Key key{onednn::kFusedConvolution, shape.dims,       shape.batch, shape.in_channels, shape.out_channels,
          shape.groups,              has_bias,         layout.input, layout.sum,       layout.output,
          address(weight.get())};
  for (const auto& extent : {shape.input, shape.kernel, shape.output, shape.stride, shape.padding, shape.dilation})
    key.insert(key.end(), extent.begin(), extent.end());
  append(key, epilogue);
  onednn::run_cached(
      "convolution", work_of(shape), std::move(key),
      [&] { return make_convolution(shape, layout, weight, has_bias, epilogue); }, pointers(input, bias, epilogue),
      output);
  return true;
}

bool prefers_channels_last() { return true; }

}  // namespace threadwheel::dnn
