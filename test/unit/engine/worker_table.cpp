// SPDX-License-Identifier: BSL-1.0
#include "engine/worker_table.hpp"

#include <boost/test/unit_test.hpp>

#include "held_chunks.hpp"

using namespace twat::mp;
using namespace twat::mp::test::engines;
using detail::worker_table;

BOOST_AUTO_TEST_SUITE(test_worker_table)

BOOST_AUTO_TEST_CASE(what_a_worker_counts_as)
{
    struct row
    {
        const char* what;
        std::size_t chunks; // of two tasks
        void (*change)(ready_worker&);
        std::size_t ready, running, busy, occupied, free, recycling;
    };
    const auto nothing = [](ready_worker&) {};
    const row table[] = {
        {"an idle one", 0, nothing, 1, 0, 0, 0, 1, 0},
        {"one at work", 2, nothing, 1, 4, 1, 1, 0, 0},
        {"one that puts its chunk away", 1, [](ready_worker& w) { w.running = 0; }, 1, 0, 0, 1, 0, 0},
        {"one that retires", 0, [](ready_worker& w) { w.retiring = true; }, 1, 0, 0, 0, 0, 0},
        {"one that dies", 1, [](ready_worker& w) { w.dying = true; }, 0, 2, 1, 1, 0, 0},
        {"one whose successor starts", 0, [](ready_worker& w) { w.recycling = true; }, 1, 0, 0, 0, 1, 1},
        {"a guest", 1, [](ready_worker& w) { w.guest = true; }, 0, 2, 0, 0, 0, 0},
    };
    for (const row& r : table)
        BOOST_TEST_CONTEXT(r.what)
        {
            held_chunks f;
            worker_table workers;
            auto& op = f.operation();
            auto& worker = workers.add(1);
            for (std::size_t i = 0; i != r.chunks; ++i)
                f.give(worker, op, 2);
            r.change(worker);
            workers.recount(worker);
            BOOST_TEST(workers.counts().ready() == r.ready);
            BOOST_TEST(workers.counts().running() == r.running);
            BOOST_TEST(workers.counts().busy() == r.busy);
            BOOST_TEST(workers.counts().occupied() == r.occupied);
            BOOST_TEST(workers.counts().free() == r.free);
            BOOST_TEST(workers.counts().recycling() == r.recycling);
            worker.guest = false;
            workers.take(worker);
            BOOST_TEST(workers.counts().ready() + workers.counts().running() + workers.counts().occupied() == 0u);
        }
}

BOOST_AUTO_TEST_CASE(workers_come_and_go)
{
    worker_table workers;
    auto& first = workers.add(7);
    auto& second = workers.add(3);
    BOOST_TEST(workers.find(3) == &second);
    BOOST_TEST(first.order < second.order);
    BOOST_TEST(workers.size() == 2u);
    const auto gone = workers.take(first);
    BOOST_TEST(gone->dying); // what it holds cannot be taken back
    BOOST_TEST(!workers.find(7));
    BOOST_TEST(workers.size() == 1u);
    workers.clear();
    BOOST_TEST(!workers.find(3));
    BOOST_TEST(workers.counts().ready() == 0u);
    BOOST_TEST(workers.add(4).order > 2u);
}

BOOST_AUTO_TEST_CASE(guests_are_not_the_pools_own)
{
    held_chunks f;
    worker_table workers;
    auto& op = f.operation();
    workers.add(1);
    auto& guest = workers.add(2);
    workers.make_guest(guest, &op);
    BOOST_TEST(guest.only == &op);
    BOOST_TEST(workers.size() == 1u);
    BOOST_TEST(workers.any_guest());
    BOOST_TEST(workers.counts().ready() == 1u);
    workers.take(guest);
    BOOST_TEST(!workers.any_guest());
    BOOST_TEST(workers.size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
