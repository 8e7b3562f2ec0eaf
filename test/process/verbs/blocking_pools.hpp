// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_PROCESS_VERBS_BLOCKING_POOLS_HPP
#define TWAT_MP_TEST_PROCESS_VERBS_BLOCKING_POOLS_HPP

#include <boost/asio/error.hpp>
#include <boost/mp11/list.hpp>
#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>

#include <numeric>
#include <ranges>
#include <stop_token>
#include <thread>
#include <vector>

#include <twat/mp/async_pool.hpp>
#include <twat/mp/multi_pool.hpp>
#include <twat/mp/worker.hpp>

namespace twat::mp::test {

using blocking_pools = boost::mp11::mp_list<thread_pool, process_pool>;
using awaitable_pools = boost::mp11::mp_list<async_thread_pool, async_multi_pool>;

inline int twice(int x) { return 2 * x; }

/// Runs until it is asked to stop.
inline int until_stopped(int x)
{
    const auto stop = this_task::stop_token();
    while (!stop.stop_requested())
        std::this_thread::yield();
    return x;
}

inline bool is_aborted(const boost::system::system_error& e)
{
    return e.code() == boost::asio::error::operation_aborted;
}

inline std::vector<int> numbers(int count)
{
    std::vector<int> made(count);
    std::iota(made.begin(), made.end(), 0);
    return made;
}

/// Waits until a task of the pool runs.
template <class Pool>
void await_running_task(const Pool& pool)
{
    while (pool.stats().running == 0)
        std::this_thread::yield();
}

} // namespace twat::mp::test

#endif
