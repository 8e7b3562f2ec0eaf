// SPDX-License-Identifier: BSL-1.0
// expect: twat::mp: an argument of apply cannot be copied; hand it over with std::move
#include <twat/mp/async_pool.hpp>

#include <memory>
#include <utility>

void use(twat::mp::async_thread_pool& pool, std::unique_ptr<int> value)
{
    const auto unbox = [](const std::unique_ptr<int>& x) { return *x; };
#ifdef TWAT_MP_CONTROL
    static_cast<void>(pool.apply(unbox, std::move(value)));
#else
    static_cast<void>(pool.apply(unbox, value));
#endif
}
