// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include "wire/messages.hpp"

#include <twat/mp/error.hpp>

#include <boost/test/unit_test.hpp>

#include <random>
#include <string>
#include <vector>

#include "wire/frame.hpp"

using namespace twat::mp;
using namespace twat::mp::detail;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(test_wire_messages)

std::string text(std::span<const std::byte> bytes)
{
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

void fill(encoded_payload& payload, std::initializer_list<std::string> arguments)
{
    for (const std::string& argument : arguments) {
        payload.buffer().append(argument.data(), argument.size());
        payload.end_task();
    }
}

byte_buffer whole_chunk(const chunk_message& message, const encoded_payload& payload)
{
    byte_buffer frame;
    write_chunk_start(frame, 77, message, payload);
    frame.append(payload.bytes().data(), payload.bytes().size());
    return frame;
}

/// Every shortening and many corruptions of `bytes` are either read or refused by `read`, never worse.
template <class Read>
void torment(std::span<const std::byte> bytes, Read read)
{
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
        const std::vector<std::byte> copy(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(cut));
        BOOST_CHECK_EXCEPTION(read(copy), error, [](const error& e) { return e.code() == errc::protocol_error; });
    }
    std::mt19937 random(1);
    for (int round = 0; round < 5000; ++round) {
        std::vector<std::byte> copy(bytes.begin(), bytes.end());
        for (int i = 0; i < 3; ++i)
            copy[random() % copy.size()] = static_cast<std::byte>(random());
        try {
            read(copy);
        }
        catch (const error& e) {
            BOOST_TEST((e.code() == errc::protocol_error));
        }
    }
}

BOOST_AUTO_TEST_CASE(hello_is_read_as_it_was_written)
{
    const std::string initializer = "init", state = "state", finalizer(1000, 'f');
    byte_buffer bytes;
    write_hello(bytes, {protocol_version, true, false, 3, 4, 16, 1 << 30, "build", bytes_of(initializer),
                        bytes_of(state), bytes_of(finalizer), true, std::chrono::microseconds(50), 1 << 28});
    const hello_message read = read_hello(bytes.bytes());
    BOOST_TEST(read.version == protocol_version);
    BOOST_TEST(read.debug);
    BOOST_TEST(!read.foreign);
    BOOST_TEST(read.node == 3u);
    BOOST_TEST(read.nodes == 4u);
    BOOST_TEST(read.child_concurrency == 16u);
    BOOST_TEST(read.max_message_size == 1u << 30);
    BOOST_TEST(read.build == "build");
    BOOST_TEST(text(read.initializer) == initializer);
    BOOST_TEST(text(read.state) == state);
    BOOST_TEST(text(read.finalizer) == finalizer);
    BOOST_TEST(read.watches_memory);
    BOOST_TEST((read.spin == std::chrono::microseconds(50)));
    BOOST_TEST(read.max_memory == 1u << 28);
    torment(bytes.bytes(), read_hello);
}

BOOST_AUTO_TEST_CASE(another_version_of_hello_is_not_looked_into)
{
    byte_buffer bytes;
    const std::uint32_t version = protocol_version + 1;
    bytes.append(&version, sizeof version);
    BOOST_TEST(read_hello(bytes.bytes()).version == version);
    BOOST_TEST(read_hello_reply(bytes.bytes()).version == version);
}

BOOST_AUTO_TEST_CASE(hello_reply_is_read_as_it_was_written)
{
    byte_buffer bytes;
    write_hello_reply(bytes, {protocol_version, 4711, 99, "build"});
    const hello_reply_message read = read_hello_reply(bytes.bytes());
    BOOST_TEST(read.version == protocol_version);
    BOOST_TEST(read.pid == 4711);
    BOOST_TEST(read.nonce == 99u);
    BOOST_TEST(read.build == "build");
    torment(bytes.bytes(), read_hello_reply);
}

BOOST_AUTO_TEST_CASE(chunk_with_arguments_of_one_size_has_no_table)
{
    encoded_payload payload;
    fill(payload, {"aaaa", "bbbb", "cccc"});
    const chunk_message message{1, 2, 3, 5ms, 7ms, 3, 9, false, 11};
    const byte_buffer whole = whole_chunk(message, payload);
    const frame_header header = read_frame_header(whole.bytes(), whole.size());
    BOOST_TEST((header == frame_header{frame_type::chunk, 0, 77, whole.size() - frame_header_size}));

    const received_chunk read = read_chunk(whole.bytes().subspan(frame_header_size));
    BOOST_TEST(read.message.op == 1u);
    BOOST_TEST(read.message.first == 2u);
    BOOST_TEST(read.message.attempt == 3u);
    BOOST_TEST((read.message.timeout == 5ms));
    BOOST_TEST((read.message.remaining == 7ms));
    BOOST_TEST(read.message.seed == 11u);
    BOOST_TEST(read.message.count == 3u);
    BOOST_TEST(read.message.slot == 9u);
    BOOST_TEST(!read.message.coroutine);
    BOOST_TEST(text(read.arguments[0]) == "aaaa");
    BOOST_TEST(text(read.arguments[2]) == "cccc");
    torment(whole.bytes().subspan(frame_header_size), [](auto bytes) { return read_chunk(bytes); });
}

BOOST_AUTO_TEST_CASE(chunk_with_arguments_of_many_sizes)
{
    encoded_payload payload;
    fill(payload, {"", "bb", "c", "", std::string(300, 'x')});
    const byte_buffer whole = whole_chunk({1, 2, 3, {}, {}, 5, 0, false}, payload);
    const received_chunk read = read_chunk(whole.bytes().subspan(frame_header_size));
    BOOST_TEST(!read.message.remaining);
    const std::string expected[]{"", "bb", "c", "", std::string(300, 'x')};
    for (std::uint32_t i = 0; i < 5; ++i)
        BOOST_TEST(text(read.arguments[i]) == expected[i]);
    torment(whole.bytes().subspan(frame_header_size), [](auto bytes) { return read_chunk(bytes); });
}

BOOST_AUTO_TEST_CASE(chunk_of_tasks_without_arguments)
{
    encoded_payload payload;
    fill(payload, {"", ""});
    const byte_buffer whole = whole_chunk({1, 2, 3, {}, {}, 2, 0, false}, payload);
    BOOST_TEST(read_chunk(whole.bytes().subspan(frame_header_size)).arguments[1].empty());
}

BOOST_AUTO_TEST_CASE(a_deadline_that_has_passed_is_sent_as_none_left)
{
    encoded_payload payload;
    fill(payload, {"x"});
    const byte_buffer whole = whole_chunk({1, 2, 3, {}, duration(-1), 1, 0, true}, payload);
    const received_chunk read = read_chunk(whole.bytes().subspan(frame_header_size));
    BOOST_TEST(read.message.remaining.value().count() == 0);
    BOOST_TEST(read.message.coroutine);
}

BOOST_AUTO_TEST_SUITE_END()
