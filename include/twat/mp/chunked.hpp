// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_CHUNKED_HPP
#define TWAT_MP_CHUNKED_HPP

#include <cstddef>
#include <iterator>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <utility>
#include <vector>

#include <twat/mp/config.hpp>

#include <twat/mp/detail/operation/range_holder.hpp>

namespace twat::mp {

/** A range, `n` elements at a time, as vectors; what `chunked` returns. A move-only input range, and a view.

    The last vector may be shorter. An element is read when the vector with it is.

    @par Thread Safety
    Distinct objects: safe. Shared objects: unsafe.
*/
template <class Range>
class chunked_view : public std::ranges::view_base
{
    using held = detail::held_range_t<Range>;

public:
    using value_type = std::vector<std::ranges::range_value_t<held>>;

    /// An input iterator: `++` reads the next vector, `*` moves it out.
    class iterator
    {
    public:
        using iterator_concept = std::input_iterator_tag;
        using value_type = typename chunked_view::value_type;
        using difference_type = std::ptrdiff_t;

        iterator() = default;
        iterator(iterator&&) noexcept = default;
        iterator& operator=(iterator&&) noexcept = default;

        value_type operator*() const { return std::move(view_->chunk_); }
        iterator& operator++()
        {
            view_->read();
            return *this;
        }
        void operator++(int) { ++*this; }

        friend bool operator==(const iterator& it, std::default_sentinel_t) noexcept { return it.at_end(); }

    private:
        friend class chunked_view;
        explicit iterator(chunked_view* view) noexcept : view_(view) {}
        bool at_end() const noexcept { return view_->at_end_; }

        chunked_view* view_ = nullptr;
    };

    /// @private
    chunked_view(std::in_place_t, Range&& range, std::size_t size)
        : range_(std::in_place, std::forward<Range>(range)), size_(size)
    {
        if (size == 0)
            throw std::invalid_argument("twat::mp::chunked: a chunk of 0 elements");
    }

    iterator begin()
    {
        at_ = std::ranges::begin(range_.get());
        begun_ = false;
        read();
        return iterator(this);
    }
    std::default_sentinel_t end() const noexcept { return {}; }

    std::size_t size() requires std::ranges::sized_range<held>
    {
        const auto elements = static_cast<std::size_t>(std::ranges::size(range_.get()));
        return elements / size_ + (elements % size_ != 0 ? 1 : 0);
    }

private:
    void read()
    {
        chunk_ = value_type();
        while (chunk_.size() != size_) {
            if (begun_)
                ++*at_;
            begun_ = true;
            if (*at_ == std::ranges::end(range_.get())) {
                begun_ = false; // the end is not gone beyond
                break;
            }
            chunk_.push_back(**at_);
        }
        at_end_ = chunk_.empty();
    }

    detail::range_holder<Range> range_;
    std::size_t size_;
    std::optional<std::ranges::iterator_t<held>> at_;
    bool begun_ = false;
    bool at_end_ = false;
    value_type chunk_;
};

/** Cuts a range into vectors of `n` elements, for functions that take several at once: `pool.map(f, mp::chunked(xs, 100))`.

    @par Object Lifetimes
    An lvalue container is referred to; rvalues and views are moved in.

    @throws std::invalid_argument `n` is 0.
*/
template <class Range>
requires detail::holdable_range<Range> chunked_view<Range> chunked(Range&& range, std::size_t n)
{
    return chunked_view<Range>(std::in_place, std::forward<Range>(range), n);
}

} // namespace twat::mp

#endif
