// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_HEAVY_FENCE_HPP
#define TWAT_MP_SRC_OS_HEAVY_FENCE_HPP

namespace twat::mp::detail {

/** A full fence in every thread of this process that runs now, so that those need none of their own. False: the system does not do that.

    membarrier of Linux. Another system would have to return false, unless it has the same; macOS can ask each thread for its registers
    (`thread_get_register_pointer_values`), which is a fence.
*/
bool heavy_fence() noexcept;

} // namespace twat::mp::detail

#endif
