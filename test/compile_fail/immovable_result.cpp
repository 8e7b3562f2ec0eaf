// SPDX-License-Identifier: BSL-1.0
// expect: twat::mp: the result of a task must be movable; return a std::unique_ptr to it instead
#include <twat/mp/async_pool.hpp>

#include <memory>
#include <vector>

struct answer
{
    explicit answer(int v) : value(v) {}
    answer(const answer&) = delete;
    int value;
};

void use(twat::mp::async_thread_pool& pool, const std::vector<int>& inputs)
{
#ifdef TWAT_MP_CONTROL
    static_cast<void>(pool.map([](int x) { return std::make_unique<answer>(x); }, inputs));
#else
    static_cast<void>(pool.map([](int x) { return answer(x); }, inputs));
#endif
}
