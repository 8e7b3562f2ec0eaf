# twat_mp_set_up_library(<target> <name>): what the libraries of this project have in common. Others link to it as twat::<name>.
function(twat_mp_set_up_library target name)
    set_target_properties(${target} PROPERTIES
        EXPORT_NAME ${name}
        VERSION ${PROJECT_VERSION}
        SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR} # 0.x: each minor version may break the last
        CXX_EXTENSIONS OFF
        CXX_VISIBILITY_PRESET hidden
        VISIBILITY_INLINES_HIDDEN ON
        POSITION_INDEPENDENT_CODE ON
        VERIFY_INTERFACE_HEADER_SETS ON) # the target all_verify_interface_header_sets compiles each header alone
endfunction()
