// SPDX-License-Identifier: BSL-1.0
// Shared memory counts as a file: `ulimit -f` limits it, and SIGXFSZ, which ends a program, answers who wants more.
#include <twat/mp/multi_pool.hpp>
#include <twat/mp/shared_vector.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>

#include "resource_limit.hpp"

using namespace twat::mp;

BOOST_AUTO_TEST_SUITE(test_file_size)

namespace {

std::string reversed(std::string text)
{
    std::ranges::reverse(text);
    return text;
}

} // namespace

BOOST_AUTO_TEST_CASE(values_larger_than_the_largest_file_arrive)
{
    for (const rlim_t size : {rlim_t(20) << 20, rlim_t(1) << 20, rlim_t(300) << 10}) {
        const test::resource_limit limit(RLIMIT_FSIZE, size);
        process_pool pool(1);
        for (const std::size_t length : {10u, 100'000u, 30'000'000u}) {
            std::string text(length, 'b');
            text.front() = 'a';
            BOOST_TEST((pool.apply(&reversed, text) == reversed(text)));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_worker_that_cannot_be_had_is_an_error)
{
    const test::resource_limit limit(RLIMIT_FSIZE, 4096);
    // A call would do as well, unless the pool is broken by then: the error is nested in that of later calls.
    BOOST_CHECK_EXCEPTION(process_pool(1).start(), std::exception, [](const std::exception& e) {
        return std::string(e.what()).find("File too large") != std::string::npos;
    });
}

BOOST_AUTO_TEST_CASE(a_shared_vector_that_is_too_large_throws)
{
    const test::resource_limit limit(RLIMIT_FSIZE, 1 << 20);
    BOOST_TEST(shared_vector<char>(1 << 20).size() == 1u << 20);
    BOOST_CHECK_EXCEPTION(shared_vector<char>((1 << 20) + 1), std::system_error,
                          [](const std::system_error& e) { return e.code().value() == EFBIG; });
}

BOOST_AUTO_TEST_SUITE_END()
