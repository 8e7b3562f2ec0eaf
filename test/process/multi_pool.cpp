// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/multi_pool.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <future>
#include <thread>

using namespace twat::mp;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(test_process_pool)

BOOST_AUTO_TEST_CASE(workers_get_ready_before_the_first_call_and_it_is_told)
{
    std::promise<void> all_ready;
    std::size_t ready = 0;
    pool_options options;
    options.nodes = 2;
    options.on_event = [&](const pool_event& event) {
        if (event.what == pool_event::worker_ready && ++ready == 2)
            all_ready.set_value();
    };
    process_pool pool(options);
    BOOST_TEST_REQUIRE((all_ready.get_future().wait_for(30s) == std::future_status::ready));
    while (pool.stats().ready != 2) // counted once the event was told
        std::this_thread::yield();
}

BOOST_AUTO_TEST_SUITE_END()
