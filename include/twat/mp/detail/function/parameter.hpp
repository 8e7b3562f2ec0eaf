// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_FUNCTION_PARAMETER_HPP
#define TWAT_MP_DETAIL_FUNCTION_PARAMETER_HPP

#include <type_traits>
#include <utility>

#include <twat/mp/config.hpp>
#include <twat/mp/workers.hpp>

#include <twat/mp/detail/codec/sent_type.hpp>

namespace twat::mp::detail {

/// The type as which an argument reaches a worker.
template <bool Encoded, class Argument>
struct parameter
{
    using type = std::decay_t<Argument>;
};

template <class Argument>
struct parameter<true, Argument>
{
    using type = sent_type_t<Argument>;
};

template <class Workers, class Argument>
using parameter_t = typename parameter<Workers::encodes, Argument>::type;

/// An argument in the form in which it is kept until it is sent.
template <class Workers, class Argument>
decltype(auto) as_parameter(Argument&& argument)
{
    if constexpr (Workers::encodes)
        return as_sent(std::forward<Argument>(argument));
    else
        return std::forward<Argument>(argument);
}

} // namespace twat::mp::detail

#endif
