// SPDX-License-Identifier: BSL-1.0
// expect: an argument behind the function is not a range
// at most: 20 lines
#include <twat/mp/multi_pool.hpp>

#include <vector>

void use(twat::mp::thread_pool& pool)
{
#ifdef TWAT_MP_CONTROL
    pool.map([](int x) { return x; }, std::vector<int>{10});
#else
    pool.map([](int x) { return x; }, 10);
#endif
}
