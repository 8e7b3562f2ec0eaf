// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_CHAOS_PLAN_HPP
#define TWAT_MP_SRC_CHAOS_PLAN_HPP

#include <twat/mp/chaos.hpp>

#include <chrono>
#include <cstdint>

namespace twat::mp::detail {

/// When in its task a worker is killed.
enum class kill_moment : std::uint8_t {
    never,
    before, ///< The function has not been called.
    during, ///< It runs, for `task_fate::after` at most.
    after,  ///< It has returned, and its result was not sent yet.
};

/// What happens to one run of one task.
struct task_fate
{
    kill_moment kill = kill_moment::never;
    std::chrono::nanoseconds after{}; ///< `during`: when, from the call of the function; if it returns before, then.
    std::chrono::nanoseconds late{};  ///< By how much its result is late.
};

/** Decides which faults a pool makes. No state, no clock: both sides of a pool come to the same decision by themselves, so that the worker executes
    what the pool counts and nothing of it has to be sent.
*/
class chaos_plan
{
public:
    chaos_plan() = default;
    explicit chaos_plan(const chaos_options& options) noexcept : options_(options) {}

    const chaos_options& options() const noexcept { return options_; }

    /// @param operation The running number of the operation in its pool.
    bool refuses(std::uint64_t operation) const noexcept;
    /// By how much a worker starts later. @param start The running number of the start in its pool.
    std::chrono::nanoseconds slow_start(std::uint64_t start) const noexcept;
    /// Whether `of_task` can tell anything.
    bool touches_tasks() const noexcept { return options_.kill > 0 || options_.delay.probability > 0; }
    /// @param attempt How often a worker died in it before.
    task_fate of_task(std::uint64_t operation, std::uint64_t index, std::uint64_t attempt) const noexcept;

private:
    chaos_options options_;
};

} // namespace twat::mp::detail

#endif
