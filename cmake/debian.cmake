# What CPack makes two Debian packages of: the shared library, and what is needed to build programs with it. Two more are made of the
# monitor, and, where nats.c is there, two of the library for pools over several hosts: whoever does without does not get nats.c.
#
#   cmake --workflow --preset deb       leaves them in build/deb
#
# dpkg-shlibdeps finds what the library itself needs, so they are for the Debian release that they are made on.

if(NOT BUILD_SHARED_LIBS OR NOT CMAKE_INSTALL_PREFIX STREQUAL "/usr")
    message(FATAL_ERROR "Debian packages are of the shared library in /usr: cmake --workflow --preset deb")
endif()

set(runtime_package libtwat-mp${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
set(development_package libtwat-mp-dev)
set(cluster_runtime_package libtwat-mp-cluster${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
set(cluster_development_package libtwat-mp-cluster-dev)
set(monitor_runtime_package libtwat-mp-monitor${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
set(monitor_development_package libtwat-mp-monitor-dev)
set(components runtime development)
if(TARGET twat_mp_monitor)
    list(APPEND components monitor_runtime monitor_development)
endif()
if(TARGET twat_mp_cluster)
    list(APPEND components cluster_runtime cluster_development)
endif()
set(maintainer "twat-mp maintainers <twat-mp@packages.invalid>")

# Debian's changelog, from ours: the section of this version. Its groups are named in brackets there.
file(READ CHANGELOG.md changes)
string(REPLACE "." "\\." version_pattern "${PROJECT_VERSION}")
if(NOT changes MATCHES "\n## ${version_pattern}[^\n]*\n(([^#\n][^\n]*|###[^\n]*)?\n)*")
    message(FATAL_ERROR "CHANGELOG.md has no section of ${PROJECT_VERSION}")
endif()
string(REGEX REPLACE "^\n## [^\n]*\n+" "" entries "${CMAKE_MATCH_0}")
string(REPLACE "`" "" entries "${entries}")
string(REPLACE "\n  " " " entries "${entries}")
set(debian ${CMAKE_CURRENT_BINARY_DIR}/debian)
file(WRITE ${debian}/entries "${entries}")
execute_process(COMMAND fold -s -w 74 ${debian}/entries OUTPUT_VARIABLE entries OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
string(REGEX REPLACE " *\n" "\n    " entries "    ${entries}") # further lines of an entry are indented by four
string(REPLACE "    - " "  * " entries "${entries}")
string(REGEX REPLACE "    ### ([^\n]*)" "  [ \\1 ]" entries "${entries}")
string(REPLACE "\n    \n" "\n\n" entries "${entries}")
string(TIMESTAMP year "%Y" UTC)
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(WRITE ${debian}/changelog
    "twat-mp (${PROJECT_VERSION}) unstable; urgency=medium\n\n${entries}\n\n -- ${maintainer}  ${date}\n")
execute_process(COMMAND gzip -9nf ${debian}/changelog COMMAND_ERROR_IS_FATAL ANY)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS CHANGELOG.md)

file(READ LICENSE_1_0.txt licence)
string(REGEX REPLACE "\n+$" "" licence "${licence}")
string(REPLACE "\n" "\n " licence "${licence}")
string(REPLACE "\n \n" "\n .\n" licence "${licence}")
file(WRITE ${debian}/copyright
    "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
    "Upstream-Name: twat-mp\n\n"
    "Files: *\nCopyright: ${year} twat-mp maintainers\nLicense: BSL-1.0\n\n"
    "License: BSL-1.0\n ${licence}\n")

file(WRITE ${debian}/triggers "activate-noawait ldconfig\n")

foreach(component IN LISTS components)
    install(FILES ${debian}/changelog.gz ${debian}/copyright
        DESTINATION share/doc/${${component}_package} COMPONENT ${component})
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME twat-mp)
set(CPACK_PACKAGE_VENDOR twat-mp)
set(CPACK_PACKAGE_CONTACT "${maintainer}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "parallel apply, map and imap for Boost.Asio programs")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_COMPONENTS_ALL ${components})
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
# Where dpkg-shlibdeps finds our library when it looks what the others need.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_CURRENT_BINARY_DIR})
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")

# CPack puts the summary in front and indents the rest.
set(about "Calls C++20 functions on all CPUs, in worker processes or threads, and hands
the results back to a Boost.Asio program. Every operation is awaitable, takes
any completion token and can be cancelled.")

set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME ${runtime_package})
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_RUNTIME_DESCRIPTION "${about}\n\nThis package holds the shared library.")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_RECOMMENDS "libdw1t64 | libdw1") # loaded when a stack is shown; see src/os/symbols.cpp
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA ${debian}/triggers)

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME ${development_package})
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION "${about}\n\nThis package holds what programs are built with.")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
    "${runtime_package} (= ${PROJECT_VERSION}), libboost${Boost_VERSION_MAJOR}.${Boost_VERSION_MINOR}-dev")

set(CPACK_DEBIAN_CLUSTER_RUNTIME_PACKAGE_NAME ${cluster_runtime_package})
set(CPACK_DEBIAN_CLUSTER_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_CLUSTER_RUNTIME_DESCRIPTION "${about}\n\nThis package holds the shared library for pools over several hosts.")
set(CPACK_DEBIAN_CLUSTER_RUNTIME_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_CLUSTER_RUNTIME_PACKAGE_DEPENDS "${runtime_package} (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_CLUSTER_RUNTIME_PACKAGE_SUGGESTS nats-server)
set(CPACK_DEBIAN_CLUSTER_RUNTIME_PACKAGE_CONTROL_EXTRA ${debian}/triggers)

set(CPACK_DEBIAN_CLUSTER_DEVELOPMENT_PACKAGE_NAME ${cluster_development_package})
set(CPACK_DEBIAN_CLUSTER_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_CLUSTER_DEVELOPMENT_DESCRIPTION "${about}\n\nThis package holds what programs with pools over several hosts are built with.")
set(CPACK_DEBIAN_CLUSTER_DEVELOPMENT_PACKAGE_DEPENDS
    "${cluster_runtime_package} (= ${PROJECT_VERSION}), ${development_package} (= ${PROJECT_VERSION})")

set(CPACK_DEBIAN_MONITOR_RUNTIME_PACKAGE_NAME ${monitor_runtime_package})
set(CPACK_DEBIAN_MONITOR_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_MONITOR_RUNTIME_DESCRIPTION "${about}\n\nThis package holds the shared library that shows pools on a page.")
set(CPACK_DEBIAN_MONITOR_RUNTIME_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_MONITOR_RUNTIME_PACKAGE_DEPENDS "${runtime_package} (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_MONITOR_RUNTIME_PACKAGE_CONTROL_EXTRA ${debian}/triggers)

set(CPACK_DEBIAN_MONITOR_DEVELOPMENT_PACKAGE_NAME ${monitor_development_package})
set(CPACK_DEBIAN_MONITOR_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_MONITOR_DEVELOPMENT_DESCRIPTION "${about}\n\nThis package holds what programs are built with that show their pools.")
set(CPACK_DEBIAN_MONITOR_DEVELOPMENT_PACKAGE_DEPENDS
    "${monitor_runtime_package} (= ${PROJECT_VERSION}), ${development_package} (= ${PROJECT_VERSION})")

include(CPack)
