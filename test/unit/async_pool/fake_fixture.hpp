// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_UNIT_ASYNC_POOL_FAKE_FIXTURE_HPP
#define TWAT_MP_TEST_UNIT_ASYNC_POOL_FAKE_FIXTURE_HPP

#include <memory>

#include <twat/mp/async_pool.hpp>

#include "fake_pool_core.hpp"
#include "io_context_fixture.hpp"

namespace twat::mp::test {

/** A pool of threads without threads. */
struct fake_fixture : io_context_fixture
{
    std::shared_ptr<fake_pool_core> core = std::make_shared<fake_pool_core>(false, ctx.get_executor());
    async_thread_pool pool{ctx.get_executor(), core};
};

/** A pool of processes without processes: functions, arguments and results go through their bytes. */
struct fake_process_fixture : io_context_fixture
{
    std::shared_ptr<fake_pool_core> core = std::make_shared<fake_pool_core>(true, ctx.get_executor());
    async_multi_pool pool{ctx.get_executor(), core};
};

} // namespace twat::mp::test

#endif
