// SPDX-License-Identifier: BSL-1.0
#ifndef OFFLOAD_WORK_HPP
#define OFFLOAD_WORK_HPP

#include <twat/mp/bind_to_peer.hpp>
#include <twat/mp/monitor.hpp>
#include <twat/mp/options.hpp>
#include <twat/mp/trace_context.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "settings.hpp"
#include "tasks.hpp"

namespace offload {

namespace mp = twat::mp;
using asio::ip::tcp;

/// Whose task it is: when the client hangs up, it ends; and where the request belongs in a trace of several services.
struct caller
{
    tcp::socket& client;
    mp::trace_context trace{};
};

/** The heavy work of requests: hands it to worker processes or to threads, or does it here and now.

    Each task belongs to a request, and ends when its client hangs up. Lives on the event loop's thread.
*/
class workshop
{
public:
    workshop(const asio::any_io_executor& executor, const settings& s);
    ~workshop();

    mode where() const { return where_; }
    /// Whether work can run there: a server has a cluster or processes of its own.
    bool has(mode where) const;
    /// The pools are seen there, but for what runs on the loop.
    void show_on(mp::monitor& monitor) const;
    /// From now on new tasks go there.
    void go_to(mode where) { where_ = where; }

    /// Has the workers started.
    asio::awaitable<void> start();
    /// Empty, if tasks can run now.
    asio::awaitable<std::string> why_not_ready();

    asio::awaitable<image> thumbnail(caller by, std::string bytes, int width);
    asio::awaitable<std::string> hash(caller by, std::string password, std::string salt, std::uint64_t rounds);
    asio::awaitable<int> slow(caller by, int milliseconds);
    asio::awaitable<int> crash(caller by);

    /// The primes below `end`, piece by piece, as the workers have them and the client takes them.
    using text_sink = std::function<asio::awaitable<void>(const std::string&)>;
    asio::awaitable<void> primes(caller by, std::uint64_t end, text_sink& sink);

    /// Starts so many hashes that nobody waits for.
    void flood(std::size_t tasks, std::uint64_t rounds);

    /// Kills a worker process, one that is at work if there is one, and waits for its successor. Returns its pid; 0: there is none.
    asio::awaitable<int> kill_one();

    mp::pool_stats stats(mode where) const;

    /// Takes no more work, waits for what runs, but not longer than this, and gives up the rest.
    asio::awaitable<void> drain(std::chrono::nanoseconds patience);
    /// Gives up what runs.
    void terminate();

private:
    struct pools;

    mp::pool_options with_workers_known(mp::pool_options o);
    bool in_workers() const { return where_ == mode::processes || where_ == mode::cluster; }
    template <class R, class... Parameters, class... Arguments>
    asio::awaitable<R> run(const char* label, caller by, R (*f)(Parameters...), Arguments... arguments);
    template <class R, class... Parameters, class... Arguments>
    R run_here(R (*f)(Parameters...), Arguments... arguments);
    asio::awaitable<void> one_of_flood(std::uint64_t rounds);

    const settings& settings_;
    const mp::peer_hangup hang_up_;
    mode where_;
    std::unique_ptr<pools> pools_;
    mp::pool_stats here_; // of what ran on the loop
    std::set<int> processes_;
};

/// What to answer when work failed.
struct failure
{
    unsigned status = 500;
    std::string body; ///< JSON
    bool retry = false;
    bool hung_up = false; ///< Nobody is there to be answered.
};
failure explain(std::exception_ptr error);

} // namespace offload

#endif
