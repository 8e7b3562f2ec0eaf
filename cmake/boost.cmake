# Finds Boost and names what the library needs of it:
#
#   TWAT_MP_CHILD_EXIT_BY       boost or pidfd: which implementation of src/os/child_exit.hpp
#   TWAT_MP_CHILD_EXIT_TARGETS  what that one links
#
# A tree that already has Boost (as a subproject, say) is left alone.

set(TWAT_MP_CHILD_EXIT auto CACHE STRING "What reaps child processes: boost (Boost.Process), pidfd (nothing but the system), or auto")
set_property(CACHE TWAT_MP_CHILD_EXIT PROPERTY STRINGS auto boost pidfd)
if(NOT TWAT_MP_CHILD_EXIT MATCHES "^(auto|boost|pidfd)$")
    message(FATAL_ERROR "TWAT_MP_CHILD_EXIT is auto, boost or pidfd, not ${TWAT_MP_CHILD_EXIT}")
endif()

if(NOT TARGET Boost::headers)
    find_package(Boost 1.81 REQUIRED CONFIG)
endif()

# Boost.Process is headers alone up to 1.85, and a library from 1.86 on, which not every system has that has Boost: Debian 13 has not.
if(Boost_VERSION VERSION_GREATER_EQUAL 1.86 AND NOT TARGET Boost::process)
    if(TWAT_MP_CHILD_EXIT STREQUAL "boost")
        find_package(Boost 1.86 REQUIRED CONFIG COMPONENTS process)
    elseif(TWAT_MP_CHILD_EXIT STREQUAL "auto")
        find_package(Boost 1.86 QUIET CONFIG OPTIONAL_COMPONENTS process)
    endif()
endif()

set(TWAT_MP_CHILD_EXIT_BY ${TWAT_MP_CHILD_EXIT})
set(TWAT_MP_CHILD_EXIT_TARGETS "")
if(TWAT_MP_CHILD_EXIT STREQUAL "auto")
    if(TARGET Boost::process OR (Boost_VERSION AND Boost_VERSION VERSION_LESS 1.86))
        set(TWAT_MP_CHILD_EXIT_BY boost)
    else()
        set(TWAT_MP_CHILD_EXIT_BY pidfd)
    endif()
endif()
if(TWAT_MP_CHILD_EXIT_BY STREQUAL "boost" AND TARGET Boost::process)
    set(TWAT_MP_CHILD_EXIT_TARGETS Boost::process)
endif()
message(STATUS "Child processes are reaped by: ${TWAT_MP_CHILD_EXIT_BY}")
