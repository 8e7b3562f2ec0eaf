// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_BYTE_BUFFER_HPP
#define TWAT_MP_DETAIL_BYTE_BUFFER_HPP

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>
#include <span>
#include <utility>

#include <twat/mp/config.hpp>

namespace twat::mp::detail {

/// Frees what `malloc` gave, in the background: giving many pages back takes longer than an event loop may be held up.
/// In a worker process, whose size is watched, at once. @pre At least `large_block` bytes.
TWAT_MP_DECL void free_large(void* block) noexcept;
inline constexpr std::size_t large_block = std::size_t(8) << 20;

/** Bytes that grow at the end and are not zeroed first, unlike those of a `std::vector`. Move-only. */
class byte_buffer
{
public:
    byte_buffer() = default;
    byte_buffer(byte_buffer&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)),
          size_(std::exchange(other.size_, 0)),
          capacity_(std::exchange(other.capacity_, 0))
    {}
    byte_buffer& operator=(byte_buffer&& other) noexcept
    {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
        return *this;
    }
    ~byte_buffer()
    {
        if (capacity_ < large_block)
            std::free(data_);
        else
            free_large(data_);
    }

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
        const std::size_t twice = capacity_ < 64 ? 128 : capacity_ * 2;
        reallocate(twice < size_ + n ? size_ + n : twice);
    }

    void reallocate(std::size_t capacity)
    {
        // realloc moves large blocks by remapping their pages, which copying into a new vector cannot.
        void* moved = std::realloc(data_, capacity);
        if (!moved)
            throw std::bad_alloc();
        data_ = static_cast<std::byte*>(moved);
        capacity_ = capacity;
    }

    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

} // namespace twat::mp::detail

#endif
