// SPDX-License-Identifier: BSL-1.0
// expect: an argument behind the function is not a range (a completion token or std::stop_token comes last)
// at most: 20 lines
#include <twat/mp/async_pool.hpp>

#include <boost/asio/detached.hpp>

#include <vector>

void use(twat::mp::async_thread_pool& pool, const std::vector<int>& numbers)
{
#ifdef TWAT_MP_CONTROL
    pool.map([](int x) { return x; }, numbers, boost::asio::detached);
#else
    pool.map([](int x) { return x; }, boost::asio::detached, numbers);
#endif
}
