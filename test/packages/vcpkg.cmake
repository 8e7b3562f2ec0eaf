# Runs the port for vcpkg without vcpkg: with stand-ins for its functions that do what those document, and checks what vcpkg
# checks of the package. Needs PORT_DIR, INSTALLED (the library installed, static), WORK and CONSUMER (a project that uses it).
set(PORT twat-mp)
set(CURRENT_PACKAGES_DIR ${WORK}/packages)
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${CURRENT_PACKAGES_DIR})

# No feature is asked for: a port may be built without its default ones.
function(vcpkg_check_features)
    cmake_parse_arguments(arg "" OUT_FEATURE_OPTIONS FEATURES ${ARGN})
    set(options)
    while(arg_FEATURES)
        list(POP_FRONT arg_FEATURES feature option)
        list(APPEND options -D${option}=OFF)
    endwhile()
    set(${arg_OUT_FEATURE_OPTIONS} ${options} PARENT_SCOPE)
endfunction()

function(expect what)
    if(NOT (${ARGN}))
        message(SEND_ERROR "the package ${what}")
    endif()
endfunction()

function(vcpkg_download_distfile result)
    cmake_parse_arguments(arg "" "URLS;FILENAME;SHA512" "" ${ARGN})
    file(DOWNLOAD ${arg_URLS} ${WORK}/${arg_FILENAME} EXPECTED_HASH SHA512=${arg_SHA512})
    set(${result} ${WORK}/${arg_FILENAME} PARENT_SCOPE)
endfunction()

function(vcpkg_extract_source_archive result)
    cmake_parse_arguments(arg "" ARCHIVE "" ${ARGN})
    file(ARCHIVE_EXTRACT INPUT ${arg_ARCHIVE} DESTINATION ${WORK}/source)
    file(GLOB tree ${WORK}/source/*)
    set(${result} ${tree} PARENT_SCOPE)
endfunction()

# Configures it, which shows whether the options exist and leave out what they should; what it would build is there already.
function(vcpkg_cmake_configure)
    cmake_parse_arguments(arg "" SOURCE_PATH OPTIONS ${ARGN})
    expect("names the library's source" EXISTS ${arg_SOURCE_PATH}/include/twat/mp.hpp)
    execute_process(COMMAND ${CMAKE_COMMAND} -S ${arg_SOURCE_PATH} -B ${WORK}/build -G Ninja -DCMAKE_CXX_COMPILER=$ENV{CXX} ${arg_OPTIONS}
        OUTPUT_QUIET ERROR_VARIABLE warnings RESULT_VARIABLE result)
    expect("configures without a warning, but: ${warnings}" result EQUAL 0 AND NOT warnings)
    execute_process(COMMAND ${CMAKE_COMMAND} --build ${WORK}/build --target help OUTPUT_VARIABLE targets)
    expect("builds no tests and examples, and no feature" NOT targets MATCHES "test_unit|example_|twat_mp_monitor|twat_mp_cluster")
endfunction()

# A release and a debug variant.
function(vcpkg_cmake_install)
    file(COPY ${INSTALLED}/ DESTINATION ${CURRENT_PACKAGES_DIR})
    file(COPY ${INSTALLED}/ DESTINATION ${CURRENT_PACKAGES_DIR}/debug)
endfunction()

# Moves the files for find_package to where vcpkg has those of all packages.
function(vcpkg_cmake_config_fixup)
    cmake_parse_arguments(arg "" CONFIG_PATH "" ${ARGN})
    expect("has a package for CMake in ${arg_CONFIG_PATH}" EXISTS ${CURRENT_PACKAGES_DIR}/${arg_CONFIG_PATH}/${PORT}-config.cmake)
    foreach(tree ${CURRENT_PACKAGES_DIR} ${CURRENT_PACKAGES_DIR}/debug)
        file(GLOB files ${tree}/${arg_CONFIG_PATH}/*)
        file(COPY ${files} DESTINATION ${tree}/share/${PORT})
        cmake_path(GET arg_CONFIG_PATH PARENT_PATH folder)
        file(REMOVE_RECURSE ${tree}/${folder})
    endforeach()
    file(GLOB files ${CURRENT_PACKAGES_DIR}/share/${PORT}/*.cmake)
    foreach(file ${files})
        file(READ ${file} text)
        string(REPLACE "/../../../" "/../../" text "${text}")
        string(REGEX REPLACE "(get_filename_component\\(_IMPORT_PREFIX \"[^\n]*PATH\\)\n)+" "cmake_path(SET _IMPORT_PREFIX NORMALIZE \"\${CMAKE_CURRENT_LIST_DIR}/../..\")\n" text "${text}")
        file(WRITE ${file} "${text}")
    endforeach()
endfunction()

function(vcpkg_fixup_pkgconfig)
endfunction()

function(vcpkg_install_copyright)
    cmake_parse_arguments(arg "" "" FILE_LIST ${ARGN})
    configure_file(${arg_FILE_LIST} ${CURRENT_PACKAGES_DIR}/share/${PORT}/copyright COPYONLY)
endfunction()

include(${PORT_DIR}/portfile.cmake)

expect("has usage and copyright" EXISTS ${CURRENT_PACKAGES_DIR}/share/${PORT}/usage AND EXISTS ${CURRENT_PACKAGES_DIR}/share/${PORT}/copyright)
expect("has no headers for debug" NOT EXISTS ${CURRENT_PACKAGES_DIR}/debug/include)
expect("has no share for debug" NOT EXISTS ${CURRENT_PACKAGES_DIR}/debug/share)
expect("has its files for CMake in share alone" NOT EXISTS ${CURRENT_PACKAGES_DIR}/lib/cmake AND NOT EXISTS ${CURRENT_PACKAGES_DIR}/debug/lib/cmake)
expect("has no documents outside of share/${PORT}" NOT EXISTS ${CURRENT_PACKAGES_DIR}/share/doc)

# The targets that `usage` names are those that a program finds.
file(READ ${CURRENT_PACKAGES_DIR}/share/${PORT}/usage usage)
file(READ ${CURRENT_PACKAGES_DIR}/share/${PORT}/twat-mp-targets.cmake targets)
string(REGEX MATCHALL "twat::mp(_main)?[ )]" named "${usage}")
foreach(target ${named})
    string(REGEX REPLACE "[ )]$" "" target "${target}")
    expect("exports ${target}" targets MATCHES "add_library\\(${target} ")
endforeach()
foreach(command
    "-S;${CONSUMER};-B;${WORK}/consumer;-G;Ninja;-DCMAKE_CXX_COMPILER=$ENV{CXX};-DCMAKE_BUILD_TYPE=Release;-DCMAKE_PREFIX_PATH=${CURRENT_PACKAGES_DIR}"
    "--build;${WORK}/consumer")
    execute_process(COMMAND ${CMAKE_COMMAND} ${command} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
execute_process(COMMAND ${WORK}/consumer/consumer COMMAND_ERROR_IS_FATAL ANY)
