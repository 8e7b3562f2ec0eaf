// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_PEAK_MEMORY_HPP
#define TWAT_MP_SRC_OS_PEAK_MEMORY_HPP

#include <cstdint>

namespace twat::mp::detail {

/** The most bytes that were resident in this process since its program was started.

    `reported` is what getrusage says. Linux keeps that over exec: in a worker it begins with the size that the parent had at the start, and
    says nothing of the worker until that has grown beyond it. Only then /proc/self/status is read, which takes some 10 microseconds. Where
    there is none, `reported` is all that is known. Another system whose getrusage begins anew at exec needs nothing of this.
*/
std::uint64_t own_peak_memory(std::uint64_t reported) noexcept;

} // namespace twat::mp::detail

#endif
