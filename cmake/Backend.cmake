# The parallel backend of the plan: target threadwheel_backend with its runtime library, and the compile
# options of the backend's one file. No other file sees them: all wheels share the other objects.
# Adding a backend is one file in native/parallel/backends/, its rows in configs/, and one branch here
# only if it needs a library.

add_library(threadwheel_backend INTERFACE)
set(THREADWHEEL_RPATH "$ORIGIN")

if(PLAN_USE_OPENMP)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    threadwheel_impossible("${CMAKE_CXX_COMPILER_ID} cannot compile for GNU OpenMP, which this plan links; \
configure with -DCMAKE_CXX_COMPILER=g++, or choose TBB or NATIVE")
  endif()
  find_package(OpenMP REQUIRED COMPONENTS CXX)
  separate_arguments(compiler UNIX_COMMAND "${CMAKE_CXX_COMPILER} ${CMAKE_CXX_COMPILER_ARG1}") # also CXX="ccache g++"
  execute_process(COMMAND ${compiler} -print-file-name=libgomp.so.1
                  OUTPUT_VARIABLE gomp OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT EXISTS "${gomp}")
    threadwheel_impossible("${CMAKE_CXX_COMPILER} has no libgomp.so.1; install your distribution's libgomp")
  endif()
  file(REAL_PATH "${gomp}" gomp)
  # The compiler's flag belongs to the backend's one file; everything else is the same in all wheels.
  set(THREADWHEEL_BACKEND_OPTIONS ${OpenMP_CXX_FLAGS})
  target_link_libraries(threadwheel_backend INTERFACE "${gomp}")
  set(THREADWHEEL_openmp_VERSION "${CMAKE_CXX_COMPILER_VERSION}")
  set(THREADWHEEL_openmp_FILE "${gomp}")
  # Under its own name: a renamed copy would be a second OpenMP in every process that has one already.
  threadwheel_bundle("${gomp}" libgomp.so.1)
endif()

if(PLAN_USE_TBB)
  # What the planner's Python has comes first: it was installed for this build, other places may hold anything.
  find_package(TBB CONFIG QUIET PATHS "${PLAN_PYTHON_PREFIX}" NO_DEFAULT_PATH)
  if(NOT TBB_FOUND)
    find_package(TBB CONFIG QUIET)
  endif()
  if(NOT TBB_FOUND)
    threadwheel_missing("TBB was not found (TBBConfig.cmake)")
  endif()
  if(NOT TBB_VERSION VERSION_GREATER_EQUAL 2021 OR NOT TBB_VERSION VERSION_LESS 2022)
    # Built against 2021 it runs on 2021 and later; built against a later one it would fail on 2021.
    threadwheel_missing("the TBB in ${TBB_DIR} is ${TBB_VERSION}, the plan needs 2021")
  endif()
  get_target_property(tbb_includes TBB::tbb INTERFACE_INCLUDE_DIRECTORIES)
  threadwheel_headers(tbb_includes tbb "${TBB_VERSION}" "${tbb_includes}" tbb oneapi/tbb*)
  set(THREADWHEEL_BACKEND_OPTIONS -isystem "${tbb_includes}")
  get_target_property(file TBB::tbb IMPORTED_LOCATION_RELEASE)
  target_link_libraries(threadwheel_backend INTERFACE "${file}")
  set(THREADWHEEL_tbb_VERSION "${TBB_VERSION}")
  set(THREADWHEEL_tbb_FILE "${file}")
  # A requirement of the wheel, so that a process shares one TBB. It installs to <prefix>/lib: from
  # <prefix>/lib/pythonX.Y/site-packages/threadwheel/lib, from a lib64 layout, from a --target folder.
  set(THREADWHEEL_RPATH "$ORIGIN;$ORIGIN/../../../..;$ORIGIN/../../../../../lib;$ORIGIN/../../lib")
  if(NOT SKBUILD) # no package manager brings it: it stays where it was found
    get_filename_component(folder "${file}" DIRECTORY)
    set(THREADWHEEL_RPATH "$ORIGIN;${folder}")
  endif()
endif()
