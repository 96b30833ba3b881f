// Neural network kernels, from whichever library is linked: exactly one of onednn.cpp and builtin_dnn.cpp is.
// Everything is dense and row-major; sizes are checked by the ops that call.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

namespace threadwheel::dnn {

class Weight;
using WeightPtr = std::shared_ptr<Weight>;

struct LinearShape {
  std::int64_t rows, in_features, out_features;
};

// A convolution over depth, height and width, of which the last `dims` are in use; the others have input, kernel,
// stride and dilation 1 and no padding. Padding is what lies before the input; how much lies behind follows from the
// size of the output. A transposed convolution spreads the input: output o gets input i times the weight at
// o = i stride - padding + k dilation.
struct ConvShape {
  std::int64_t dims;
  std::int64_t batch, in_channels, out_channels, groups;
  std::array<std::int64_t, 3> input, kernel, output, stride, padding, dilation;
  bool transposed;
};

// output[r, o] = bias[o] + sum over i of input[r, i] weight[o, i]; bias may be null.
void linear(const LinearShape& shape, const float* input, const float* weight, const float* bias, float* output);

// input: [batch, in_channels, d, h, w], weight: [out_channels, in_channels / groups, kd, kh, kw], or [in_channels,
// out_channels / groups, kd, kh, kw] of a transposed one, output: [batch, out_channels, od, oh, ow]; bias may be null.
void convolution(const ConvShape& shape, const float* input, const float* weight, const float* bias, float* output);

// What a fused kernel does to its result: adds an operand of the result's sizes, then applies a function.
enum class Activation : std::uint8_t {
  kNone,
  kRelu,
  kClamp,  // to [low, high]
  kSigmoid,
  kTanh,
  kHardswish,
  kHardsigmoid,
  kSilu,
  kGelu,
  kGeluTanh,
};

struct Epilogue {
  Activation activation = Activation::kNone;
  float low = 0, high = 0;
  const float* sum = nullptr;  // may be null
};

// Which tensors of a fused convolution have their channels innermost in memory; the others are row-major.
struct ChannelsLast {
  bool input, sum, output;
};

// As above, with an epilogue. They return false, and have done nothing, when the library has no kernel that is better
// than the plain one.
bool linear_fused(const LinearShape& shape, const float* input, const WeightPtr& weight,
                  const float* bias, const Epilogue& epilogue, float* output);
bool convolution_fused(const ConvShape& shape, const ChannelsLast& layout, const float* input,
                       const WeightPtr& weight, const float* bias, const Epilogue& epilogue,
                       float* output);

// Whether fused convolutions hand each other tensors with the channels last at no cost.
bool prefers_channels_last();

}  // namespace threadwheel::dnn
