// Neural network kernels, from whichever library is linked: exactly one of onednn.cpp and builtin_dnn.cpp is.
// Everything is dense and row-major; sizes are checked by the ops that call.
#pragma once

#include <array>
#include <cstdint>

namespace threadwheel::dnn {

struct LinearShape {
  std::int64_t rows, in_features, out_features;
};

struct Conv2dShape {
  std::int64_t batch, in_channels, out_channels, groups;
  std::array<std::int64_t, 2> input, kernel, output;  // height, width
  std::array<std::int64_t, 2> stride, padding, dilation;
};

// output[r, o] = bias[o] + sum over i of input[r, i] weight[o, i]; bias may be null.
void linear(const LinearShape& shape, const float* input, const float* weight, const float* bias, float* output);

// input: [batch, in_channels, h, w], weight: [out_channels, in_channels / groups, kh, kw], output: [batch,
// out_channels, oh, ow]; cross-correlation with zero padding; bias may be null.
void conv2d(const Conv2dShape& shape, const float* input, const float* weight, const float* bias, float* output);

}  // namespace threadwheel::dnn
