// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SHARED_SPAN_HPP
#define TWAT_MP_SHARED_SPAN_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <twat/mp/codec.hpp>
#include <twat/mp/config.hpp>
#include <twat/mp/error.hpp>
#include <twat/mp/shared_vector.hpp>

namespace twat::mp {

/** A slice of a `shared_vector`, for tasks that each work on a part of one array.

    @code
    pool.for_each([](mp::shared_span<float> rows) { sharpen(rows); }, mp::slices(image, 8));
    @endcode

    Some thirty bytes are sent, whatever its size, and a worker process works on the very elements. `shared_span<const T>` may be made of any
    part of an array, and of a `shared_span<T>`; one that may be written comes from `slices`, which gives parts that do not overlap.
    As a `std::span` it is copied as a reference, and a const one may still write its elements.

    @tparam T The type of the elements, const if they may only be read. See `shared_vector`.

    @par Lifetime
    Refers to the memory of the array, which lives as long as either does.

    @par Errors
    As for a `shared_vector`. What may be read is copied where the array itself would be. What may be written must not be, for nobody would
    see what was written: there it is `errc::encode_failed`.

    @par Thread safety
    As for a `shared_vector`: while a task may write elements, nobody else may use these.
*/
template <class T>
class shared_span
{
    using array = shared_vector<std::remove_const_t<T>>;

public:
    using value_type = std::remove_const_t<T>;
    using size_type = std::size_t;
    using iterator = T*;

    shared_span() noexcept = default;

    /// All of an array, for reading.
    shared_span(const array& whole) noexcept requires std::is_const_v<T>
        : block_(whole.block_), data_(whole.data()), size_(whole.size())
    {}

    /// @throws std::out_of_range if the array has no such elements.
    shared_span(const array& whole, std::size_t first, std::size_t count) requires std::is_const_v<T>
        : shared_span(whole.block_, whole.data(), whole.size(), first, count)
    {}

    /// For reading what `other` may write.
    template <class U>
    requires(std::is_same_v<T, const U>) shared_span(const shared_span<U>& other)
    noexcept : block_(other.block_), data_(other.data_), size_(other.size_) {}

    T* data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }

    T* begin() const noexcept { return data_; }
    T* end() const noexcept { return data_ + size_; }

    T& operator[](std::size_t i) const noexcept { return data_[i]; }

    /// The same elements; does not keep their memory.
    operator std::span<T>() const noexcept { return {data_, size_}; }

private:
    template <class>
    friend class shared_span;
    friend struct codec<shared_span<T>>;
    template <class Array>
    friend auto slices(Array&& whole, std::size_t count);

    shared_span(std::shared_ptr<detail::shared_block> block, T* elements, std::size_t size, std::size_t first,
                std::size_t count)
        : block_(std::move(block)), data_(elements + std::min(first, size)), size_(count)
    {
        if (first > size || count > size - first)
            throw std::out_of_range("twat::mp::shared_span: " + std::to_string(count) + " elements from " +
                                    std::to_string(first) + " on, of an array of " + std::to_string(size));
    }

    std::shared_ptr<detail::shared_block> block_; ///< Null: empty.
    T* data_ = nullptr;
    std::size_t size_ = 0;
};

/** Cuts an array into `count` slices that do not overlap, in order, whose sizes differ by one at most; into fewer where there are fewer elements.

    @param whole A `shared_vector<T>`. Of a const one they are `shared_span<const T>`, else `shared_span<T>`.
    @return A `std::vector` of them.
    @throws std::invalid_argument if `count` is 0.

    @par Thread safety
    Who cuts an array twice has slices that overlap: it is for the caller to see that only one of those that overlap is written at a time. Nothing
    checks this. Slices that are there are not slices in use: a thread pool may keep those of a call for a moment after it has completed, and a
    program may keep some for later.
*/
template <class Array>
auto slices(Array&& whole, std::size_t count)
{
    using array = std::remove_cvref_t<Array>;
    using value = typename array::value_type;
    static_assert(std::is_same_v<array, shared_vector<value>>, "twat::mp: slices(array, count) takes a shared_vector");
    using element = std::conditional_t<std::is_const_v<std::remove_reference_t<Array>>, const value, value>;
    if (count == 0)
        throw std::invalid_argument("twat::mp::slices: an array cannot be cut into 0 slices");
    count = std::min(count, whole.size());
    std::vector<shared_span<element>> parts;
    parts.reserve(count);
    for (std::size_t i = 0, first = 0; i < count; ++i) {
        const std::size_t size = whole.size() / count + (i < whole.size() % count);
        parts.push_back(shared_span<element>(whole.block_, whole.data(), whole.size(), first, size));
        first += size;
    }
    return parts;
}

/// Sends the memory along; or the elements, where that cannot be and they may only be read.
template <class T>
struct codec<shared_span<T>>
{
    static void encode(encoder& out, const shared_span<T>& part)
    {
        const bool along = detail::send_along(out, part.block_);
        if (!along && !std::is_const_v<T> && !part.empty())
            throw error(errc::encode_failed,
                        "a shared_span that may be written cannot be sent from here, where only bytes are kept: as the "
                        "result of a finalizer or of a task under a journal; send a shared_span<const T> or the "
                        "shared_vector");
        out.write(along);
        out.write(static_cast<std::uint64_t>(part.size_));
        if (along) {
            out.write(part.block_->key());
            out.write(static_cast<std::uint64_t>(part.data_ - elements_of(*part.block_)));
        } else {
            out.write_bytes(part.data_, part.size_ * sizeof(T));
        }
    }

    static shared_span<T> decode(decoder& in)
    {
        using value = std::remove_const_t<T>;
        const bool along = in.read<bool>();
        if (!along) {
            const std::size_t size = in.read_length(sizeof(T));
            if (!std::is_const_v<T> && size != 0)
                detail::throw_bad_bytes("a shared_span that may be written has elements of its own");
            shared_vector<value> copy(size);
            const std::byte* from = in.read_bytes(size * sizeof(T));
            if (size != 0)
                std::memcpy(copy.data(), from, size * sizeof(T));
            return shared_span<T>(copy.block_, copy.data(), size, 0, size);
        }
        const auto size = in.read<std::uint64_t>();
        auto block = detail::read_block(in);
        const auto first = in.read<std::uint64_t>();
        const std::uint64_t there = block->size() / sizeof(T);
        if (first > there || size > there - first)
            detail::throw_bad_bytes("a shared_span is larger than its memory");
        T* const elements = elements_of(*block);
        return shared_span<T>(std::move(block), elements, static_cast<std::size_t>(there),
                              static_cast<std::size_t>(first), static_cast<std::size_t>(size));
    }

private:
    static T* elements_of(const detail::shared_block& block) noexcept { return reinterpret_cast<T*>(block.data()); }
};

} // namespace twat::mp

#endif
