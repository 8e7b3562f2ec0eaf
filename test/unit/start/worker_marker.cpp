// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include "start/worker_marker.hpp"

#include <boost/test/unit_test.hpp>

#include <limits>
#include <string>

#include "start/marker.hpp"

using namespace twat::mp::detail;

BOOST_AUTO_TEST_SUITE(test_worker_marker)

std::string value_of(const worker_marker& marker)
{
    const auto entry = encode_marker(marker);
    return entry.substr(entry.find('=') + 1);
}

BOOST_AUTO_TEST_CASE(what_was_encoded_is_parsed)
{
    const worker_marker markers[] = {
        {0, 1, 1, 0},
        {7, nesting_limit, 4711, 0x0123'4567'89ab'cdef, 12},
        {std::numeric_limits<std::size_t>::max(), 2, std::numeric_limits<int>::max(),
         std::numeric_limits<std::uint64_t>::max()},
    };
    for (const auto& marker : markers) {
        BOOST_TEST(encode_marker(marker).starts_with("TWAT_MP_WORKER="));
        BOOST_TEST((parse_marker(value_of(marker)) == marker));
    }
}

BOOST_AUTO_TEST_CASE(anything_else_is_no_marker)
{
    BOOST_TEST(parse_marker("2:3:1:99:ff:4").has_value());
    for (const char* text : {"", "2", "2:", "yes", "1:3:1:99:ff:4", "2:3:1:99:ff", "2:3:1:99:ff:", "2:3:1:99:ff:4:",
                             "2:3:1:99:ff:4 ", "2:03:1:99:ff:4", "2:-3:1:99:ff:4", "2:3:1:99:FF:4",
                             "2:3:1:99:fffffffffffffffff:4", "2: 3:1:99:ff:4", "2:3:1:99:ff:4:0", "21:3:1:99:ff:4"})
        BOOST_TEST(!parse_marker(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(depths_pids_and_shares_that_cannot_be_are_no_marker)
{
    BOOST_TEST(!parse_marker("2:3:0:99:ff:4").has_value());
    BOOST_TEST(!parse_marker("2:3:5:99:ff:4").has_value());
    BOOST_TEST(!parse_marker("2:3:1:0:ff:4").has_value());
    BOOST_TEST(!parse_marker("2:3:1:-1:ff:4").has_value());
    BOOST_TEST(!parse_marker("2:3:1:99:ff:0").has_value());
}

BOOST_AUTO_TEST_CASE(nonces_differ) { BOOST_TEST(make_nonce() != make_nonce()); }

BOOST_AUTO_TEST_CASE(a_program_that_nobody_marked_is_no_worker)
{
    BOOST_TEST((get_worker_state() == worker_state::not_a_worker));
    BOOST_TEST(nesting_depth() == 0u);
    BOOST_TEST(!enter_worker_state());
    exit_if_not_entered(); // Has no effect here.
}

BOOST_AUTO_TEST_SUITE_END()
