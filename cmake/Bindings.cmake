# What the Python module is compiled with, in wheels only: found before build_info is written, which names its version.
find_package(Python REQUIRED COMPONENTS Interpreter Development.Module)
find_package(pybind11 3 CONFIG REQUIRED)
set(THREADWHEEL_pybind11_VERSION "${pybind11_VERSION}")
threadwheel_headers(pybind11_headers pybind11 "${pybind11_VERSION}" "${pybind11_INCLUDE_DIR}" pybind11)
