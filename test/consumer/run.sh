#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# run.sh KIND SOURCE WORK: builds and runs the programs of this folder as KIND of user, in the directory WORK/KIND.
#
#   install_static, install_shared   not a user: puts the library where the next ones find it
#   package_static, package_shared   find_package
#   pkg_config_static, ..._shared    pkg-config and the bare compiler
#   test_package_static, ..._shared  what Conan builds to see whether its package works
#   subdirectory                     add_subdirectory
#   fetch_content                    FetchContent; configured only, for the rest is as with subdirectory
#   b2                               another Boost.Build project, and b2 install
set -euo pipefail
kind=$1 source=$2 work=$3
link=${kind##*_}
prefix=$work/prefix_$link
build=$work/$kind
cxx=${CXX:-g++}
launcher=()
! command -v ccache >/dev/null || launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
options=(-G Ninja -DCMAKE_BUILD_TYPE=Release "-DCMAKE_CXX_COMPILER=$cxx" "${launcher[@]}"
    -DTWAT_MP_UNITY_BUILD="${TWAT_MP_UNITY_BUILD:-OFF}")

runs() {
    local program
    for program; do
        [[ $("$program") == 'consumer: ok' ]] || { echo "FAILED: $program"; exit 1; }
    done
}

rm -rf "$build"
mkdir -p "$build"
case $kind in
    install_*)
        # As deep below the tree as build/deb: a compiler cache then gives the Debian packages the objects of the shared library.
        build=$source/build/$kind
        rm -rf "$prefix" "$build"
        cmake -S "$source" -B "$build" "${options[@]}" -DBUILD_SHARED_LIBS="$([[ $link == shared ]] && echo ON || echo OFF)" \
            -DTWAT_MP_BUILD_{TESTS,EXAMPLES,BENCHMARKS}=OFF
        cmake --build "$build"
        cmake --install "$build" --prefix "$prefix"
        # An installed tree can be moved: nothing in it may know where it was made.
        ! grep -rIl -e "$prefix" -e "$source" "$prefix" || { echo 'FAILED: these files name the place where they were made'; exit 1; }
        ;;
    package_*)
        cmake -S "$source/test/consumer/package" -B "$build" "${options[@]}" -DCMAKE_PREFIX_PATH="$prefix"
        cmake --build "$build"
        runs "$build/consumer" "$build/wrapped"
        # Pools over several hosts, where they are built: found if they are asked for, and missed by name where they are not installed.
        if [[ -n $(find "$prefix" -name twat-mp-cluster.cmake) ]]; then
            cmake -S "$source/test/consumer/cluster" -B "$build/cluster" "${options[@]}" -DCMAKE_PREFIX_PATH="$prefix"
            cmake --build "$build/cluster"
            runs "$build/cluster/consumer"
        fi
        cp -r "$prefix" "$build/without"
        find "$build/without" -name '*cluster*' -prune -exec rm -r {} +
        if cmake -S "$source/test/consumer/cluster" -B "$build/refused" "${options[@]}" -DCMAKE_PREFIX_PATH="$build/without" 2>"$build/refused.log"; then
            echo 'FAILED: a component is found that is not there'
            exit 1
        fi
        grep -q libnats-dev "$build/refused.log" || { cat "$build/refused.log"; exit 1; }
        ;;
    pkg_config_*)
        pc=$(find "$prefix" -name twat-mp.pc -printf '%h\n')
        export PKG_CONFIG_PATH=$pc
        read -ra flags < <(pkg-config --cflags twat-mp)
        read -ra libraries < <(pkg-config --libs twat-mp)
        read -ra main < <(pkg-config --libs twat-mp-main)
        "$cxx" -std=c++20 "${flags[@]}" "$source/test/consumer/main.cpp" -o "$build/consumer" "${libraries[@]}" & # both at once
        "$cxx" -std=c++20 "${flags[@]}" "$source/test/consumer/wrapped.cpp" -o "$build/wrapped" "${main[@]}"
        wait $!
        LD_LIBRARY_PATH=$(dirname "$pc") runs "$build/consumer" "$build/wrapped"
        ;;
    test_package_*)
        # As Ubuntu's compilers link by themselves: what a program does not call itself, the library that does must find.
        cmake -S "$source/test_package" -B "$build" "${options[@]}" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_EXE_LINKER_FLAGS=-Wl,--as-needed
        cmake --build "$build"
        for program in test_package test_package_main test_package_monitor; do
            "$build/$program" | grep -Ex 'twat-mp ([0-9.]+|monitor): ok'
        done
        ;;
    fetch_content)
        tar -cf "$build/twat-mp.tar" -C "$source" CMakeLists.txt LICENSE_1_0.txt cmake include src
        cmake -S "$source/test/consumer/fetch_content" -B "$build/build" "${options[@]}" -DARCHIVE="$build/twat-mp.tar"
        ;;
    subdirectory)
        cmake -S "$source/test/consumer/subdirectory" -B "$build" "${options[@]}"
        cmake --build "$build"
        runs "$build/consumer" "$build/wrapped"
        ;;
    b2)
        cp "$source"/test/consumer/*.cpp "$build"
        # The library's tree is copied: it must work below another project's, and nothing may be written to the original.
        cp -r --parents "$source"/{Jamfile,include,src} "$build"
        mv "$build$source" "$build/twat-mp"
        sed 's,LIBRARY,twat-mp,' "$source/test/consumer/b2/Jamroot.in" >"$build/Jamroot"
        # Not optimised, in two thirds of the time: this is about names and places.
        (cd "$build" && b2 -q -j "$(nproc)" variant=release optimization=off link=shared)
        for program in consumer wrapped; do
            runs "$(find "$build/bin" -name "$program" -type f)"
        done
        # Installed, and used by the bare compiler.
        (cd "$build/twat-mp" && b2 -q -j "$(nproc)" install --prefix="$build/prefix" optimization=off link=shared)
        "$cxx" -std=c++20 -DTWAT_MP_SHARED -I"$build/prefix/include" "$source/test/consumer/main.cpp" -o "$build/bare" \
            -L"$build/prefix/lib" -ltwat_mp -pthread
        LD_LIBRARY_PATH=$build/prefix/lib runs "$build/bare"
        ;;
    *) echo "no such kind: $kind"; exit 2 ;;
esac
