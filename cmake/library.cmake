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
    # A name that one library takes from another but that is not exported there is to fail here, and not in users' programs. The
    # sanitizers' own names come with the program.
    if(BUILD_SHARED_LIBS AND UNIX AND NOT APPLE AND NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize")
        target_link_options(${target} PRIVATE LINKER:-z,defs)
    endif()
endfunction()
