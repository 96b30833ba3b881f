// The few things that the parallel layer asks of the math libraries in the link: thread counts for them, and the
// lines about them in parallel_info. Declared here and defined in providers/, so that includes keep pointing one way.
#pragma once

#include <string>

namespace threadwheel::libraries {

// Gives the BLAS library its process-wide number of threads and stops it from changing that number by itself.
void set_blas_threads(int num_threads) noexcept;

// Gives the BLAS library a number of threads for calls from this OS thread; 0 means the process-wide one.
// Returns the number that was in force.
int exchange_blas_threads_local(int num_threads) noexcept;

// The lines of parallel_info, each ended by a newline: version and count, or that the library is not there.
std::string blas_report();
std::string dnn_report();

// The threading runtime that the oneDNN that answers here was built for: "OMP", "TBB", "SEQ", ...;
// "" when there is none in this build.
std::string dnn_runtime();

}  // namespace threadwheel::libraries
