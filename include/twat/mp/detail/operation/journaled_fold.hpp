// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_JOURNALED_FOLD_HPP
#define TWAT_MP_DETAIL_OPERATION_JOURNALED_FOLD_HPP

#include <type_traits>

#include <twat/mp/codec.hpp>
#include <twat/mp/config.hpp>

#include <twat/mp/detail/function/task_traits.hpp>
#include <twat/mp/detail/operation/block.hpp>
#include <twat/mp/detail/operation/fold.hpp>
#include <twat/mp/detail/operation/journaling.hpp>

namespace twat::mp::detail {

// Of a fold a journal keeps the values of blocks.

template <class Elements>
inline constexpr bool are_encodable = false;
template <class... Ts>
inline constexpr bool are_encodable<parameter_list<Ts...>> = (... && encodable<std::remove_cvref_t<Ts>>);

template <class... Columns>
struct journaled_argument<block<Columns...>>
{
    static constexpr bool known = are_encodable<typename block<Columns...>::elements>;
    static void write(encoder& out, const block<Columns...>& elements) { elements.encode(out); }
};

template <class Value>
struct journaled_result<folded<Value>>
{
    static constexpr bool known = encodable<Value>;
    static bool keeps(const folded<Value>& part) noexcept { return part.value.has_value(); }
};

} // namespace twat::mp::detail

#endif
