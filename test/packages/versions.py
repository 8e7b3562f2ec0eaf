#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""versions.py SOURCE PREFIX...: the version is written in version.hpp and is the same wherever else it is told.

PREFIX... are trees into which the library has been installed.
"""
import json
import pathlib
import re
import subprocess
import sys

import recipe

source, *prefixes = (pathlib.Path(argument) for argument in sys.argv[1:])


def only(pattern, file):
    """What the one group of `pattern` is in the text of `file`: its first match."""
    match = re.search(pattern, file.read_text(encoding="utf-8"), re.MULTILINE)
    assert match, f"{file} has nothing like {pattern}"
    return match[1]


header = source / "include/twat/mp/version.hpp"
version = ".".join(only(rf"^#define TWAT_MP_VERSION_{part} (\d+)$", header) for part in ("MAJOR", "MINOR", "PATCH"))
told = {}

for prefix in prefixes:
    (config,) = prefix.glob("**/twat-mp-config-version.cmake")
    told[f"CMake, {prefix.name}"] = only(r'^set\(PACKAGE_VERSION "(.*)"\)', config)
    for pc in prefix.glob("**/*.pc"):
        told[f"{pc.name}, {prefix.name}"] = only(r"^Version: (.*)$", pc)

conan = recipe.recipe_class(source / "conanfile.py")(str(source))
conan.set_version()
told["conanfile.py"] = conan.version
told["packaging/conan-center/config.yml"] = only(r'^  "(.*)":$', source / "packaging/conan-center/config.yml")

for manifest in ("vcpkg.json", "packaging/vcpkg/twat-mp/vcpkg.json"):
    told[manifest] = json.loads((source / manifest).read_text(encoding="utf-8"))["version"]

told["CHANGELOG.md"] = only(r"^## ([^ ,]+)", source / "CHANGELOG.md")
patch = version.rpartition(".")[2]
for page in ("README.md", "test/consumer/package/CMakeLists.txt"): # these ask for a minor version
    told[page] = only(r"find_package\(twat-mp ([0-9]+\.[0-9]+)", source / page) + "." + patch

told["README.md, Conan"] = only(r"^twat-mp/([0-9.]+)$", source / "README.md")

# What b2 would install, without building it.
plan = subprocess.run(["b2", "-n", "install", "--prefix=/nowhere", "link=shared"],
                      cwd=source, check=True, capture_output=True, text=True).stdout
library = re.search(r"^common.copy /nowhere/lib/libtwat_mp\.so\.(.*)$", plan, re.MULTILINE)
assert library, "b2 would install no libtwat_mp.so.VERSION"
told["Jamfile"] = library[1]

wrong = {place: text for place, text in told.items() if text != version}
for place, text in wrong.items():
    print(f"FAILED: {place} says {text}, version.hpp {version}")
print(f"{version}: {len(told) - len(wrong)} of {len(told)} places say so")
sys.exit(bool(wrong))
