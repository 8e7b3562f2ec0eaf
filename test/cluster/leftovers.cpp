// SPDX-License-Identifier: BSL-1.0
// Which chunks are looked for in the stream once more, without a broker.
#include "cluster/leftovers.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <vector>

#include "cluster/names.hpp"

using namespace twat::mp::detail::cluster;
using namespace std::chrono_literals;
using boost::test_tools::per_element;

namespace {

using numbers = std::vector<std::uint64_t>;

numbers numbers_of(const std::vector<stored_chunk>& chunks)
{
    numbers all;
    for (const stored_chunk& chunk : chunks)
        all.push_back(chunk.sequence);
    return all;
}

struct nothing_left
{
    leftovers left;
    const twat::mp::detail::time_point begin = twat::mp::detail::clock::now();
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_cluster_leftovers, nothing_left)

BOOST_AUTO_TEST_CASE(what_was_removed_lately_is_looked_for_when_the_broker_is_back)
{
    left.removed({1, 0}, begin);
    left.removed({2, 0}, begin + leftovers::memory);
    left.removed({3, 0}, begin + leftovers::memory + 1s);
    BOOST_TEST(left.empty());
    left.came_back();
    BOOST_TEST(numbers_of(left.take()) == (numbers{2, 3}), per_element());
    BOOST_TEST(left.empty());
    left.came_back();
    BOOST_TEST(left.empty());
}

BOOST_AUTO_TEST_CASE(nothing_gets_too_old_while_the_broker_is_away)
{
    left.removed({1, 0}, begin);
    left.removed_unheard({2, 0}, begin + 1h);
    left.came_back();
    BOOST_TEST(numbers_of(left.take()) == (numbers{1, 2}), per_element());
}

BOOST_AUTO_TEST_CASE(a_suspect_is_looked_for_at_once_and_once)
{
    left.suspect({7, 1});
    left.suspect({7, 1});
    BOOST_TEST(!left.empty());
    BOOST_TEST(numbers_of(left.take()) == (numbers{7}), per_element());
}

BOOST_AUTO_TEST_CASE(one_number_may_have_been_given_to_several_chunks)
{
    left.suspect({7, 2});
    left.suspect({7, 1});
    BOOST_TEST((left.take() == std::vector<stored_chunk>{{7, 1}, {7, 2}}));
}

BOOST_AUTO_TEST_CASE(only_the_chunk_itself_is_found_under_a_number_that_was_given_out_again)
{
    struct row
    {
        const char* name;
        bool is_it;
    };
    for (const auto& [name, is_it] : {
             row{"pool.12", true},
             row{"pool.12.r1", true},
             row{"pool.12.r34", true},
             row{"pool.1", false},
             row{"pool.1.r2", false},
             row{"pool.123", false},
             row{"pool.123.r1", false},
             row{"pool.12.x", false},
             row{"pool12", false},
             row{"other.12", false},
             row{"other.pool.12", false},
             row{"", false},
         })
        BOOST_TEST(names_chunk(name, "pool", 12) == is_it, name);
    BOOST_TEST(make_chunk_name("pool", 12, 0) == "pool.12");
    BOOST_TEST(make_chunk_name("pool", 12, 3) == "pool.12.r3");
}

BOOST_AUTO_TEST_CASE(memory_is_bounded)
{
    for (std::uint64_t i = 0; i != leftovers::most + 10; ++i)
        left.removed_unheard({i, 0}, begin);
    left.came_back();
    const numbers all = numbers_of(left.take());
    BOOST_TEST(all.size() == leftovers::most);
    BOOST_TEST(all.front() == 10u);
}

BOOST_AUTO_TEST_SUITE_END()
