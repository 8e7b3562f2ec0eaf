// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_PAYLOAD_HPP
#define TWAT_MP_DETAIL_PAYLOAD_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <twat/mp/config.hpp>
#include <twat/mp/detail/byte_buffer.hpp>

namespace twat::mp::detail {

/** The arguments of the tasks of one chunk, in the form that the pool's workers take. */
class TWAT_MP_DECL payload
{
public:
    payload() = default;
    payload(const payload&) = delete;
    payload& operator=(const payload&) = delete;
    virtual ~payload();

    /// Tasks in it.
    virtual std::size_t size() const noexcept = 0;

    /// Bytes that they take on the way to a worker; 0 if they are not sent.
    virtual std::size_t size_in_bytes() const noexcept { return 0; }

    /// Takes away the tasks from `position` on. A worker may be reading the tasks before `position` at this time: they stay where
    /// they are. @pre `position <= size()`
    virtual std::unique_ptr<payload> split(std::size_t position) = 0;
};

/** Encoded arguments, back to back: what process workers take. */
class TWAT_MP_DECL encoded_payload final : public payload
{
public:
    std::size_t size() const noexcept override { return ends_.size(); }
    std::size_t size_in_bytes() const noexcept override { return bytes_.size(); }
    std::unique_ptr<payload> split(std::size_t position) override;

    /// The arguments of one task.
    std::span<const std::byte> operator[](std::size_t position) const noexcept
    {
        const std::size_t begin = position == 0 ? 0 : ends_[position - 1];
        return {bytes_.data() + begin, ends_[position] - begin};
    }

    /// All of them; `ends()` tells where each one ends.
    std::span<const std::byte> bytes() const noexcept { return bytes_.bytes(); }
    std::span<const std::uint64_t> ends() const noexcept { return ends_; }

    /// To append a task, write its arguments here and call `end_task`; to drop what was written, `drop_task`.
    byte_buffer& buffer() noexcept { return bytes_; }
    void end_task() { ends_.push_back(bytes_.size()); }
    void drop_task() noexcept { bytes_.truncate(ends_.empty() ? 0 : ends_.back()); }

private:
    byte_buffer bytes_;
    std::vector<std::uint64_t> ends_;
};

} // namespace twat::mp::detail

#endif
