// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <stdexcept>
#include <string>

#include "monitor/pool_board.hpp"

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

double rate_in(const std::string& json) { return std::stod(json.substr(json.find("\"rate\":") + 7)); }

} // namespace

BOOST_AUTO_TEST_SUITE(test_pool_board)

BOOST_AUTO_TEST_CASE(a_lane_tells_what_runs_and_how_busy_it_was)
{
    pool_board board;
    board.happened(event(trace_event::worker_ready));
    BOOST_TEST(board.lanes_json(1, begin) == R"([[0,100,1,0,"",0.000,0,0,0,0,0.000,0,0]])");
    board.happened(event(trace_event::chunk_begun, 10ms));
    BOOST_TEST(board.lanes_json(1, begin + 30ms) == R"([[0,100,1,1,"work",20.000,9,5,2,0,20.000,0,0]])");
    board.happened(event(trace_event::chunk_ended, 40ms));
    BOOST_TEST(board.lanes_json(1, begin + 50ms) == R"([[0,100,1,0,"work",0.000,9,5,2,2,30.000,0,0]])");
    board.set_memory(100, 4096);
    BOOST_TEST(board.lanes_json(1, begin + 50ms) == R"([[0,100,1,0,"work",0.000,9,5,2,2,30.000,0,4096]])");
}

BOOST_AUTO_TEST_CASE(overlapping_chunks_are_busy_once)
{
    pool_board board;
    board.happened(event(trace_event::worker_ready));
    board.happened(event(trace_event::chunk_begun, 10ms));
    board.happened(event(trace_event::chunk_begun, 20ms));
    board.happened(event(trace_event::chunk_ended, 30ms));
    board.happened(event(trace_event::chunk_ended, 50ms));
    BOOST_TEST(board.lanes_json(1, begin + 60ms) == R"([[0,100,1,0,"work",0.000,9,5,2,4,40.000,0,0]])");
}

BOOST_AUTO_TEST_CASE(a_worker_that_is_replaced_stays_ready)
{
    pool_board board;
    board.happened(event(trace_event::worker_ready));
    board.happened(event(trace_event::worker_ready));
    board.happened(event(trace_event::worker_gone));
    BOOST_TEST(board.lanes_json(1, begin).starts_with("[[0,100,1,"));
    auto died = event(trace_event::worker_gone);
    died.outcome = trace_outcome::died;
    board.happened(died);
    BOOST_TEST(board.lanes_json(1, begin) == R"([[0,0,0,0,"",0.000,0,0,0,0,0.000,1,0]])");
    BOOST_TEST(board.lanes_json(0, begin) == "[]"); // the pool has fewer now
}

BOOST_AUTO_TEST_CASE(what_is_kept_has_bounds)
{
    pool_board board;
    for (std::size_t i = 0; i != 2 * pool_board::most_lanes; ++i)
        board.happened(event(trace_event::worker_ready, {}, i));
    const std::string lanes = board.lanes_json(2 * pool_board::most_lanes, begin);
    BOOST_TEST(std::size_t(std::count(lanes.begin(), lanes.end(), '[')) == pool_board::most_lanes + 1);
    for (std::size_t i = 0; i != 10'000; ++i)
        board.failed(failure(i));
    const std::string failures = board.failures_json(std::chrono::steady_clock::now());
    BOOST_TEST(std::size_t(std::count(failures.begin(), failures.end(), '{')) <= pool_board::most_failures);
    BOOST_TEST(board.failure(1).has_value());
    BOOST_TEST(board.failure(1)->what == "why");
    BOOST_TEST(!board.failure(pool_board::most_failures * 1000).has_value());
}

BOOST_AUTO_TEST_CASE(exceptions_of_any_type_are_described)
{
    pool_board board;
    auto odd = failure(0);
    odd.error = std::make_exception_ptr(17);
    board.failed(odd);
    BOOST_TEST(board.failure(1)->what.find("not derived") != std::string::npos);
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
