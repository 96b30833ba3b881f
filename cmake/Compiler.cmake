# What every target is compiled with, and which platforms and compilers can be.
# One set of flags for all wheels: with a compiler cache, the second wheel costs a link.

if(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux" OR NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  message(FATAL_ERROR "threadwheel: builds on Linux x86-64 only for now, this is ${CMAKE_SYSTEM_NAME} ${CMAKE_SYSTEM_PROCESSOR}")
endif()
if(NOT CMAKE_CXX_COMPILER_ID MATCHES "^(GNU|Clang)$")
  message(FATAL_ERROR "threadwheel: ${CMAKE_CXX_COMPILER_ID} is not supported; use GCC >= 12 or Clang >= 16")
endif()
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

set(CMAKE_CXX_SCAN_FOR_MODULES OFF) # there are none, and Clang's scanner may not be installed

add_library(threadwheel_flags INTERFACE)
target_compile_features(threadwheel_flags INTERFACE cxx_std_20)
target_compile_options(
  threadwheel_flags
  INTERFACE -Wall -Wextra
            # GCC 12 warns of its own inlined string concatenation (its bug 105651)
            $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
            # exports.map decides what is visible, so calls inside the library need no detour
            -fvisibility-inlines-hidden -fno-semantic-interposition
            # lets the linker drop what a wheel does not use
            -ffunction-sections -fdata-sections)

# Loops over elements: vectorised without fast-math (results stay IEEE), at full vector width.
set(THREADWHEEL_KERNEL_FLAGS -O3 -fno-trapping-math -fno-math-errno)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  list(APPEND THREADWHEEL_KERNEL_FLAGS -mprefer-vector-width=512)
endif()
