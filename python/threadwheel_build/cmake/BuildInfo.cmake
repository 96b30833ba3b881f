# build_info: what a build says of itself, as a file of the package and compiled into the library.
# The planner's part comes from PLAN_BUILD_INFO; added here is only what configure found: the compiler, and the
# version of each library <name> for which THREADWHEEL_<name>_VERSION is set.
#
# Writes build_info.json into the build directory, to be installed into the package, and build_info.cpp, to be
# compiled into its library; the function there is <name of the distribution>::build_info_json().

set(info "${PLAN_BUILD_INFO}")
string(JSON info SET "${info}" compiler
       "{\"id\": \"${CMAKE_CXX_COMPILER_ID}\", \"version\": \"${CMAKE_CXX_COMPILER_VERSION}\"}")
string(JSON count LENGTH "${info}" libraries)
if(count GREATER 0) # a plan may have no library at all
  math(EXPR last "${count} - 1")
  foreach(index RANGE ${last})
    string(JSON name MEMBER "${info}" libraries ${index})
    if(THREADWHEEL_${name}_VERSION)
      string(JSON info SET "${info}" libraries ${name} version "\"${THREADWHEEL_${name}_VERSION}\"")
    endif()
  endforeach()
endif()
set(THREADWHEEL_BUILD_INFO "${info}")
string(JSON build_info_namespace GET "${info}" name)
string(MAKE_C_IDENTIFIER "${build_info_namespace}" build_info_namespace)
file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/build_info.json" CONTENT "@THREADWHEEL_BUILD_INFO@\n" @ONLY)
configure_file("${CMAKE_CURRENT_LIST_DIR}/build_info.cpp.in" "${CMAKE_BINARY_DIR}/build_info.cpp" @ONLY)
