# build_info: what a build says of itself, as a file of the package and compiled into the library.
# The planner's part comes from PLAN_BUILD_INFO; added here is only what configure found.

set(info "${PLAN_BUILD_INFO}")
string(JSON info SET "${info}" compiler
       "{\"id\": \"${CMAKE_CXX_COMPILER_ID}\", \"version\": \"${CMAKE_CXX_COMPILER_VERSION}\"}")
string(JSON count LENGTH "${info}" libraries)
math(EXPR last "${count} - 1")
foreach(index RANGE ${last})
  string(JSON name MEMBER "${info}" libraries ${index})
  if(THREADWHEEL_${name}_VERSION)
    string(JSON info SET "${info}" libraries ${name} version "\"${THREADWHEEL_${name}_VERSION}\"")
  endif()
endforeach()
set(THREADWHEEL_BUILD_INFO "${info}")
file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/build_info.json" CONTENT "@THREADWHEEL_BUILD_INFO@\n" @ONLY)
configure_file("${CMAKE_CURRENT_LIST_DIR}/build_info.cpp.in" "${CMAKE_BINARY_DIR}/build_info.cpp" @ONLY)
