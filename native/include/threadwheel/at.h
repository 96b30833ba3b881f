// The names of the at:: parallel layer, for code written against PyTorch's: `at::set_num_threads(4)` compiles.
// An alias and not a namespace of its own, so that no symbol of ours can clash with libtorch's.
#pragma once

#include <threadwheel/future.h>
#include <threadwheel/parallel.h>

namespace threadwheel::at {

using threadwheel::collect_all;
using threadwheel::Future;
using threadwheel::get_num_interop_threads;
using threadwheel::get_num_threads;
using threadwheel::get_parallel_info;
using threadwheel::get_thread_num;
using threadwheel::in_parallel_region;
using threadwheel::init_num_threads;
using threadwheel::intraop_launch;
using threadwheel::intraop_launch_future;
using threadwheel::launch;
using threadwheel::launch_future;
using threadwheel::parallel_for;
using threadwheel::parallel_reduce;
using threadwheel::set_num_interop_threads;
using threadwheel::set_num_threads;

}  // namespace threadwheel::at

namespace at = threadwheel::at;
