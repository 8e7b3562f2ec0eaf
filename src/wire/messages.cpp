// SPDX-License-Identifier: BSL-1.0
#include "wire/messages.hpp"

#include <twat/mp/error.hpp>

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

#include "wire/frame.hpp"

namespace twat::mp::detail {
namespace {

constexpr std::uint64_t no_size = static_cast<std::uint64_t>(-1);
constexpr std::int64_t no_deadline = -1;

[[noreturn]] void throw_nonsense(const char* what) { throw error(errc::protocol_error, what); }

template <class T>
void put(byte_buffer& to, T value)
{
    static_assert(std::is_integral_v<T>);
    to.append(&value, sizeof value);
}

void put(byte_buffer& to, std::span<const std::byte> bytes)
{
    put<std::uint64_t>(to, bytes.size());
    to.append(bytes.data(), bytes.size());
}

std::span<const std::byte> as_bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

/// Takes values off the front, each checked.
class taker
{
public:
    explicit taker(std::span<const std::byte> bytes) : bytes_(bytes) {}

    template <class T>
    T take()
    {
        static_assert(std::is_integral_v<T>);
        T value;
        std::memcpy(&value, take_bytes(sizeof value).data(), sizeof value);
        return value;
    }

    std::span<const std::byte> take_bytes(std::uint64_t n)
    {
        if (n > bytes_.size())
            throw_nonsense("a message is cut off");
        const auto taken = bytes_.first(static_cast<std::size_t>(n));
        bytes_ = bytes_.subspan(taken.size());
        return taken;
    }

    std::span<const std::byte> take_sized() { return take_bytes(take<std::uint64_t>()); }

    std::string_view take_text()
    {
        const auto bytes = take_sized();
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }

    bool take_flag()
    {
        const auto value = take<std::uint8_t>();
        if (value > 1)
            throw_nonsense("a message holds a flag that is neither set nor clear");
        return value == 1;
    }

    std::span<const std::byte> rest() { return std::exchange(bytes_, {}); }

