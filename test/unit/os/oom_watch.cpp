// SPDX-License-Identifier: BSL-1.0
#include "os/oom_watch.hpp"

#include <boost/test/unit_test.hpp>

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

using namespace twat::mp;
using namespace twat::mp::detail;

namespace {

/// A folder in the place of `/`.
struct fake_system
{
    fake_system()
    {
        std::string name = (std::filesystem::temp_directory_path() / "twat-mp-XXXXXX").string();
        root = ::mkdtemp(name.data());
    }
    ~fake_system() { std::filesystem::remove_all(root); }

    void write(const std::string& file, const std::string& text)
    {
        std::filesystem::create_directories((root / file).parent_path());
        std::ofstream(root / file) << text;
    }

    std::filesystem::path root;
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_oom_watch)

BOOST_FIXTURE_TEST_CASE(nothing_is_known_of_a_system_that_does_not_tell, fake_system)
{
    BOOST_TEST(!count_oom_kills(root));
    write("proc/self/cgroup", "nonsense\n0::/a/b\n");
    write("sys/fs/cgroup/a/b/memory.events", "low 0\noom_kill many\n");
    BOOST_TEST(!count_oom_kills(root));
    oom_watch watch(root);
    watch.child_starts();
    BOOST_TEST((watch.child_was_killed() == memory_verdict::unknown));
}

BOOST_FIXTURE_TEST_CASE(the_count_of_the_group_goes_before_that_of_the_machine, fake_system)
{
    write("proc/vmstat", "nr_free_pages 5\noom_kill 7\npgfault 1\n");
    BOOST_TEST(count_oom_kills(root).value() == 7u);
    write("proc/self/cgroup", "4:memory:/x\n0::/\n");
    write("sys/fs/cgroup/memory/x/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n");
    BOOST_TEST(count_oom_kills(root).value() == 3u);
}

BOOST_FIXTURE_TEST_CASE(version_2_is_understood_also_inside_a_container, fake_system)
{
    write("proc/self/cgroup", "0::/kubepods/pod1\n");
    write("sys/fs/cgroup/memory.events", "max 9\noom 2\noom_kill 1\n");
    BOOST_TEST(count_oom_kills(root).value() == 1u);
    write("sys/fs/cgroup/kubepods/pod1/memory.events", "max 9\noom 2\noom_kill 2\n");
    BOOST_TEST(count_oom_kills(root).value() == 2u);
}

BOOST_FIXTURE_TEST_CASE(each_kill_accounts_for_one_child, fake_system)
{
    write("proc/vmstat", "oom_kill 7\n");
    oom_watch watch(root);
    watch.child_starts();
    BOOST_TEST((watch.child_was_killed() == memory_verdict::unlikely));
    write("proc/vmstat", "oom_kill 9\n");
    watch.child_starts(); // others were killed with it, and are not told of yet
    BOOST_TEST((watch.child_was_killed() == memory_verdict::likely));
    BOOST_TEST((watch.child_was_killed() == memory_verdict::likely));
    BOOST_TEST((watch.child_was_killed() == memory_verdict::unlikely));
}

BOOST_AUTO_TEST_SUITE_END()
