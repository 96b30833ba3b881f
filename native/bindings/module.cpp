// The extension module threadwheel._core: errors, counts, information. Tensors, ops and archives are in the files
// beside.
#include "bindings/bindings.h"

#include <pybind11/stl.h>

#include <cstdlib>
#include <limits>
#include <string_view>
#include <vector>

#include "build_info.h"
#include "interpreter/script_error.h"
#include "parallel/backend.h"
#include "parallel/counts.h"
#include "parallel/fork_gate.h"
#include "parallel/libraries.h"
#include "parallel/process.h"
#include "tensor/isa.h"
#include "threadwheel/error.h"
#include "threadwheel/parallel.h"

namespace threadwheel::bindings {
namespace {

// A wrong value is a ValueError, as Python has it, and a RuntimeError, as code written for PyTorch catches it.
PyObject* argument_error = nullptr;

// The `with num_threads(n)` blocks that a thread is in: the limits that held before them.
thread_local std::vector<int> scopes;

PyObject* python_type(ErrorCode code) {
  switch (code) {
    case ErrorCode::kType: return PyExc_TypeError;
    case ErrorCode::kValue: return argument_error;
    case ErrorCode::kUnsupported: return PyExc_NotImplementedError;  // a RuntimeError too
    case ErrorCode::kIndex: return PyExc_IndexError;
    case ErrorCode::kKey: return PyExc_KeyError;
    case ErrorCode::kZeroDivision: return PyExc_ZeroDivisionError;
    case ErrorCode::kOverflow: return PyExc_OverflowError;
    case ErrorCode::kRuntime: break;
  }
  return PyExc_RuntimeError;
}

// The builtin exception that a program raised by name; for what an op threw, as outside programs.
PyObject* python_type(const interpreter::ScriptError& error) {
  if (error.python_type().empty()) return python_type(error.code());
  PyObject* const type = PyDict_GetItemString(PyEval_GetBuiltins(), error.python_type().c_str());
  return type != nullptr && PyExceptionClass_Check(type) ? type : PyExc_RuntimeError;
}

// Any bytes may be in a message: the path of a file, half a character that a program cut.
void set_error(PyObject* type, std::string_view message) {
  const auto text = py::reinterpret_steal<py::object>(
      PyUnicode_DecodeUTF8(message.data(), static_cast<py::ssize_t>(message.size()), "backslashreplace"));
  if (text) PyErr_SetObject(type, text.ptr());
}

void translate(std::exception_ptr exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const interpreter::ScriptError& error) {
    set_error(python_type(error), error.what());
  } catch (const Error& error) {
    set_error(python_type(error.code()), error.what());
  }
}

py::dict describe_counts() {
  const DefaultCount& settled = default_count();
  const auto known = [](int value) { return value != 0 ? py::object(py::int_(value)) : py::object(py::none()); };
  py::dict result;
  result["num_threads"] = get_num_threads();
  result["source"] = num_threads_source();
  result["affinity"] = settled.cpus.affinity;
  result["physical_cores"] = known(settled.cpus.physical_cores);
  result["cgroup_quota"] = known(settled.cpus.quota);
  result["detected"] = settled.cpus.usable;
  result["num_interop_threads"] = get_num_interop_threads();
  return result;
}

py::dict describe_backend() {
  init_num_threads();
  const backend::Description description = backend::describe();
  py::dict result;
  result["family"] = description.family;
  result["title"] = description.title;
  result["runtime"] = description.runtime;
  result["capacity"] = backend::capacity();
  result["kernels"] = kernel_isa();
  return result;
}

// Names of files are bytes to the system; as os.fsdecode has them.
py::object file_name(const std::string& name) {
  auto text = py::reinterpret_steal<py::object>(PyUnicode_DecodeFSDefault(name.c_str()));
  if (!text) throw py::error_already_set();
  return text;
}

py::list describe_objects(const std::vector<std::string>& symbols) {
  py::list result;
  for (const MappedObject& object : mapped_objects(symbols)) {
    py::list needed;
    for (const std::string& name : object.needed) needed.append(file_name(name));
    py::dict row;
    row["file"] = file_name(object.file);
    row["soname"] = file_name(object.soname);
    row["needed"] = needed;
    row["defined"] = object.defined;
    row["is_ours"] = object.is_ours;
    row["is_called"] = object.is_called;
    result.append(row);
  }
  return result;
}

}  // namespace

std::string type_name(py::handle object) { return Py_TYPE(object.ptr())->tp_name; }

