# twat::mp_monitor: a page, metrics and health of a program's pools. A library of its own, so that nobody else compiles Boost.Beast.

if(NOT TWAT_MP_BUILD_MONITOR)
    return()
endif()

file(GLOB monitor_sources CONFIGURE_DEPENDS src/monitor/*.cpp)

# The page, from readable files.
set(page_files index.html style.css script.js)
list(TRANSFORM page_files PREPEND ${PROJECT_SOURCE_DIR}/src/monitor/page/)
set(page_text ${CMAKE_CURRENT_BINARY_DIR}/monitor_page/monitor_page.hpp)
add_custom_command(OUTPUT ${page_text}
    COMMAND ${CMAKE_COMMAND} -DINTO=${page_text} -P ${PROJECT_SOURCE_DIR}/cmake/embed.cmake -- ${page_files}
    DEPENDS ${page_files} ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
    VERBATIM)

add_library(twat_mp_monitor ${monitor_sources} ${page_text})
add_library(twat::mp_monitor ALIAS twat_mp_monitor)
target_sources(twat_mp_monitor PUBLIC FILE_SET HEADERS BASE_DIRS include FILES ${PROJECT_SOURCE_DIR}/include/twat/mp/monitor.hpp)
target_include_directories(twat_mp_monitor PRIVATE src ${CMAKE_CURRENT_BINARY_DIR}/monitor_page)
target_compile_definitions(twat_mp_monitor PRIVATE TWAT_MP_MONITOR_SOURCE)
target_link_libraries(twat_mp_monitor PUBLIC twat_mp)
twat_mp_set_up_library(twat_mp_monitor mp_monitor)
if(TWAT_MP_UNITY_BUILD)
    set_target_properties(twat_mp_monitor PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
    set_source_files_properties(${monitor_sources} PROPERTIES UNITY_GROUP monitor)
endif()
