#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# conan_create.sh SOURCE WORK [OPTION...]: packs the library with Conan and the Boost of the system, static and shared, with the library for
# pools over several hosts where nats.c is there and without the monitor, builds test_package with each, and then a project that requires it as
# the README shows. OPTION... go to each `conan create` and `conan install`.
#
# Everything lies in WORK. Without Conan on the PATH one is installed from PyPI into a virtual environment, build/conan, which is kept. Ends
# with 77 where PyPI cannot be reached either.
set -euo pipefail
source=$1 work=$2
shift 2
fail() { printf 'FAILED: %s\n' "$*"; exit 1; }

conan=$(command -v conan || true)
if [[ -z $conan ]]; then
    venv=$source/build/conan
    if [[ ! -x $venv/bin/conan ]]; then
        rm -rf "$venv"
        if ! python3 -m venv "$venv" || ! "$venv/bin/pip" install -q --disable-pip-version-check 'conan>=2.1,<3'; then
            rm -rf "$venv"
            echo 'SKIP: conan is not installed and could not be fetched from PyPI, so "conan create" was not tried'
            exit 77
        fi
    fi
    conan=$venv/bin/conan
fi
"$conan" --version

rm -rf "$work"
mkdir -p "$work/tree"
# A copy: Conan leaves what it builds beside test_package.
cp -r "$source"/{CMakeLists.txt,LICENSE_1_0.txt,cmake,conanfile.py,include,packaging,src,test_package} "$work/tree"
cd "$work/tree"
export CONAN_HOME=$work/home
if command -v ccache >/dev/null; then
    export CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_BASEDIR=$work CCACHE_NOHASHDIR=1
fi
"$conan" profile detect
"$conan" remote disable '*' # nothing is fetched
profile=$PWD/packaging/conan/debian-12

for shared in False True; do
    "$conan" create . -pr:a "$profile" -o "twat-mp/*:shared=$shared" "$@"
done
# The parts can be had or left out; test_package runs a program for each that there is.
declare -A parts=([with_monitor=False]='' [with_cluster=True]='monitor cluster')
[[ -e /usr/include/nats/nats.h ]] || { echo 'without nats.c, so not tried: with_cluster'; unset 'parts[with_cluster=True]'; }
for option in "${!parts[@]}"; do
    for shared in False True; do
        "$conan" create . -pr:a "$profile" -o "twat-mp/*:shared=$shared" -o "twat-mp/*:$option" "$@" 2>&1 | tee "$work/created"
        [[ $(sed -n 's/^twat-mp \(monitor\|cluster\): ok$/\1/p' "$work/created" | xargs) == "${parts[$option]}" ]] ||
            fail "the parts of the package with $option, shared=$shared"
    done
done
version=$("$conan" inspect . | sed -n 's/^version: //p')
"$conan" graph info . -pr:a "$profile" --format=json >"$work/graph.json"
python3 - "$work/graph.json" <<'END'
import json, sys
nodes = json.load(open(sys.argv[1]))["graph"]["nodes"].values()
boost = [node["ref"] for node in nodes if str(node.get("ref")).startswith("boost/")]
assert boost == [] or all(node.get("recipe") == "Platform" for node in nodes if str(node.get("ref")).startswith("boost/")), boost
END
if "$conan" create . -pr:a "$profile" -s compiler.cppstd=17 "$@" >"$work/refused" 2>&1; then
    fail 'C++17 is accepted'
fi
grep -F 'Current cppstd (17)' "$work/refused"

# A project as the README shows it: what it requires and which files Conan writes for it are taken from there.
mkdir -p "$work/consumer"
awk '/^```ini$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$source/README.md" >"$work/consumer/conanfile.txt"
grep -qxF "twat-mp/$version" "$work/consumer/conanfile.txt" || fail 'the README requires another version'
for shared in False True; do
    folder=$work/consumer/shared-$shared
    "$conan" install "$work/consumer" -pr:a "$profile" -o "twat-mp/*:shared=$shared" -of "$folder" "$@"
    cmake -S "$source/test/consumer/package" -B "$folder/build" -G Ninja -DCMAKE_TOOLCHAIN_FILE="$folder/conan_toolchain.cmake" \
        -DCMAKE_BUILD_TYPE=Release # that of the default profile
    cmake --build "$folder/build"
    for program in consumer wrapped; do
        [[ $(. "$folder/conanrun.sh" && "$folder/build/$program") == 'consumer: ok' ]] || fail "$program with the package, shared=$shared"
    done
done

# The same recipe in ConanCenter: beside it lies what a release wrote, and it fetches the archive. Compiled it has been already.
if git -C "$source" rev-parse -q --verify HEAD >/dev/null 2>&1; then
    "$source/tools/release" "$work/release"
    "$conan" export "$work/release/conan-center/all" --version "$version"
    "$conan" source "$work/release/conan-center/all" --version "$version"
    [[ -f $work/release/conan-center/all/src/CMakeLists.txt ]] || fail 'the recipe of ConanCenter fetches the archive'
fi
echo 'conan: ok'
