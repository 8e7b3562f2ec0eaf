// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <boost/exception/info.hpp>
#include <boost/throw_exception.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <twat/mp/exceptions.hpp>

#include "monitor/pool_board.hpp"
#include "monitor/report.hpp"
#include "observe/stack_source.hpp"

using namespace twat::mp;
using detail::pool_board;
using namespace std::chrono_literals;

namespace {

const auto begin = std::chrono::steady_clock::now();

trace_event event(trace_event::kind what, std::chrono::nanoseconds when = {}, std::size_t worker = 0)
{
    trace_event e{};
    e.what = what;
    e.when = begin + when;
    e.worker = worker;
    e.pid = 100 + static_cast<int>(worker);
    e.first = 5;
    e.count = 2;
    e.tenant = {9};
    e.label = "work";
    return e;
}

detail::observed_failure failure(std::size_t index)
{
    detail::observed_failure f{};
    f.index = index;
    f.error = std::make_exception_ptr(std::runtime_error("why"));
    return f;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

struct holder : boost::exception, std::runtime_error
{
    explicit holder(std::shared_ptr<int> held) : runtime_error("holds"), held(std::move(held)) {}
    std::shared_ptr<int> held;
};

/// A value whose text takes its time, as that of a stack does.
struct slow
{};
int slow_texts = 0;
std::ostream& operator<<(std::ostream& to, slow)
{
    ++slow_texts;
    std::this_thread::sleep_for(2 * pool_board::most_describing_a_second);
    return to << "slow text";
}

using info_of_text = boost::error_info<struct info_of_text_tag, std::string>;
using info_of_slow = boost::error_info<struct info_of_slow_tag, slow>;

double rate_in(const std::string& json) { return std::stod(json.substr(json.find("\"rate\":") + 7)); }

} // namespace

BOOST_AUTO_TEST_SUITE(test_pool_board)

BOOST_AUTO_TEST_CASE(a_lane_tells_what_runs_and_how_busy_it_was)
{
    pool_board board;
    board.happened(event(trace_event::worker_ready));
    BOOST_TEST(board.lanes_json(1, {}, begin) == R"([[0,100,1,0,"",0.000,0,0,0,0,0.000,0,0]])");
    board.happened(event(trace_event::chunk_begun, 10ms));
    BOOST_TEST(board.lanes_json(1, {}, begin + 30ms) == R"([[0,100,1,1,"work",20.000,9,5,2,0,20.000,0,0]])");
    board.happened(event(trace_event::chunk_ended, 40ms));
    BOOST_TEST(board.lanes_json(1, {}, begin + 50ms) == R"([[0,100,1,0,"work",0.000,9,5,2,2,30.000,0,0]])");
    board.set_memory(100, 4096);
    BOOST_TEST(board.lanes_json(1, {}, begin + 50ms) == R"([[0,100,1,0,"work",0.000,9,5,2,2,30.000,0,4096]])");
}

BOOST_AUTO_TEST_CASE(overlapping_chunks_are_busy_once)
{
    pool_board board;
    board.happened(event(trace_event::worker_ready));
    board.happened(event(trace_event::chunk_begun, 10ms));
    board.happened(event(trace_event::chunk_begun, 20ms));
    board.happened(event(trace_event::chunk_ended, 30ms));
    board.happened(event(trace_event::chunk_ended, 50ms));
    BOOST_TEST(board.lanes_json(1, {}, begin + 60ms) == R"([[0,100,1,0,"work",0.000,9,5,2,4,40.000,0,0]])");
}

BOOST_AUTO_TEST_CASE(a_worker_that_is_replaced_stays_ready)
{
    pool_board board;
    board.happened(event(trace_event::worker_ready));
    board.happened(event(trace_event::worker_ready));
    board.happened(event(trace_event::worker_gone));
    BOOST_TEST(board.lanes_json(1, {}, begin).starts_with("[[0,100,1,"));
    auto died = event(trace_event::worker_gone);
    died.outcome = trace_outcome::died;
    board.happened(died);
    BOOST_TEST(board.lanes_json(1, {}, begin) == R"([[0,0,0,0,"",0.000,0,0,0,0,0.000,1,0]])");
    BOOST_TEST(board.lanes_json(0, {}, begin) == "[]"); // the pool has fewer now
}

BOOST_AUTO_TEST_CASE(workers_of_several_hosts_stand_with_their_host)
{
    pool_board board;
    board.happened(event(trace_event::worker_ready)); // a place for chunks, which no host has
    const std::vector<host_stats> hosts{{"amsel", 1}, {"fink", 2}};
    const auto on = [](const char* host, trace_event::kind what, std::chrono::nanoseconds when) {
        trace_event e = event(what, when, 1);
        e.host = host;
        e.pid = 0;
        return e;
    };
    board.happened(on("fink", trace_event::chunk_begun, 10ms));
    BOOST_TEST(board.lanes_json(3, hosts, begin + 30ms) ==
               R"([[0,0,1,0,"",0.000,0,0,0,0,0.000,0,0,"amsel"],[0,0,1,0,"",0.000,0,0,0,0,0.000,0,0,"fink"],)"
               R"([1,0,1,1,"work",20.000,9,5,2,0,20.000,0,0,"fink"]])");
    // more than its agents have workers, and a host that is on its way out
    board.happened(on("amsel", trace_event::chunk_begun, 10ms));
    board.happened(on("meise", trace_event::chunk_begun, 10ms));
    const std::string beyond = board.lanes_json(3, hosts, begin + 30ms);
    BOOST_TEST(has(beyond, R"([1,0,1,1,"work",20.000,9,5,2,0,20.000,0,0,"amsel"])"), beyond);
    BOOST_TEST(has(beyond, R"([1,0,1,1,"work",20.000,9,5,2,0,20.000,0,0,"meise"])"), beyond);
    board.happened(on("meise", trace_event::chunk_ended, 40ms));
    BOOST_TEST(!has(board.lanes_json(3, hosts, begin + 50ms), "meise"));
    // a failure says where
    detail::observed_failure f = failure(7);
    f.placed = true;
    f.worker = 1;
    {
        const std::string name = "fink";
        f.host = name.c_str(); // good during the call
        board.failed(f);
    }
    const std::string failures = board.failures_json(std::chrono::steady_clock::now());
    BOOST_TEST(has(failures, R"("worker":1,"pid":0,"host":"fink")"), failures);
}

BOOST_AUTO_TEST_CASE(hosts_that_come_and_go_do_not_fill_the_board)
{
    pool_board board;
    for (std::size_t i = 0; i != 2 * pool_board::most_lanes; ++i) {
        const std::string host = "host-" + std::to_string(i);
        trace_event e = event(trace_event::chunk_begun, 1ms);
        e.host = host.c_str();
        board.happened(e);
        e.what = trace_event::chunk_ended;
        board.happened(e);
    }
    trace_event e = event(trace_event::chunk_begun, 1ms);
    e.host = "last";
    board.happened(e);
    BOOST_TEST(has(board.lanes_json(1, {{"last", 1}}, begin + 2ms), R"("work")"));
}

BOOST_AUTO_TEST_CASE(what_is_kept_has_bounds)
{
    pool_board board;
    for (std::size_t i = 0; i != 2 * pool_board::most_lanes; ++i)
        board.happened(event(trace_event::worker_ready, {}, i));
    const std::string lanes = board.lanes_json(2 * pool_board::most_lanes, {}, begin);
    BOOST_TEST(std::size_t(std::count(lanes.begin(), lanes.end(), '[')) == pool_board::most_lanes + 1);
    for (std::size_t i = 0; i != 10'000; ++i)
        board.failed(failure(i));
    const std::string failures = board.failures_json(std::chrono::steady_clock::now());
    BOOST_TEST(std::size_t(std::count(failures.begin(), failures.end(), '{')) <= pool_board::most_failures);
    BOOST_TEST(board.failure(1).has_value());
    BOOST_TEST(board.failure(1)->text.what == "why");
    BOOST_TEST(!board.failure(pool_board::most_failures * 1000).has_value());
}

BOOST_AUTO_TEST_CASE(exceptions_of_any_type_are_described)
{
    pool_board board;
    auto odd = failure(0);
    odd.error = std::make_exception_ptr(17);
    board.failed(odd);
    BOOST_TEST(has(board.failure(1)->text.what, "not derived"));
}

BOOST_AUTO_TEST_CASE(the_exception_stays_the_programs_own)
{
    pool_board board;
    std::weak_ptr<int> held;
    {
        auto value = std::make_shared<int>(1);
        held = value;
        auto f = failure(0);
        f.error = std::make_exception_ptr(boost::enable_error_info(holder(value)) << info_of_text("attached text"));
        board.failed(f);
    }
    BOOST_TEST(held.expired());
    const std::string report = detail::report_json(board.failure(1).value(), false);
    BOOST_TEST(has(report, "\"what\":\"holds\""), report);
    BOOST_TEST(has(report, "holder"), report);
    BOOST_TEST(has(report, "attached text"), report);
}

BOOST_AUTO_TEST_CASE(a_stack_is_looked_up_for_who_asks)
{
    pool_board board;
    bool looked_up = false;
    const stacktrace stack(std::make_shared<detail::stack_source>([&] {
        looked_up = true;
        return detail::raw_stack{nullptr, "it hung here"};
    }));
    struct with_infos : std::runtime_error, boost::exception
    {
        with_infos() : runtime_error("late") {}
    };
    with_infos late;
    late << errinfo_stacktrace(stack) << info_of_text("attached text");
    auto f = failure(0);
    f.error = std::make_exception_ptr(late);
    board.failed(f);
    try {
        try {
            throw late;
        }
        catch (...) {
            std::throw_with_nested(std::logic_error("outer"));
        }
    }
    catch (...) {
        f.error = std::current_exception();
    }
    board.failed(f);
    BOOST_TEST(!looked_up);
    BOOST_TEST(!has(board.failure(1)->text.details, "Stack of the worker"));
    BOOST_TEST(has(board.failure(2)->text.details, "attached text"));
    BOOST_TEST(has(board.failure(2)->text.details, "outer"));
    BOOST_TEST(has(detail::report_json(board.failure(1).value(), false), "it hung here"));
    BOOST_TEST(looked_up);
    BOOST_TEST(has(detail::report_json(board.failure(2).value(), false), "it hung here"));
}

BOOST_AUTO_TEST_CASE(exceptions_that_are_slow_to_describe_do_not_stop_the_pool)
{
    pool_board board;
    auto f = failure(0);
    f.error = std::make_exception_ptr(boost::enable_error_info(std::runtime_error("why")) << info_of_slow(slow()));
    slow_texts = 0;
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i != pool_board::most_failures_a_second; ++i)
        board.failed(f);
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - start).count();
    BOOST_TEST(slow_texts >= 1);
    BOOST_TEST(slow_texts <= 1 + seconds);
    BOOST_TEST(has(board.failure(1)->text.details, "slow text"));
    BOOST_TEST(board.failure(pool_board::most_failures_a_second)->text.what == "why");
}

BOOST_AUTO_TEST_CASE(a_pool_that_counts_from_0_again_has_no_past)
{
    pool_board board;
    const auto shown = [&](const pool_stats& stats, std::chrono::nanoseconds when) {
        detail::json_list to('{');
        board.add_recent(to, stats, begin + when);
        return to.close();
    };
    pool_stats stats;
    stats.done = 1000;
    stats.run_time.record(1ms, 1000);
    stats.queue_wait.record(1ms, 1000);
    shown(stats, 0s);
    stats.done = 2000;
    stats.run_time.record(1ms, 1000);
    BOOST_TEST(std::abs(rate_in(shown(stats, 1s)) - 1000) < 1);
    pool_stats after; // a restart
    after.done = 10;
    after.run_time.record(1ms, 10);
    const std::string first = shown(after, 2s);
    BOOST_TEST(rate_in(first) == 0, first);
    BOOST_TEST(has(first, "\"recent\":0"), first);
    after.done = 30;
    after.run_time.record(1ms, 20);
    const std::string second = shown(after, 3s);
    BOOST_TEST(std::abs(rate_in(second) - 20) < 1, second);
    BOOST_TEST(has(second, "\"recent\":20"), second);
}

BOOST_AUTO_TEST_SUITE_END()
