// SPDX-License-Identifier: BSL-1.0
#include "pool/waiters.hpp"

#include <boost/test/unit_test.hpp>

#include <memory>
#include <optional>
#include <stdexcept>

using namespace twat::mp;
using namespace std::chrono_literals;
using detail::time_point;
using detail::waiters;

namespace {

std::exception_ptr failure() { return std::make_exception_ptr(std::runtime_error("failed")); }

/// What became of a handler.
struct outcome
{
    int called = 0;
    bool failed = false;
    drain_report report;

    auto start()
    {
        return [this](std::exception_ptr error) {
            ++called;
            failed = bool(error);
        };
    }
    auto drain()
    {
        return [this](std::exception_ptr error, drain_report r) {
            ++called;
            failed = bool(error);
            report = r;
        };
    }
    auto dump()
    {
        return [this](std::exception_ptr error, pool_dump) {
            ++called;
            failed = bool(error);
        };
    }
};

constexpr time_point noon{12h};

} // namespace

BOOST_AUTO_TEST_SUITE(test_waiters)

BOOST_AUTO_TEST_CASE(who_waits)
{
    struct row
    {
        const char* what;
        void (*change)(waiters&, outcome&);
        bool any, any_start, to_complete, for_the_end, drain;
    };
    const row table[] = {
        {"nobody", [](waiters&, outcome&) {}, false, false, false, false, false},
        {"a start that will wait", [](waiters& w, outcome&) { w.expect_start(); }, true, true, false, false, false},
        {"a start that waits",
         [](waiters& w, outcome& o) {
             w.expect_start();
             w.add_start(o.start());
         },
         true, true, true, false, false},
        {"a join", [](waiters& w, outcome& o) { w.add_join(o.start()); }, true, false, false, true, false},
        {"a drain", [](waiters& w, outcome& o) { w.add_drain(o.drain(), noon, 1s, {}); }, true, false, false, true,
         true},
        {"a dump", [](waiters& w, outcome& o) { w.add_dump(o.dump()); }, true, false, false, false, false},
    };
    for (const row& r : table)
        BOOST_TEST_CONTEXT(r.what)
        {
            waiters w;
            outcome o;
            r.change(w, o);
            BOOST_TEST(w.any() == r.any);
            BOOST_TEST(w.any_start() == r.any_start);
            BOOST_TEST(w.any_to_complete() == r.to_complete);
            BOOST_TEST(w.any_for_the_end() == r.for_the_end);
            BOOST_TEST(w.any_drain() == r.drain);
            BOOST_TEST(o.called == 0);
        }
}

BOOST_AUTO_TEST_CASE(each_handler_is_called_once)
{
    for (const bool fails : {false, true}) {
        const waiters::error_maker error = fails ? failure : waiters::error_maker();
        waiters w;
        outcome start, join, drain;
        w.expect_start();
        w.add_start(start.start());
        w.add_join(join.start());
        w.add_drain(drain.drain(), noon, 1s, {});
        for (int i = 0; i != 2; ++i) {
            w.complete_starts(error);
            w.complete_joins(error);
            w.complete_drains(error, noon, {});
        }
        BOOST_TEST(!w.any());
        for (const outcome* const each : {&start, &join, &drain}) {
            BOOST_TEST(each->called == 1);
            BOOST_TEST(each->failed == fails);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_drain_tells_what_has_ended_since)
{
    waiters w;
    outcome early, late;
    w.add_drain(early.drain(), noon, 10s, {{.finished = 3, .terminated = 0}, 30});
    w.add_drain(late.drain(), noon + 1s, 10s, {{.finished = 5, .terminated = 1}, 50});
    w.complete_drains(nullptr, noon + 4s, {{.finished = 9, .terminated = 1}, 70});
    BOOST_TEST(early.report.finished == 6u);
    BOOST_TEST(early.report.terminated == 1u);
    BOOST_TEST(!early.report.in_time);
    BOOST_TEST(early.report.tasks == 40u);
    BOOST_TEST((early.report.took == 4s));
    BOOST_TEST(late.report.finished == 4u);
    BOOST_TEST(late.report.in_time);
    BOOST_TEST(late.report.tasks == 20u);
    BOOST_TEST((late.report.took == 3s));
}

BOOST_AUTO_TEST_CASE(the_earliest_limit_counts)
{
    waiters w;
    outcome o;
    BOOST_TEST((w.drained_by() == time_point::max()));
    w.add_drain(o.drain(), noon, duration::max(), {}); // as long as it takes
    BOOST_TEST((w.drained_by() == time_point::max()));
    w.add_drain(o.drain(), noon, 5s, {});
    w.add_drain(o.drain(), noon, 9s, {});
    BOOST_TEST((w.drained_by() == noon + 5s));
    w.forget_limit();
    BOOST_TEST((w.drained_by() == time_point::max()));
    BOOST_TEST(w.any_drain());
}

BOOST_AUTO_TEST_CASE(a_dump_is_found_by_its_number)
{
    waiters w;
    outcome first, second;
    const auto a = w.add_dump(first.dump());
    const auto b = w.add_dump(second.dump());
    BOOST_TEST(a != b);
    w.take_dump(a)(std::exception_ptr(), pool_dump());
    BOOST_TEST(first.called == 1);
    BOOST_TEST(!w.take_dump(a)); // it has been completed
    w.fail_dumps(failure);
    BOOST_TEST(second.failed);
    BOOST_TEST(!w.take_dump(b));
    BOOST_TEST(!w.any());
}

BOOST_AUTO_TEST_CASE(handlers_may_be_destroyed_uncalled)
{
    const auto held = std::make_shared<int>();
    {
        waiters w;
        w.add_join([held](std::exception_ptr) {});
        const waiters dropped = std::exchange(w, {});
        BOOST_TEST(!w.any());
        BOOST_TEST(held.use_count() == 2);
    }
    BOOST_TEST(held.use_count() == 1);
}

BOOST_AUTO_TEST_SUITE_END()
