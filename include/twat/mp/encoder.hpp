// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_ENCODER_HPP
#define TWAT_MP_ENCODER_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

#include <twat/mp/config.hpp>
#include <twat/mp/detail/codec/attachments.hpp>
#include <twat/mp/detail/codec/byte_buffer.hpp>
#include <twat/mp/life_phase.hpp>

namespace twat::mp {

namespace detail {
template <class Coder>
class nesting;

/// What can go with bytes beside them.
enum class travellers : std::uint8_t {
    none,        ///< Shared memory is copied into the bytes.
    memory,      ///< `shared_block`s.
    descriptors, ///< Those of the user.
    all,
};
} // namespace detail

/** Turns values into bytes, at the end of a buffer that grows.

    The bytes are for another process of the same program on the same machine: native byte order and sizes, no type
    tags. Lengths are 64 bits. Distinct objects: safe. Shared objects: unsafe.
*/
class encoder
{
public:
    encoder() = default;
    /// @param limit Bytes beyond which `write` throws `errc::message_too_large`.
    explicit encoder(std::size_t limit) : limit_(limit) {}
    /// @private Appends to a buffer that is there already.
    explicit encoder(detail::byte_buffer buffer) : buffer_(std::move(buffer)) {}

    /// Appends any encodable value, by the rules of `codec.hpp`, which must be included.
    template <class T>
    void write(const T& value);

    /// Appends raw bytes.
    void write_bytes(const void* from, std::size_t n)
    {
        check(n);
        buffer_.append(from, n);
    }

    /// Makes room for `n` bytes that the caller fills before the next write.
    std::byte* extend(std::size_t n)
    {
        check(n);
        return buffer_.extend(n);
    }

    /// How many bytes were written.
    std::size_t size() const noexcept { return buffer_.size(); }
    /// What was written so far; the next write may move it.
    std::span<const std::byte> bytes() const noexcept { return buffer_.bytes(); }
    /// The size beyond which `write` throws; counted from the start of the buffer.
    std::size_t limit() const noexcept { return limit_; }
    /// Sets that size.
    void set_limit(std::size_t limit) noexcept { limit_ = limit; }

    /// @private
    detail::byte_buffer& buffer() noexcept { return buffer_; }
    /// @private
    const detail::byte_buffer& buffer() const noexcept { return buffer_; }

    /// @private Descriptors that go with the bytes; null: none.
    detail::attachments* sent() noexcept { return sent_.get(); }
    /// @private
    const detail::attachments* sent() const noexcept { return sent_.get(); }
    /// @private From now on such can go with the bytes.
    void allow(detail::travellers which) noexcept { carries_ = which; }
    /// @private Where the next descriptor goes; null: none can.
    detail::attachments* attach() { return attach(detail::travellers::descriptors); }
    /// @private The same for shared memory.
    detail::attachments* attach_memory() { return attach(detail::travellers::memory); }
    /// @private The keys of shared memory that the receiver has; null: of none that is known.
    void set_known_memory(const std::vector<std::uint64_t>* keys) noexcept { known_memory_ = keys; }
    /// @private
    const std::vector<std::uint64_t>* known_memory() const noexcept { return known_memory_; }

    /// @private Of a task's result: where it is written down how far the task is. Null: nowhere.
    void set_step_word(std::atomic<std::uint8_t>* word) noexcept { step_ = word; }
    /// @private The task has come to this step, a `life_phase`.
    void enter(life_phase step) noexcept
    {
        if (step_)
            step_->store(static_cast<std::uint8_t>(step), std::memory_order_relaxed);
    }

private:
    detail::attachments* attach(detail::travellers what)
    {
        if (carries_ != what && carries_ != detail::travellers::all)
            return nullptr;
        if (!sent_)
            sent_ = std::make_unique<detail::attachments>();
        return sent_.get();
    }

    void check(std::size_t n) const
    {
        if (n > limit_ || buffer_.size() > limit_ - n)
            throw_too_large(n);
    }
    [[noreturn]] TWAT_MP_DECL void throw_too_large(std::size_t n) const;

    template <class Coder>
    friend class detail::nesting;

    detail::byte_buffer buffer_;
    std::atomic<std::uint8_t>* step_ = nullptr;
    std::unique_ptr<detail::attachments> sent_;
    const std::vector<std::uint64_t>* known_memory_ = nullptr;
    detail::travellers carries_ = detail::travellers::none;
    std::size_t limit_ = static_cast<std::size_t>(-1) / 4;
    std::size_t depth_ = 0; // of the value being written inside others
};

} // namespace twat::mp

#endif
