// SPDX-License-Identifier: BSL-1.0
// expect: the elements of starmap's range are no tuples
#include <twat/mp/async_pool.hpp>

#include <utility>
#include <vector>

void use(twat::mp::async_thread_pool& pool)
{
#ifdef TWAT_MP_CONTROL
    std::vector<std::pair<int, int>> rows;
#else
    std::vector<int> rows;
#endif
    auto add = [](int x, int y) { return x + y; };
    auto sums = pool.starmap(add, rows);
}
