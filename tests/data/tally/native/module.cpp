#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "loops.h"

namespace {

namespace py = pybind11;
using Numbers = py::array_t<std::int64_t, py::array::c_style | py::array::forcecast>;

/// How often each of 0 .. num_bins - 1 is among `numbers`, and how many threads counted.
std::pair<std::vector<std::int64_t>, std::size_t> count(const Numbers& numbers, std::int64_t num_bins) {
  const std::int64_t* const data = numbers.data();
  const std::int64_t size = numbers.size();
  std::vector<std::int64_t> total(static_cast<std::size_t>(num_bins));
  std::set<std::thread::id> threads;
  std::mutex mutex;
  const py::gil_scoped_release release;
  loop(size, [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::int64_t> own(total.size());
    for (std::int64_t i = begin; i < end; ++i) {
      if (data[i] < 0 || data[i] >= num_bins) throw std::out_of_range("a number is in no bin");
      ++own[static_cast<std::size_t>(data[i])];
    }
    const std::lock_guard lock(mutex);
    for (std::size_t bin = 0; bin < own.size(); ++bin) total[bin] += own[bin];
    threads.insert(std::this_thread::get_id());
  });
  return {total, threads.size()};
}

}  // namespace

PYBIND11_MODULE(_core, module) {
  module.def("count", &count);
  module.def("num_threads", &num_threads);
}
