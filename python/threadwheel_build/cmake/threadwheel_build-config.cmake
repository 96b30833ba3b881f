# find_package(threadwheel_build CONFIG REQUIRED) before project(): threadwheel_plan() and, afterwards,
# include(BuildInfo). A build through pip or uv finds it; for bare cmake say
# -Dthreadwheel_build_DIR=$(threadwheel_build --cmake-dir).
list(APPEND CMAKE_MODULE_PATH "${CMAKE_CURRENT_LIST_DIR}")
include(Plan)
