// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_MOST_WORKERS_HPP
#define TWAT_MP_SRC_OS_MOST_WORKERS_HPP

#include <cstddef>

namespace twat::mp::detail {

/** How many workers of this program the system could run, if nothing else ran: the least of its limits on processes, on threads and, if workers
    need any, on open files. Elsewhere than on Linux: `sysconf(_SC_CHILD_MAX)`, or no limit.

    @param descriptors That one of them takes here.
*/
std::size_t most_workers(std::size_t descriptors);

} // namespace twat::mp::detail

#endif
