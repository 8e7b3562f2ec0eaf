// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include "shm/result_ring.hpp"

#include <twat/mp/error.hpp>

#include <boost/test/unit_test.hpp>

#include <cstring>
#include <string>
#include <thread>

#include "memory_page.hpp"

using namespace twat::mp;
using namespace twat::mp::detail;
using namespace twat::mp::test;

BOOST_AUTO_TEST_SUITE(test_wire_result_ring)

struct fixture
{
    static constexpr page_layout layout{2, 1024};
    memory_file file{layout};
    shared_page parent = shared_page::create(file.fd, layout);
    shared_page worker = shared_page::attach(file.fd);
    ring_writer writer{worker};
    ring_reader reader{parent};
    byte_buffer drained;
};

bool is_protocol_error(const error& e) { return e.code() == errc::protocol_error; }

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

BOOST_FIXTURE_TEST_CASE(both_sides_see_one_page, fixture)
{
    worker.slot(1).mark.store(42);
    BOOST_TEST(parent.slot(1).mark.load() == 42u);
    BOOST_TEST(worker.layout().slots == 2u);
    BOOST_TEST(worker.layout().ring_capacity == 1024u);
}

BOOST_AUTO_TEST_CASE(what_is_no_page_is_refused)
{
    memory_file empty(std::size_t(0)), zeroes(std::size_t(4096)), longer(std::size_t(8192));
    BOOST_CHECK_EXCEPTION(shared_page::attach(empty.fd), error, is_protocol_error);
    BOOST_CHECK_EXCEPTION(shared_page::attach(zeroes.fd), error, is_protocol_error);
    BOOST_CHECK_EXCEPTION(shared_page::attach(-1), error, is_protocol_error);
    shared_page::create(longer.fd, {2, 1024}); // whose size is not that of its layout
    BOOST_CHECK_EXCEPTION(shared_page::attach(longer.fd), error, is_protocol_error);
}

BOOST_FIXTURE_TEST_CASE(records_come_out_in_order_across_the_end_of_the_ring, fixture)
{
    for (std::uint32_t round = 0; round < 100; ++round) {
        const std::string value(round * 3, 'x');
        BOOST_REQUIRE(writer.write({5, round, record_kind::value, bytes_of(value)}));
        BOOST_REQUIRE(writer.write({6, round, record_kind::failure, {}}));
        drained.clear();
        reader.drain(drained);
        auto rest = drained.bytes();
        const auto first = take_record(rest).value();
        BOOST_TEST(first.chunk == 5u);
        BOOST_TEST(first.position == round);
        BOOST_TEST((first.kind == record_kind::value));
        BOOST_TEST(first.bytes.size() == value.size());
        const auto second = take_record(rest).value();
        BOOST_TEST((second.kind == record_kind::failure));
        BOOST_TEST(!take_record(rest));
    }
}

BOOST_FIXTURE_TEST_CASE(a_full_ring_takes_nothing_until_it_is_drained, fixture)
{
    const std::string value(1024 - record_header_size, 'x');
    const std::string longer = value + "y"; // which can never fit
    BOOST_TEST(writer.write({1, 0, record_kind::value, bytes_of(value)}));
    BOOST_TEST(writer.size() == 1024u);
    BOOST_TEST(!writer.write({1, 1, record_kind::value, {}}));
    reader.drain(drained);
    BOOST_TEST(drained.size() == 1024u);
    BOOST_TEST(!writer.write({1, 1, record_kind::value, bytes_of(longer)}));
    BOOST_TEST(writer.write({1, 1, record_kind::value, {}}));
}

BOOST_FIXTURE_TEST_CASE(a_position_that_makes_no_sense_is_refused, fixture)
{
    for (const std::uint64_t head : {std::uint64_t(1025), static_cast<std::uint64_t>(-1)}) {
        worker.ring_head().store(head);
        BOOST_CHECK_EXCEPTION(reader.drain(drained), error, is_protocol_error);
    }
    BOOST_TEST(drained.empty());
}

BOOST_AUTO_TEST_CASE(bad_records_are_refused)
{
    std::byte bytes[40]{};
    const auto take = [&](std::size_t n) {
        std::span<const std::byte> rest(bytes, n);
        return take_record(rest);
    };
    BOOST_CHECK_EXCEPTION(take(40), error, is_protocol_error); // kind 0
    const std::byte payload[16]{};
    write_record_header(bytes, {1, 2, record_kind::value, payload});
    BOOST_TEST(take(40)->bytes.size() == 16u);
    BOOST_CHECK_EXCEPTION(take(39), error, is_protocol_error);
    BOOST_CHECK_EXCEPTION(take(23), error, is_protocol_error);
    write_record_header(bytes, {1, 2, record_kind::ended, payload});
    BOOST_CHECK_EXCEPTION(take(40), error, is_protocol_error);
    const auto huge = static_cast<std::uint64_t>(-8);
    write_record_header(bytes, {1, 2, record_kind::value, payload});
    std::memcpy(bytes + 16, &huge, 8);
    BOOST_CHECK_EXCEPTION(take(40), error, is_protocol_error);
}

