#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# replaced.sh HOST LIBRARY OTHER: runs a copy of the program beside a copy of its library, which it replaces by the other one.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
name=$(basename "$2")
cp "$1" "$folder/host"
cp "$2" "$folder/$name"
cp "$3" "$folder/other"
"$folder/host" "$folder/$name" "$folder/other"
