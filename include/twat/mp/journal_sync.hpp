// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_JOURNAL_SYNC_HPP
#define TWAT_MP_JOURNAL_SYNC_HPP

namespace twat::mp {

/** When the results in a journal are on the disk, and so survive a failure of the machine; see `journal`. A failure of the program they survive
    in any case. */
enum class journal_sync {
    never,        ///< When the operating system writes them, usually within 30 seconds.
    every_second, ///< About a second after they have arrived, if others follow, and when the operation ends.
    always,       ///< Before they count as done: each waits for the disk, which takes from 0.1 to 10 ms.
};

} // namespace twat::mp

#endif
