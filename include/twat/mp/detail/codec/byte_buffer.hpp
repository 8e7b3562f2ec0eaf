// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_CODEC_BYTE_BUFFER_HPP
#define TWAT_MP_DETAIL_CODEC_BYTE_BUFFER_HPP

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <utility>

#include <twat/mp/config.hpp>

namespace twat::mp::detail {

/// Frees what `malloc` gave, in the background: giving many pages back takes longer than an event loop may be held up.
/// In a worker process, whose size is watched, at once. @pre At least `large_block` bytes.
TWAT_MP_DECL void free_large(void* block) noexcept;
inline constexpr std::size_t large_block = std::size_t(8) << 20;

/// Asks for large pages behind memory that is about to be filled for the first time: to touch 4 KiB at a time takes several times as long as
/// copying. Where the system has none, or the memory is in use already, nothing changes. @pre At least `large_pages_from` bytes.
TWAT_MP_DECL void prefer_large_pages(const void* memory, std::size_t size) noexcept;
inline constexpr std::size_t large_pages_from = std::size_t(2) << 20;

/** Memory that buffers may lie in instead of the heap: shared with another process, so that large values need not travel. */
class buffer_memory
{
public:
    buffer_memory() = default;
    buffer_memory(const buffer_memory&) = delete;
    buffer_memory& operator=(const buffer_memory&) = delete;
    virtual ~buffer_memory() = default;

    /// Room for at least so many bytes, for one buffer; empty if there is none.
    virtual std::span<std::byte> take(std::size_t least) noexcept = 0;
    /// More room, at least so many bytes in all, for the buffer that got the one at `from`; empty if there is none in that place.
    virtual std::span<std::byte> widen(std::byte*, std::size_t) noexcept { return {}; }
    /// The buffer that got the room at `from` uses it no more.
    virtual void give_back(std::byte* from) noexcept = 0;
};

/** Bytes that grow at the end and are not zeroed first, unlike those of a `std::vector`. Move-only. */
class byte_buffer
{
public:
    byte_buffer() = default;
    /// Once it grows to `lending_size` it lies in `memory`, which it keeps, if there is room.
    explicit byte_buffer(std::shared_ptr<buffer_memory> memory) noexcept : memory_(std::move(memory)) {}
    byte_buffer(byte_buffer&& other) noexcept { swap(other); }
    byte_buffer& operator=(byte_buffer&& other) noexcept
    {
        swap(other);
        return *this;
    }
    ~byte_buffer() { release(); }

    /// Below this, copying a value costs less than what goes with memory of its own.
    static constexpr std::size_t lending_size = 64 * 1024;
    /// Whether the bytes lie in `memory()`.
    bool is_lent() const noexcept { return lent_; }
    const std::shared_ptr<buffer_memory>& memory() const noexcept { return memory_; }

    const std::byte* data() const noexcept { return data_; }
    std::byte* data() noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }
    std::size_t capacity() const noexcept { return capacity_; }
    bool empty() const noexcept { return size_ == 0; }
    std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }

    void clear() noexcept { size_ = 0; }
    /// @pre `size <= this->size()`
    void truncate(std::size_t size) noexcept { size_ = size; }

    /// Makes room for `n` more bytes, whose contents are undefined, and returns their address.
    std::byte* extend(std::size_t n)
    {
        if (n > capacity_ - size_)
            grow(n);
        std::byte* at = data_ + size_;
        size_ += n;
        return at;
    }

    void append(const void* from, std::size_t n)
    {
        if (n != 0)
            std::memcpy(extend(n), from, n);
    }

    /// Lies in `memory()` from now on, if there is room for so many bytes there. The heap is not asked.
    bool lend(std::size_t capacity) noexcept { return lent_ || (memory_ && borrow(capacity)); }

    void reserve(std::size_t capacity)
    {
        if (capacity > capacity_)
            reallocate(capacity);
    }

private:
    void grow(std::size_t n)
    {
        if (n > static_cast<std::size_t>(-1) / 4 - size_)
            throw std::bad_alloc();
        if (lent_ && widen(size_ + n))
            return;
        const std::size_t twice = capacity_ < 64 ? 128 : capacity_ * 2;
        reallocate(twice < size_ + n ? size_ + n : twice);
    }

    void reallocate(std::size_t capacity)
    {
        if (memory_ && capacity >= lending_size) {
            if (lent_) {
                if (!widen(capacity))
                    move_to_heap(capacity);
                return;
            }
            if (borrow(capacity))
                return;
        }
        // realloc moves large blocks by remapping their pages, which copying into a new vector cannot.
        void* moved = std::realloc(data_, capacity);
        if (!moved)
            throw std::bad_alloc();
        data_ = static_cast<std::byte*>(moved);
        capacity_ = capacity;
    }

    bool borrow(std::size_t capacity) noexcept
    {
        const std::span<std::byte> room = memory_->take(capacity);
        if (room.empty())
            return false;
        if (size_ != 0)
            std::memcpy(room.data(), data_, size_);
        std::free(data_);
        data_ = room.data();
        capacity_ = room.size();
        lent_ = true;
        return true;
    }

    bool widen(std::size_t capacity) noexcept
    {
        const std::span<std::byte> room = memory_->widen(data_, capacity);
        capacity_ = room.empty() ? capacity_ : room.size();
        return !room.empty();
    }

    void move_to_heap(std::size_t capacity)
    {
        void* own = std::malloc(capacity);
        if (!own)
            throw std::bad_alloc();
        std::memcpy(own, data_, size_);
        release();
        data_ = static_cast<std::byte*>(own);
        capacity_ = capacity;
    }

    void release() noexcept
    {
        if (lent_) {
            memory_->give_back(data_);
            memory_.reset(); // it was too small, or the buffer ends
            lent_ = false;
        } else if (capacity_ < large_block) {
            std::free(data_);
        } else {
            free_large(data_);
        }
    }

    void swap(byte_buffer& other) noexcept
    {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
        std::swap(lent_, other.lent_);
        memory_.swap(other.memory_);
    }

    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
    bool lent_ = false;
    std::shared_ptr<buffer_memory> memory_;
};

} // namespace twat::mp::detail

#endif
