// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_TASK_REPORT_HPP
#define TWAT_MP_DETAIL_OPERATION_TASK_REPORT_HPP

#include <cstdint>
#include <string>

namespace twat::mp::detail {

/// What `this_task::report` said, and of which task.
struct task_report
{
    std::uint64_t operation = 0; ///< As workers know it.
    std::uint64_t index = 0;
    double fraction = 0;
    std::string text{};
};

} // namespace twat::mp::detail

#endif
