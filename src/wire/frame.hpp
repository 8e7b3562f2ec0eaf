// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_WIRE_FRAME_HPP
#define TWAT_MP_SRC_WIRE_FRAME_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <twat/mp/detail/codec/byte_buffer.hpp>

namespace twat::mp::detail {

inline constexpr std::uint32_t protocol_version = 3;

enum class frame_type : std::uint16_t {
    // From the parent to the worker:
    hello = 1, ///< See `hello_message`.
    function,  ///< id: operation. The function and what it holds. Before the operation's first chunk.
    forget,    ///< id: operation. No more chunks of it will come.
    chunk,     ///< id: chunk. See `chunk_message`.
    cancel,    ///< id: chunk, of a coroutine. Flag: `frame_flag_abandon`.
    ping,      ///< id: any, for the `pong`.
    attached,  ///< id: chunk, whose arguments hold these keys. The descriptors come with the frame's first byte.
    memory,    ///< The same for shared memory. Flag: `frame_flag_function`.
    goodbye,   ///< End in order. The worker answers with `farewell` after its finalizer.
    // From the worker to the parent:
    hello_reply = 33,   ///< See `hello_reply_message`.
    ready,              ///< The initializer has run.
    initializer_failed, ///< It threw: the encoded exception.
    published,          ///< id: bytes published in the ring.
    result,             ///< One record that did not go into the ring.
    pong,               ///< id: that of the `ping`.
    result_attached,    ///< As `attached`, for the `result` that follows.
    result_memory,      ///< As `memory`, for the `result` that follows.
    farewell,           ///< The answer to `goodbye`: the finalizer has run.
};

/// `cancel`: the parent no longer counts the coroutine as one that the worker runs.
inline constexpr std::uint16_t frame_flag_abandon = 1;

/// `memory`: id: operation, of whose function the keys are; 0: of the functions in the `hello` that follows.
inline constexpr std::uint16_t frame_flag_function = 1;

/// `farewell`: with the encoded value that the finalizer returned.
inline constexpr std::uint16_t frame_flag_value = 1;

/// Precedes the bytes of every frame.
struct frame_header
{
    frame_type type{};
    std::uint16_t flags = 0;
    std::uint64_t id = 0;
    std::uint64_t length = 0; ///< Of the bytes that follow.

    friend bool operator==(const frame_header&, const frame_header&) = default;
};

inline constexpr std::size_t frame_header_size = 24;

void write_frame_header(std::byte* to, const frame_header& header) noexcept;

/// Throws `mp::error` (`protocol_error`) for anything that `write_frame_header` did not write, or a length beyond `limit`.
/// @pre `bytes.size() >= frame_header_size`
frame_header read_frame_header(std::span<const std::byte> bytes, std::uint64_t limit);

/// Appends a whole frame.
void append_frame(byte_buffer& to, frame_header header, std::span<const std::byte> bytes = {});

struct frame
{
    frame_header header;
    std::span<const std::byte> bytes;
};

/** Cuts what arrives on a socket into frames. Does no I/O: the caller reads into `space()` and says how much it got. */
class frame_reader
{
public:
    /// @param limit The longest frame that may come.
    explicit frame_reader(std::uint64_t limit) : limit_(limit) {}

    void set_limit(std::uint64_t limit) noexcept { limit_ = limit; }

    /// Room for what arrives next, never empty. Frames taken before become invalid.
    std::span<std::byte> space();
    void add(std::size_t n) noexcept { end_ += n; }

    /// The next whole frame, valid until `space` is called. Throws as `read_frame_header` does.
    std::optional<frame> next();
    /// Whether `next` would return one.
    bool has_frame();

    /// Whether the bytes end inside a frame.
    bool is_inside_frame() const noexcept { return begin_ != end_; }

private:
    std::uint64_t limit_;
    byte_buffer buffer_; ///< Its size is its capacity; what arrived lies in [begin_, end_).
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

} // namespace twat::mp::detail

#endif
