// SPDX-License-Identifier: BSL-1.0
// C6: agents of another build never get a chunk.
#include <twat/mp/cluster.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "broker.hpp"
#include "cluster/names.hpp"
#include "function/module.hpp"

namespace twat::mp::test {
namespace {

using namespace std::chrono_literals;

/// In the program's constants, which stand for a build where the linker writes no build id.
extern const char mark_of_this_build[];
const char mark_of_this_build[] = "twat-mp test: build A";

/** This program as of another build: a copy in which the build's identity differs by a bit. */
class other_build
{
public:
    other_build()
        : path_(std::filesystem::temp_directory_path() / ("twat-mp-other-build-" + std::to_string(::getpid())))
    {
        std::ifstream in("/proc/self/exe", std::ios::binary);
        std::string program{std::istreambuf_iterator<char>(in), {}};
        const std::string id = detail::build_id();
        const bool is_note = id.substr(0, 10) != "read-only:";
        const std::string wanted = is_note ? id : std::string(mark_of_this_build);
        std::size_t found = 0;
        for (std::size_t at = 0; (at = program.find(wanted, at)) != program.npos; at += wanted.size(), ++found)
            program[at + wanted.size() - 1] ^= 1;
        BOOST_REQUIRE(found != 0u);
        std::ofstream(path_, std::ios::binary).write(program.data(), static_cast<std::streamsize>(program.size()));
        std::filesystem::permissions(path_, std::filesystem::perms::owner_all);
    }
    ~other_build() { std::filesystem::remove(path_); }

    std::string path() const { return path_.string(); }

private:
    std::filesystem::path path_;
};

std::string program_of_worker(int) { return detail::cluster::build_token(); }

BOOST_AUTO_TEST_SUITE(test_cluster_other_builds)

BOOST_AUTO_TEST_CASE(agents_of_another_build_alone_are_counted_and_named)
{
    const broker server;
    const other_build other;
    const std::string group = "builds";
    const std::vector<std::string> options{"--group", group, "--host", "elsewhere"};
    const started_program agent = start_agent(server.url(), 2, options, "/dev/stderr", other.path());
    cluster_pool pool(cluster_options{.url = server.url(), .group = group, .wait_for_agents = 500ms});
    // until the agent has come up, nobody is there at all
    std::string what;
    BOOST_TEST(becomes_true([&] {
        try {
            pool.apply(program_of_worker, 1);
            BOOST_ERROR("another build ran a task");
        }
        catch (const error& e) {
            BOOST_TEST((e.code() == errc::no_agents), e.what());
            what = e.what();
        }
        return what.find("agent of another build serves") != what.npos;
    }));
    BOOST_TEST(what.find("on elsewhere") != what.npos, what);
    BOOST_TEST(what.find("twat-mp-other-build") != what.npos, what);
    BOOST_TEST_MESSAGE("C6: " << what);
}

BOOST_AUTO_TEST_CASE(beside_agents_of_this_build_those_of_another_get_nothing)
{
    const broker server;
    const other_build other;
    const std::string group = "builds";
    std::vector<started_program> agents;
    agents.push_back(start_agent(server.url(), 4, {"--group", group}, "/dev/stderr", other.path()));
    agents.push_back(start_agent(server.url(), 1, {"--group", group}));
    cluster_pool pool(cluster_options{.url = server.url(), .group = group});
    std::vector<int> inputs(200);
    for (const std::string& build : pool.with({.chunk_size = 1}).map(program_of_worker, inputs))
        BOOST_TEST(build == detail::cluster::build_token());
    BOOST_TEST(pool.nodes() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace twat::mp::test
