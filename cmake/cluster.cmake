# twat::mp_cluster: pools over several hosts, on NATS JetStream. A library of its own, so that nobody else needs nats.c (Debian: libnats-dev).

if(TWAT_MP_BUILD_CLUSTER)
    # Not by its own package file: Debian's names a static library that is in no package.
    find_path(TWAT_MP_NATS_INCLUDE_DIR nats/nats.h)
    find_library(TWAT_MP_NATS_LIBRARY NAMES nats nats_static)
    mark_as_advanced(TWAT_MP_NATS_INCLUDE_DIR TWAT_MP_NATS_LIBRARY)
    if(NOT TWAT_MP_NATS_INCLUDE_DIR OR NOT TWAT_MP_NATS_LIBRARY)
        message(STATUS "nats.c was not found: twat::mp_cluster is not built (Debian: apt install libnats-dev)")
    endif()
endif()
if(NOT TWAT_MP_BUILD_CLUSTER OR NOT TWAT_MP_NATS_INCLUDE_DIR OR NOT TWAT_MP_NATS_LIBRARY)
    return()
endif()

file(GLOB_RECURSE cluster_headers CONFIGURE_DEPENDS include/twat/mp/cluster/*.hpp)
list(APPEND cluster_headers ${PROJECT_SOURCE_DIR}/include/twat/mp/cluster.hpp)
file(GLOB cluster_sources CONFIGURE_DEPENDS src/cluster/*.cpp)

add_library(twat_mp_cluster ${cluster_sources})
add_library(twat::mp_cluster ALIAS twat_mp_cluster)
target_sources(twat_mp_cluster PUBLIC FILE_SET HEADERS BASE_DIRS include FILES ${cluster_headers})
target_include_directories(twat_mp_cluster PRIVATE src ${TWAT_MP_NATS_INCLUDE_DIR})
target_compile_definitions(twat_mp_cluster PRIVATE TWAT_MP_CLUSTER_SOURCE)
target_link_libraries(twat_mp_cluster PUBLIC twat_mp PRIVATE ${TWAT_MP_NATS_LIBRARY})
set_target_properties(twat_mp_cluster PROPERTIES
    EXPORT_NAME mp_cluster
    VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
    CXX_EXTENSIONS OFF
    CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON
    POSITION_INDEPENDENT_CODE ON
    VERIFY_INTERFACE_HEADER_SETS ON)
if(TWAT_MP_UNITY_BUILD)
    set_target_properties(twat_mp_cluster PROPERTIES UNITY_BUILD ON)
endif()
