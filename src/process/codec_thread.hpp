// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_PROCESS_CODEC_THREAD_HPP
#define TWAT_MP_SRC_PROCESS_CODEC_THREAD_HPP

#include <functional>

namespace twat::mp::detail {

/// The `job_thread` on which large values are decoded, so that no event loop has to. One for all pools.
class codec_thread
{
public:
    /// As `job_thread::post`.
    static bool post(std::function<void()> job) noexcept;
};

} // namespace twat::mp::detail

#endif
