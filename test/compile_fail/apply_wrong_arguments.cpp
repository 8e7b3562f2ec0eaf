// SPDX-License-Identifier: BSL-1.0
// expect: apply(f, args...) cannot call f with these arguments
#include <twat/mp/async_pool.hpp>

void use(twat::mp::async_thread_pool& pool)
{
    const auto twice = [](int x) { return 2 * x; };
#ifdef TWAT_MP_CONTROL
    static_cast<void>(pool.apply(twice, 1));
#else
    static_cast<void>(pool.apply(twice, 1, 2));
#endif
}
