# The facts that `threadwheel info` works with, as JSON, which parses without an import worth the time: the builder's
# table of threading runtimes, and which of them each family runs on.
set(facts "${THREADWHEEL_ROOT}/python/threadwheel_build/runtimes.toml" "${THREADWHEEL_ROOT}/configs/options.toml")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${facts})
execute_process(
  COMMAND "${PLAN_PYTHON}" -P "${CMAKE_CURRENT_LIST_DIR}/runtimes_json.py" ${facts}
  OUTPUT_FILE "${CMAKE_BINARY_DIR}/runtimes.json" COMMAND_ERROR_IS_FATAL ANY)
