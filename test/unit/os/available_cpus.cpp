// SPDX-License-Identifier: BSL-1.0
#include "os/available_cpus.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <sched.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

using twat::mp::detail::available_cpus;
namespace fs = std::filesystem;

namespace {

/// A directory that looks like the root of a system; removed at the end.
class fake_root
{
public:
    fake_root()
    {
        std::string name = (fs::temp_directory_path() / "twat_mp_cgroup_XXXXXX").string();
        BOOST_TEST_REQUIRE(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    fake_root(const fake_root&) = delete;
    fake_root& operator=(const fake_root&) = delete;
    ~fake_root() { fs::remove_all(path_); }

    void write(const std::string& file, const std::string& text) const
    {
        fs::create_directories((path_ / file).parent_path());
        std::ofstream(path_ / file) << text;
    }
    const fs::path& path() const { return path_; }

private:
    fs::path path_;
};

struct row
{
    const char* what;
    std::size_t affinity;
    std::vector<std::pair<std::string, std::string>> files;
    std::size_t expected;
};

std::ostream& operator<<(std::ostream& out, const row& r) { return out << r.what; }

const std::string cgroup = "proc/self/cgroup";
const std::string sys = "sys/fs/cgroup/";

const std::vector<row> rows{
    {"no files at all: the affinity", 8, {}, 8},
    {"never less than one", 0, {}, 1},

    {"v2, no limit", 8, {{cgroup, "0::/\n"}, {sys + "cpu.max", "max 100000\n"}}, 8},
    {"v2, one and a half CPUs count as two", 8, {{cgroup, "0::/a\n"}, {sys + "a/cpu.max", "150000 100000\n"}}, 2},
    {"v2, exactly two", 8, {{cgroup, "0::/a\n"}, {sys + "a/cpu.max", "200000 100000\n"}}, 2},
    {"v2, a hair over two", 8, {{cgroup, "0::/a\n"}, {sys + "a/cpu.max", "200001 100000\n"}}, 3},
    {"v2, a tenth counts as one", 8, {{cgroup, "0::/a\n"}, {sys + "a/cpu.max", "10000 100000\n"}}, 1},
    {"v2, the affinity is smaller", 2, {{cgroup, "0::/a\n"}, {sys + "a/cpu.max", "400000 100000\n"}}, 2},
    {"v2, a parent limits",
     8,
     {{cgroup, "0::/a/b/c\n"},
      {sys + "a/cpu.max", "300000 100000\n"},
      {sys + "a/b/cpu.max", "max 100000\n"},
      {sys + "a/b/c/cpu.max", "500000 100000\n"}},
     3},
    {"v2, the child limits more than its parent",
     8,
     {{cgroup, "0::/a/b\n"}, {sys + "a/cpu.max", "600000 100000\n"}, {sys + "a/b/cpu.max", "100000 100000\n"}},
     1},
    {"v2, a sibling does not count", 8, {{cgroup, "0::/a\n"}, {sys + "b/cpu.max", "100000 100000\n"}}, 8},
    {"v2, the host's name of a container's group",
     8,
     {{cgroup, "0::/docker/123\n"}, {sys + "cpu.max", "200000 100000\n"}},
     2},
    {"v2, a group outside of the namespace", 8, {{cgroup, "0::/../..\n"}, {sys + "cpu.max", "200000 100000\n"}}, 2},
    {"v2, a path that ends in a slash", 8, {{cgroup, "0::/a/\n"}, {sys + "a/cpu.max", "200000 100000\n"}}, 2},
    {"v2, mounted beside v1", 8, {{cgroup, "0::/a\n"}, {sys + "unified/a/cpu.max", "200000 100000\n"}}, 2},

    {"v1, no limit",
     8,
     {{cgroup, "3:cpu:/a\n"}, {sys + "cpu/a/cpu.cfs_quota_us", "-1\n"}, {sys + "cpu/a/cpu.cfs_period_us", "100000\n"}},
     8},
    {"v1, three",
     8,
     {{cgroup, "3:cpu:/a\n"},
      {sys + "cpu/a/cpu.cfs_quota_us", "250000\n"},
      {sys + "cpu/a/cpu.cfs_period_us", "100000\n"}},
     3},
    {"v1, mounted under both names",
     8,
     {{cgroup, "5:memory:/x\n4:cpu,cpuacct:/a\n"},
      {sys + "cpu,cpuacct/a/cpu.cfs_quota_us", "50000\n"},
      {sys + "cpu,cpuacct/a/cpu.cfs_period_us", "50000\n"}},
     1},
    {"v1, a parent limits",
     8,
     {{cgroup, "3:cpu:/a/b\n"},
      {sys + "cpu/a/cpu.cfs_quota_us", "200000\n"},
      {sys + "cpu/a/cpu.cfs_period_us", "100000\n"}},
     2},
    {"v1, cpuset and cpuacct are other controllers",
     8,
     {{cgroup, "3:cpuset:/a\n2:cpuacct:/a\n"},
      {sys + "cpuset/a/cpu.cfs_quota_us", "100000\n"},
      {sys + "cpuset/a/cpu.cfs_period_us", "100000\n"},
      {sys + "cpu/a/cpu.cfs_quota_us", "100000\n"},
      {sys + "cpu/a/cpu.cfs_period_us", "100000\n"}},
     8},
    {"v1 and v2 together: the smaller",
     8,
     {{cgroup, "3:cpu:/a\n0::/b\n"},
      {sys + "cpu/a/cpu.cfs_quota_us", "400000\n"},
      {sys + "cpu/a/cpu.cfs_period_us", "100000\n"},
      {sys + "unified/b/cpu.max", "300000 100000\n"}},
     3},

    {"garbage in the list of hierarchies", 4, {{cgroup, "\n:\n0\nxyz\n0:\n::::\n\n"}, {sys + "cpu.max", ""}}, 4},
    {"an empty cpu.max", 4, {{cgroup, "0::/\n"}, {sys + "cpu.max", ""}}, 4},
    {"words in cpu.max", 4, {{cgroup, "0::/\n"}, {sys + "cpu.max", "one two\n"}}, 4},
    {"a period of zero", 4, {{cgroup, "0::/\n"}, {sys + "cpu.max", "100000 0\n"}}, 4},
    {"a negative quota", 4, {{cgroup, "0::/\n"}, {sys + "cpu.max", "-5 100000\n"}}, 4},
    {"a quota of zero", 4, {{cgroup, "0::/\n"}, {sys + "cpu.max", "0 100000\n"}}, 4},
    {"a number too long", 4, {{cgroup, "0::/\n"}, {sys + "cpu.max", "99999999999999999999999 100000\n"}}, 4},
    {"the largest number", 4, {{cgroup, "0::/\n"}, {sys + "cpu.max", "9223372036854775807 1\n"}}, 4},
    {"a quota without a period", 4, {{cgroup, "0::/\n"}, {sys + "cpu.max", "100000\n"}}, 4},
    {"a word after the period", 4, {{cgroup, "0::/\n"}, {sys + "cpu.max", "100000 100000 x\n"}}, 4},
    {"v1, a quota without a period", 4, {{cgroup, "3:cpu:/\n"}, {sys + "cpu/cpu.cfs_quota_us", "100000\n"}}, 4},
    {"a directory where a file should be", 4, {{cgroup, "0::/\n"}, {sys + "cpu.max/x", ""}}, 4},
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_available_cpus)

BOOST_DATA_TEST_CASE(takes_the_smallest_of_all_limits, boost::unit_test::data::make(rows), r)
{
    const fake_root root;
    for (const auto& [file, text] : r.files)
        root.write(file, text);
    BOOST_TEST(available_cpus(root.path(), r.affinity) == r.expected);
}

BOOST_AUTO_TEST_CASE(this_process_may_use_at_most_the_cpus_of_its_affinity)
{
    cpu_set_t mask;
    BOOST_TEST_REQUIRE(::sched_getaffinity(0, sizeof mask, &mask) == 0);
    BOOST_TEST(available_cpus() >= 1u);
    BOOST_TEST(available_cpus() <= static_cast<std::size_t>(CPU_COUNT(&mask)));
}

BOOST_AUTO_TEST_CASE(a_narrowed_affinity_is_honoured)
{
    cpu_set_t before;
    BOOST_TEST_REQUIRE(::sched_getaffinity(0, sizeof before, &before) == 0);
    cpu_set_t one;
    CPU_ZERO(&one);
    for (std::size_t cpu = 0; CPU_COUNT(&one) == 0; ++cpu) {
        if (CPU_ISSET(cpu, &before))
            CPU_SET(cpu, &one);
    }
    BOOST_TEST_REQUIRE(::sched_setaffinity(0, sizeof one, &one) == 0);
    BOOST_TEST(available_cpus() == 1u);
    BOOST_TEST_REQUIRE(::sched_setaffinity(0, sizeof before, &before) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
