// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_FORK_MARK_HPP
#define TWAT_MP_SRC_OS_FORK_MARK_HPP

#include <atomic>

namespace twat::mp::detail {

/** Tells a process from copies of it that `fork()` makes, at the cost of a load.

    A task may call `fork()` and return in both processes. The copy has the worker's socket and shares its page, and would answer for it: it
    has to end before it touches either. Copies made by `clone` or `_Fork` are told from the original as well; a child of `vfork` is not.
*/
void mark_original() noexcept;

namespace fork_mark {
/// In memory that a fork clears; null: this process was not marked.
extern std::atomic<const std::atomic<int>*> word;
} // namespace fork_mark

/// Whether this process is a copy of one that was marked.
inline bool is_copy() noexcept
{
    const std::atomic<int>* const word = fork_mark::word.load(std::memory_order_relaxed);
    return word && word->load(std::memory_order_relaxed) == 0;
}

/// Ends the process, if it is a copy, without running anything of the program.
void leave_if_copy() noexcept;

} // namespace twat::mp::detail

#endif
