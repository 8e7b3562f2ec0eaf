# SPDX-License-Identifier: BSL-1.0
"""Runs the methods of a conanfile.py without Conan: with stand-ins for the little of it that our recipes use."""
import importlib.util
import re
import sys
import types


class InvalidConfiguration(Exception):
    pass


class Settings:
    """settings.compiler compares as text and has a version, as Conan's does."""

    class Compiler(str):
        pass

    def __init__(self, os, compiler, version, cppstd):
        self.os = os
        self.compiler = self.Compiler(compiler)
        self.compiler.version = version
        self.compiler.cppstd = cppstd


class Version(tuple):
    """Numbers only, and also compared with text."""

    def __new__(cls, text):
        return super().__new__(cls, (int(number) for number in str(text).split(".")))

    def __lt__(self, other):
        return tuple(self) < tuple(Version(other))

    def __ge__(self, other):
        return not self < other


class CppInfo:
    def __init__(self):
        self.properties = {}
        self.components = {}
        self.libs, self.system_libs, self.requires, self.defines, self.exelinkflags = [], [], [], [], []

    def set_property(self, name, value):
        self.properties[name] = value


class Components(dict):
    def __missing__(self, name):
        self[name] = CppInfo()
        return self[name]


class Output:
    def __init__(self):
        self.warnings = []

    def warning(self, text):
        self.warnings.append(text)


class ConanFile:
    name = version = None

    def __init__(self, folder="", boost="1.81.0", cnats="3.8.2", settings=None, **options):
        self.recipe_folder = folder
        self.settings = settings
        self.options = types.SimpleNamespace(**{**getattr(self, "default_options", {}), **options})
        self.output = Output()
        self.cpp_info = CppInfo()
        self.cpp_info.components = Components()
        # Without those that are the system's.
        needed = {"boost": boost, "cnats": cnats if getattr(self.options, "with_cluster", False) else None}
        self.dependencies = {name: types.SimpleNamespace(ref=types.SimpleNamespace(version=version)) for name, version in needed.items() if version}
        self.required = []

    @property
    def ref(self):
        return f"{self.name}/{self.version}"

    def requires(self, reference, **traits):
        self.required.append((reference, traits))


def check_min_cppstd(conanfile, oldest):
    if int(re.sub(r"\D", "", conanfile.settings.compiler.cppstd)) < oldest:
        raise InvalidConfiguration(f"C++{conanfile.settings.compiler.cppstd}")


def load_text(conanfile, path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def unused(*_args, **_kwargs):
    raise AssertionError("a method was run that needs Conan itself")


MODULES = {
    "conan": {"ConanFile": ConanFile},
    "conan.errors": {"ConanInvalidConfiguration": InvalidConfiguration},
    "conan.tools": {},
    "conan.tools.build": {"check_min_cppstd": check_min_cppstd, "can_run": unused},
    "conan.tools.cmake": {name: unused for name in ("CMake", "CMakeDeps", "CMakeToolchain", "cmake_layout")},
    "conan.tools.files": {"load": load_text, "copy": unused, "get": unused, "rmdir": unused},
    "conan.tools.scm": {"Version": Version},
}


def recipe_class(path):
    """The recipe in the file `path`, a class to be made with the arguments of ConanFile above."""
    for name, members in MODULES.items():
        module = types.ModuleType(name)
        vars(module).update(members)
        sys.modules[name] = module
    sys.dont_write_bytecode = True
    spec = importlib.util.spec_from_file_location("conanfile", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (found,) = (item for item in vars(module).values()
                if isinstance(item, type) and issubclass(item, ConanFile) and item is not ConanFile)
    return found
