// SPDX-License-Identifier: BSL-1.0
#ifndef OFFLOAD_METRICS_HPP
#define OFFLOAD_METRICS_HPP

#include <twat/mp/histogram.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>

#include "live.hpp"
#include "work.hpp"

namespace offload {

/** What the server counts itself; the pools count what they do. */
class metrics
{
public:
    void answered(const std::string& route, unsigned status, std::chrono::nanoseconds took);
    /// Work that is no request.
    void worked(std::chrono::nanoseconds took) { work_time_.record(took); }
    void transferred(std::uint64_t received, std::uint64_t sent)
    {
        received_ += received;
        sent_ += sent;
    }

    /// Everything, in the text format of Prometheus.
    std::string text(const workshop& work, const live& feed) const;

    /// What the page shows in figures, as a JSON object. Rate and quantiles are of the last five seconds.
    std::string figures(const workshop& work);

    std::size_t connections = 0;

private:
    using clock = std::chrono::steady_clock;

    std::map<std::pair<std::string, unsigned>, mp::histogram> requests_; // by route and status
    mp::histogram work_time_;                                            // of work that was done
    std::uint64_t received_ = 0, sent_ = 0;
    struct past
    {
        clock::time_point when;
        mp::histogram work_time;
    };
    std::deque<past> past_;
};

} // namespace offload

#endif
