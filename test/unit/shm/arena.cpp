// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include "shm/arena.hpp"

#include <twat/mp/error.hpp>

#include <boost/test/unit_test.hpp>

#include <cstring>
#include <limits>
#include <vector>

#include "memory_page.hpp"

using namespace twat::mp;
using namespace twat::mp::detail;
using namespace twat::mp::test;

BOOST_AUTO_TEST_SUITE(test_wire_arena)

struct fixture
{
    static constexpr std::size_t capacity = 1 << 20;
    static constexpr std::size_t large = 300 * 1024;
    static constexpr page_layout layout{2, 1024, capacity};
    memory_file file{layout};
    shared_page page = shared_page::create(file.fd, layout);

    arena_mapping map(arena_mapping::use what) { return {file.fd, layout, what}; }

    std::shared_ptr<argument_arena> arguments = std::make_shared<argument_arena>(map(arena_mapping::use::arguments));
    std::shared_ptr<result_arena> results =
        std::make_shared<result_arena>(map(arena_mapping::use::results), page.arena_tail());
    arena_mapping arguments_there = map(arena_mapping::use::arguments);
    arena_mapping results_there = map(arena_mapping::use::results);

    byte_buffer argument(std::size_t size, char fill)
    {
        byte_buffer made(arguments);
        std::memset(made.extend(size), fill, size);
        return made;
    }
    bool is_filled(std::span<const std::byte> bytes, char fill)
    {
        for (const std::byte b : bytes)
            if (b != static_cast<std::byte>(fill))
                return false;
        return true;
    }
};

bool is_protocol_error(const error& e) { return e.code() == errc::protocol_error; }

BOOST_FIXTURE_TEST_CASE(small_buffers_stay_on_the_heap, fixture)
{
    const byte_buffer small = argument(1000, 'x');
    BOOST_TEST(!small.is_lent());
    const byte_buffer too_large = argument(capacity + 1, 'x');
    BOOST_TEST(!too_large.is_lent());
    BOOST_TEST(is_filled(too_large.bytes(), 'x'));
}

BOOST_FIXTURE_TEST_CASE(arguments_are_seen_on_the_other_side, fixture)
{
    const byte_buffer first = argument(large, 'a');
    BOOST_REQUIRE(first.is_lent());
    const arena_place first_place = arguments->commit(first.bytes());
    const byte_buffer second = argument(large, 'b');
    BOOST_REQUIRE(second.is_lent());
    const arena_place second_place = arguments->commit(second.bytes());
    BOOST_TEST(is_filled(arguments_there.at(first_place), 'a'));
    BOOST_TEST(is_filled(arguments_there.at(second_place), 'b'));
    BOOST_TEST(arguments_there.at(second_place).size() == large);
}

BOOST_FIXTURE_TEST_CASE(a_buffer_that_grows_keeps_its_bytes, fixture)
{
    byte_buffer grown(arguments);
    for (std::size_t i = 0; i < 2 * capacity / 1000; ++i)
        std::memset(grown.extend(1000), static_cast<char>('a' + i % 26), 1000);
    BOOST_TEST(!grown.is_lent()); // it has outgrown the arena
    for (std::size_t i = 0; i < 2 * capacity / 1000; ++i)
        BOOST_REQUIRE(is_filled(grown.bytes().subspan(1000 * i, 1000), static_cast<char>('a' + i % 26)));
    BOOST_TEST(argument(capacity, 'x').is_lent()); // and has given its room back
}

BOOST_AUTO_TEST_CASE(an_arena_is_opened_as_far_as_it_is_needed)
{
    constexpr std::size_t mib = 1 << 20;
    constexpr page_layout layout{2, 1024, 8 * mib};
    const memory_file file{layout};
    const shared_page page = shared_page::create(file.fd, layout);
    const arena_mapping mapping(file.fd, layout, arena_mapping::use::results);
    BOOST_TEST(mapping.bytes().size() == 8 * mib);
    BOOST_TEST(mapping.open(1) == mib);
    BOOST_TEST(mapping.open(mib) == mib);
    BOOST_TEST(mapping.open(3 * mib) == 4 * mib);
    BOOST_TEST(mapping.open(2 * mib) == 4 * mib);
    BOOST_TEST(mapping.at({6 * mib, 2 * mib}).size() == 2 * mib);
    BOOST_TEST(mapping.open(1) == 8 * mib);
    std::memset(mapping.bytes().data(), 'x', 8 * mib);
}

BOOST_AUTO_TEST_CASE(buffers_grow_where_they_are)
{
    constexpr std::size_t mib = 1 << 20;
    constexpr page_layout layout{2, 1024, 8 * mib};
    const memory_file file{layout};
    const shared_page page = shared_page::create(file.fd, layout);
    const auto arguments =
        std::make_shared<argument_arena>(arena_mapping(file.fd, layout, arena_mapping::use::arguments));
    const auto results =
        std::make_shared<result_arena>(arena_mapping(file.fd, layout, arena_mapping::use::results), page.arena_tail());
    for (const std::shared_ptr<buffer_memory>& memory :
         {std::shared_ptr<buffer_memory>(arguments), std::shared_ptr<buffer_memory>(results)}) {
        byte_buffer grown(memory);
        std::memset(grown.extend(byte_buffer::lending_size), 'a', byte_buffer::lending_size);
        BOOST_TEST(grown.is_lent());
        const std::byte* const at = grown.data();
        while (grown.size() + 1000 <= 8 * mib)
            std::memset(grown.extend(1000), 'b', 1000);
        BOOST_TEST(grown.is_lent());
        BOOST_TEST(grown.data() == at);
        BOOST_TEST((grown.bytes()[0] == std::byte('a')));
        grown.extend(1000);
        BOOST_TEST(!grown.is_lent());
        BOOST_TEST((grown.bytes()[byte_buffer::lending_size] == std::byte('b')));
    }
}

