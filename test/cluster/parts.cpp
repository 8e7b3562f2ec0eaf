// SPDX-License-Identifier: BSL-1.0
// Bodies that are fetched in parts, without a broker.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "cluster/parts.hpp"

using namespace std::chrono_literals;
using namespace twat::mp::detail;
using namespace twat::mp::detail::cluster;

namespace {

std::vector<std::byte> numbered(std::size_t size)
{
    std::vector<std::byte> bytes(size);
    for (std::size_t i = 0; i != size; ++i)
        bytes[i] = static_cast<std::byte>(i % 251);
    return bytes;
}

constexpr time_point start{};

} // namespace

BOOST_AUTO_TEST_SUITE(test_cluster_parts)

BOOST_AUTO_TEST_CASE(a_body_is_whole_in_whatever_order_its_parts_arrive)
{
    const std::vector<std::byte> body = numbered(1050);
    part_reader reader(body.size(), 100, 1s);
    while (!reader.is_whole()) {
        auto requests = reader.take_requests(start);
        BOOST_REQUIRE(!requests.empty());
        BOOST_TEST(requests.size() <= part_reader::in_flight);
        std::reverse(requests.begin(), requests.end());
        for (const auto& wanted : requests) {
            const auto part = find_part(body, wanted.offset, wanted.size);
            BOOST_TEST(part.size() == wanted.size);
            BOOST_TEST(reader.add(wanted.offset, part));
        }
    }
    BOOST_TEST((reader.take() == body));
}

BOOST_AUTO_TEST_CASE(a_part_that_does_not_come_is_asked_for_again)
{
    part_reader reader(100, 100, 1s);
    BOOST_TEST(reader.take_requests(start).size() == 1u);
    BOOST_TEST(reader.take_requests(start + 999ms).empty());
    BOOST_TEST((reader.next_due() == start + 1s));
    BOOST_TEST(reader.take_requests(start + 1s).size() == 1u);
    const auto body = numbered(100);
    BOOST_TEST(reader.add(0, body));
    BOOST_TEST(reader.add(0, body)); // the answer to the first request, which was late
    BOOST_TEST(reader.is_whole());
}

BOOST_AUTO_TEST_CASE(malformed_parts_are_refused)
{
    part_reader reader(150, 100, 1s);
    reader.take_requests(start);
    BOOST_TEST(!reader.add(0, {}));
    BOOST_TEST(!reader.add(0, numbered(99)));
    BOOST_TEST(!reader.add(100, numbered(51)));
    BOOST_TEST(!reader.add(150, numbered(1)));
    BOOST_TEST(!reader.add(std::numeric_limits<std::uint64_t>::max(), numbered(1)));
    BOOST_TEST(!reader.is_whole());
}

BOOST_AUTO_TEST_CASE(a_size_alone_takes_no_memory)
{
    part_reader reader(std::uint64_t(1) << 60, 1000, 1s);
    const auto requests = reader.take_requests(start);
    BOOST_TEST(requests.size() == part_reader::in_flight);
    BOOST_TEST(reader.add(requests.front().offset, numbered(1000)));
    BOOST_TEST(!reader.is_whole());
    BOOST_TEST(reader.take().size() == 1000u);
}

BOOST_AUTO_TEST_SUITE_END()
