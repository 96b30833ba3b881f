# threadwheel_bundle(<library file> <name> [EDITS <patchelf> <arguments>...])
#
# Puts a stripped copy of a library into the wheel, edited by patchelf where asked. Stripping comes
# first: strip may damage a file that patchelf has moved sections of.

set(THREADWHEEL_BUNDLE_DIR "${CMAKE_BINARY_DIR}/bundled")

function(threadwheel_bundle file name)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "EDITS")
  set(target "${THREADWHEEL_BUNDLE_DIR}/${name}")
  set(edit "")
  if(arg_EDITS)
    set(edit COMMAND ${arg_EDITS} "${target}.part")
  endif()
  add_custom_command(
    OUTPUT "${target}"
    COMMAND "${CMAKE_COMMAND}" -E make_directory "${THREADWHEEL_BUNDLE_DIR}"
    COMMAND "${CMAKE_STRIP}" --strip-unneeded -o "${target}.part" "${file}"
    ${edit}
    COMMAND "${CMAKE_COMMAND}" -E rename "${target}.part" "${target}"
    DEPENDS "${file}"
    COMMENT "Bundling ${name}"
    VERBATIM)
  add_custom_target(bundle_${name} ALL DEPENDS "${target}")
  set_property(GLOBAL APPEND PROPERTY THREADWHEEL_BUNDLES bundle_${name})
  install(PROGRAMS "${target}" DESTINATION "${THREADWHEEL_LIB_DIR}")
endfunction()
