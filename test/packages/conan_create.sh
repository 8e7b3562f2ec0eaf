#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# conan_create.sh SOURCE WORK: packs the library with Conan and the Boost of Debian 12, static and shared, and builds test_package with it.
# Everything lies in WORK. Ends with 77 where Conan is not installed.
set -euo pipefail
source=$1 work=$2
if ! command -v conan >/dev/null; then
    echo 'SKIP: conan is not installed, so "conan create" was not tried'
    exit 77
fi

rm -rf "$work"
mkdir -p "$work/tree"
# A copy: Conan leaves what it builds beside test_package.
cp -r "$source"/{CMakeLists.txt,LICENSE_1_0.txt,cmake,conanfile.py,include,packaging,src,test_package} "$work/tree"
cd "$work/tree"
export CONAN_HOME=$work/home
conan profile detect
conan remote disable '*' # nothing is fetched

for shared in False True; do
    conan create . -pr:a packaging/conan/debian-12 -o "twat-mp/*:shared=$shared"
done
if conan create . -pr:a packaging/conan/debian-12 -s compiler.cppstd=17 >"$work/refused" 2>&1; then
    echo 'FAILED: C++17 is accepted'
    exit 1
fi
# As ConanCenter would, from the archive of a release.
if git -C "$source" rev-parse -q --verify HEAD >/dev/null 2>&1; then
    "$source/tools/release" "$work/release"
    version=$(conan inspect . | sed -n 's/^version: //p')
    conan create "$work/release/conan-center/all" --version "$version" -pr:a packaging/conan/debian-12
fi
grep -F 'Current cppstd (17)' "$work/refused"
