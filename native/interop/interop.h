// The inter-op pool. So far its size only: the pool itself, and what runs on it, come with fork and wait.
#pragma once

#include "threadwheel/parallel.h"  // declares set_num_interop_threads and get_num_interop_threads
