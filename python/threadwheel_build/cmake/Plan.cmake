# Asks the one planner what this configuration builds, before any compiler is looked for.
#
# Reads what was said (the cache, the environment), runs `python -m threadwheel_build plan`, and sets
# PLAN_<OPTION>, PLAN_FAMILY, PLAN_LABEL, PLAN_VERSION, PLAN_PIP_<library> and PLAN_BUILD_INFO in the
# caller's scope. A refusal ends the configuration with the planner's own words and leaves the cache
# as it was. No default is ever cached under an option's name.

# Refused before any list holds it; a build front end hears the same of sources.py.
if(CMAKE_SOURCE_DIR MATCHES "[:;]")
  message(FATAL_ERROR "threadwheel: ${CMAKE_SOURCE_DIR} has : or ; in its path, which would end a path in the lists that "
                      "cmake and Python take; move the project to a folder without it")
endif()

# CMake marks what a command line or a preset defined with this help text.
set(_plan_command_line_help "No help, variable specified on the command line.")

function(_plan_python out)
  if(Python_EXECUTABLE)
    set(python "${Python_EXECUTABLE}")
  else()
    find_program(python NAMES python3 python NO_CACHE)
  endif()
  if(NOT python)
    message(FATAL_ERROR "threadwheel: no Python found; the planner needs Python >= 3.11 "
                        "(standard library only), name one with -DPython_EXECUTABLE=")
  endif()
  execute_process(COMMAND "${python}" -P -c "import sys, tomllib; print(sys.prefix)"
                  RESULT_VARIABLE code OUTPUT_VARIABLE prefix ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(code)
    message(FATAL_ERROR "threadwheel: ${python} cannot run the planner; it needs Python >= 3.11, "
                        "name one with -DPython_EXECUTABLE=")
  endif()
  set(${out} "${python}" PARENT_SCOPE)
  set(PLAN_PYTHON_PREFIX "${prefix}" PARENT_SCOPE)
endfunction()

# One line per fact, `kind TAB name TAB value`; the planner knows which names are options.
function(_plan_write_input file)
  set(lines "")
  get_cmake_property(names CACHE_VARIABLES)
  foreach(name IN LISTS names)
    if(name MATCHES "^THREADWHEEL_(CONFIGURED|CONFIGURED_PLAN|EXPECTED_PLAN)$")
      continue()
    endif()
    get_property(help CACHE ${name} PROPERTY HELPSTRING)
    set(kind cached)
    if(help STREQUAL _plan_command_line_help)
      set(kind said)
    endif()
    string(REGEX REPLACE "[\r\n]+" " " value "$CACHE{${name}}")
    string(APPEND lines "${kind}\t${name}\t${value}\n")
  endforeach()
  string(REPLACE "," ";" configured "${THREADWHEEL_CONFIGURED_PLAN}")
  foreach(pair IN LISTS configured)
    string(REPLACE "=" "\t" pair "${pair}")
    string(APPEND lines "configured\t${pair}\n")
  endforeach()
  string(REPLACE "," ";" expected "${THREADWHEEL_EXPECTED_PLAN}")
  foreach(pair IN LISTS expected)
    string(REPLACE "=" "\t" pair "${pair}")
    string(APPEND lines "expected\t${pair}\n")
  endforeach()
  file(WRITE "${file}" "${lines}")
endfunction()

# Take a refused configuration's options out of the cache again, so that the corrected line works.
function(_plan_restore_cache)
  foreach(name IN LISTS PLAN_FORGET)
    unset(${name} CACHE)
  endforeach()
  foreach(pair IN LISTS THREADWHEEL_CONFIGURED)
    string(REGEX MATCH "^([^=]+)=(.*)$" _ "${pair}")
    set(${CMAKE_MATCH_1} "${CMAKE_MATCH_2}" CACHE STRING "${_plan_command_line_help}" FORCE)
  endforeach()
endfunction()

# An option that is no cache entry (set() in a superproject or a toolchain file), or that appeared after
# the planner ran, would be ignored now and change the plan at the next configuration: refused (R6).
function(_plan_refuse_strays)
  foreach(name IN LISTS PLAN_SPELLINGS)
    if(DEFINED ${name} AND NOT name IN_LIST PLAN_FORGET)
      set(value "${${name}}")
      _plan_restore_cache()
      unset(${name} CACHE)
      message(NOTICE "threadwheel_build: these options make no build: 1 problem\n  R6: ${name}=${value} is set where the \
planner cannot see it (a toolchain file or an enclosing project)\n  use: -D${name}=${value}\n")
      message(FATAL_ERROR "threadwheel: nothing was configured; the lines above say why")
    endif()
  endforeach()
endfunction()

# The planner is the one of the distribution that this file came with.
get_filename_component(_plan_builder "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)

# threadwheel_plan(NAME <distribution> PROJECT <dir with configs/>)
function(threadwheel_plan)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME;PROJECT" "")
  _plan_python(python)
  set(folder "${CMAKE_BINARY_DIR}/threadwheel")
  _plan_write_input("${folder}/plan.in")
  set(environment "PYTHONDONTWRITEBYTECODE=1" "PYTHONPATH=${_plan_builder}")
  execute_process(
    COMMAND "${CMAKE_COMMAND}" -E env ${environment} "${python}" -P -m threadwheel_build
            --project "${arg_PROJECT}" plan --format cmake --name "${arg_NAME}" --cmake-input "${folder}/plan.in"
    RESULT_VARIABLE code OUTPUT_FILE "${folder}/plan.cmake" ERROR_VARIABLE refusal)
  include("${folder}/plan.cmake")
  if(code)
    _plan_restore_cache()
    message(NOTICE "${refusal}")
    message(FATAL_ERROR "threadwheel: nothing was configured; the lines above say why")
  endif()
  file(GLOB configs CONFIGURE_DEPENDS "${arg_PROJECT}/configs/*.toml" "${arg_PROJECT}/configs/variants/*.toml")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${configs} "${arg_PROJECT}/pyproject.toml")
  _plan_refuse_strays()
  set(PLAN_PYTHON "${python}")
  set(PLAN_PYTHON_PREFIX "${PLAN_PYTHON_PREFIX}")
  foreach(name IN LISTS PLAN_VARIABLES ITEMS PLAN_PYTHON PLAN_PYTHON_PREFIX)
    set(${name} "${${name}}" PARENT_SCOPE)
  endforeach()
endfunction()

# Called last: from now on this build directory belongs to the plan.
function(threadwheel_plan_done)
  _plan_refuse_strays()
  set(THREADWHEEL_CONFIGURED_PLAN "${PLAN_KEY}" CACHE INTERNAL "the plan this build directory is configured for")
  set(THREADWHEEL_CONFIGURED "${PLAN_SAID}" CACHE INTERNAL "the options this build directory is configured with")
endfunction()

# R7: the machine cannot build the plan, and no package would mend that.
function(threadwheel_impossible what)
  _plan_restore_cache()
  message(FATAL_ERROR "threadwheel: ${what}; nothing is built with something else instead (R7)")
endfunction()

# R7: a library of the plan is missing. Ends the configuration with the one command that brings all of them.
function(threadwheel_missing what)
  _plan_restore_cache()
  list(TRANSFORM PLAN_PIP REPLACE "^.*[<>].*$" "'\\0'" OUTPUT_VARIABLE packages) # a shell would redirect
  string(JOIN " " packages ${packages})
  message(NOTICE "threadwheel: ${what}\n  R7: nothing is built with something else instead; get what the plan names:\n"
                 "  ${PLAN_PYTHON} -m pip install ${packages}\n")
  message(FATAL_ERROR "threadwheel: a library of the plan is missing; the lines above say how to get it")
endfunction()
