// library_call: how providers/ enter MKL and oneDNN, so that those run on the one pool and within the limit.
#pragma once

#include "threadwheel/function_ref.h"

namespace threadwheel {

// Calls fn(num_threads) where the libraries use exactly num_threads threads, which is 1 inside regions and may be
// 1 when the pool is busy. fn may run on another OS thread. An exception of fn is thrown here.
void library_call(FunctionRef<void(int num_threads)> fn);

}  // namespace threadwheel
