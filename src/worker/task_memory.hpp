// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_WORKER_TASK_MEMORY_HPP
#define TWAT_MP_SRC_WORKER_TASK_MEMORY_HPP

#include <cstddef>

#include "shm/shared_page.hpp"

namespace twat::mp::detail {

/** Bounds the process's own memory (RLIMIT_DATA) while tasks run, and says in the shared page when an allocation failed for that.

    Not while the worker itself reads, sends or tells of a failure: what a task has left must not end the worker. Switched once for each chunk,
    by a system call. All members are the process's, as the limit is.
*/
class task_memory
{
public:
    /// @param bytes 0: no limit.
    static void set_limit(std::size_t bytes, const shared_page& page) noexcept;

    /// While one lives, the limit holds.
    class scope
    {
    public:
        scope() noexcept : began_(begin()) {}
        scope(const scope&) = delete;
        scope& operator=(const scope&) = delete;
        ~scope()
        {
            if (began_)
                end();
        }

    private:
        const bool began_;
    };

    /// While one lives within a scope, the limit does not hold: a task has failed, and that has to be told.
    class exemption
    {
    public:
        exemption() noexcept : ended_(end()) {}
        exemption(const exemption&) = delete;
        exemption& operator=(const exemption&) = delete;
        ~exemption()
        {
            if (ended_)
                begin();
        }

    private:
        const bool ended_;
    };

private:
    static bool begin() noexcept;
    static bool end() noexcept;
};

} // namespace twat::mp::detail

#endif