int to_thread_count(const char* where, py::handle object) {
  if (PyBool_Check(object.ptr()) || !PyIndex_Check(object.ptr()))
    throw Error(ErrorCode::kType, std::string(where) + ": the number of threads is " +
                                      py::repr(object).cast<std::string>() + ", a " + type_name(object) +
                                      "; expected an int");
  const auto index = py::reinterpret_steal<py::object>(PyNumber_Index(object.ptr()));
  if (!index) throw py::error_already_set();
  int overflow = 0;
  const long value = PyLong_AsLongAndOverflow(index.ptr(), &overflow);
  if (overflow != 0 || value > std::numeric_limits<int>::max() || value < std::numeric_limits<int>::min())
    refuse_count(where, py::str(index).cast<std::string>());
  return static_cast<int>(value);
}

void bind_errors(py::module_& module) {
  py::module_::import("atexit").attr("register")(py::cpp_function([] {
    interpreter_ends.store(true);
    std::atexit(detail::stop_others);  // registered this late, it runs before the exit handlers of the libraries
  }));
  const auto bases = py::make_tuple(py::handle(PyExc_ValueError), py::handle(PyExc_RuntimeError));
  argument_error = PyErr_NewExceptionWithDoc(
      "threadwheel.ArgumentError",
      "An argument has a value that is not allowed. A ValueError, and a RuntimeError as in PyTorch.", bases.ptr(),
      nullptr);
  if (argument_error == nullptr) throw py::error_already_set();
  module.attr("ArgumentError") = py::handle(argument_error);
  py::register_local_exception_translator(translate);
}

void bind_counts(py::module_& module) {
  module.def("get_num_threads", &get_num_threads,
             "Return the most threads that an op called now by this thread may use, the thread included.");
  module.def(
      "set_num_threads",
      [](py::handle num_threads) {
        const int count = to_thread_count("set_num_threads", num_threads);
        const Unlocked unlocked;
        set_num_threads(count);
      },
      py::arg("num_threads"),
      "Set the number of threads for the process; every thread without a `num_threads` block of its own uses it from\n"
      "its next op on. Raises TypeError unless it is an int, ArgumentError unless it is from 1 to 1024.");
  module.def("init_num_threads", &init_num_threads,
             "Settle the default count and give it to the threading runtime of this thread. Ops do so on their own.");
  module.def("get_num_interop_threads", &get_num_interop_threads,
             "Return the number of threads for inter-op tasks. Starts none.");
  module.def(
      "set_num_interop_threads",
      [](py::handle num_threads) {
        set_num_interop_threads(to_thread_count("set_num_interop_threads", num_threads));
      },
      py::arg("num_threads"),
      "Set the number of threads for inter-op tasks, once, before the first task; the same number again is fine.\n"
      "Raises as set_num_threads, and RuntimeError when it is too late.");
  module.def("check_num_threads", [](py::handle num_threads) {
    const int count = to_thread_count("num_threads", num_threads);
    if (count < 1 || count > kMaxNumThreads) refuse_count("num_threads", std::to_string(count));
    return count;
  });
  module.def("enter_num_threads", [](int num_threads) { scopes.push_back(exchange_thread_limit(num_threads)); });
  module.def("leave_num_threads", [] {
    if (scopes.empty()) throw Error(ErrorCode::kRuntime, "num_threads: this thread is in no such block");
    exchange_thread_limit(scopes.back());
    scopes.pop_back();
  });
}

void bind_information(py::module_& module) {
  module.def("get_thread_num", &get_thread_num);
  module.def("in_parallel_region", &in_parallel_region);
  module.def("parallel_info", &get_parallel_info);
  module.def("build_info_json", &build_info_json);
  module.def("dnn_runtime", &libraries::dnn_runtime);
  module.def("describe_counts", &describe_counts);
  module.def("describe_backend", &describe_backend);
  module.def("mapped_objects", &describe_objects);
}

}  // namespace threadwheel::bindings

PYBIND11_MODULE(_core, module) {
  namespace bindings = threadwheel::bindings;
  bindings::bind_errors(module);
  bindings::bind_counts(module);
  bindings::bind_information(module);
  bindings::bind_device(module);
  bindings::bind_tensor(module);
  bindings::bind_constructors(module);
  bindings::bind_exchange(module);
  bindings::bind_subscripts(module);
  bindings::bind_ops(module);
  bindings::bind_tensor_methods(module);
  bindings::bind_jit(module);
  bindings::bind_script(module);
  bindings::bind_archive(module);
  bindings::bind_testing(module);
}
