#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""conan_recipes.py SOURCE PREFIX_STATIC PREFIX_SHARED: what the Conan recipes tell is what CMake installs.

The recipes are run without Conan, see recipe.py. The prefixes are trees into which the library has been installed.
"""
import ast
import pathlib
import re
import subprocess
import sys
import unittest

import recipe

source, prefix_static, prefix_shared = (pathlib.Path(argument) for argument in sys.argv[1:4])
prefixes = {False: prefix_static, True: prefix_shared}
IN_TREE = source / "conanfile.py"
CENTER = source / "packaging/conan-center/all/conanfile.py"
TESTER = source / "test_package/conanfile.py"


def packaged(path, shared, boost="1.81.0"):
    """The cpp_info that the recipe gives out, with the components `cluster` and `monitor` where what is installed has it."""
    there = exported(prefixes[shared])
    conanfile = recipe.recipe_class(path)(shared=shared, boost=boost, with_cluster="twat::mp_cluster" in there, with_monitor="twat::mp_monitor" in there)
    conanfile.package_info()
    return conanfile.cpp_info


def exported(prefix):
    """The targets of the installed CMake package: name, and its properties as lists."""
    (file,) = prefix.glob("**/twat-mp-targets.cmake")
    parts = (file, *file.parent.glob("twat-mp-targets-*.cmake"), *file.parent.glob("twat-mp-cluster-targets*.cmake"),
             *file.parent.glob("twat-mp-monitor-targets*.cmake"))
    text = "".join(part.read_text(encoding="utf-8") for part in parts)
    targets = {name: {} for name in re.findall(r"^add_library\((\S+)", text, re.MULTILINE)}
    for name, body in re.findall(r"^set_target_properties\((\S+) PROPERTIES\n(.*?)^ *\)", text, re.MULTILINE | re.DOTALL):
        for key, value in re.findall(r'^\s*(\w+) "(.*)"$', body, re.MULTILINE):
            targets[name][key] = value.split(";")
    return targets


def library(target):
    """libtwat_mp.so.0.1.0 is twat_mp."""
    (path,) = target["IMPORTED_LOCATION_RELEASE"]
    return re.match(r"lib(\w+)\.(a|so)", pathlib.PurePath(path).name)[1]


def pkg_config(prefix, name, *what):
    (folder,) = {file.parent for file in prefix.glob("**/*.pc")}
    return subprocess.run(["pkg-config", *what, name], check=True, capture_output=True, text=True,
                          env={"PATH": "/usr/bin:/bin", "PKG_CONFIG_PATH": str(folder)}).stdout.split()


def settings(os="Linux", compiler="gcc", version="12", cppstd="20"):
    return recipe.Settings(os, compiler, version, cppstd)


class Recipes(unittest.TestCase):
    def test_they_are_recipes(self):
        for path in (IN_TREE, CENTER, TESTER):
            with self.subTest(path=path):
                text = path.read_text(encoding="utf-8")
                names = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
                self.assertNotIn("print", names)
                compile(text, path, "exec")

    def test_attributes(self):
        for path in (IN_TREE, CENTER):
            with self.subTest(path=path):
                made = recipe.recipe_class(path)
                self.assertEqual(made.name, "twat-mp")
                self.assertEqual(made.package_type, "library")
                self.assertEqual(made.license, "BSL-1.0")
                self.assertEqual(set(made.options), {"shared", "fPIC", "with_cluster", "with_monitor"})
                self.assertEqual(made.options.keys(), made.default_options.keys())
                self.assertEqual(made.implements, ["auto_shared_fpic"])
                self.assertIsNone(made.version, "written in version.hpp or config.yml, not here")
                self.assertFalse({"conan", made.name} & set(made.topics))

    def test_boost_is_required_with_its_headers(self):
        for path in (IN_TREE, CENTER):
            with self.subTest(path=path):
                conanfile = recipe.recipe_class(path)()
                conanfile.requirements()
                ((reference, traits),) = conanfile.required
                self.assertTrue(reference.startswith("boost/"))
                self.assertTrue(traits["transitive_headers"])

    def test_nats_is_required_only_for_pools_over_hosts(self):
        for path in (IN_TREE, CENTER):
            conanfile = recipe.recipe_class(path)(with_cluster=True)
            conanfile.requirements()
            self.assertEqual([reference.partition("/")[0] for reference, _ in conanfile.required], ["boost", "cnats"])

    def test_the_monitor_can_be_left_out(self):
        for path in (IN_TREE, CENTER):
            for wanted in (True, False):
                conanfile = recipe.recipe_class(path)(with_monitor=wanted)
                conanfile.package_info()
                self.assertEqual("mp_monitor" in conanfile.cpp_info.components, wanted)

    def test_what_is_exported_exists(self):
        for pattern in (recipe.recipe_class(IN_TREE).exports, *recipe.recipe_class(IN_TREE).exports_sources):
            self.assertTrue(any(source.glob(pattern)), pattern)

    def test_validate(self):
        refused = [settings(os="Windows"), settings(cppstd="17"), settings(cppstd="gnu17"), settings(version="11"),
                   settings(compiler="clang", version="13")]
        taken = [(settings(), True), (settings(version="13"), False), (settings(cppstd="gnu23", version="14"), False),
                 (settings(compiler="clang", version="19"), False), (settings(compiler="intel-cc", version="2024"), True)]
        for path in (IN_TREE, CENTER):
            made = recipe.recipe_class(path)
            for given in refused:
                with self.subTest(path=path, **vars(given)), self.assertRaises(recipe.InvalidConfiguration):
                    made(settings=given).validate()
            for given, warns in taken:
                with self.subTest(path=path, **vars(given)):
                    conanfile = made(settings=given)
                    conanfile.validate()
                    self.assertEqual(bool(conanfile.output.warnings), warns)

    def test_targets_are_those_of_cmake(self):
        cmake_names = {"boost::headers": "Boost::headers", "pthread": "Threads::Threads", "cnats::cnats": r"\$<LINK_ONLY:twat::nats>"}
        for path in (IN_TREE, CENTER):
            for shared, prefix in prefixes.items():
                with self.subTest(path=path, shared=shared):
                    info = packaged(path, shared)
                    targets = exported(prefix)
                    self.assertTrue(any(prefix.glob(f"**/{info.properties['cmake_file_name']}-config.cmake")))
                    names = {name: part.properties["cmake_target_name"] for name, part in info.components.items()}
                    self.assertEqual(set(names.values()), set(targets))
                    for name, part in info.components.items():
                        target = targets[names[name]]
                        self.assertEqual(part.libs, [library(target)])
                        self.assertEqual(part.defines, target.get("INTERFACE_COMPILE_DEFINITIONS", []))
                        self.assertEqual(part.exelinkflags, target.get("INTERFACE_LINK_OPTIONS", []))
                        # What a shared library links is its own matter.
                        needed = [names.get(other) or cmake_names[other] for other in part.requires + part.system_libs
                                  if not (shared and other == "cnats::cnats")]
                        self.assertEqual(sorted(needed), sorted(target["INTERFACE_LINK_LIBRARIES"]))

    def test_names_for_pkg_config_are_those_installed(self):
        for path in (IN_TREE, CENTER):
            for shared, prefix in prefixes.items():
                info = packaged(path, shared)
                self.assertEqual({part.properties["pkg_config_name"] for part in info.components.values()},
                                 {file.stem for file in prefix.glob("**/*.pc")})
                for name, part in info.components.items():
                    with self.subTest(path=path, shared=shared, component=name):
                        other = [info.components[key] for key in part.requires if key in info.components]
                        together = [part, *other]
                        flags = pkg_config(prefix, part.properties["pkg_config_name"], "--cflags", "--libs")
                        self.assertEqual({flag[2:] for flag in flags if flag.startswith("-l")},
                                         {lib for each in together for lib in each.libs}
                                         | ({"nats"} if "cnats::cnats" in part.requires and not shared else set()))
                        self.assertEqual({flag[2:] for flag in flags if flag.startswith("-D")},
                                         {define for each in together for define in each.defines})
                        self.assertEqual({flag for flag in flags if flag.startswith("-Wl,")}, set(part.exelinkflags))

    def test_boost_process_is_a_library_since_1_86(self):
        for path in (IN_TREE, CENTER):
            self.assertNotIn("boost::process", packaged(path, False, boost="1.85.0").components["mp"].requires)
            self.assertIn("boost::process", packaged(path, False, boost="1.86.0").components["mp"].requires)

    def test_nats_of_the_system_is_linked_by_its_name(self):
        for path in (IN_TREE, CENTER):
            conanfile = recipe.recipe_class(path)(with_cluster=True, cnats=None)
            conanfile.package_info()
            part = conanfile.cpp_info.components["mp_cluster"]
            self.assertEqual((part.requires, part.system_libs), (["mp"], ["nats"]))

    def test_nothing_is_required_of_the_systems_boost(self):
        for path in (IN_TREE, CENTER):
            self.assertEqual(packaged(path, False, boost=None).components["mp"].requires, [])


unittest.main(argv=sys.argv[:1] + sys.argv[4:])
