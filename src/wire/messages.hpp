// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_WIRE_MESSAGES_HPP
#define TWAT_MP_SRC_WIRE_MESSAGES_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include <twat/mp/detail/codec/byte_buffer.hpp>
#include <twat/mp/detail/operation/payload.hpp>
#include <twat/mp/options.hpp>

#include "shm/arena.hpp"

namespace twat::mp::detail {

// What lies inside the frames that have something inside. Members that refer to bytes refer to the caller's when written, and to
// the frame's when read. Reading throws `mp::error` (`protocol_error`) for bytes that make no sense.

/// The first frame to a worker: what it is, before it runs anything.
struct hello_message
{
    std::uint32_t version = 0;
    bool debug = false;   ///< The worker may write to stderr what it does.
    bool foreign = false; ///< The worker is another program: builds are not compared.
    std::uint64_t node = 0;
    std::uint64_t nodes = 0;
    std::uint64_t child_concurrency = 0;
    std::uint64_t max_message_size = 0;
    std::string_view build{};                 ///< The parent's `build_id()`.
    std::span<const std::byte> initializer{}; ///< An encoded `mp::task`; empty: none.
    std::span<const std::byte> state{};       ///< What makes the worker's state, the same.
    std::span<const std::byte> finalizer{};
    bool watches_memory = false;  ///< The parent wants to know the worker's size at the end of each chunk.
    duration spin{};              ///< How long the worker looks for work before it sleeps.
    std::uint64_t max_memory = 0; ///< `pool_options::max_memory_per_child`.
    std::string_view chaos{};     ///< `pool_options::chaos` as text; empty: none.
    duration slow_start{};        ///< How long the worker waits before its initializer, for chaos.
};

void write_hello(byte_buffer& to, const hello_message& message);
hello_message read_hello(std::span<const std::byte> bytes);

struct hello_reply_message
{
    std::uint32_t version = 0;
    std::int64_t pid = 0;    ///< As the worker knows it.
    std::uint64_t nonce = 0; ///< Of its marker: it is the child that was started, and not one of its children.
    std::string_view build{};
};

void write_hello_reply(byte_buffer& to, const hello_reply_message& message);
hello_reply_message read_hello_reply(std::span<const std::byte> bytes);

/// The start of a `chunk` frame. Behind it lie, unless all arguments are of one size, where each task's arguments end (64 bits
/// each), and then the arguments.
struct chunk_message
{
    std::uint64_t op = 0;
    std::uint64_t first = 0; ///< Index of the first task.
    std::uint64_t attempt = 0;
    duration timeout{};                  ///< Of one task; zero: none.
    std::optional<duration> remaining{}; ///< Until the operation's deadline.
    std::uint32_t count = 0;
    std::uint32_t slot = 0; ///< In the shared page.
    bool coroutine = false;
    std::uint64_t seed = 0;                 ///< `call_options::seed`.
    bool reports = false;                   ///< The parent looks at what the tasks report.
    bool measured = false;                  ///< The worker tells what each task used.
    bool keeps_bytes = false;               ///< Results are bytes alone: shared memory is copied into them.
    trace_context trace_parent{};           ///< `call_options::trace_parent`.
    std::optional<arena_place> arguments{}; ///< They are not in the frame, but in the arena.
};

/// The arguments of a chunk's tasks, as they lie in a frame.
class chunk_arguments
{
public:
    chunk_arguments() = default;
    /// Throws if the sizes do not fit together.
    chunk_arguments(std::uint32_t count, std::optional<std::uint64_t> equal_size, std::span<const std::byte> ends,
                    std::span<const std::byte> bytes);

    /// @pre `position` is less than the chunk's count.
    std::span<const std::byte> operator[](std::uint32_t position) const noexcept
    {
        const std::size_t begin = position == 0 ? 0 : end(position - 1);
        return bytes_.subspan(begin, end(position) - begin);
    }

private:
    std::size_t end(std::uint32_t position) const noexcept
    {
        if (equal_size_)
            return (std::size_t(position) + 1) * static_cast<std::size_t>(*equal_size_);
        std::uint64_t value;
        std::memcpy(&value, ends_.data() + std::size_t(position) * 8, sizeof value);
        return static_cast<std::size_t>(value);
    }

    std::optional<std::uint64_t> equal_size_;
    std::span<const std::byte> ends_; ///< Not aligned.
    std::span<const std::byte> bytes_;
};

/// Appends the frame's header and all that precedes the arguments. The caller sends `payload.bytes()` behind it, unless they are in
/// the arena.
void write_chunk_start(byte_buffer& to, std::uint64_t chunk_id, const chunk_message& message,
                       const encoded_payload& payload);

struct received_chunk
{
    chunk_message message;
    chunk_arguments arguments;
};

/// @param arena That of the arguments.
received_chunk read_chunk(std::span<const std::byte> bytes, const arena_mapping& arena = {});

} // namespace twat::mp::detail

#endif
