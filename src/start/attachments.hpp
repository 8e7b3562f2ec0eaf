// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_START_ATTACHMENTS_HPP
#define TWAT_MP_SRC_START_ATTACHMENTS_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <mutex>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include <twat/mp/detail/codec/attachments.hpp>
#include <twat/mp/detail/codec/byte_buffer.hpp>
#include <twat/mp/unique_fd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/strand.hpp>

#include "os/socket_io.hpp"

namespace twat::mp::detail {

/// The most descriptors of one message.
inline constexpr std::size_t most_attached = most_descriptors_sent;

/** Descriptors that have arrived and not been decoded, of a whole process: what decodes need not know where its bytes come from. */
class attachment_inbox
{
public:
    /// For values that are decoded in worker processes, by chunk, and for results, by the worker that sent them.
    static attachment_inbox& of_chunks();
    static attachment_inbox& of_results();

    /// @param fd Empty: it did not arrive.
    void put(std::uint64_t owner, std::uint64_t key, unique_fd fd);
    unique_fd take(std::uint64_t key);
    /// Closes what is left of an owner's.
    void drop(std::uint64_t owner) noexcept;

private:
    template <attachment_inbox& (*instance)()>
    static attachment_inbox& make();

    std::mutex mutex_;
    std::atomic<std::size_t> count_{0}; ///< Most processes never have any.
    std::unordered_multimap<std::uint64_t, std::pair<std::uint64_t, unique_fd>> by_owner_;
};

/// As long as it lives, sockets that this thread decodes are bound to the executor under a strand.
class decoding_scope
{
public:
    using strand = asio::strand<asio::any_io_executor>;
    explicit decoding_scope(const strand& on) noexcept : before_(std::exchange(current, &on)) {}
    decoding_scope(const decoding_scope&) = delete;
    decoding_scope& operator=(const decoding_scope&) = delete;
    ~decoding_scope() { current = before_; }

    static inline thread_local const strand* current = nullptr;

private:
    const strand* const before_;
};

/// As if they had been sent to this process itself.
void deliver_here(std::uint64_t owner, const attachments& sent);

/** Descriptors that came with bytes of a stream, and the messages there that name them: each message has a group of its own. */
class attachment_groups
{
public:
    /// See `receive_bytes`; notes the descriptors that come with the bytes.
    std::ptrdiff_t receive(int socket, std::span<std::byte> to, socket_call how);
    /// Calls `put(key, fd)` for the next group, with the keys that its message holds. Of those that did not arrive `fd` is empty.
    template <class Put>
    void name(std::span<const std::byte> keys, Put put)
    {
        std::vector<unique_fd> group = take();
        for (std::size_t i = 0; keys.size() >= sizeof(std::uint64_t); ++i) {
            std::uint64_t key;
            std::memcpy(&key, keys.data(), sizeof key);
            keys = keys.subspan(sizeof key);
            put(key, i < group.size() ? std::move(group[i]) : unique_fd());
        }
    }

private:
    std::vector<unique_fd> take();

    std::vector<std::vector<unique_fd>> groups_; ///< Few at a time.
};

/// Sends ranges, the first with descriptors: see `send_descriptors`. @pre It is not empty, and `sent.size() <= most_attached`
std::ptrdiff_t send_attached(int socket, std::span<const std::span<const std::byte>> ranges,
                             std::span<const attachment> sent, socket_call how) noexcept;

/// Those of `sent` that are memory, each once, or those that are not.
attachments descriptors_of(std::span<const attachment> sent);
attachments memory_of(std::span<const attachment> sent);

/// What names them.
byte_buffer keys_of(std::span<const attachment> sent);

} // namespace twat::mp::detail

#endif
