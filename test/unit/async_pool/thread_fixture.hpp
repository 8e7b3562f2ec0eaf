// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_UNIT_ASYNC_POOL_THREAD_FIXTURE_HPP
#define TWAT_MP_TEST_UNIT_ASYNC_POOL_THREAD_FIXTURE_HPP

#include <twat/mp/async_pool.hpp>

#include "io_context_fixture.hpp"

namespace twat::mp::test {

struct thread_fixture : io_context_fixture
{
    async_thread_pool pool{ctx, 2};
};

} // namespace twat::mp::test

#endif
