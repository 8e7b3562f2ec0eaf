// SPDX-License-Identifier: BSL-1.0
// expect: this verb needs a range behind the function, before the completion token
// at most: 20 lines
#include <twat/mp/async_pool.hpp>

#include <vector>

void use(twat::mp::async_multi_pool& pool)
{
    const std::vector<int> numbers{10};
#ifdef TWAT_MP_CONTROL
    auto squares = pool.map([](int x) { return x * x; }, numbers);
#else
    pool.map([](int x) { return x * x; }, 10);
#endif
}
