// Neural network kernels where oneDNN is off: matrix products.
#include "parallel/libraries.h"
#include "providers/dnn.h"
#include "providers/gemm_dnn.h"

namespace threadwheel {
namespace libraries {

std::string dnn_report() { return "MKLDNN not found\n"; }

std::string dnn_runtime() { return ""; }

}  // namespace libraries

namespace dnn {

void linear(const LinearShape& shape, const float* input, const float* weight, const float* bias, float* output) {
  gemm_dnn::linear(shape, input, weight, bias, output);
}

void convolution(const ConvShape& shape, const float* input, const float* weight, const float* bias, float* output) {
  gemm_dnn::convolution(shape, input, weight, bias, output);
}

bool linear_fused(const LinearShape&, const float*, const WeightPtr&, const float*, const Epilogue&, float*) {
  return false;
}

bool convolution_fused(const ConvShape&, const ChannelsLast&, const float*, const WeightPtr&, const float*,
                       const Epilogue&, float*) {
  return false;
}

bool prefers_channels_last() { return false; }

}  // namespace dnn
}  // namespace threadwheel
