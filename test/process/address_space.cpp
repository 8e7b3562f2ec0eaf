// SPDX-License-Identifier: BSL-1.0
// Shared memory takes up address space, which `ulimit -v` limits, in the program and in each worker.
#include <twat/mp/multi_pool.hpp>

#include <boost/test/unit_test.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <string>

#include "resource_limit.hpp"
#include "sanitizers.hpp"

using namespace twat::mp;

#if !TWAT_MP_TEST_ASAN && !TWAT_MP_TEST_TSAN // which take up terabytes of it

BOOST_AUTO_TEST_SUITE(test_address_space)

namespace {

constexpr std::size_t mebibyte = std::size_t(1) << 20;
/// For the pool's threads, for each of which the C library takes up to 72 MiB; less than the memory that four workers would share.
constexpr std::size_t spare = 700 * mebibyte;

std::string reversed(std::string text)
{
    std::ranges::reverse(text);
    return text;
}

std::size_t address_space()
{
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

void check_values_of_all_sizes(std::size_t nodes)
{
    process_pool pool(nodes);
    for (const std::size_t length : {std::size_t(10), std::size_t(100'000), 5 * mebibyte}) {
        std::string text(length, 'b');
        text.front() = 'a';
        BOOST_TEST((pool.apply(&reversed, text) == reversed(text)));
    }
    BOOST_TEST(pool.stats().died == 0u);
}

} // namespace

BOOST_AUTO_TEST_CASE(values_arrive_where_there_is_little_room)
{
    for (const std::size_t nodes : {1, 4}) {
        const test::resource_limit limit(RLIMIT_AS, address_space() + spare);
        check_values_of_all_sizes(nodes);
    }
}

BOOST_AUTO_TEST_CASE(values_arrive_where_the_program_takes_up_most)
{
    // By the limit alone there was room for the memory that is shared.
    void* const taken = ::mmap(nullptr, 4096 * mebibyte, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    BOOST_TEST_REQUIRE(taken != MAP_FAILED);
    {
        const test::resource_limit limit(RLIMIT_AS, address_space() + spare);
        check_values_of_all_sizes(4);
    }
    ::munmap(taken, 4096 * mebibyte);
}

BOOST_AUTO_TEST_SUITE_END()

#endif
