// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SHARED_VECTOR_HPP
#define TWAT_MP_SHARED_VECTOR_HPP

#include <cstddef>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <utility>

#include <twat/mp/codec.hpp>
#include <twat/mp/config.hpp>

#include <twat/mp/detail/operation/shared_block.hpp>

namespace twat::mp {

template <class T>
class shared_span;

/** An array in memory that worker processes share with the program: it is sent to a worker and back without being copied.

    @code
    mp::shared_vector<float> image(width * height);
    fill(image);
    image = pool.apply([](mp::shared_vector<float> pixels) { sharpen(pixels); return pixels; }, std::move(image));
    @endcode

    The worker works on the very elements of the sender, and what it returns is the same memory. Worth it from some hundred KiB up;
    smaller values are faster in a `std::vector`. Any process pool takes it, also one in a worker or in a child that the program has forked, and so
    does a function that it is bound to. It travels as a descriptor (`SCM_RIGHTS`), and so cannot leave its machine. It is copied where only
    bytes are kept: what a finalizer returns, and what a task under a journal has made.

    Elements are plain bytes: arithmetic types but `bool`, enums, and arrays and aggregates of them without padding. They begin as
    zeroes. The size is fixed. Move-only; moved from, it is empty.

    @par Lifetime
    The memory lives as long as a `shared_vector` refers to it, in any of the processes, or a call is on its way that was given it; a worker
    keeps up to eight of those that it was sent, together at most 256 MiB besides the last one, since to map them anew takes milliseconds.

    @par Errors
    Each takes a descriptor, in the program and in each worker that has it.
    @li `errc::decode_failed`: the process that was to get it can have no more descriptors (`RLIMIT_NOFILE`), or cannot map it.
    @li `errc::encode_failed`: it would have to go to another host.

    @par Thread safety
    Distinct objects: safe. While a task may use the elements, nobody else may write them, and nobody may read what it writes: that is the
    caller's to see to, and a task that died or was cancelled may have written any of them.
*/
template <class T>
class shared_vector
{
    static_assert(detail::bytewise<T>,
                  "twat::mp: the elements of a shared_vector are plain bytes: arithmetic types but bool, enums, and "
                  "arrays and aggregates of them without padding");

public:
    using value_type = T;
    using size_type = std::size_t;
    using iterator = T*;
    using const_iterator = const T*;

    shared_vector() noexcept = default;

    /// So many zeroes. @throws std::system_error if the system has no memory or descriptor for them.
    explicit shared_vector(std::size_t size) : size_(size)
    {
        if (size > std::numeric_limits<std::ptrdiff_t>::max() / sizeof(T))
            throw std::bad_array_new_length();
        if (size != 0)
            block_ = detail::shared_block::make(size * sizeof(T));
    }

    /// A copy.
    explicit shared_vector(std::span<const T> values) : shared_vector(values.size())
    {
        if (!values.empty())
            std::memcpy(data(), values.data(), values.size_bytes());
    }

    shared_vector(shared_vector&& other) noexcept
        : block_(std::move(other.block_)), size_(std::exchange(other.size_, 0))
    {}
    shared_vector& operator=(shared_vector&& other) noexcept
    {
        block_ = std::move(other.block_);
        size_ = std::exchange(other.size_, 0);
        return *this;
    }

    T* data() noexcept { return block_ ? reinterpret_cast<T*>(block_->data()) : nullptr; }
    const T* data() const noexcept { return block_ ? reinterpret_cast<const T*>(block_->data()) : nullptr; }
    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }

    T* begin() noexcept { return data(); }
    T* end() noexcept { return data() + size_; }
    const T* begin() const noexcept { return data(); }
    const T* end() const noexcept { return data() + size_; }

    T& operator[](std::size_t i) noexcept { return data()[i]; }
    const T& operator[](std::size_t i) const noexcept { return data()[i]; }

private:
    template <class>
    friend class shared_span;
    template <class>
    friend struct codec;
    template <class Array>
    friend auto slices(Array&& whole, std::size_t count);

    shared_vector(std::shared_ptr<detail::shared_block> block, std::size_t size) noexcept
        : block_(std::move(block)), size_(size)
    {}

    std::shared_ptr<detail::shared_block> block_; ///< Null: empty.
    std::size_t size_ = 0;
};

/// Sends the memory along; or the elements, where that cannot be.
template <class T>
struct codec<shared_vector<T>>
{
    static void encode(encoder& out, const shared_vector<T>& value)
    {
        const bool along = detail::send_along(out, value.block_);
        out.write(along);
        out.write(static_cast<std::uint64_t>(value.size_));
        if (along)
            out.write(value.block_->key());
        else
            out.write_bytes(value.data(), value.size_ * sizeof(T));
    }

    static shared_vector<T> decode(decoder& in)
    {
        const bool along = in.read<bool>();
        if (!along) {
            const std::size_t size = in.read_length(sizeof(T));
            shared_vector<T> copy(size);
            const std::byte* from = in.read_bytes(size * sizeof(T));
            if (size != 0)
                std::memcpy(copy.data(), from, size * sizeof(T));
            return copy;
        }
        const auto size = in.read<std::uint64_t>();
        auto block = detail::read_block(in);
        if (size > block->size() / sizeof(T))
            detail::throw_bad_bytes("a shared_vector is larger than its memory");
        return shared_vector<T>(std::move(block), static_cast<std::size_t>(size));
    }
};

} // namespace twat::mp

#endif
