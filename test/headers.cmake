# <twat/mp.hpp> includes every public header. Needs INCLUDE, the folder of the headers.
file(READ ${INCLUDE}/twat/mp.hpp umbrella)
file(GLOB headers RELATIVE ${INCLUDE} ${INCLUDE}/twat/mp/*.hpp)
# Those of libraries of their own are included by their users.
list(REMOVE_ITEM headers twat/mp/cluster.hpp twat/mp/monitor.hpp)
foreach(header IN LISTS headers)
    string(FIND "${umbrella}" "#include <${header}>\n" position)
    if(position EQUAL -1)
        message(SEND_ERROR "twat/mp.hpp does not include <${header}>")
    endif()
endforeach()
