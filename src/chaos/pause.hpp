// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_CHAOS_PAUSE_HPP
#define TWAT_MP_SRC_CHAOS_PAUSE_HPP

#include <boost/asio/awaitable.hpp>

#include <chrono>

#include <twat/mp/config.hpp>

namespace twat::mp::detail {

/// Waits on the coroutine's executor, or until the coroutine is cancelled. Never throws.
asio::awaitable<void> pause(std::chrono::nanoseconds time);

} // namespace twat::mp::detail

#endif
