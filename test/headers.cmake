# <twat/mp.hpp> includes every public header. Needs INCLUDE, the folder of the headers.
file(READ ${INCLUDE}/twat/mp.hpp umbrella)
file(GLOB headers RELATIVE ${INCLUDE} ${INCLUDE}/twat/mp/*.hpp)
foreach(header IN LISTS headers)
    string(FIND "${umbrella}" "#include <${header}>\n" position)
    if(position EQUAL -1)
        message(SEND_ERROR "twat/mp.hpp does not include <${header}>")
    endif()
endforeach()
