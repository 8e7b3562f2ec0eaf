// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_RANGE_SOURCE_HPP
#define TWAT_MP_DETAIL_OPERATION_RANGE_SOURCE_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ranges>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <twat/mp/config.hpp>
#include <twat/mp/fwd.hpp>

#include <twat/mp/detail/function/parameter.hpp>
#include <twat/mp/detail/operation/range_holder.hpp>
#include <twat/mp/detail/function/task_traits.hpp>
#include <twat/mp/detail/function/tuple_like.hpp>

namespace twat::mp::detail {

/// Whether elements may be referred to instead of taken: threads share them, and they stay where they are.
template <class Workers, class Range>
inline constexpr bool shares_elements = !Workers::encodes && std::ranges::forward_range<Range> &&
                                        std::is_lvalue_reference_v<std::ranges::range_reference_t<Range>>;

// clang-format off
template <class Range>
inline constexpr bool is_array = std::ranges::contiguous_range<Range> && std::ranges::sized_range<Range>;
// clang-format on

template <class Workers, class Range>
using element_parameter_t = std::conditional_t<shares_elements<Workers, Range>,
                                               const std::remove_reference_t<std::ranges::range_reference_t<Range>>&,
                                               parameter_t<Workers, std::ranges::range_value_t<Range>>>;

/// What the function of `starmap` gets from rows of type `Row`.
template <class Workers, bool Shared, class Row, class Indices>
struct row_parameters;

template <class Workers, bool Shared, class Row, std::size_t... Is>
struct row_parameters<Workers, Shared, Row, std::index_sequence<Is...>>
{
    template <class E>
    using parameter =
        std::conditional_t<Shared, const std::remove_reference_t<E>&, parameter_t<Workers, std::remove_cvref_t<E>>>;
    using type = parameter_list<parameter<typename row_element<Is, Row>::type>...>;
};

/** The tasks of `map`: the elements of several ranges side by side, up to the end of the shortest.

    Nothing of a range is touched before the first `next`, and an iterator is advanced only when the element behind it is wanted.
*/
template <class Workers, class... Ranges>
class zip_source
{
public:
    using parameters = parameter_list<element_parameter_t<Workers, held_range_t<Ranges>>...>;

    template <class... Rs>
    explicit zip_source(std::in_place_t, Rs&&... ranges)
        : ranges_(range_holder<Ranges>(std::in_place, std::forward<Rs>(ranges))...)
    {}

    /// The number of tasks, if the ranges know it.
    std::optional<std::size_t> total()
    {
        std::optional<std::size_t> shortest;
        bool known = true;
        std::apply([&](auto&... holders) { (measure(holders.get(), shortest, known), ...); }, ranges_);
        return known ? shortest : std::nullopt;
    }

    /// Whether the elements of each range lie side by side. Then they may be read by index, in the place of `next` and `read`.
    static constexpr bool arrays = (... && is_array<held_range_t<Ranges>>);
    /// Whether several threads may do that.
    static constexpr bool indexable = arrays && (... && shares_elements<Workers, held_range_t<Ranges>>);

    /// Comes before `at` and `block`.
    void locate() requires arrays
    {
        firsts_ = std::apply([](auto&... holders) { return firsts(std::ranges::data(holders.get())...); }, ranges_);
    }

    /// Calls `f` with the elements at `index`. Any thread. @pre `index < total()`
    template <class Function>
    decltype(auto) at(std::uint64_t index, Function&& f) const requires arrays
    {
        return std::apply([&](auto*... firsts) -> decltype(auto) { return f(firsts[index]...); }, firsts_);
    }

    /// The elements of the only range from `index` on. @pre `index + count <= total()`
    auto block(std::uint64_t index, std::size_t count) const requires(arrays && sizeof...(Ranges) == 1)
    {
        return std::span(std::get<0>(firsts_) + index, count);
    }

    /// Goes to the next element. False at the end.
    bool next()
    {
        if (!cursors_)
            std::apply([&](auto&... holders) { cursors_.emplace(cursor<held_range_t<Ranges>>(holders.get())...); },
                       ranges_);
        else
            std::apply([](auto&... cursors) { (static_cast<void>(++cursors.at), ...); }, *cursors_);
        return std::apply([](auto&... cursors) { return (... && !(cursors.at == cursors.end)); }, *cursors_);
    }

    /// Calls `f` with what the iterators refer to.
    template <class Function>
    decltype(auto) read(Function&& f)
    {
        return std::apply([&](auto&... cursors) -> decltype(auto) { return f(*cursors.at...); }, *cursors_);
    }

private:
    template <class Range>
    struct cursor
    {
        explicit cursor(Range& range) : at(std::ranges::begin(range)), end(std::ranges::end(range)) {}

        std::ranges::iterator_t<Range> at;
        std::ranges::sentinel_t<Range> end;
    };

    template <class Range>
    static void measure(Range& range, std::optional<std::size_t>& shortest, bool& known)
    {
        if constexpr (std::ranges::sized_range<Range>) {
            const auto size = static_cast<std::size_t>(std::ranges::size(range));
            shortest = shortest ? std::min(*shortest, size) : size;
        } else if constexpr (!is_endless<Range>) {
            known = false;
        }
    }

    template <class Range>
    struct first_element
    {
        using type = std::monostate;
    };

    template <class Range>
    requires std::ranges::contiguous_range<Range>
    struct first_element<Range>
    {
        using type = std::add_pointer_t<const std::remove_reference_t<std::ranges::range_reference_t<Range>>>;
    };

    using firsts = std::tuple<typename first_element<held_range_t<Ranges>>::type...>;

    std::tuple<range_holder<Ranges>...> ranges_;
    [[no_unique_address]] std::conditional_t<arrays, firsts, std::monostate> firsts_{};
    std::optional<std::tuple<cursor<held_range_t<Ranges>>...>> cursors_;
};

/** The tasks of `starmap`: each element of one range is the argument list of one task. */
template <class Workers, class Range>
class row_source
{
    using row = std::remove_cv_t<std::ranges::range_value_t<held_range_t<Range>>>;
    using indices = std::make_index_sequence<row_size<row>::value>;

public:
    using parameters =
        typename row_parameters<Workers, shares_elements<Workers, held_range_t<Range>>, row, indices>::type;

    template <class R>
    explicit row_source(std::in_place_t, R&& range) : rows_(std::in_place, std::forward<R>(range))
    {}

    std::optional<std::size_t> total() { return rows_.total(); }
    bool next() { return rows_.next(); }

    static constexpr bool indexable = zip_source<Workers, Range>::indexable;

    void locate() requires indexable { rows_.locate(); }

    template <class Function>
    decltype(auto) at(std::uint64_t index, Function&& f) const requires indexable
    {
        return rows_.at(index, [&](const row& r) -> decltype(auto) { return spread(f, r, indices()); });
    }

    template <class Function>
    decltype(auto) read(Function&& f)
    {
        return rows_.read(
            [&](auto&& row) -> decltype(auto) { return spread(f, std::forward<decltype(row)>(row), indices()); });
    }

private:
    template <class Function, class Row, std::size_t... Is>
    static decltype(auto) spread(Function& f, Row&& row, std::index_sequence<Is...>)
    {
        return f(get_from_row<Is>(std::forward<Row>(row))...);
    }

    zip_source<Workers, Range> rows_;
};

} // namespace twat::mp::detail

#endif
