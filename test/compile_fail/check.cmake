# See CMakeLists.txt. Needs COMPILER, FLAGS, INCLUDES and FILE.
separate_arguments(flags UNIX_COMMAND "${FLAGS}")
set(command ${COMPILER} -std=c++20 -fsyntax-only ${flags})
foreach(dir IN LISTS INCLUDES)
    list(APPEND command -I${dir}) # not -isystem: of /usr/include that hides the C library from the C++ one
endforeach()

file(STRINGS ${FILE} expected REGEX "^// expect: ")
if(NOT expected)
    message(FATAL_ERROR "${FILE} has no line '// expect: ...'")
endif()

execute_process(COMMAND ${command} ${FILE} ERROR_VARIABLE output OUTPUT_VARIABLE output RESULT_VARIABLE result)
if(result EQUAL 0)
    message(FATAL_ERROR "${FILE} compiles, but should be refused")
endif()
foreach(line IN LISTS expected)
    string(REGEX REPLACE "^// expect: " "" text "${line}")
    string(FIND "${output}" "${text}" position)
    if(position EQUAL -1)
        message(FATAL_ERROR "${FILE} is refused without the text\n  ${text}\nThe compiler wrote:\n${output}")
    endif()
endforeach()

execute_process(COMMAND ${command} -DTWAT_MP_CONTROL ${FILE}
    ERROR_VARIABLE output OUTPUT_VARIABLE output RESULT_VARIABLE result)
if(NOT result EQUAL 0)
    message(FATAL_ERROR "${FILE} should compile with TWAT_MP_CONTROL, but:\n${output}")
endif()
