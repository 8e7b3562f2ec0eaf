// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/detail/codec/byte_buffer.hpp>

#include <boost/test/unit_test.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <thread>
#include <vector>

using namespace twat::mp::detail;

namespace {

std::size_t virtual_mebibytes()
{
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) >> 20;
}

/// Large blocks come from the system one by one, and go back to it.
bool falls_below(std::size_t mebibytes)
{
    for (int i = 0; i < 60'000; ++i) {
        if (virtual_mebibytes() < mebibytes)
            return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
}

byte_buffer large_buffer()
{
    byte_buffer made;
    made.reserve(8 * large_block);
    return made;
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_free_large)

BOOST_AUTO_TEST_CASE(large_buffers_are_freed_soon)
{
    const std::size_t before = virtual_mebibytes();
    {
        std::vector<byte_buffer> buffers;
        for (int i = 0; i < 20; ++i)
            buffers.push_back(large_buffer());
        BOOST_TEST(virtual_mebibytes() >= before + 20 * 64);
    }
    BOOST_TEST(falls_below(before + 640)); // the sanitizers keep some back, and a thread's stack and heap are in it
}

BOOST_AUTO_TEST_CASE(so_they_are_in_a_forked_process)
{
    {
        const byte_buffer here = large_buffer();
    }
    const pid_t child = ::fork();
    if (child == 0) {
        const std::size_t before = virtual_mebibytes();
        {
            const byte_buffer first = large_buffer(), second = large_buffer();
        }
        ::_exit(falls_below(before + 128) ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    BOOST_TEST(status == 0);
}

BOOST_AUTO_TEST_SUITE_END()
