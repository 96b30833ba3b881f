// The documented text of parallel_info. Tools parse it: no line may change.
#include <cstdlib>
#include <string>
#include <thread>

#include "parallel/backend.h"
#include "parallel/libraries.h"
#include "threadwheel/parallel.h"

namespace threadwheel {
namespace {

std::string environment_line(const char* name) {
  const char* value = std::getenv(name);
  return std::string("\t") + name + " : " + (value != nullptr ? value : "[not set]") + "\n";
}

}  // namespace

std::string get_parallel_info() {
  init_num_threads();  // the libraries' counts below are per thread: this one's must be settled before they are read
  const backend::Description description = backend::describe();
  std::string text = "ATen/Parallel:\n";
  text += "\tat::get_num_threads() : " + std::to_string(get_num_threads()) + "\n";
  text += "\tat::get_num_interop_threads() : " + std::to_string(get_num_interop_threads()) + "\n";
  text += description.openmp;
  text += libraries::blas_report();
  text += libraries::dnn_report();
  text += "std::thread::hardware_concurrency() : " + std::to_string(std::thread::hardware_concurrency()) + "\n";
  text += "Environment variables:\n";
  text += environment_line("OMP_NUM_THREADS");
  text += environment_line("MKL_NUM_THREADS");
  text += "ATen parallel backend: " + std::string(description.title) + "\n";
  return text;
}

}  // namespace threadwheel
