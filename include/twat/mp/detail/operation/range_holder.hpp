// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_RANGE_HOLDER_HPP
#define TWAT_MP_DETAIL_OPERATION_RANGE_HOLDER_HPP

#include <concepts>
#include <memory>
#include <ranges>
#include <type_traits>
#include <utility>

#include <twat/mp/config.hpp>

namespace twat::mp::detail {

/// Whether a range that is passed as `Range` (deduced from `Range&&`) is referred to: an lvalue, unless it is a view.
template <class Range>
inline constexpr bool is_referred_range =
    std::is_lvalue_reference_v<Range> &&
    !(std::ranges::view<std::remove_cvref_t<Range>> && std::copy_constructible<std::remove_cvref_t<Range>>);

/** Keeps a range for an operation: containers that the caller keeps by address, everything else by value.

    Does what `std::views::all` does, which clang 14 cannot compile with libstdc++ 12.
*/
template <class Range>
class range_holder
{
public:
    using range_type = std::remove_cvref_t<Range>;

    template <class R>
    explicit range_holder(std::in_place_t, R&& range) : range_(std::forward<R>(range))
    {}

    range_type& get() noexcept { return range_; }

private:
    range_type range_;
};

template <class Range>
requires is_referred_range<Range>
class range_holder<Range>
{
public:
    using range_type = std::remove_reference_t<Range>;

    explicit range_holder(std::in_place_t, range_type& range) : range_(std::addressof(range)) {}

    range_type& get() noexcept { return *range_; }

private:
    range_type* range_;
};

/// The range as it is iterated over.
template <class Range>
using held_range_t = typename range_holder<Range>::range_type;

/// Whether `Range&&` can be iterated over where it is held.
template <class Range>
concept holdable_range = std::ranges::input_range<held_range_t<Range>>;

/// Whether the range is known to have no end, and so never is the shortest one.
template <class Range>
inline constexpr bool is_endless = std::same_as<std::ranges::sentinel_t<Range>, std::unreachable_sentinel_t>;

} // namespace twat::mp::detail

#endif
