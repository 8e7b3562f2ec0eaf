#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# release_debs.sh SOURCE WORK: rehearses the release of a version with its Debian packages, in a clone of the last commit. The library is built
# twice, and the second time without a compiler cache.
set -euo pipefail
source=$1 work=$2
if ! git -C "$source" rev-parse -q --verify HEAD >/dev/null 2>&1; then
    echo 'SKIP: not in a git repository, so tools/release was not tried'
    exit 77
fi
fail() { printf 'FAILED: %s\n' "$*"; exit 1; }

rm -rf "$work"
mkdir -p "$work"
git -c advice.detachedHead=false clone -q "$source" "$work/clone"
cd "$work/clone"
if ! grep -m 1 '^## ' CHANGELOG.md | grep -q ', unreleased$'; then
    sed -i '0,/^## /s//## 9.9.9, unreleased\n\n- What comes next.\n\n&/' CHANGELOG.md
    git -c user.name='a maintainer' -c user.email=maintainer@example.invalid commit -q -a -m 'Begin the next version'
fi
before=$(git rev-parse HEAD)
tools/release --debs --version 98.76.5 --dry-run "$work/made"
[[ $(git rev-parse HEAD) == "$before" && -z $(git tag -l v98.76.5) && -z $(git status --porcelain) ]] || fail 'a dry run leaves the tree as it was'

cd "$work/made"
[[ ! -e .debs ]] || fail 'the folders of both builds are removed'
for package in libtwat-mp98.76 libtwat-mp-dev libtwat-mp-monitor98.76 libtwat-mp-monitor-dev; do
    deb=$(echo "${package}"_98.76.5_*.deb)
    [[ -f $deb && $(dpkg-deb -f "$deb" Version) == 98.76.5 ]] || fail "there is a package $package of that version"
    mkdir -p "$work/unpacked"
    dpkg-deb -x "$deb" "$work/unpacked"
done
[[ -e $(echo "$work"/unpacked/usr/lib/*/libtwat_mp.so.98.76.5) ]] || fail 'the library has the version in its name'
changelog=$(zcat "$work/unpacked/usr/share/doc/libtwat-mp98.76/changelog.gz")
[[ $changelog == 'twat-mp (98.76.5)'* ]] || fail 'the changelog names the version'
date=$(sed -n 's/^+## 98\.76\.5, //p' twat-mp-98.76.5.patch)
[[ ${changelog##* -- } == *"$(LC_ALL=C date -d "$date" '+%a, %d %b %Y')"* ]] || fail 'and has the date of the release, as CHANGELOG.md has'
echo 'release_debs: ok'
