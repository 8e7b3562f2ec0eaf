// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_PARAMETER_HPP
#define TWAT_MP_DETAIL_PARAMETER_HPP

#include <type_traits>

#include <twat/mp/config.hpp>
#include <twat/mp/fwd.hpp>

namespace twat::mp::detail {

/// The type as which an argument reaches a worker.
template <class Workers, class Argument>
struct parameter
{
    using type = std::decay_t<Argument>;
};

template <class Workers, class Argument>
using parameter_t = typename parameter<Workers, Argument>::type;

} // namespace twat::mp::detail

#endif
