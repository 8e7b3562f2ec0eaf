// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_CHAOS_FAULTS_HPP
#define TWAT_MP_SRC_CHAOS_FAULTS_HPP

#include <chrono>
#include <functional>

#include "chaos/plan.hpp"

namespace twat::mp::detail {

/// Sleeps so long, or until `stop` says so, which is asked every few milliseconds.
void sleep_unless(std::chrono::nanoseconds time, const std::function<bool()>& stop);

/// Kills this process.
[[noreturn]] void kill_self() noexcept;
/// Kills this process after so long, whatever it does then.
void kill_self_after(std::chrono::nanoseconds time) noexcept;

/// In a worker process, around a plain task.
void before_task(const task_fate& fate) noexcept;
/// @param stop Whether nobody waits for the task any more.
void after_task(const task_fate& fate, const std::function<bool()>& stop);

} // namespace twat::mp::detail

#endif
