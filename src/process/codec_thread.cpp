// SPDX-License-Identifier: BSL-1.0
#include "process/codec_thread.hpp"

#include <utility>

#include "os/job_thread.hpp"

namespace twat::mp::detail {

bool codec_thread::post(std::function<void()> job) noexcept
{
    static constinit job_thread thread("twat-mp:codec");
    return thread.post(std::move(job));
}

} // namespace twat::mp::detail
