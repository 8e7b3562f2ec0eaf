#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# release.sh SOURCE WORK INSTALLED: what tools/release makes of the last commit. INSTALLED: the library installed, for vcpkg.cmake.
set -euo pipefail
source=$1 work=$2 installed=$3
if ! git -C "$source" rev-parse -q --verify HEAD >/dev/null 2>&1; then
    echo 'SKIP: not in a git repository, so tools/release was not tried'
    exit 77
fi
fail() { printf 'FAILED: %s\n' "$*"; exit 1; }

rm -rf "$work"
mkdir -p "$work"
"$source/tools/release" "$work/release"
cd "$work/release"
archive=$(echo twat-mp-*.tar.gz)
top=${archive%.tar.gz}
[[ $(tar -tzf "$archive" | cut -d/ -f1 | sort -u) == "$top" ]] || fail 'the archive unpacks into one directory'

# The bill of materials lists the files of the archive, and is the same the second time.
python3 - "$archive" "${archive%.tar.gz}.spdx.json" <<'END' || fail 'the bill of materials'
import hashlib, json, sys, tarfile
told = json.load(open(sys.argv[2]))
with tarfile.open(sys.argv[1]) as tar:
    inside = {"./" + m.name.partition("/")[2]: hashlib.sha256(tar.extractfile(m).read()).hexdigest() for m in tar if m.isfile()}
assert {f["fileName"]: f["checksums"][1]["checksumValue"] for f in told["files"]} == inside
assert {"boost", "libdw", "nats.c"} <= {p["name"] for p in told["packages"]}
names = [f["SPDXID"] for f in told["files"]] + [p["SPDXID"] for p in told["packages"]]
assert len(names) == len(set(names))
assert {r["relatedSpdxElement"] for r in told["relationships"]} | {r["spdxElementId"] for r in told["relationships"]} == {*names, "SPDXRef-DOCUMENT"}
END
cp "${archive%.tar.gz}.spdx.json" "$work/first.json"
"$source/tools/release" "$work/release"
cmp "$work/first.json" "${archive%.tar.gz}.spdx.json" || fail 'the bill of materials is the same the second time'

# What the recipe is told to fetch is the archive.
grep -qxF "    url: \"file://$PWD/$archive\"" conan-center/all/conandata.yml || fail 'the recipe names the archive'
grep -qxF "    sha256: \"$(sha256sum "$archive" | cut -d' ' -f1)\"" conan-center/all/conandata.yml || fail 'and its sum'
grep -qxF "  \"${top#twat-mp-}\":" conan-center/config.yml || fail 'ConanCenter is told of this version'
[[ -f conan-center/all/test_package/conanfile.py && ! -L conan-center/all/test_package ]] || fail 'test_package is a copy'

# The port builds what is unpacked, and what it builds from is all there.
cmake -DPORT_DIR="$PWD/vcpkg/twat-mp" -DINSTALLED="$installed" -DWORK="$work/vcpkg" -DCONSUMER="$source/test/consumer/package" \
    -P "$source/test/packages/vcpkg.cmake"
[[ -f $work/vcpkg/source/$top/include/twat/mp/version.hpp ]] || fail 'the port unpacks the archive'

# A release of a version, in a clone: rehearsed first, which leaves nothing behind, then made.
git -c advice.detachedHead=false clone -q "$source" "$work/clone"
cd "$work/clone"
git config user.name 'a maintainer' && git config user.email maintainer@example.invalid
if ! grep -m 1 '^## ' CHANGELOG.md | grep -q ', unreleased$'; then
    sed -i '0,/^## /s//## 9.9.9, unreleased\n\n- What comes next.\n\n&/' CHANGELOG.md
    git commit -q -a -m 'Begin the next version'
fi
before=$(git rev-parse HEAD) changes=$(awk '/^## / { if (++n > 1) exit; next } n' CHANGELOG.md)
TMPDIR=$(mktemp -d) # of its own, to see that nothing stays there
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
tools/release --version 98.76.5 --dry-run "$work/rehearsed"
[[ $(git rev-parse HEAD) == "$before" && -z $(git tag -l v98.76.5) && -z $(git status --porcelain) ]] || fail 'a dry run leaves the tree as it was'
tar -xOf "$work/rehearsed/twat-mp-98.76.5.tar.gz" twat-mp-98.76.5/include/twat/mp/version.hpp | grep -q '_MAJOR 98$' || fail 'the archive is of that version'
grep -q '"versionInfo": "98.76.5"' "$work/rehearsed/twat-mp-98.76.5.spdx.json" || fail 'so is the bill of materials'
git apply --check "$work/rehearsed/twat-mp-98.76.5.patch" || fail 'the patch is the commit'
[[ -z $(ls -A "$TMPDIR") ]] || fail 'the clone is removed'

echo '# changed' >>Jamfile
! tools/release --version 98.76.5 "$work/made" 2>/dev/null || fail 'a tree with changes is not released'
git checkout -q Jamfile
tools/release --version 98.76.5 "$work/made"
[[ $(git rev-parse 'v98.76.5^{commit}') == $(git rev-parse HEAD) && $(git rev-parse HEAD^) == "$before" ]] || fail 'the tag is on one new commit'
[[ $(git cat-file -t v98.76.5) == tag && $(git tag -l --format='%(contents:body)' v98.76.5) == *"${changes:2:60}"* ]] || fail 'the tag tells the changes'
grep -qE '^## 98\.76\.5, [0-9]{4}-[0-9]{2}-[0-9]{2}$' CHANGELOG.md || fail 'the changes are dated'
cmp <(git archive --format=tar --prefix=twat-mp-98.76.5/ v98.76.5) <(zcat "$work/made/twat-mp-98.76.5.tar.gz") || fail 'the archive is what is tagged'
! tools/release --version 98.76.5 "$work/made" 2>/dev/null || fail 'no version is released twice'
echo 'release: ok'
