// What the files of this folder share. Only this folder sees pybind11, and only here are errors and values of ours
// turned into Python's.
#pragma once

#include <pybind11/pybind11.h>

#include <optional>
#include <string>

#include "bindings/gil.h"
#include "ops/value.h"
#include "tensor/tensor.h"

namespace threadwheel::bindings {

namespace py = pybind11;

void bind_errors(py::module_& module);
void bind_counts(py::module_& module);
void bind_information(py::module_& module);
void bind_device(py::module_& module);
void bind_tensor(py::module_& module);
void bind_constructors(py::module_& module);
void bind_exchange(py::module_& module);
void bind_subscripts(py::module_& module);
void bind_ops(py::module_& module);
void bind_tensor_methods(py::module_& module);  // after what they are made of
void bind_jit(py::module_& module);
void bind_script(py::module_& module);
void bind_archive(py::module_& module);
void bind_testing(py::module_& module);
void bind_testing_interop(py::module_& testing);
void bind_testing_fork(py::module_& testing);

// A Tensor itself, or a view of an object with the buffer protocol (numpy's arrays, and its scalars if asked);
// nothing for other objects. Throws Error for buffers that a Tensor cannot describe.
std::optional<Tensor> to_tensor(py::handle object, bool from_scalars);

// The one device. Python code says it to PyTorch, so it can be said here.
struct Device {
  std::string name;  // "cpu"
};

// numpy's float32(1) and its like: a number to some and an array without dimensions to others.
bool is_numpy_scalar(py::handle object);

// threadwheel's DType, its name, or a numpy dtype; nothing for other objects.
std::optional<DType> to_dtype(py::handle object);

// Returns an int as a number of threads, in range or not. Throws TypeError for anything that is not an int (a bool
// is not), naming `where`, and Error(kValue) for one beyond C++'s int.
int to_thread_count(const char* where, py::handle object);

// "float", as in an error message.
std::string type_name(py::handle object);

}  // namespace threadwheel::bindings
