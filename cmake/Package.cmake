# The C++ side of what is installed: public headers, and a CMake package whose target is threadwheel::threadwheel.
# It is the same in every wheel and in `cmake --install`: find_package(threadwheel CONFIG) with the prefix, or with
# threadwheel.utils.cmake_prefix_path, in CMAKE_PREFIX_PATH. All paths in it are relative to where it lies.
include(CMakePackageConfigHelpers)

target_compile_features(threadwheel PUBLIC cxx_std_20) # the headers are C++20
target_include_directories(threadwheel PUBLIC "$<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>"
                                              "$<INSTALL_INTERFACE:${THREADWHEEL_INCLUDE_DIR}>")
install(TARGETS threadwheel EXPORT threadwheel-targets LIBRARY DESTINATION "${THREADWHEEL_LIB_DIR}")
install(DIRECTORY include/threadwheel DESTINATION "${THREADWHEEL_INCLUDE_DIR}" FILES_MATCHING PATTERN "*.h")

set(package_dir "${THREADWHEEL_LIB_DIR}/cmake/threadwheel")
install(EXPORT threadwheel-targets NAMESPACE threadwheel:: DESTINATION "${package_dir}")
configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/threadwheel-config.cmake.in"
                              "${CMAKE_BINARY_DIR}/threadwheel-config.cmake" INSTALL_DESTINATION "${package_dir}"
                              NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file("${CMAKE_BINARY_DIR}/threadwheel-config-version.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_BINARY_DIR}/threadwheel-config.cmake" "${CMAKE_BINARY_DIR}/threadwheel-config-version.cmake"
        DESTINATION "${package_dir}")
