// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_PROCESS_CALL_HPP
#define TWAT_MP_DETAIL_PROCESS_CALL_HPP

#include <twat/mp/detail/call_operation.hpp>

namespace twat::mp::detail {

template <class F, class Parameters>
struct process_check
{
    static constexpr void run() {}
};

} // namespace twat::mp::detail

#endif
