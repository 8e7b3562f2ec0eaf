// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include <twat/mp/trace_file.hpp>

#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

#include <twat/mp/async_pool.hpp>

#include "io_context_fixture.hpp"

using namespace twat::mp;
using namespace twat::mp::test;

namespace {

struct fixture : io_context_fixture
{
    std::filesystem::path path =
        std::filesystem::temp_directory_path() / ("twat-mp-trace-" + std::to_string(::getpid()) + ".json");
    ~fixture() { std::filesystem::remove(path); }

    std::string text() const
    {
        std::ifstream in(path);
        return {std::istreambuf_iterator<char>(in), {}};
    }

    /// Another program's JSON reader takes the file, and `condition`, in Python, holds for its list of events.
    bool holds(const std::string& condition) const
    {
        const std::string command =
            "python3 -c 'import json, sys; events = json.load(open(sys.argv[1])); sys.exit(not (" + condition + "))' " +
            path.string();
        return std::system(command.c_str()) == 0;
    }
};

trace_event chunk(trace_event::kind what)
{
    trace_event e{};
    e.what = what;
    e.when = std::chrono::steady_clock::now();
    e.worker = 1;
    e.operation = 3;
    e.chunk = 7;
    e.first = 10;
    e.count = 2;
    return e;
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_trace_file)

BOOST_FIXTURE_TEST_CASE(the_file_is_whole_json_after_every_event, fixture)
{
    const trace_file trace(path); // not closed: so it looks to whoever reads it when the program was killed
    BOOST_TEST(holds("len(events) == 1"));
    trace_event e = chunk(trace_event::chunk_begun);
    e.label = "a \"quoted\\ label\n";
    trace(e);
    BOOST_TEST(holds("events[1][\"ph\"] == \"B\" and events[1][\"tid\"] == 2 and events[1][\"name\"] == \"a "
                     "\\\"quoted\\\\ label \""));
    e = chunk(trace_event::chunk_ended);
    e.outcome = trace_outcome::timed_out;
    e.failed = 1;
    const trace_file copy = trace;
    copy(e);
    BOOST_TEST(holds("events[2][\"ph\"] == \"E\" and events[2][\"args\"][\"outcome\"] == \"timed out\" and "
                     "events[2][\"args\"][\"failed\"] == 1 and events[2][\"ts\"] >= events[1][\"ts\"]"));
}

BOOST_FIXTURE_TEST_CASE(the_workers_of_a_host_stand_together_under_its_name, fixture)
{
    const trace_file trace(path);
    trace_event e = chunk(trace_event::chunk_begun);
    e.host = "fink";
    trace(e);
    e.host = "amsel";
    e.worker = 0;
    trace(e);
    e.host = "fink";
    trace(e);
    e.host = nullptr;
    trace(e);
    BOOST_TEST(holds("[(e[\"pid\"], e[\"args\"][\"name\"]) for e in events if e[\"name\"] == \"process_name\"] == "
                     "[(1, \"pool\"), (2, \"fink\"), (3, \"amsel\")]"));
    BOOST_TEST(
        holds("[(e[\"pid\"], e[\"tid\"], e[\"args\"][\"name\"]) for e in events if e[\"name\"] == \"thread_name\"]"
              " == [(2, 1, \"worker 0\"), (2, 2, \"worker 1\"), (3, 1, \"worker 0\")]"));
    BOOST_TEST(holds("[(e[\"pid\"], e[\"tid\"]) for e in events if e[\"ph\"] == \"B\"] == "
                     "[(2, 2), (3, 1), (2, 1), (1, 1)]"));
}

BOOST_FIXTURE_TEST_CASE(chunks_that_overlap_are_told_apart_by_an_id, fixture)
{
    const trace_file trace(path);
    trace_event e = chunk(trace_event::chunk_begun);
    e.coroutine = true;
    trace(e);
    BOOST_TEST(holds("events[1][\"ph\"] == \"b\" and events[1][\"id\"] == 7"));
}

BOOST_FIXTURE_TEST_CASE(a_pool_writes_what_it_does, fixture)
{
    {
        pool_options options;
        options.nodes = 2;
        options.on_trace = trace_file(path);
        async_thread_pool pool(ctx, options);
        const std::vector<int> inputs(100, 1);
        pool.with({.chunk_size = 10, .label = "twice"})
            .map([](int x) { return 2 * x; }, inputs, [](std::exception_ptr e, std::vector<int>) { BOOST_TEST(!e); });
        run();
    }
    BOOST_TEST(holds("sum(e[\"args\"][\"count\"] for e in events if e[\"ph\"] == \"E\") == 100"));
    BOOST_TEST(holds("sum(e[\"ph\"] == \"B\" for e in events) == sum(e[\"ph\"] == \"E\" for e in events)"));
    BOOST_TEST(holds("[e[\"name\"] for e in events if e[\"ph\"] in \"be\"] == [\"twice\", \"twice\"]"));
}

BOOST_FIXTURE_TEST_CASE(a_file_that_cannot_be_written_is_refused, fixture)
{
    BOOST_CHECK_THROW(trace_file("/nowhere/trace.json"), std::system_error);
    BOOST_CHECK_THROW(trace_file("/dev/full"), std::system_error);
}

BOOST_AUTO_TEST_SUITE_END()
