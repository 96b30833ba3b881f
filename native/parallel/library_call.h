// library_call: how providers/ enter MKL and oneDNN, so that those run on the one pool and within the limit.
#pragma once

#include "threadwheel/function_ref.h"

namespace threadwheel {

// Multiplications below which a call is serial: about 10 microseconds, where a second thread costs what it brings.
// Measured with matrix products: at 64^3, 108 GFLOP/s with one thread and 34 with two; at 128^3, 150 and 260.
inline constexpr double kParallelWork = 1e6;

// Calls fn(num_threads) where the libraries use exactly num_threads threads, which is 1 for little work, inside
// regions, and perhaps when the pool is busy. fn may run on another OS thread. An exception of fn is thrown here.
void library_call(double work, FunctionRef<void(int num_threads)> fn);

}  // namespace threadwheel
