# Finds Boost and names what the library links, in TWAT_MP_BOOST_TARGETS. Also used by the installed package.
# A tree that already has Boost (as a subproject, say) is left alone.

if(NOT TARGET Boost::headers)
    find_package(Boost 1.81 REQUIRED CONFIG)
endif()
set(TWAT_MP_BOOST_TARGETS Boost::headers)

# Boost.Process is headers alone up to 1.85, and a library from 1.86 on.
if(Boost_VERSION VERSION_GREATER_EQUAL 1.86 AND NOT TARGET Boost::process)
    find_package(Boost 1.86 REQUIRED CONFIG COMPONENTS process)
endif()
if(TARGET Boost::process)
    list(APPEND TWAT_MP_BOOST_TARGETS Boost::process)
endif()
