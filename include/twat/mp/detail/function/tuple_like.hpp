// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_FUNCTION_TUPLE_LIKE_HPP
#define TWAT_MP_DETAIL_FUNCTION_TUPLE_LIKE_HPP

#include <boost/tuple/tuple.hpp>

#include <array>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

#include <twat/mp/config.hpp>

namespace twat::mp::detail {

// boost::tuple is told apart first: Boost gives its cons a std::tuple_size, but no std::get.

template <class Row>
concept boost_tuple = requires(Row& row)
{
    typename Row::head_type;
    typename Row::tail_type;
    row.get_head();
    row.get_tail();
};

template <class Row>
concept tuple_like = boost_tuple<Row> || requires
{
    std::tuple_size<Row>::value;
};

template <class Row>
struct row_size : std::tuple_size<Row>
{};

template <boost_tuple Row>
struct row_size<Row> : std::integral_constant<std::size_t, static_cast<std::size_t>(boost::tuples::length<Row>::value)>
{};

template <std::size_t I, class Row>
struct row_element : std::tuple_element<I, Row>
{};

template <std::size_t I, boost_tuple Row>
struct row_element<I, Row> : boost::tuples::element<static_cast<int>(I), Row>
{};

/// `std::get<I>(row)`, moved if `row` is an rvalue that owns its elements.
template <std::size_t I, class Row>
decltype(auto) get_from_row(Row&& row)
{
    using bare = std::remove_cvref_t<Row>;
    if constexpr (boost_tuple<bare>) {
        using element = typename row_element<I, bare>::type;
        if constexpr (std::is_lvalue_reference_v<Row> || std::is_reference_v<element>)
            return boost::tuples::get<static_cast<int>(I)>(row);
        else
            return std::move(boost::tuples::get<static_cast<int>(I)>(row));
    } else {
        using std::get;
        return get<I>(std::forward<Row>(row));
    }
}

} // namespace twat::mp::detail

#endif
