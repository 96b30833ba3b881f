#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "backend.h"

namespace PACKAGE_NAME {
const char* build_info_json() noexcept;  // made by BuildInfo.cmake
}

namespace {

PyObject* py_sum_of_squares(PyObject*, PyObject* argument) {
  const long long n = PyLong_AsLongLong(argument);
  if (n == -1 && PyErr_Occurred()) return nullptr;
  return PyLong_FromLongLong(sum_of_squares(n));
}

PyObject* py_build_info(PyObject*, PyObject*) { return PyUnicode_FromString(PACKAGE_NAME::build_info_json()); }

PyMethodDef methods[] = {{"sum_of_squares", py_sum_of_squares, METH_O, "The sum of the squares of 0 to n - 1."},
                         {"build_info", py_build_info, METH_NOARGS, "What was compiled in, as JSON."},
                         {nullptr, nullptr, 0, nullptr}};
PyModuleDef module = {PyModuleDef_HEAD_INIT, "_core", nullptr, -1, methods, nullptr, nullptr, nullptr, nullptr};

}  // namespace

PyMODINIT_FUNC PyInit__core() { return PyModule_Create(&module); }