BOOST_FIXTURE_TEST_CASE(room_is_used_again_in_any_order, fixture)
{
    std::vector<byte_buffer> kept;
    std::vector<arena_place> places;
    const auto add = [&](char fill) {
        kept.push_back(argument(large, fill));
        if (kept.back().is_lent())
            places.push_back(arguments->commit(kept.back().bytes()));
        return kept.back().is_lent();
    };
    BOOST_TEST(add('a'));
    BOOST_TEST(add('b'));
    BOOST_TEST(add('c'));
    BOOST_TEST(!add('d'));
    kept[1] = byte_buffer();
    BOOST_TEST(!add('e')); // the one before is in use: there is no row of free room
    kept[0] = byte_buffer();
    BOOST_TEST(add('f'));
    BOOST_TEST(is_filled(arguments_there.at(places[2]), 'c'));
    BOOST_TEST(is_filled(arguments_there.at(places[3]), 'f'));
    kept.clear();
    const byte_buffer whole = argument(capacity, 'x');
    BOOST_TEST(whole.is_lent());
    BOOST_TEST((arguments->commit(whole.bytes()) == arena_place{0, capacity}));
}

BOOST_FIXTURE_TEST_CASE(the_arena_lives_as_long_as_its_buffers, fixture)
{
    byte_buffer last = argument(large, 'x');
    arguments.reset();
    BOOST_TEST(is_filled(last.bytes(), 'x'));
    last.clear();
    std::memset(last.extend(large), 'y', large);
    BOOST_TEST(is_filled(last.bytes(), 'y'));
}

BOOST_FIXTURE_TEST_CASE(results_are_kept_until_they_are_given_back, fixture)
{
    std::vector<arena_place> places;
    const auto publish = [&](char fill) {
        byte_buffer made(results);
        std::memset(made.extend(large), fill, large);
        if (!made.is_lent())
            return false;
        BOOST_TEST(results->holds(made.bytes()));
        BOOST_TEST(results->room(1).empty()); // for one at a time
        places.push_back(results->next(large));
        results->publish(places.back());
        BOOST_TEST(!results->holds(made.bytes()));
        return true;
    };
    const auto give_back = [&](const arena_place& place) { page.arena_tail().store(end_of(place)); };
    for (const char fill : {'a', 'b', 'c'})
        BOOST_TEST(publish(fill));
    BOOST_TEST(!publish('d'));
    BOOST_TEST(is_filled(results_there.at(places[0]), 'a'));
    give_back(places[0]);
    BOOST_TEST(publish('e')); // where the first one lay
    BOOST_TEST(is_filled(results_there.at(places[1]), 'b'));
    BOOST_TEST(is_filled(results_there.at(places[2]), 'c'));
    BOOST_TEST(is_filled(results_there.at(places[3]), 'e'));
    BOOST_TEST(!publish('f'));
    give_back(places[3]);
    BOOST_TEST(publish('g'));
    // nothing is kept: back to the start
    BOOST_TEST(results_there.at(places[4]).data() == results_there.bytes().data());
}

BOOST_FIXTURE_TEST_CASE(what_is_not_published_is_taken_again, fixture)
{
    for (int i = 0; i < 10; ++i) {
        byte_buffer made(results);
        made.extend(large);
        BOOST_TEST(made.is_lent());
    }
}

BOOST_FIXTURE_TEST_CASE(places_outside_are_refused, fixture)
{
    BOOST_TEST(results_there.at({capacity - 10, 10}).size() == 10u);
    BOOST_TEST(results_there.at({5 * capacity, capacity}).size() == capacity);
    constexpr std::uint64_t huge = std::numeric_limits<std::uint64_t>::max();
    const arena_place outside[]{{capacity - 10, 11}, {0, capacity + 1}, {1, capacity},
                                {huge, 2},           {huge, huge},      {0, huge}};
    for (const arena_place& place : outside)
        BOOST_CHECK_EXCEPTION(results_there.at(place), error, is_protocol_error);
    BOOST_CHECK_EXCEPTION(arena_mapping().at({0, 0}), error, is_protocol_error);
}

BOOST_FIXTURE_TEST_CASE(without_an_arena_there_is_no_room, fixture)
{
    constexpr page_layout none{2, 1024};
    memory_file small(none);
    shared_page other = shared_page::create(small.fd, none);
    result_arena no_results(arena_mapping(small.fd, none, arena_mapping::use::results), other.arena_tail());
    BOOST_TEST(no_results.room(1).empty());
    BOOST_TEST(!no_results.holds({}));
    argument_arena no_arguments(arena_mapping(-1, layout, arena_mapping::use::arguments)); // which cannot be mapped
    BOOST_TEST(no_arguments.take(1).empty());
}

BOOST_AUTO_TEST_SUITE_END()
