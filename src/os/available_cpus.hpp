// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_AVAILABLE_CPUS_HPP
#define TWAT_MP_SRC_OS_AVAILABLE_CPUS_HPP

#include <twat/mp/config.hpp>

#include <cstddef>
#include <filesystem>

namespace twat::mp::detail {

/** How many CPUs this process may keep busy. At least 1.

    The smaller of the CPUs it is allowed to run on and the time that its control groups, and all those above them, grant
    it. A quota of one and a half CPUs counts as two.
*/
TWAT_MP_DECL std::size_t available_cpus();

/** The same for a process that may run on `affinity` CPUs and finds `/proc` and `/sys` below `root`.

    What is missing or cannot be understood is no limit.
*/
std::size_t available_cpus(const std::filesystem::path& root, std::size_t affinity);

} // namespace twat::mp::detail

#endif
