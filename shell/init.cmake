# xmod for CMake: module(load gcc) changes ENV{...} of this run.
#     include($ENV{MODULESHOME}/init/cmake)
# Sets module_result to TRUE or FALSE.

if(EXISTS @LMOD_CMD@ OR NOT DEFINED ENV{MODULESHOME})
  set(ENV{MODULESHOME} @MODULESHOME@)
  set(ENV{LMOD_CMD} @LMOD_CMD@)
  set(ENV{LMOD_DIR} @LMOD_DIR@)
else()
  # The tree was moved.
  set(ENV{LMOD_DIR} "$ENV{MODULESHOME}/libexec")
  set(ENV{LMOD_CMD} "$ENV{LMOD_DIR}/lmod")
endif()

function(module)
  set(_mlstatus FALSE)
  execute_process(COMMAND mktemp OUTPUT_VARIABLE _file OUTPUT_STRIP_TRAILING_WHITESPACE)
  execute_process(COMMAND "$ENV{LMOD_CMD}" cmake ${ARGN} OUTPUT_FILE "${_file}")
  include("${_file}")
  file(REMOVE "${_file}")
  set(module_result "${_mlstatus}" PARENT_SCOPE)
endfunction()

# module_list(VAR), module_avail(VAR [PATTERN...]): full names as a list.
function(_xmod_names _var)
  execute_process(
    COMMAND "$ENV{LMOD_CMD}" cmake -t ${ARGN} OUTPUT_QUIET ERROR_VARIABLE _text)
  string(REPLACE "\n" ";" _names "${_text}")
  list(FILTER _names EXCLUDE REGEX "^$|:$|^No modules loaded")
  set(${_var} "${_names}" PARENT_SCOPE)
endfunction()

function(module_list _var)
  _xmod_names(_names list)
  set(${_var} "${_names}" PARENT_SCOPE)
endfunction()

function(module_avail _var)
  _xmod_names(_names avail ${ARGN})
  set(${_var} "${_names}" PARENT_SCOPE)
endfunction()

function(module_swap _old _new)
  module(swap "${_old}" "${_new}")
  set(module_result "${module_result}" PARENT_SCOPE)
endfunction()

if(NOT DEFINED ENV{MODULEPATH} AND EXISTS "$ENV{MODULESHOME}/etc/modulespath")
  module(modulespath)
endif()
