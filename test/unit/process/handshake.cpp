// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include "process/handshake.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>

using namespace twat::mp::detail;
namespace bdata = boost::unit_test::data;

BOOST_AUTO_TEST_SUITE(test_handshake)

namespace {

struct row
{
    const char* name;
    std::uint32_t version;
    std::uint64_t nonce;
    const char* build;
    const char* expected_build;
    greeting verdict;

    friend std::ostream& operator<<(std::ostream& os, const row& r) { return os << r.name; }
};

constexpr row rows[] = {
    {"the one that was started", protocol_version, 7, "b1", "b1", greeting::accepted},
    {"another program", protocol_version, 7, "b2", "", greeting::accepted},
    {"an older one", protocol_version - 1, 7, "b1", "b1", greeting::other_version},
    {"a newer one, of which nothing else fits", protocol_version + 1, 8, "b2", "b1", greeting::other_version},
    {"a child of the one that was started", protocol_version, 8, "b1", "b1", greeting::other_worker},
    {"a child, of another program", protocol_version, 8, "b2", "", greeting::other_worker},
    {"one whose file was replaced", protocol_version, 7, "b2", "b1", greeting::other_build},
    {"one that does not know its build", protocol_version, 7, "", "b1", greeting::other_build},
};

} // namespace

BOOST_DATA_TEST_CASE(only_the_worker_that_was_started_is_accepted, bdata::make(rows), r)
{
    const hello_reply_message reply{.version = r.version, .pid = 1, .nonce = r.nonce, .build = r.build};
    BOOST_TEST((judge(reply, {.nonce = 7, .build = r.expected_build}) == r.verdict));
}

BOOST_AUTO_TEST_SUITE_END()
