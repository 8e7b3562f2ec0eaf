# SPDX-License-Identifier: BSL-1.0
# Shared by the scripts in tools/ and .ci/. Source it first; it goes to the top of the tree.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

jobs=$(nproc)
export CTEST_PARALLEL_LEVEL=$jobs
# Objects of one tree serve another: sanitizer and consumer builds compile much the same files.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1

say() { printf '== %s\n' "$*"; }
die() { printf '%s\n' "$*" >&2; exit 1; }

known_systems='Debian 12, Debian 13 and Ubuntu 24.04'

# os_release NAME: that line of /etc/os-release.
os_release() { (. /etc/os-release && printf '%s\n' "${!1-}") 2>/dev/null || true; }

# The version in the names of Boost's packages: of the one that is installed, else of the system's own where that is new enough. Empty where
# neither is known: then the names without a version are tried, which mean the system's own.
boost_version() {
    local installed
    installed=$(dpkg-query -S /usr/include/boost/version.hpp 2>/dev/null | sed -n 's/^libboost\([0-9.]*\)-dev:.*/\1/p')
    if [[ -n $installed ]]; then
        echo "$installed"
        return
    fi
    case $(os_release ID)-$(os_release VERSION_ID) in
        debian-12) echo 1.81 ;; # libboost-dev is 1.74
        debian-13 | ubuntu-24.04) echo 1.83 ;;
    esac
}

# need PACKAGE...: installs the Debian packages that are missing; does and says nothing if none is.
need() {
    local package missing=() unknown=()
    if ! command -v dpkg-query >/dev/null; then
        say "not a Debian system; these packages, or what they are called here, must be installed: $*"
        return
    fi
    for package; do
        [[ $(dpkg-query -W -f='${Status}' "$package" 2>/dev/null) == 'install ok installed' ]] || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    local run=(env DEBIAN_FRONTEND=noninteractive)
    if ((EUID != 0)); then
        command -v sudo >/dev/null || die "please install as root: apt-get install ${missing[*]}"
        run=(sudo "${run[@]}")
    fi
    say "installing ${missing[*]}"
    # --no-remove: another version of Boost may be there; that is the user's to decide.
    local log; log=$(mktemp)
    if ! "${run[@]}" apt-get -qq update >"$log" 2>&1; then
        cat "$log"
        rm -f "$log"
        die "apt-get could not fetch its lists of packages; to be installed: ${missing[*]}"
    fi
    for package in "${missing[@]}"; do
        [[ -n $(apt-cache --no-all-versions show "$package" 2>/dev/null) ]] || unknown+=("$package")
    done
    if ((${#unknown[@]})); then
        rm -f "$log"
        die "$(os_release PRETTY_NAME) has no package ${unknown[*]}: these tools know the names of packages on $known_systems." \
            "Please install what these stand for, and build with CMake: ${missing[*]}"
    fi
    if ! "${run[@]}" apt-get -qq -y --no-remove --no-install-recommends install "${missing[@]}" >"$log" 2>&1; then
        cat "$log"
        rm -f "$log"
        die "apt-get could not install ${missing[*]}"
    fi
    rm -f "$log"
}

boost_series=$(boost_version)
build_packages=(g++ cmake ninja-build "libboost$boost_series-dev" libdw-dev zlib1g-dev libdeflate-dev libsqlite3-dev libpng-dev libjpeg-dev)
test_packages=("${build_packages[@]}" "libboost-test$boost_series-dev" "libboost-serialization$boost_series-dev" python3 libnats-dev nats-server)

# configure PRESET [OPTION...]: makes build/PRESET, with ccache if there is one. $TWAT_MP_UNITY_BUILD: ON to compile the library a folder at a
# time; $TWAT_MP_DEBUG_FLAGS: other flags than -g for what is not optimised.
configure() {
    local preset=$1; shift
    local options=()
    ! command -v ccache >/dev/null || options=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
    [[ -z ${TWAT_MP_DEBUG_FLAGS-} ]] || options+=("-DCMAKE_CXX_FLAGS_DEBUG=$TWAT_MP_DEBUG_FLAGS")
    quietly cmake --preset "$preset" "${options[@]}" -DTWAT_MP_UNITY_BUILD="${TWAT_MP_UNITY_BUILD:-OFF}" "$@"
}

# quietly COMMAND...: shows what it wrote only if it fails.
quietly() {
    local log; log=$(mktemp)
    if ! "$@" >"$log" 2>&1; then
        cat "$log"
        rm -f "$log"
        return 1
    fi
    rm -f "$log"
}

# count_tests LOG: from what ctest wrote to LOG, "PASSED FAILED". Boost.Test programs count by their test cases, all others as
# one, and one that ended in "SKIP: why" as none.
count_tests() {
    awk '
        /^[0-9]+\/[0-9]+ Testing: / { open = 1; ok = 0; bad = 0; report = 0; skipped = 0 }
        /^SKIP: / { skipped = 1 }
        /test cases? out of [0-9]+ / {
            report = 1
            # "skipped" are those of other suites; "aborted" are among the failed
            if (/ passed/) ok += $1; else if (/ failed$/) bad += $1
        }
        /^Test (Passed|Failed)\.$/ && open {
            good = $2 == "Passed."
            if (!report && !(skipped && good)) { if (good) ok = 1; else bad = 1 }
            if (!good && !bad) bad = 1
            passed += ok; failed += bad; open = 0
        }
        END { if (open) failed += 1; print passed + 0, failed + 0 }' "$1"
}
