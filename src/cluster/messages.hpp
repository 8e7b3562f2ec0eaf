// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_CLUSTER_MESSAGES_HPP
#define TWAT_MP_SRC_CLUSTER_MESSAGES_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <twat/mp/codec.hpp>
#include <twat/mp/options.hpp>

namespace twat::mp::detail::cluster {

// What pools and agents say to each other. Each message is one aggregate in the library's own encoding, perhaps with raw bytes behind it:
// both ends are the same build, or say so in the first members, which stay as they are in all versions.

inline constexpr std::uint32_t protocol_version = 1;

/// An agent tells that it is there, by itself and when a pool asks all to. To every build of the group.
struct presence_message
{
    std::uint32_t version = protocol_version;
    std::string build;   ///< `build_token()`
    std::string program; ///< For messages.
    std::string agent;   ///< Of one life of one agent; never used again.
    std::string host;
    std::int64_t pid = 0;
    std::uint64_t nodes = 0;
    bool leaving = false; ///< It takes nothing any more.
};

/// A pool asks all agents of its group to tell that they are there.
struct roll_call_message
{
    std::uint32_t version = protocol_version;
    std::string build;
    std::string pool;
    duration lease{};
};

/// A chunk, as it waits in the stream. The body lies behind it if `inlined`; otherwise the pool has it, and gives it out in parts.
struct task_message
{
    std::uint32_t version = protocol_version;
    std::string build;
    std::string pool;
    std::uint64_t chunk = 0;
    std::uint64_t first = 0; ///< Index of the first task.
    std::uint32_t count = 0;
    bool coroutine = false;
    duration timeout{}; ///< Of one task; zero: none.
    duration lease{};
    std::uint64_t setup = 0;         ///< How the workers are set up: see `setup_message`. 0: nothing special.
    std::uint64_t function_size = 0; ///< The function is at the front of the body.
    /// Of each task's arguments, if `even`; otherwise the body has a table of where they end.
    std::uint64_t equal_size = 0;
    bool even = true;
    std::uint64_t body_size = 0;
    bool inlined = true;
};

/// How a pool wants the workers that run its tasks. Asked for by agents that do not know it.
struct setup_message
{
    std::uint64_t child_concurrency = 0;
    std::uint64_t max_message_size = 0;
    std::vector<std::byte> initializer; ///< An encoded `mp::task`; empty: none.
    std::vector<std::byte> finalizer;
};

/// An agent asks whether it may run a chunk that it was delivered.
struct claim_message
{
    std::uint64_t chunk = 0;
    std::string agent;
    std::string host;
    /// Which of the agent's: the answer repeats it, so that a late one counts for no other.
    std::uint64_t delivery = 0;
    /// Where the chunk is acknowledged to the stream, by the pool, once it has the outcome.
    std::string ack;
};

enum class verdict : std::uint8_t {
    run,     ///< It is this agent's, and nobody else will get it.
    unknown, ///< Nobody wants it any more: out of the stream with it.
    taken,   ///< Another agent has it, and the stream shall keep it until that is through.
};

struct verdict_message
{
    std::uint64_t chunk = 0;
    std::uint64_t delivery = 0;
    verdict answer = verdict::unknown;
    std::optional<duration> remaining; ///< Until the operation's deadline.
};

/// The outcomes of a chunk's tasks; the body as for `task_message`, see `outcome_reader`. Repeated until `settled_message` comes.
struct outcome_message
{
    std::uint64_t chunk = 0;
    std::string agent;
    duration busy{};
    std::uint64_t body_size = 0;
    bool inlined = true;
};

struct settled_message
{
    std::uint64_t chunk = 0;
};

/// Agents ask this of each pool whose chunks they hold, a few times within each lease. Pools answer with those that they do not want.
struct alive_message
{
    std::string agent;
    std::vector<std::uint64_t> chunks;
};

/// An agent has taken a chunk out of the stream, as its pool was silent for too long. Where that was the link's fault, the pool hears of it.
struct given_up_message
{
    std::string agent;
    std::uint64_t chunk = 0;
};

struct unwanted_message
{
    std::vector<std::uint64_t> chunks;
};

/// A pool wants the running tasks of a chunk to stop.
struct stop_message
{
    std::uint64_t chunk = 0;
    bool by_force = false; ///< A worker that does not stop is killed.
};

enum class part_of : std::uint8_t { chunk, outcome, setup };

/// A part of a body that did not fit into one message.
struct part_request
{
    part_of what{};
    std::uint64_t id = 0; ///< Of the chunk, or of the setup.
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
};

/// The bytes lie behind it. An answer without bytes: nobody has it any more.
struct part_message
{
    part_of what{};
    std::uint64_t id = 0;
    std::uint64_t offset = 0;
};

template <class Message>
std::vector<std::byte> pack(const Message& message, std::span<const std::byte> behind = {})
{
    encoder out;
    out.write(message);
    std::vector<std::byte> bytes;
    bytes.reserve(out.size() + behind.size());
    bytes.insert(bytes.end(), out.bytes().begin(), out.bytes().end());
    bytes.insert(bytes.end(), behind.begin(), behind.end());
    return bytes;
}

/// A message, and what lies behind it. Throws `mp::error` (`decode_failed`) for anything else.
template <class Message>
std::pair<Message, std::span<const std::byte>> unpack(std::span<const std::byte> bytes)
{
    decoder in(bytes);
    auto message = in.read<Message>();
    return {std::move(message), in.rest()};
}

} // namespace twat::mp::detail::cluster

#endif
