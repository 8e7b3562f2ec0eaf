# What `cmake --install` puts where: the library, twat::mp_main, headers, CMake package files and pkg-config files.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/twat-mp)

# Two components: what a program needs that runs, and what one needs that is built. Pools over several hosts and the monitor have the
# same two once more each, and files for CMake of their own: only who uses the former needs nats.c, and a program without a page needs no web server.
install(TARGETS twat_mp EXPORT twat-mp-targets
    LIBRARY COMPONENT runtime NAMELINK_COMPONENT development
    ARCHIVE COMPONENT development
    FILE_SET HEADERS COMPONENT development)
if(TARGET twat_mp_main)
    install(TARGETS twat_mp_main EXPORT twat-mp-targets ARCHIVE COMPONENT development)
endif()
if(TARGET twat_mp_monitor)
    install(TARGETS twat_mp_monitor EXPORT twat-mp-monitor-targets
        LIBRARY COMPONENT monitor_runtime NAMELINK_COMPONENT monitor_development
        ARCHIVE COMPONENT monitor_development
        FILE_SET HEADERS COMPONENT monitor_development)
    install(EXPORT twat-mp-monitor-targets NAMESPACE twat:: DESTINATION ${package_dir} COMPONENT monitor_development)
endif()
if(TARGET twat_mp_cluster)
    install(TARGETS twat_mp_cluster EXPORT twat-mp-cluster-targets
        LIBRARY COMPONENT cluster_runtime NAMELINK_COMPONENT cluster_development
        ARCHIVE COMPONENT cluster_development
        FILE_SET HEADERS COMPONENT cluster_development)
    install(EXPORT twat-mp-cluster-targets NAMESPACE twat:: DESTINATION ${package_dir} COMPONENT cluster_development)
    configure_file(cmake/twat-mp-cluster.cmake.in twat-mp-cluster.cmake @ONLY)
    install(FILES ${CMAKE_CURRENT_BINARY_DIR}/twat-mp-cluster.cmake DESTINATION ${package_dir} COMPONENT cluster_development)
endif()
install(EXPORT twat-mp-targets NAMESPACE twat:: DESTINATION ${package_dir} COMPONENT development)

# A program that links one of these alone is told where that one lies, and no more: it finds the library that it needs beside it. Debian's
# packages are where the system looks, and may not say where that is.
foreach(target twat_mp_monitor twat_mp_cluster)
    if(TARGET ${target} AND NOT TWAT_MP_DEBIAN AND NOT DEFINED CMAKE_INSTALL_RPATH)
        set_target_properties(${target} PROPERTIES INSTALL_RPATH "\$ORIGIN")
    endif()
endforeach()

# A shared library brings what it links.
set(TWAT_MP_NEEDS_BOOST_PROCESS OFF)
if(TWAT_MP_CHILD_EXIT_TARGETS AND NOT BUILD_SHARED_LIBS)
    set(TWAT_MP_NEEDS_BOOST_PROCESS ON)
endif()

configure_package_config_file(cmake/twat-mp-config.cmake.in twat-mp-config.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(twat-mp-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES
    ${CMAKE_CURRENT_BINARY_DIR}/twat-mp-config.cmake
    ${CMAKE_CURRENT_BINARY_DIR}/twat-mp-config-version.cmake
    DESTINATION ${package_dir} COMPONENT development)

# pkg-config: the prefix is where the file lies, so an installed tree can be moved.
file(RELATIVE_PATH pc_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" pc_prefix "${pc_prefix}")
set(pc_cflags "")
if(BUILD_SHARED_LIBS)
    set(pc_cflags "-DTWAT_MP_SHARED")
endif()
set(pc_boost_libs "")
if(TWAT_MP_NEEDS_BOOST_PROCESS)
    set(pc_boost_libs "-lboost_process")
endif()
foreach(name twat-mp twat-mp-main)
    configure_file(cmake/${name}.pc.in ${name}.pc @ONLY)
    install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)
endforeach()

if(TARGET twat_mp_monitor)
    configure_file(cmake/twat-mp-monitor.pc.in twat-mp-monitor.pc @ONLY)
    install(FILES ${CMAKE_CURRENT_BINARY_DIR}/twat-mp-monitor.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT monitor_development)
endif()

if(TARGET twat_mp_cluster)
    set(pc_nats "")
    if(NOT BUILD_SHARED_LIBS)
        set(pc_nats ", libnats")
    endif()
    configure_file(cmake/twat-mp-cluster.pc.in twat-mp-cluster.pc @ONLY)
    install(FILES ${CMAKE_CURRENT_BINARY_DIR}/twat-mp-cluster.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT cluster_development)
endif()

if(NOT TWAT_MP_DEBIAN) # there the licence is where Debian wants it
    install(FILES LICENSE_1_0.txt DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT development)
endif()
