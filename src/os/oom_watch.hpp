// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_OOM_WATCH_HPP
#define TWAT_MP_SRC_OS_OOM_WATCH_HPP

#include <twat/mp/life_phase.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>

namespace twat::mp::detail {

/** How many processes the kernel's out-of-memory killer has killed: in the control group of this process or, where that is not counted, in
    the whole machine. Nothing if the system does not tell. @param root Where `/proc` and `/sys` are.
*/
std::optional<std::uint64_t> count_oom_kills(const std::filesystem::path& root = "/");

/** Tells whether a child that died of SIGKILL was one of those.

    The system counts such kills and does not say whom they struck. Each accounts for one child; those that struck others are forgotten
    at the next start of a child, unless a child has been killed just before. Safe to use from several threads.
*/
class oom_watch
{
public:
    explicit oom_watch(std::filesystem::path root = "/") : root_(std::move(root)) {}

    /// A child is about to be started.
    void child_starts();
    /// A child died of SIGKILL, which this process did not send.
    memory_verdict child_was_killed();

private:
    using clock = std::chrono::steady_clock;

    const std::filesystem::path root_;
    std::mutex mutex_;
    std::optional<std::uint64_t> accounted_;
    clock::time_point last_kill_{}, last_look_{};
};

} // namespace twat::mp::detail

#endif
