// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_NICENESS_HPP
#define TWAT_MP_SRC_OS_NICENESS_HPP

namespace twat::mp::detail {

/** Adds to the niceness of the calling thread, up to 19. Threads and processes that it starts from then on inherit it.

    In Linux niceness belongs to the thread. It divides the time of a processor between the threads of one session only, where the
    kernel groups them by session (`sched_autogroup_enabled`): so workers stay in the session of the program.

    @param added Not negative: that needs no privilege. Where a sandbox refuses it all the same, nothing changes.
*/
void add_niceness(int added) noexcept;

/// What `pool_options::nice` means: -1 is 10 beside a loop of the user's, and 0 where callers wait for the workers anyway.
int niceness_of_workers(int asked, bool beside_a_loop) noexcept;

} // namespace twat::mp::detail

#endif
