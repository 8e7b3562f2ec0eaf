# SPDX-License-Identifier: BSL-1.0
import os
import re

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, get, load, rmdir
from conan.tools.scm import Version

required_conan_version = ">=2.1"


class TwatMpConan(ConanFile):
    name = "twat-mp"
    description = "Parallel apply, map and imap on threads and worker processes for Boost.Asio programs"
    license = "BSL-1.0"
    topics = ("asio", "coroutines", "multiprocessing", "parallel", "process-pool", "thread-pool")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False], "fPIC": [True, False], "with_cluster": [True, False], "with_monitor": [True, False]}
    default_options = {"shared": False, "fPIC": True, "with_cluster": False, "with_monitor": True}
    implements = ["auto_shared_fpic"]
    # In the tree of the library: its own sources and version. In ConanCenter there are none beside the recipe: it fetches the archive that
    # conandata.yml names, and is told its version.
    exports = "include/twat/mp/version.hpp"
    exports_sources = "CMakeLists.txt", "cmake/*", "include/*", "src/*", "LICENSE_1_0.txt"

    def set_version(self):
        if self.version:
            return
        header = load(self, os.path.join(self.recipe_folder, "include", "twat", "mp", "version.hpp"))
        numbers = re.findall(r"#define TWAT_MP_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", header)
        self.version = ".".join(numbers)

    def layout(self):
        cmake_layout(self, src_folder="src" if self.conan_data else ".")

    def source(self):
        if self.conan_data:
            get(self, **self.conan_data["sources"][self.version], strip_root=True)

    def requirements(self):
        self.requires("boost/[>=1.81.0 <2]", transitive_headers=True, transitive_libs=True)
        if self.options.with_cluster:
            self.requires("cnats/[>=3.4.1 <4]")

    def validate(self):
        if self.settings.os != "Linux":
            raise ConanInvalidConfiguration(f"{self.ref} runs on Linux only")
        check_min_cppstd(self, 20)
        compiler = str(self.settings.compiler)
        version = Version(self.settings.compiler.version)
        oldest = {"gcc": "12", "clang": "14"}.get(compiler)
        if oldest is None:
            self.output.warning(f"{self.ref} has not been tried with {compiler}")
        elif version < oldest:
            raise ConanInvalidConfiguration(f"{self.ref} needs {compiler} {oldest} or newer")
        if compiler == "gcc" and version < "13":
            self.output.warning("g++ before 13 destroys temporaries inside co_await expressions twice: name them first; see doc/compilers.md")

    def generate(self):
        CMakeDeps(self).generate()
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["TWAT_MP_BUILD_TESTS"] = False
        toolchain.cache_variables["TWAT_MP_BUILD_EXAMPLES"] = False
        toolchain.cache_variables["TWAT_MP_BUILD_CLUSTER"] = bool(self.options.with_cluster)
        toolchain.cache_variables["TWAT_MP_BUILD_MONITOR"] = bool(self.options.with_monitor)
        if "cnats" in self.dependencies: # not if it is the system's, which CMake looks for by itself
            shared = self.dependencies["cnats"].options.shared
            toolchain.cache_variables["TWAT_MP_NATS_TARGET"] = "cnats::nats" if shared else "cnats::nats_static"
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        CMake(self).install()
        copy(self, "LICENSE_1_0.txt", self.source_folder, os.path.join(self.package_folder, "licenses"))
        # Conan writes its own files for find_package and pkg-config.
        for folder in ("lib/cmake", "lib/pkgconfig", "share"):
            rmdir(self, os.path.join(self.package_folder, folder))

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "twat-mp")

        mp = self.cpp_info.components["mp"]
        mp.set_property("cmake_target_name", "twat::mp")
        mp.set_property("pkg_config_name", "twat-mp")
        mp.libs = ["twat_mp"]
        mp.system_libs = ["pthread"]
        if "boost" in self.dependencies: # not if it is the system's
            mp.requires = ["boost::headers"]
            if Version(self.dependencies["boost"].ref.version) >= "1.86":
                mp.requires.append("boost::process")
        if self.options.shared:
            mp.defines = ["TWAT_MP_SHARED"]

        if self.options.with_monitor:
            monitor = self.cpp_info.components["mp_monitor"]
            monitor.set_property("cmake_target_name", "twat::mp_monitor")
            monitor.set_property("pkg_config_name", "twat-mp-monitor")
            monitor.libs = ["twat_mp_monitor"]
            monitor.requires = ["mp"]

        if self.options.with_cluster:
            cluster = self.cpp_info.components["mp_cluster"]
            cluster.set_property("cmake_target_name", "twat::mp_cluster")
            cluster.set_property("pkg_config_name", "twat-mp-cluster")
            cluster.libs = ["twat_mp_cluster"]
            cluster.requires = ["mp"]
            if "cnats" in self.dependencies:
                cluster.requires.append("cnats::cnats")
            else:
                cluster.system_libs = ["nats"]

        main = self.cpp_info.components["mp_main"]
        main.set_property("cmake_target_name", "twat::mp_main")
        main.set_property("pkg_config_name", "twat-mp-main")
        main.libs = ["twat_mp_main"]
        main.requires = ["mp"]
        main.exelinkflags = ["-Wl,--wrap=main"]
