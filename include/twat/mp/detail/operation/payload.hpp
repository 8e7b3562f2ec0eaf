// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_PAYLOAD_HPP
#define TWAT_MP_DETAIL_OPERATION_PAYLOAD_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <twat/mp/config.hpp>
#include <twat/mp/encoder.hpp>
#include <twat/mp/detail/codec/byte_buffer.hpp>

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

    /// Descriptors that go with them. One that several neighbours refer to counts once.
    virtual std::size_t descriptors() const noexcept { return 0; }

    /// Where large arguments may lie from the start, instead of on the heap. @pre `size() == 0`
    virtual void set_memory(std::shared_ptr<buffer_memory>) {}

    /// Takes away the tasks from `position` on. A worker may be reading the tasks before `position` at this time: they stay where
    /// they are. @pre `position <= size()`
    virtual std::unique_ptr<payload> split(std::size_t position) = 0;

    /// The task at `position` by itself, to be run once more; a worker is done with it, and may be at others. Null if that is not possible.
    virtual std::unique_ptr<payload> extract(std::size_t) { return nullptr; }

    /// A copy of the task at `position` by itself, while a worker may be running it. Null if that is not possible.
    virtual std::unique_ptr<payload> copy(std::size_t) { return nullptr; }
};

/** Encoded arguments, back to back: what process workers take. */
class TWAT_MP_DECL encoded_payload final : public payload
{
public:
    encoded_payload() { out_.allow(travellers::all); }

    std::size_t size() const noexcept override { return count_; }
    std::size_t size_in_bytes() const noexcept override { return out_.size(); }
    std::size_t descriptors() const noexcept override;
    std::unique_ptr<payload> split(std::size_t position) override;
    std::unique_ptr<payload> extract(std::size_t position) override;
    std::unique_ptr<payload> copy(std::size_t position) override
    {
        return has_descriptors(sent()) ? nullptr : extract(position); // they have one receiver
    }
    void set_memory(std::shared_ptr<buffer_memory> memory) override { buffer() = byte_buffer(std::move(memory)); }

    /// The arguments of one task.
    std::span<const std::byte> operator[](std::size_t position) const noexcept
    {
        const std::size_t begin = position == 0 ? 0 : end(position - 1);
        return bytes().subspan(begin, end(position) - begin);
    }

    /// All of them.
    std::span<const std::byte> bytes() const noexcept { return out_.bytes(); }
    /// Whether all tasks have arguments of one size: `equal_size()`. If not, `ends()` tells where those of each task end.
    bool is_even() const noexcept { return ends_.empty(); }
    std::size_t equal_size() const noexcept { return equal_size_; }
    std::span<const std::uint64_t> ends() const noexcept { return ends_; }

    /// To append a task, write its arguments here and call `end_task`; to drop what was written, `drop_task`.
    encoder& writer() noexcept { return out_; }
    byte_buffer& buffer() noexcept { return out_.buffer(); }
    const byte_buffer& buffer() const noexcept { return out_.buffer(); }
    void drop_task() noexcept
    {
        buffer().truncate(end_of_tasks());
        if (attachments* const sent = out_.sent())
            std::erase_if(*sent, [end = end_of_tasks()](const attachment& each) { return each.offset >= end; });
    }
    /// Adds the tasks of another one behind these.
    void append(const encoded_payload& other);
    /// All tasks have their outcomes: no other worker will need the descriptors. Memory stays, as results may refer to it.
    void forget_sent() noexcept
    {
        if (attachments* const sent = out_.sent())
            std::erase_if(*sent, [](const attachment& each) { return !each.is_memory; });
    }
    /// Descriptors that go with the arguments; null: none.
    const attachments* sent() const noexcept { return out_.sent(); }
    void end_task()
    {
        const std::size_t size = out_.size() - end_of_tasks();
        if (count_ == 0)
            equal_size_ = size;
        if (!is_even() || size != equal_size_)
            note_end();
        ++count_;
    }
    /// The same for several tasks, each of so many bytes. @pre `is_even()`, and tasks that are there already have this size.
    void end_tasks(std::size_t count, std::size_t size) noexcept
    {
        equal_size_ = size;
        count_ += count;
    }

private:
    std::size_t end(std::size_t position) const noexcept
    {
        return is_even() ? (position + 1) * equal_size_ : ends_[position];
    }
    std::size_t end_of_tasks() const noexcept { return count_ == 0 ? 0 : end(count_ - 1); }
    void note_end();
    void attach(const attachment& sent, std::size_t offset)
    {
        out_.attach()->push_back({offset, sent.key, sent.fd, sent.is_memory});
    }

    encoder out_;
    std::size_t count_ = 0;
    std::size_t equal_size_ = 0;
    std::vector<std::uint64_t> ends_; ///< Empty as long as all have one size: a million integers need no table.
};

} // namespace twat::mp::detail

#endif
