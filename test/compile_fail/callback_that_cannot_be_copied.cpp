// SPDX-License-Identifier: BSL-1.0
// expect: this one cannot be copied; pass std::ref of it
// at most: 20 lines
#include <twat/mp/async_pool.hpp>
#include <twat/mp/multi_pool.hpp>
#include <twat/mp/progress_bar.hpp>

#include <functional>
#include <vector>

int twice(int x) { return 2 * x; }

void use(twat::mp::thread_pool& pool, twat::mp::async_thread_pool& awaitable, const std::vector<int>& xs)
{
    twat::mp::progress_bar bar;
#ifdef TWAT_MP_CONTROL
    pool.on_progress(std::ref(bar)).map(twice, xs);
    awaitable.on_progress(std::ref(bar)).map(twice, xs, [](std::exception_ptr, std::vector<int>) {});
#else
    pool.on_progress(bar).map(twice, xs);
    awaitable.on_progress(bar).map(twice, xs, [](std::exception_ptr, std::vector<int>) {});
#endif
}
