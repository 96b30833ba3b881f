# Gives a dependency's headers a path that does not change from build to build.
#
# Build front ends install dependencies into a new folder each time, and a compiler cache sees the
# folder in every preprocessed file. With a cache in use the headers are copied once per version to
# a folder beside the build directories; without one they are used where they are.

# threadwheel_headers(<out> <name> <version> <include folder> <what to copy, below it>...)
function(threadwheel_headers out name version folder)
  if(NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(${out} "${folder}" PARENT_SCOPE)
    return()
  endif()
  get_filename_component(stable "${CMAKE_BINARY_DIR}/../headers/${name}-${version}" ABSOLUTE)
  if(NOT EXISTS "${stable}")
    # Renamed into place: two builds at once each see a whole folder.
    string(RANDOM LENGTH 8 suffix)
    foreach(pattern IN LISTS ARGN)
      get_filename_component(below "${pattern}" DIRECTORY)
      file(GLOB found "${folder}/${pattern}")
      file(COPY ${found} DESTINATION "${stable}.${suffix}/${below}")
    endforeach()
    file(RENAME "${stable}.${suffix}" "${stable}" RESULT taken)
    if(taken)
      file(REMOVE_RECURSE "${stable}.${suffix}")
    endif()
  endif()
  set(${out} "${stable}" PARENT_SCOPE)
endfunction()

# The version that a header states in `#define <macro> <value>` lines, joined with dots.
function(threadwheel_header_version out header)
  set(parts "")
  foreach(macro IN LISTS ARGN)
    file(STRINGS "${header}" line REGEX "^#[ ]*define[ ]+${macro}[ \t]+[0-9]+" LIMIT_COUNT 1)
    string(REGEX REPLACE "^#[ ]*define[ ]+${macro}[ \t]+([0-9]+).*$" "\\1" value "${line}")
    list(APPEND parts "${value}")
  endforeach()
  string(JOIN "." version ${parts})
  set(${out} "${version}" PARENT_SCOPE)
endfunction()

# threadwheel_find_headers(<out> <library> <header>): the folder of a header, or R7. What the planner's Python
# has comes first: it was installed for this build, other places (a sourced oneAPI) may hold anything.
function(threadwheel_find_headers out library header)
  find_path(planned "${header}" PATHS "${PLAN_PYTHON_PREFIX}/include" NO_DEFAULT_PATH NO_CACHE)
  find_path(elsewhere "${header}" NO_CACHE)
  if(planned)
    set(${out} "${planned}" PARENT_SCOPE)
  elseif(elsewhere)
    set(${out} "${elsewhere}" PARENT_SCOPE)
  else()
    threadwheel_missing("${library}'s headers were not found (${header})")
  endif()
endfunction()
