// The same kernels as dnn.h from matrix products, for float and double: what is used where oneDNN is off or does
// not take the dtype.
#pragma once

#include "providers/dnn.h"

namespace threadwheel::gemm_dnn {

// Convolutions that gain nothing from a library's layouts: one product without unfolding, and one channel per group.
bool is_pointwise(const dnn::ConvShape& shape);
bool is_depthwise(const dnn::ConvShape& shape);

template <class T>
void linear(const dnn::LinearShape& shape, const T* input, const T* weight, const T* bias, T* output);

template <class T>
void convolution(const dnn::ConvShape& shape, const T* input, const T* weight, const T* bias, T* output);

extern template void linear(const dnn::LinearShape&, const float*, const float*, const float*, float*);
extern template void linear(const dnn::LinearShape&, const double*, const double*, const double*, double*);
extern template void convolution(const dnn::ConvShape&, const float*, const float*, const float*, float*);
extern template void convolution(const dnn::ConvShape&, const double*, const double*, const double*, double*);

}  // namespace threadwheel::gemm_dnn
