// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_UNIT_POOL_SIMULATED_WORKERS_HPP
#define TWAT_MP_TEST_UNIT_POOL_SIMULATED_WORKERS_HPP

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <twat/mp/detail/operation/backend_factory.hpp>
#include <twat/mp/options.hpp>

#include "backend/backend.hpp"

namespace twat::mp::test {

class simulated_member;
class simulated_inbox;

/** A network on which everything takes its time, in the order in which it was sent. One thread delivers it. */
class simulated_network
{
public:
    explicit simulated_network(duration latency);
    ~simulated_network();

    duration latency() const noexcept { return latency_; }
    /// Any thread.
    void send(std::function<void()> message) { after(latency_, std::move(message)); }
    void after(duration time, std::function<void()> message);

private:
    void deliver();

    const duration latency_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::multimap<detail::time_point, std::function<void()>> messages_;
    bool ended_ = false;
    std::thread thread_;
};

/** Workers somewhere else, which pools find and do not start: threads that know of a pool only what the network brings. They come and go as the
    test says, and one that is killed is followed by another.
*/
class simulated_hosts
{
public:
    explicit simulated_hosts(duration latency, std::size_t members = 0);
    ~simulated_hosts();

    /// A worker comes. Returns its number.
    detail::worker_id come();
    /// Finishes the task that it runs, gives back the rest, and goes.
    void leave(detail::worker_id member);
    /// Is cut off at once: what it runs is lost.
    void lose(detail::worker_id member);
    std::size_t members() const;

    /// Tasks that workers were asked to give back, and that they did.
    std::atomic<std::size_t> recalls{0}, taken_back{0};

    // For the backend.
    simulated_network& network() noexcept { return network_; }
    std::shared_ptr<simulated_member> find(detail::worker_id member) const;
    void attach(const std::shared_ptr<simulated_inbox>& pool);
    /// Tells all pools, over the network, that a member is gone, and what of each it had begun.
    void announce_end(detail::worker_id member,
                      std::map<std::shared_ptr<simulated_inbox>, std::vector<detail::worker_loss::begun_task>> begun,
                      bool expected);

private:
    mutable std::mutex mutex_;
    std::map<detail::worker_id, std::shared_ptr<simulated_member>> members_;
    std::vector<std::shared_ptr<simulated_member>> gone_;
    std::vector<std::weak_ptr<simulated_inbox>> pools_;
    detail::worker_id last_ = 100;
    simulated_network network_; // destroyed first: nothing is delivered any more
};

struct simulated_options
{
    std::shared_ptr<simulated_hosts> hosts;
    duration patience{std::chrono::minutes(5)}; ///< Operations wait for so long while nobody is there.
};

/// What the library does not know of.
struct simulated_workers
{
    using options = simulated_options;
    static constexpr bool encodes = true;
    static std::shared_ptr<const detail::backend_factory> make(simulated_options given);
};

} // namespace twat::mp::test

#endif
