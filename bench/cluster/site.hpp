// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_BENCH_CLUSTER_SITE_HPP
#define TWAT_MP_BENCH_CLUSTER_SITE_HPP

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace bench {

/// A program that is killed at the end.
class started
{
public:
    explicit started(const std::vector<std::string>& command);
    started(started&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}
    started& operator=(started&&) = delete;
    ~started();

    /// User and system time so far, in seconds; not of its children.
    double cpu_time() const;

private:
    pid_t pid_ = 0;
};

/** A broker on a free port of the loopback, with JetStream in files of its own, and agents: this program once more. */
class site
{
public:
    /// @param agents How many, each with so many workers.
    site(std::size_t agents, std::size_t nodes);
    ~site();
    site(const site&) = delete;
    site& operator=(const site&) = delete;

    const std::string& url() const noexcept { return url_; }
    const started& broker() const noexcept { return running_.front(); }
    const std::vector<started>& running() const noexcept { return running_; } ///< The broker, then the agents.

private:
    std::filesystem::path directory_;
    std::string url_;
    std::vector<started> running_;
};

/// Whether there is a nats-server on this machine.
bool has_broker();

} // namespace bench

#endif
