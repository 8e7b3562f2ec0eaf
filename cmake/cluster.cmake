# twat::mp_cluster: pools over several hosts, on NATS JetStream. A library of its own, so that nobody else needs nats.c (Debian: libnats-dev).

set(TWAT_MP_NATS_TARGET "" CACHE STRING "The target of nats.c in its own CMake package, cnats; empty: its header and library are looked for")
mark_as_advanced(TWAT_MP_NATS_TARGET)

if(NOT TWAT_MP_BUILD_CLUSTER)
    return()
elseif(TWAT_MP_NATS_TARGET)
    find_package(cnats CONFIG REQUIRED)
    set(nats_target ${TWAT_MP_NATS_TARGET})
else()
    # Not by its own package file: Debian's names a static library that is in no package.
    find_path(TWAT_MP_NATS_INCLUDE_DIR nats/nats.h)
    find_library(TWAT_MP_NATS_LIBRARY NAMES nats nats_static)
    mark_as_advanced(TWAT_MP_NATS_INCLUDE_DIR TWAT_MP_NATS_LIBRARY)
    if(NOT TWAT_MP_NATS_INCLUDE_DIR OR NOT TWAT_MP_NATS_LIBRARY)
        message(STATUS "nats.c was not found: twat::mp_cluster is not built (Debian: apt install libnats-dev)")
        return()
    endif()
    # By a name, which cmake/twat-mp-cluster.cmake.in gives it where a static library is used: the file may lie elsewhere there.
    set(nats_target twat::nats)
    if(NOT TARGET twat::nats)
        add_library(twat::nats UNKNOWN IMPORTED GLOBAL)
        set_target_properties(twat::nats PROPERTIES
            IMPORTED_LOCATION ${TWAT_MP_NATS_LIBRARY}
            INTERFACE_INCLUDE_DIRECTORIES ${TWAT_MP_NATS_INCLUDE_DIR})
    endif()
endif()

file(GLOB_RECURSE cluster_headers CONFIGURE_DEPENDS include/twat/mp/cluster/*.hpp)
list(APPEND cluster_headers ${PROJECT_SOURCE_DIR}/include/twat/mp/cluster.hpp)
file(GLOB cluster_sources CONFIGURE_DEPENDS src/cluster/*.cpp)

add_library(twat_mp_cluster ${cluster_sources})
add_library(twat::mp_cluster ALIAS twat_mp_cluster)
target_sources(twat_mp_cluster PUBLIC FILE_SET HEADERS BASE_DIRS include FILES ${cluster_headers})
target_include_directories(twat_mp_cluster PRIVATE src)
target_compile_definitions(twat_mp_cluster PRIVATE TWAT_MP_CLUSTER_SOURCE)
target_link_libraries(twat_mp_cluster PUBLIC twat_mp PRIVATE ${nats_target})
twat_mp_set_up_library(twat_mp_cluster mp_cluster)
if(TWAT_MP_UNITY_BUILD)
    set_target_properties(twat_mp_cluster PROPERTIES UNITY_BUILD ON)
endif()
