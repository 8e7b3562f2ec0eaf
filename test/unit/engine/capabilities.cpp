// SPDX-License-Identifier: BSL-1.0
// What the engine hands out depends on what its workers can do.
#include "backend/capabilities.hpp"

#include <boost/test/unit_test.hpp>

#include "fakes.hpp"

using namespace twat::mp;
using namespace twat::mp::test::engines;

namespace {

operation_traits tasks(std::size_t total, call_options options = {}) { return {.options = options, .total = total}; }

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_engine_capabilities, engine_fixture)

BOOST_AUTO_TEST_CASE(a_worker_holds_as_many_chunks_ahead_as_its_distance_needs)
{
    for (const std::size_t ahead : {1u, 2u, 5u}) {
        workers.workers.clear();
        workers.able.chunks_ahead = ahead;
        reset({.nodes = 1});
        with_workers(1);
        const auto op = add(100, tasks(100, {.chunk_size = 3}));
        BOOST_TEST(held(1) == ahead); // nobody knows how long they take
        finish(1, no_position, 1s);
        BOOST_TEST(held(1) == ahead); // and these are long
    }
}

BOOST_AUTO_TEST_CASE(and_never_more_than_it_can_hold)
{
    workers.able.chunks_per_worker = 4;
    workers.able.chunks_ahead = 9;
    reset({.nodes = 1});
    with_workers(1);
    const auto op = add(100, tasks(100, {.chunk_size = 5}));
    BOOST_TEST(held(1) == 4u);
    finish(1, no_position, 1us);
    BOOST_TEST(held(1) == 4u);
}

BOOST_AUTO_TEST_CASE(a_chunk_holds_the_work_that_is_worth_its_way)
{
    for (const auto& [aim, size] : {std::pair<duration, std::size_t>(4ms, 40), {20ms, 200}}) {
        workers.workers.clear();
        workers.able.chunk_aim = aim;
        reset({.nodes = 1});
        with_workers(1);
        const auto op = add(100'000, tasks(100'000));
        for (int i = 0; i < 10; ++i)
            finish(1, no_position, 100us);
        BOOST_TEST(workers.workers[1].back().work->count == size);
    }
}

BOOST_AUTO_TEST_CASE(a_chunk_has_no_more_tasks_and_bytes_than_suit_the_workers)
{
    workers.able.chunk_items = 50;
    reset({.nodes = 1});
    with_workers(1);
    const auto op = add(100'000, tasks(100'000));
    for (int i = 0; i < 20; ++i)
        finish(1, no_position, 10ns);
    BOOST_TEST(workers.workers[1].back().work->count == 50u);

    workers.workers.clear();
    workers.able.chunk_bytes = 1000;
    reset({.nodes = 1});
    with_workers(1);
    auto large = std::make_shared<fake_operation>(10'000, tasks(10'000));
    large->bytes_of_each = 100;
    core->add(large);
    core->decide();
    for (int i = 0; i < 20; ++i)
        finish(1, no_position, 10ns);
    BOOST_TEST(workers.workers[1].back().work->count == 10u);
}

BOOST_AUTO_TEST_SUITE_END()