BOOST_FIXTURE_TEST_CASE(values_of_neighbours_are_taken_together, fixture)
{
    const std::uint64_t values[]{10, 11, 12, 13};
    const auto bytes = [&](std::size_t i) { return std::as_bytes(std::span(values)).subspan(8 * i, 8); };
    for (std::uint32_t i = 0; i < 3; ++i)
        BOOST_REQUIRE(writer.write({5, 7 + i, record_kind::value, bytes(i)}));
    BOOST_TEST(writer.published() == record_header_size + 2 * short_header_size + 3 * 8u);
    BOOST_REQUIRE(writer.write({5, 10, record_kind::value, bytes_of("longer than the others")}));
    BOOST_REQUIRE(writer.write({5, 11, record_kind::failure, {}}));
    BOOST_REQUIRE(writer.write({5, 12, record_kind::value, bytes(3)})); // not behind a value
    BOOST_REQUIRE(writer.write({6, 13, record_kind::value, bytes(3)})); // of another chunk
    BOOST_REQUIRE(writer.write({6, 15, record_kind::value, bytes(3)})); // not the next one
    reader.drain(drained);
    record_reader records;
    auto rest = drained.bytes();
    const auto row = records.next(rest).value();
    BOOST_TEST(row.chunk == 5u);
    BOOST_TEST(row.position == 7u);
    BOOST_TEST(row.count == 3u);
    BOOST_TEST(std::memcmp(row.bytes.data() + 8 + short_header_size, &values[1], 8) == 0);
    BOOST_TEST(std::memcmp(row.bytes.data() + 2 * (8 + short_header_size), &values[2], 8) == 0);
    const auto longer = records.next(rest).value();
    BOOST_TEST(longer.position == 10u);
    BOOST_TEST(longer.count == 1u);
    BOOST_TEST(longer.bytes.size() == 22u);
    BOOST_TEST((records.next(rest).value().kind == record_kind::failure));
    BOOST_TEST(records.next(rest).value().position == 12u);
    BOOST_TEST(records.next(rest).value().chunk == 6u);
    BOOST_TEST(records.next(rest).value().position == 15u);
    BOOST_TEST(!records.next(rest));
    // What is read later goes on where the reader was.
    BOOST_REQUIRE(writer.write({6, 16, record_kind::value, bytes(0)}));
    drained.clear();
    reader.drain(drained);
    rest = drained.bytes();
    const auto later = records.next(rest).value();
    BOOST_TEST(later.chunk == 6u);
    BOOST_TEST(later.position == 16u);
}

BOOST_AUTO_TEST_CASE(bad_short_records_are_refused)
{
    const auto refused = [](std::uint64_t word, bool after_a_value) {
        record_reader records;
        std::byte bytes[record_header_size + 2 * short_header_size]{};
        write_record_header(bytes, {1, 2, after_a_value ? record_kind::value : record_kind::failure, {}});
        std::memcpy(bytes + record_header_size, &word, sizeof word);
        std::span<const std::byte> rest(bytes);
        records.next(rest);
        try {
            records.next(rest);
            return false;
        }
        catch (const error& e) {
            return e.code() == errc::protocol_error;
        }
    };
    constexpr std::uint64_t mark = std::uint64_t(1) << 63;
    BOOST_TEST(!refused(mark | 8, true));
    BOOST_TEST(refused(mark | 8, false));
    BOOST_TEST(refused(mark | 9, true));
    BOOST_TEST(refused(static_cast<std::uint64_t>(-1), true));
    std::uint64_t word = mark;
    std::span<const std::byte> rest = std::as_bytes(std::span(&word, 1));
    BOOST_CHECK_EXCEPTION(record_reader().next(rest), error, is_protocol_error);
}

BOOST_FIXTURE_TEST_CASE(a_reader_never_sees_half_a_record, fixture)
{
    constexpr std::uint32_t count = 20'000;
    std::thread producer([&] {
        for (std::uint32_t i = 0; i < count;) {
            const std::string value(i % 50, static_cast<char>(i));
            if (writer.write({1, i, record_kind::value, bytes_of(value)}))
                ++i;
            else
                std::this_thread::yield();
        }
    });
    std::uint32_t expected = 0;
    record_reader records;
    bool all_sound = true;
    while (expected < count) {
        drained.clear();
        reader.drain(drained);
        auto rest = drained.bytes();
        if (rest.empty())
            std::this_thread::yield();
        while (auto taken = records.next(rest)) {
            all_sound = all_sound && taken->position == expected && taken->bytes.size() == expected % 50;
            for (const std::byte b : taken->bytes)
                all_sound = all_sound && b == static_cast<std::byte>(static_cast<char>(expected));
            expected += taken->count;
        }
    }
    producer.join();
    BOOST_TEST(all_sound);
}

BOOST_AUTO_TEST_SUITE_END()
