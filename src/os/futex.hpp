// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_FUTEX_HPP
#define TWAT_MP_SRC_OS_FUTEX_HPP

#include <atomic>
#include <chrono>
#include <cstdint>

namespace twat::mp::detail {

/// Wakes whoever waits for the word to change, in any process. Async-signal-safe.
void wake_waiters(std::atomic<std::uint32_t>& word) noexcept;
/// Waits until the word is not `value`, or for so long. May return early.
void wait_for_change(const std::atomic<std::uint32_t>& word, std::uint32_t value,
                     std::chrono::nanoseconds longest) noexcept;

} // namespace twat::mp::detail

#endif