    void end() const
    {
        if (!bytes_.empty())
            throw_nonsense("a message is longer than what it says");
    }

private:
    std::span<const std::byte> bytes_;
};

} // namespace

void write_hello(byte_buffer& to, const hello_message& message)
{
    put(to, message.version);
    put<std::uint8_t>(to, message.debug);
    put<std::uint8_t>(to, message.foreign);
    for (const std::uint64_t value : {message.node, message.nodes, message.child_concurrency, message.max_message_size})
        put(to, value);
    put(to, as_bytes(message.build));
    put(to, message.initializer);
    put(to, message.state);
    put(to, message.finalizer);
    put<std::uint8_t>(to, message.watches_memory);
    put<std::int64_t>(to, message.spin.count());
    put(to, message.max_memory);
    put(to, as_bytes(message.chaos));
    put<std::int64_t>(to, message.slow_start.count());
}

hello_message read_hello(std::span<const std::byte> bytes)
{
    taker in(bytes);
    hello_message message;
    message.version = in.take<std::uint32_t>();
    if (message.version != protocol_version)
        return message; // the rest may look different
    message.debug = in.take_flag();
    message.foreign = in.take_flag();
    for (std::uint64_t* value : {&message.node, &message.nodes, &message.child_concurrency, &message.max_message_size})
        *value = in.take<std::uint64_t>();
    message.build = in.take_text();
    message.initializer = in.take_sized();
    message.state = in.take_sized();
    message.finalizer = in.take_sized();
    message.watches_memory = in.take_flag();
    message.spin = duration(in.take<std::int64_t>());
    message.max_memory = in.take<std::uint64_t>();
    message.chaos = in.take_text();
    message.slow_start = duration(in.take<std::int64_t>());
    in.end();
    return message;
}

void write_hello_reply(byte_buffer& to, const hello_reply_message& message)
{
    put(to, message.version);
    put(to, message.pid);
    put(to, message.nonce);
    put(to, as_bytes(message.build));
}

hello_reply_message read_hello_reply(std::span<const std::byte> bytes)
{
    taker in(bytes);
    hello_reply_message message;
    message.version = in.take<std::uint32_t>();
    if (message.version != protocol_version)
        return message;
    message.pid = in.take<std::int64_t>();
    message.nonce = in.take<std::uint64_t>();
    message.build = in.take_text();
    in.end();
    return message;
}

void write_chunk_start(byte_buffer& to, std::uint64_t chunk_id, const chunk_message& message,
                       const encoded_payload& payload)
{
    const std::size_t start = to.size();
    to.extend(frame_header_size);
    put(to, message.op);
    put(to, message.first);
    put(to, message.attempt);
    put<std::int64_t>(to, message.timeout.count());
    put<std::int64_t>(to, message.remaining ? std::max<std::int64_t>(0, message.remaining->count()) : no_deadline);
    put(to, message.count);
    put(to, message.slot);
    put<std::uint8_t>(to, message.coroutine);
    put(to, message.seed);
    put<std::uint8_t>(to, message.reports);
    put<std::uint8_t>(to, message.measured);
    put<std::uint8_t>(to, message.keeps_bytes);
    put<std::uint8_t>(to, message.trace_parent.valid());
    if (message.trace_parent.valid())
        put(to, as_bytes(message.trace_parent.text()));
    put<std::uint8_t>(to, message.arguments.has_value());
    if (message.arguments) {
        put(to, message.arguments->begin);
        put(to, message.arguments->size);
    }
    put<std::uint64_t>(to, payload.is_even() ? payload.equal_size() : no_size);
    if (!payload.is_even())
        to.append(payload.ends().data(), payload.ends().size_bytes());
    const std::uint64_t length =
        to.size() - start - frame_header_size + (message.arguments ? 0 : payload.bytes().size());
    write_frame_header(to.data() + start, {frame_type::chunk, 0, chunk_id, length});
}

received_chunk read_chunk(std::span<const std::byte> bytes, const arena_mapping& arena)
{
    taker in(bytes);
    received_chunk chunk;
    chunk.message.op = in.take<std::uint64_t>();
    chunk.message.first = in.take<std::uint64_t>();
    chunk.message.attempt = in.take<std::uint64_t>();
    chunk.message.timeout = duration(in.take<std::int64_t>());
    if (const auto remaining = in.take<std::int64_t>(); remaining != no_deadline)
        chunk.message.remaining = duration(remaining);
    chunk.message.count = in.take<std::uint32_t>();
    chunk.message.slot = in.take<std::uint32_t>();
    chunk.message.coroutine = in.take_flag();
    chunk.message.seed = in.take<std::uint64_t>();
    chunk.message.reports = in.take_flag();
    chunk.message.measured = in.take_flag();
    chunk.message.keeps_bytes = in.take_flag();
    if (in.take_flag())
        chunk.message.trace_parent = in.take_text();
    if (in.take_flag()) {
        arena_place& place = chunk.message.arguments.emplace();
        place.begin = in.take<std::uint64_t>();
        place.size = in.take<std::uint64_t>();
    }
    if (chunk.message.count == 0 || (chunk.message.coroutine && chunk.message.count != 1))
        throw_nonsense("a chunk has a count of tasks that it cannot have");
    const auto size = in.take<std::uint64_t>();
    const auto ends = in.take_bytes(size == no_size ? std::uint64_t(chunk.message.count) * 8 : 0);
    const auto arguments = chunk.message.arguments ? arena.at(*chunk.message.arguments) : in.rest();
    in.end();
    chunk.arguments =
        chunk_arguments(chunk.message.count, size == no_size ? std::nullopt : std::optional(size), ends, arguments);
    return chunk;
}

chunk_arguments::chunk_arguments(std::uint32_t count, std::optional<std::uint64_t> equal_size,
                                 std::span<const std::byte> ends, std::span<const std::byte> bytes)
    : equal_size_(equal_size), ends_(ends), bytes_(bytes)
{
    if (equal_size_) {
        if (bytes_.size() % count != 0 || bytes_.size() / count != *equal_size_)
            throw_nonsense("the arguments of a chunk are not of the size that it says");
        return;
    }
    std::uint64_t before = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint64_t now = end(i);
        if (now < before || now > bytes_.size())
            throw_nonsense("the arguments of a chunk overlap or exceed it");
        before = now;
    }
    if (before != bytes_.size())
        throw_nonsense("bytes are left behind the arguments of a chunk");
}

} // namespace twat::mp::detail
