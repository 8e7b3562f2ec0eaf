// SPDX-License-Identifier: BSL-1.0
// expect: return std::optional<R> instead
#include <twat/mp/async_pool.hpp>

#include <optional>

struct answer
{
    explicit answer(int v) : value(v) {}
    int value;
};

#ifdef TWAT_MP_CONTROL
using returned = std::optional<answer>;
#else
using returned = answer;
#endif

void use(twat::mp::async_thread_pool& pool)
{
    auto result = pool.apply([](int x) -> returned { return answer(x); }, 1);
}
