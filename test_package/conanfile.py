# SPDX-License-Identifier: BSL-1.0
import os

from conan import ConanFile
from conan.tools.build import can_run
from conan.tools.cmake import CMake, cmake_layout


class TestPackageConan(ConanFile):
    settings = "os", "arch", "compiler", "build_type"
    generators = "CMakeDeps", "CMakeToolchain"

    def layout(self):
        cmake_layout(self)

    def requirements(self):
        self.requires(self.tested_reference_str)

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def test(self):
        if can_run(self):
            options = self.dependencies["twat-mp"].options
            parts = [part for part in ("monitor", "cluster") if options.get_safe(f"with_{part}")]
            for program in ("test_package", "test_package_main", *(f"test_package_{part}" for part in parts)):
                self.run(os.path.join(self.cpp.build.bindir, program), env="conanrun")
