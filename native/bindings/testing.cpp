// threadwheel._core._testing: what the tests need to see of the parallel layer from Python. Not for users.
#include "bindings/bindings.h"
#include "bindings/values.h"

#include <pybind11/stl.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "ops/registry.h"
#include "parallel/cpu_count.h"
#include "threadwheel/at.h"
#include "threadwheel/error.h"

namespace threadwheel::bindings {
namespace {

using Clock = std::chrono::steady_clock;

struct Chunk {
  std::int64_t begin, end;
  int thread_num, os_thread;
  bool in_region;
};

py::list to_list(const std::vector<Chunk>& chunks) {
  py::list result;
  for (const Chunk& c : chunks) result.append(py::make_tuple(c.begin, c.end, c.thread_num, c.os_thread, c.in_region));
  return result;
}

// The ranges that parallel_for hands out, and where each ran.
std::vector<Chunk> record_chunks(std::int64_t begin, std::int64_t end, std::int64_t grain_size) {
  std::mutex mutex;
  std::vector<Chunk> chunks;
  parallel_for(begin, end, grain_size, [&](std::int64_t b, std::int64_t e) {
    const std::lock_guard lock(mutex);
    chunks.push_back({b, e, get_thread_num(), static_cast<int>(gettid()), in_parallel_region()});
  });
  return chunks;
}

// One parallel_for whose chunks wait for each other until `num_threads` OS threads are in it; returns how many came.
int rendezvous(int num_threads, double timeout_s) {
  const auto deadline = Clock::now() + std::chrono::duration<double>(timeout_s);
  std::mutex mutex;
  std::set<int> threads;
  std::atomic<int> arrived{0};
  at::parallel_for(0, 8 * num_threads, 1, [&](std::int64_t, std::int64_t) {
    {
      const std::lock_guard lock(mutex);
      threads.insert(static_cast<int>(gettid()));
      arrived.store(static_cast<int>(threads.size()));
    }
    while (arrived.load() < num_threads && Clock::now() < deadline) std::this_thread::yield();
  });
  return static_cast<int>(threads.size());
}

// The same in a task, from outside of the pool.
int rendezvous_in_task(int num_threads, double timeout_s) {
  const auto task = launch_future([=] { return rendezvous(num_threads, timeout_s); });
  while (!task.done()) std::this_thread::yield();
  return task.value();
}

// How often two chunks that ran at the same time had one slot, or a slot was out of range.
int count_slot_errors(std::int64_t num_chunks) {
  std::vector<std::atomic<int>> users(kMaxNumThreads);
  std::atomic<int> errors{0};
  parallel_for(0, num_chunks, 1, [&](std::int64_t, std::int64_t) {
    const int slot = get_thread_num();
    if (slot < 0 || slot >= get_num_threads()) {
      errors.fetch_add(1);
      return;
    }
    if (users[static_cast<std::size_t>(slot)].fetch_add(1) != 0) errors.fetch_add(1);
    for (int i = 0; i < 200; ++i) std::atomic_signal_fence(std::memory_order_seq_cst);
    users[static_cast<std::size_t>(slot)].fetch_sub(1);
  });
  return errors.load();
}

// What an inner parallel_for sees inside a chunk: its calls, its thread number, and the outer number afterwards.
struct Nested {
  int inner_calls = 0, inner_thread_num = -1, outer_before = -1, outer_after = -1;
  bool in_region = false;
};

std::vector<Nested> record_nested(std::int64_t num_chunks) {
  std::mutex mutex;
  std::vector<Nested> records;
  parallel_for(0, num_chunks, 1, [&](std::int64_t, std::int64_t) {
    Nested record;
    record.outer_before = get_thread_num();
    parallel_for(0, 1000, 1, [&](std::int64_t, std::int64_t) {
      ++record.inner_calls;
      record.inner_thread_num = get_thread_num();
      record.in_region = in_parallel_region();
    });
    record.outer_after = get_thread_num();
    const std::lock_guard lock(mutex);
    records.push_back(record);
  });
  return records;
}

// Throws from the chunk that holds `at`, an exception of the kind asked for; returns how many chunks ran otherwise.
int throw_in_region(std::int64_t n, std::int64_t grain_size, std::int64_t at, const std::string& kind) {
  std::atomic<int> ran{0};
  parallel_for(0, n, grain_size, [&](std::int64_t begin, std::int64_t end) {
    ran.fetch_add(1);
    if (at >= end || at < begin) return;
    if (kind == "value") throw Error(ErrorCode::kValue, "test: thrown in a chunk");
    if (kind == "index") throw std::out_of_range("test: index");
    throw 42;  // not a std::exception
  });
  return ran.load();
}

// A float sum whose bits show the order of its additions, directly or inside another region.
float reduce(const Tensor& values, std::int64_t grain_size, bool nested) {
  const auto* x = values.data<const float>();
  const auto run = [&] {
    return parallel_reduce(
        0, values.numel(), grain_size, 0.0F,
        [&](std::int64_t begin, std::int64_t end, float total) {
          for (std::int64_t i = begin; i < end; ++i) total += x[i];
          return total;
        },
        [](float a, float b) { return a + b; });
  };
  if (!nested) return run();
  float result = 0;
  parallel_for(0, 2, 1, [&](std::int64_t begin, std::int64_t) {
    if (begin == 0) result = run();
  });
  return result;
}

// Calls an op on tensors, other arguments at their defaults, in each chunk of a region, where it must run serially.
std::vector<Tensor> call_in_region(const std::string& name, const std::vector<Tensor>& tensors, int num_chunks) {
  const Op& op = *Registry::instance().find(name).front();
  std::vector<Value> arguments(tensors.begin(), tensors.end());
  for (std::size_t i = arguments.size(); i < op.schema().arguments.size(); ++i)
    arguments.push_back(op.schema().arguments[i].default_value.value());
  std::vector<Tensor> results(static_cast<std::size_t>(num_chunks));
  parallel_for(0, num_chunks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (; begin < end; ++begin)
      results[static_cast<std::size_t>(begin)] = op.call(std::span<const Value>(arguments)).to_tensor();
  });
  return results;
}

// Nanoseconds of one empty parallel_for, the least of several rounds.
double empty_region_ns(int repetitions) {
  double least = 1e18;
  for (int round = 0; round < 5; ++round) {
    const auto start = Clock::now();
    const auto nothing = [](std::int64_t, std::int64_t) { std::atomic_signal_fence(std::memory_order_seq_cst); };
    for (int i = 0; i < repetitions; ++i) parallel_for(0, 1 << 20, 1, nothing);
    least = std::min(least, std::chrono::duration<double, std::nano>(Clock::now() - start).count() / repetitions);
  }
  return least;
}

// The same memory as integers of the element's size: for dtypes that numpy lacks. Not for complex128.
Tensor view_bits(const Tensor& tensor) {
  const auto dtype = [&] {
    switch (dtype_size(tensor.dtype())) {
      case 1: return DType::kUInt8;
      case 2: return DType::kInt16;
      case 4: return DType::kInt32;
      default: return DType::kInt64;
    }
  }();
  return Tensor(tensor.storage(), dtype, tensor.offset(), tensor.sizes(), tensor.strides());
}

py::dict detect(const std::string& root) {
  const CpuCount count = count_cpus(root);
  py::dict result;
  result["affinity"] = count.affinity;
  result["physical_cores"] = count.physical_cores;
  result["quota"] = count.quota;
  result["usable"] = count.usable;
  return result;
}

// Reads every schema and holds it against its kernel; returns their texts.
std::vector<std::string> check_schemas() {
  std::vector<std::string> texts;
  for (const auto& op : Registry::instance().ops()) {
    op->schema();
    texts.emplace_back(op->schema_text());
  }
  return texts;
}

// Any Python object as the Value that it is: what a program would hold.
Value to_value(py::handle object) {
  if (object.is_none()) return {};
  if (PyBool_Check(object.ptr())) return object.ptr() == Py_True;
  if (PyLong_Check(object.ptr())) return object.cast<std::int64_t>();
  if (PyFloat_Check(object.ptr())) return object.cast<double>();
  if (PyComplex_Check(object.ptr()))
    return Complex(PyComplex_RealAsDouble(object.ptr()), PyComplex_ImagAsDouble(object.ptr()));
  if (PyUnicode_Check(object.ptr())) return object.cast<std::string>();
  if (auto tensor = to_tensor(object, true)) return *std::move(tensor);
  if (PyDict_Check(object.ptr())) {
    const auto dict = make_ref<DictValue>();
    for (const auto& [key, value] : py::reinterpret_borrow<py::dict>(object)) dict->set(to_value(key), to_value(value));
    return dict;
  }
  std::vector<Value> elements;
  for (const py::handle element : py::reinterpret_borrow<py::sequence>(object)) elements.push_back(to_value(element));
  return PyTuple_Check(object.ptr()) ? Value::tuple(std::move(elements)) : Value::list(std::move(elements));
}

// Calls one overload, "aten::add.int", and returns its result and what it left of its arguments.
py::tuple call_op(const std::string& full_name, const py::args& args) {
  const Registry& registry = Registry::instance();
  for (const Op* op : registry.find(full_name.substr(0, full_name.find('.')))) {
    const Schema& schema = op->schema();
    if (schema.full_name() != full_name) continue;
    std::vector<Value> values;
    for (const py::handle argument : args) values.push_back(to_value(argument));
    while (values.size() < schema.arguments.size())
      values.push_back(schema.arguments[values.size()].default_value.value());
    const Value result = op->call(values);
    py::list after;
    for (const Value& value : values) after.append(to_python(value));
    return py::make_tuple(to_python(result), after);
  }
  throw Error(ErrorCode::kValue, "call_op: there is no op '" + full_name + "'");
}

}  // namespace

