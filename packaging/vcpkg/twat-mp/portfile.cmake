# Builds the tree that it lies in, as an overlay: vcpkg install twat-mp --overlay-ports=TREE/packaging/vcpkg
# For a registry tools/release makes it one that builds a source archive.
get_filename_component(SOURCE_PATH "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

vcpkg_check_features(OUT_FEATURE_OPTIONS feature_options FEATURES cluster TWAT_MP_BUILD_CLUSTER monitor TWAT_MP_BUILD_MONITOR)
set(nats_target cnats::nats_static)
if(VCPKG_LIBRARY_LINKAGE STREQUAL "dynamic")
    set(nats_target cnats::nats)
endif()

vcpkg_cmake_configure(
    SOURCE_PATH "${SOURCE_PATH}"
    OPTIONS
        -DTWAT_MP_BUILD_TESTS=OFF
        -DTWAT_MP_BUILD_EXAMPLES=OFF
        ${feature_options}
        -DTWAT_MP_NATS_TARGET=${nats_target}
)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH lib/cmake/twat-mp)
vcpkg_fixup_pkgconfig()

file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug/include" "${CURRENT_PACKAGES_DIR}/debug/share" "${CURRENT_PACKAGES_DIR}/share/doc")
file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/usage" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE_1_0.txt")
