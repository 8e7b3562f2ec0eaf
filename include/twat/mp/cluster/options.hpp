// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_CLUSTER_OPTIONS_HPP
#define TWAT_MP_CLUSTER_OPTIONS_HPP

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>

#include <twat/mp/options.hpp>

namespace twat::mp {

/** Who a pool or an agent is to the broker, and whom it trusts. Members that are empty are not used.

    Who may publish to the broker can call every portable function of the program: see "Security" in doc/cluster.md.
*/
struct broker_credentials
{
    std::string user{};                 ///< With `password`.
    std::string password{};             ///< Of `user`.
    std::string token{};                ///< Instead of a user.
    std::filesystem::path creds_file{}; ///< A `.creds` file, of a broker with decentralised accounts.
    /// Certificates (PEM) that the broker's is checked against; empty: the system's.
    std::filesystem::path ca_file{};
    /// This side's certificate chain (PEM), for brokers that verify clients; with `key`.
    std::filesystem::path certificate{};
    std::filesystem::path key{}; ///< The key (PEM) of `certificate`.
};

/** How a pool meets its agents. Every member has a default that suits a broker on this machine.

    A bad value makes the constructor of the pool throw `std::invalid_argument` that names the member.
*/
struct cluster_options
{
    /// Addresses of the broker's servers, separated by commas: `nats://host:4222`, or `tls://host:4222` for TLS.
    std::string url = "nats://127.0.0.1:4222";
    /// Pools and agents of other groups never meet. Empty: the program's file name.
    std::string group{};
    /// Who the pool is to the broker.
    broker_credentials credentials{};
    /// An agent from which nothing is heard for so long has lost its tasks; so has a pool, for its agents. At least 100 ms.
    duration lease{std::chrono::seconds(2)};
    /// With no agent in sight, no broker, or one that answers but stores nothing (its disk is full), operations end in `errc::no_agents` or
    /// `errc::broker_failed` after so long; zero: they wait for ever.
    duration wait_for_agents{std::chrono::seconds(30)};
    /// Copies that a broker of several servers keeps of what waits: an odd number, 5 at most.
    std::size_t replicas = 1;
    /// Runs in every worker on every host before its first task of this pool. Must be portable.
    task initializer{};
    /// Runs in every worker that ends in order. Must be portable.
    task finalizer{};
    /// Coroutine tasks at once in one worker.
    std::size_t child_concurrency = 16;
    /// As `pool_options::max_pending`.
    std::size_t max_pending = 0;
    /// Bytes of one argument list or result; beyond: `errc::message_too_large`.
    std::size_t max_message_size = std::size_t(1) << 26;
    /// As `pool_options::on_event`; the workers are those of all agents together.
    std::function<void(const pool_event&)> on_event{};
    /// As `pool_options::on_trace`.
    std::function<void(const trace_event&)> on_trace{};
};

/** What an agent is: whom it serves, and the workers that it has. */
struct agent_options
{
    /// Addresses of the broker's servers, as `cluster_options::url`.
    std::string url = "nats://127.0.0.1:4222";
    /// As `cluster_options::group`; the same on both sides.
    std::string group{};
    /// Who the agent is to the broker.
    broker_credentials credentials{};
    /// The workers on this host: `nodes`, memory limits, `nice` and the like. What concerns tasks (initializer, finalizer, concurrency, message
    /// size) comes from each pool.
    pool_options local{};
    /// How long an agent that was asked to leave waits for running tasks before it stops them.
    duration drain{std::chrono::seconds(10)};
    /// How this host is called in errors and traces. Empty: its own name.
    std::string host{};
};

} // namespace twat::mp

#endif