void bind_testing(py::module_& parent) {
  py::module_ module = parent.def_submodule("_testing", "What the tests need to see. Not for users.");
  using unlocked = py::call_guard<Unlocked>;
  module.def("record_chunks", [](std::int64_t begin, std::int64_t end, std::int64_t grain_size) {
    std::vector<Chunk> chunks;
    {
      const Unlocked unlocked;
      chunks = record_chunks(begin, end, grain_size);
    }
    return to_list(chunks);
  });
  module.def("record_nested", [](std::int64_t num_chunks) {
    std::vector<Nested> records;
    {
      const Unlocked unlocked;
      records = record_nested(num_chunks);
    }
    py::list result;
    for (const Nested& r : records)
      result.append(py::make_tuple(r.inner_calls, r.inner_thread_num, r.outer_before, r.outer_after, r.in_region));
    return result;
  });
  bind_testing_interop(module);
  bind_testing_fork(module);
  module.def("rendezvous", &rendezvous, unlocked());
  module.def("rendezvous_in_task", &rendezvous_in_task, unlocked());
  module.def("count_slot_errors", &count_slot_errors, unlocked());
  module.def("throw_in_region", [](std::int64_t n, std::int64_t grain_size, std::int64_t at, const std::string& kind) {
    try {
      const Unlocked unlocked;
      return throw_in_region(n, grain_size, at, kind);
    } catch (int number) {
      return -number;
    }
  });
  module.def("reduce", [](const py::object& values, std::int64_t grain_size, bool nested) {
    const Tensor tensor = to_tensor(values, false)->contiguous();
    const Unlocked unlocked;
    return reduce(tensor, grain_size, nested);
  });
  module.def("call_in_region", [](const std::string& name, const std::vector<py::object>& objects, int num_chunks) {
    std::vector<Tensor> tensors;
    for (const py::object& object : objects) tensors.push_back(to_tensor(object, false).value());
    const Unlocked unlocked;
    return call_in_region(name, tensors, num_chunks);
  });
  module.def("empty_region_ns", &empty_region_ns, unlocked());
  module.def("detect", &detect);
  module.def("view_bits", &view_bits);
  module.def("check_schemas", &check_schemas);
  module.def("parse_schema", [](const std::string& text) { return parse_schema(text).name; });
  module.def("call_op", &call_op);
}

}  // namespace threadwheel::bindings
