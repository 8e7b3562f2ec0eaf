// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include <twat/mp/async_pool.hpp>

#include "async_pool_includes.hpp"
#include "io_context_fixture.hpp"

using namespace twat::mp;
using namespace twat::mp::test;
using boost::test_tools::per_element;

namespace {

struct process_fixture : io_context_fixture
{
    async_multi_pool pool{ctx, 2};
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_async_multi_pool)

using pool_fixtures = boost::mp11::mp_list<process_fixture>;
#include "async_pool_cases.hpp"

BOOST_AUTO_TEST_SUITE_END()
