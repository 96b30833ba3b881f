# MKL, static, with the threading layer of the plan: target threadwheel_blas, the provider's file and options.
# mkl-static has no CMake package, and a search for "MKL" finds whatever machine-wide copy there is:
# the archives are looked for by name, nothing is cached.

add_library(threadwheel_blas INTERFACE)
if(NOT PLAN_BLAS STREQUAL "MKL")
  set(THREADWHEEL_BLAS_FILE builtin_blas)
  return()
endif()
set(THREADWHEEL_BLAS_FILE mkl)

set(layer_OMP mkl_gnu_thread)
set(layer_TBB mkl_tbb_thread)
set(layer_SEQ mkl_sequential)
threadwheel_find_headers(mkl_includes MKL mkl.h)
set(archives "")
foreach(part mkl_intel_lp64 ${layer_${PLAN_MKL_THREADING}} mkl_core)
  # From the same place as the headers: two versions never mix.
  find_library(mkl_archive NAMES lib${part}.a PATHS "${mkl_includes}/../lib" "${mkl_includes}/../lib/intel64"
               NO_DEFAULT_PATH NO_CACHE)
  if(NOT mkl_archive)
    threadwheel_missing("MKL's static library lib${part}.a was not found beside ${mkl_includes}")
  endif()
  add_library(${part} STATIC IMPORTED)
  set_target_properties(${part} PROPERTIES IMPORTED_LOCATION "${mkl_archive}")
  list(APPEND archives "${mkl_archive}")
  unset(mkl_archive)
endforeach()
threadwheel_header_version(THREADWHEEL_mkl_VERSION "${mkl_includes}/mkl_version.h"
                           __INTEL_MKL__ __INTEL_MKL_UPDATE__)
list(GET archives 1 THREADWHEEL_mkl_FILE)
threadwheel_headers(mkl_includes mkl "${THREADWHEEL_mkl_VERSION}" "${mkl_includes}" mkl*.h i_malloc.h)
set(THREADWHEEL_BLAS_OPTIONS -isystem "${mkl_includes}")
string(JOIN "," group mkl_intel_lp64 ${layer_${PLAN_MKL_THREADING}} mkl_core)
target_link_libraries(threadwheel_blas INTERFACE "$<LINK_GROUP:RESCAN,${group}>" pthread m dl)
