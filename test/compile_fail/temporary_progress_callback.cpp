// SPDX-License-Identifier: BSL-1.0
// expect: on_progress takes no temporary that owns something
// only: g++ before 13
#include <twat/mp/async_pool.hpp>

#include <string>

void use(twat::mp::async_thread_pool& pool)
{
    std::string label = "work";
    auto named = [label](const twat::mp::progress&) {};
#ifdef TWAT_MP_CONTROL
    auto handle = pool.with({}).on_progress(named);
    auto other = pool.with({}).on_progress(std::ref(named));
#else
    auto handle = pool.with({}).on_progress([label](const twat::mp::progress&) {});
#endif
}
