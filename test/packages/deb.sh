#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# deb.sh SOURCE WORK: makes the Debian packages as the README says, takes them apart in WORK, and builds and runs the programs of
# test/consumer against them.
# deb.sh SOURCE WORK installed: after that, in CI, as root: installs them, builds without a word about where they are, and purges them.
set -euo pipefail
source=$1 work=$2
cxx=${CXX:-g++}
programs=$source/test/consumer

fail() { printf 'FAILED: %s\n' "$*"; exit 1; }
holds() { grep -qE "$2" <<<"$1" || fail "$3, but: $1"; }
runs() {
    local program
    for program; do
        [[ $("$program") == 'consumer: ok' ]] || fail "$program"
    done
}
for tool in dpkg-deb dpkg-shlibdeps file pkg-config; do
    command -v "$tool" >/dev/null || { echo "SKIP: no $tool"; exit 77; }
done

# With pkg-config and the bare compiler, in the directory $1.
by_hand() {
    local flags libraries main
    read -ra flags < <(pkg-config --cflags twat-mp)
    read -ra libraries < <(pkg-config --libs twat-mp)
    read -ra main < <(pkg-config --libs twat-mp-main)
    mkdir -p "$1"
    "$cxx" -std=c++20 "${flags[@]}" "$programs/main.cpp" -o "$1/consumer" "${libraries[@]}" & # both at once
    "$cxx" -std=c++20 "${flags[@]}" "$programs/wrapped.cpp" -o "$1/wrapped" "${main[@]}"
    wait $!
    runs "$1/consumer" "$1/wrapped"
}

cd "$source"
if [[ ${3-} == installed ]]; then
    runtime=$(echo build/deb/libtwat-mp[0-9]*.deb) development=$(echo build/deb/libtwat-mp-dev_*.deb)
    package=$(dpkg-deb -f "$runtime" Package)
    if [[ ${CI:-} != true || $EUID != 0 ]] || dpkg-query -W "$package" >/dev/null 2>&1; then
        echo 'SKIP: only in CI, as root, and where they are not installed, are the packages installed and purged'
        exit 77
    fi
    trap 'dpkg --purge libtwat-mp-dev "$package"' EXIT
    dpkg -i "$runtime" "$development"
    by_hand "$work/installed"
    trap - EXIT
    dpkg --purge libtwat-mp-dev "$package"
    ! find /usr -path /usr/src -prune -o -name '*twat*mp*' -print | grep . || fail 'something stays behind'
    echo 'deb, installed: ok'
    exit
fi

rm -f build/deb/*.deb
! command -v ccache >/dev/null || export CMAKE_CXX_COMPILER_LAUNCHER=ccache
cmake --workflow --preset deb
runtime=$(echo build/deb/libtwat-mp[0-9]*.deb) development=$(echo build/deb/libtwat-mp-dev_*.deb)
dpkg-deb --info "$runtime" && dpkg-deb --contents "$runtime"
dpkg-deb --info "$development" && dpkg-deb --contents "$development"

rm -rf "$work"
mkdir -p "$work/root"
dpkg-deb -x "$runtime" "$work/root"
dpkg-deb -e "$runtime" "$work/control"
# Only the runtime package so far: what programs are built with must be in the other one.
! find "$work/root" -name '*.hpp' -o -name '*.a' -o -name '*.so' -o -name '*.cmake' | grep . || fail 'the runtime package is for running'
library=$(find "$work/root/usr/lib" -name 'libtwat_mp.so.*.*' -type l)
package=$(dpkg-deb -f "$runtime" Package)
[[ $package == "libtwat-mp${library##*.so.}" ]] || fail "$package has the soname of ${library##*/}"
holds "$(readelf -d "$library")" "SONAME.*\[${library##*/}\]" 'the library has the soname that its package is named after'
holds "$(dpkg-deb -f "$runtime" Depends)" 'libc6 .*libstdc\+\+6|libstdc\+\+6.*libc6' 'it depends on the libraries that it needs'
holds "$(<"$work/control/shlibs")" "^libtwat_mp ${library##*.so.} $package" 'other packages can find out which one they need'
holds "$(<"$work/control/triggers")" '^activate-noawait ldconfig$' 'the cache of libraries is brought up to date'
[[ $(file -L "$library") == *', stripped' ]] || fail 'it is stripped'

