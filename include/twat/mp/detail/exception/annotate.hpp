// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_EXCEPTION_ANNOTATE_HPP
#define TWAT_MP_DETAIL_EXCEPTION_ANNOTATE_HPP

#include <cstdint>
#include <exception>
#include <string>

#include <twat/mp/config.hpp>

namespace twat::mp::detail {

/** Attaches to an exception from a task on a thread which task it was.

    Standard and registered types come back as a copy of the same type that also is a `boost::exception`; what derives from
    `boost::exception` already gets it attached; any other comes back untouched, and `task_index` remembers it.

    @param input The task's arguments as text; empty if they cannot be shown.
*/
TWAT_MP_DECL std::exception_ptr annotate(const std::exception_ptr& error, std::uint64_t index,
                                         const std::string& input = {}) noexcept;

} // namespace twat::mp::detail

#endif
