// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_CHECK_OPTIONS_HPP
#define TWAT_MP_DETAIL_OPERATION_CHECK_OPTIONS_HPP

#include <stdexcept>

#include <twat/mp/config.hpp>
#include <twat/mp/options.hpp>

namespace twat::mp::detail {

/// Throws `std::invalid_argument` that names the member, if an option is bad.
inline void check_options(const call_options& options)
{
    if (options.timeout < duration::zero())
        throw std::invalid_argument("twat::mp: call_options::timeout is negative");
    if (options.deadline < duration::zero())
        throw std::invalid_argument("twat::mp: call_options::deadline is negative");
    if (options.prio < priority::low || options.prio > priority::high)
        throw std::invalid_argument("twat::mp: call_options::prio is no priority");
}

} // namespace twat::mp::detail

#endif