! grep -q libnats <<<"$(dpkg-deb -f "$runtime" Depends)" || fail 'it does without nats.c'

dpkg-deb -x "$development" "$work/root"
! find "$work/root" -name '*cluster*' | grep . || fail 'pools over several hosts have packages of their own'
! find "$work/root" -name '*monitor*' | grep . || fail 'the monitor has packages of its own'
depends=$(dpkg-deb -f "$development" Depends)
holds "$depends" "$package \(= $(dpkg-deb -f "$runtime" Version)\)" 'the development package is for that very library'
holds "$depends" 'libboost1\.[0-9]+-dev' 'it brings Boost'
for each in "$package" libtwat-mp-dev; do
    documents=$work/root/usr/share/doc/$each
    holds "$(zcat "$documents/changelog.gz")" "^twat-mp \($(dpkg-deb -f "$runtime" Version)\)" "$each has its changelog"
    holds "$(<"$documents/copyright")" '^ Boost Software License - Version 1.0' "$each has its licence"
done
monitor=(build/deb/libtwat-mp-monitor*.deb)
((${#monitor[@]} == 2)) || fail "two packages for the monitor, but: ${monitor[*]}"
holds "$(dpkg-deb -f build/deb/libtwat-mp-monitor[0-9]*.deb Depends)" "$package \\(= " 'the library with the monitor is for that very library'
for each in "${monitor[@]}"; do
    dpkg-deb -x "$each" "$work/monitor"
done
for file in lib/*/libtwat_mp_monitor.so lib/*/pkgconfig/twat-mp-monitor.pc lib/*/cmake/twat-mp/twat-mp-monitor-targets.cmake include/twat/mp/monitor.hpp; do
    compgen -G "$work/monitor/usr/$file" >/dev/null || fail "no $file"
done
# Made where nats.c is there.
cluster=(build/deb/libtwat-mp-cluster*.deb)
if [[ -e ${cluster[0]} ]]; then
    ((${#cluster[@]} == 2)) || fail "two packages for pools over several hosts, but: ${cluster[*]}"
    depends=$(dpkg-deb -f build/deb/libtwat-mp-cluster[0-9]*.deb Depends)
    holds "$depends" "$package \(= " 'the library for pools over several hosts is for that very library'
    holds "$depends" 'libnats' 'and depends on nats.c'
    for each in "${cluster[@]}"; do
        dpkg-deb -x "$each" "$work/cluster"
    done
    for file in lib/*/libtwat_mp_cluster.so lib/*/pkgconfig/twat-mp-cluster.pc lib/*/cmake/twat-mp/twat-mp-cluster.cmake include/twat/mp/cluster.hpp; do
        compgen -G "$work/cluster/usr/$file" >/dev/null || fail "no $file"
    done
else
    cluster=()
fi
for each in "$work"/*/usr/lib/*/libtwat_mp*.so.*.*.*; do
    ! readelf -d "$each" | grep -E '\((RPATH|RUNPATH)\)' || fail "${each##*/} says where its libraries lie, which is the system's to know"
done
if command -v lintian >/dev/null; then
    # CPack's own scripts call ldconfig, as its trigger does.
    lintian --allow-root --fail-on error,warning --suppress-tags maintscript-calls-ldconfig "$runtime" "$development" "${monitor[@]}" "${cluster[@]}"
fi

cmake -S "$programs/package" -B "$work/cmake" -G Ninja "-DCMAKE_CXX_COMPILER=$cxx" -DCMAKE_PREFIX_PATH="$work/root/usr"
cmake --build "$work/cmake"
runs "$work/cmake/consumer" "$work/cmake/wrapped"

export LD_LIBRARY_PATH=${library%/*} PKG_CONFIG_PATH=${library%/*}/pkgconfig
by_hand "$work/pkg_config"
unset LD_LIBRARY_PATH PKG_CONFIG_PATH
echo 'deb: ok'
