// SPDX-License-Identifier: BSL-1.0
#ifndef OFFLOAD_METRICS_HPP
#define OFFLOAD_METRICS_HPP

#include <twat/mp/histogram.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "loop_lag.hpp"
#include "work.hpp"

namespace offload {

/** What the server counts itself; the pools count what they do. */
class metrics
{
public:
    void answered(const std::string& route, unsigned status, std::chrono::nanoseconds took);
    void transferred(std::uint64_t received, std::uint64_t sent)
    {
        received_ += received;
        sent_ += sent;
    }

    /// Everything, in the text format of Prometheus.
    std::string text(const workshop& work, const loop_lag& lag) const;

    std::size_t connections = 0;

private:
    std::map<std::pair<std::string, unsigned>, mp::histogram> requests_; // by route and status
    std::uint64_t received_ = 0, sent_ = 0;
};

} // namespace offload

#endif
