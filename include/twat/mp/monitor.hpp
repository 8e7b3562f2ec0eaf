// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_MONITOR_HPP
#define TWAT_MP_MONITOR_HPP

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>
#include <string>

#include <twat/mp/config.hpp>
#include <twat/mp/detail/operation/pool_access.hpp>
#include <twat/mp/options.hpp>

#if defined(TWAT_MP_SHARED) && defined(TWAT_MP_MONITOR_SOURCE)
#define TWAT_MP_MONITOR_DECL BOOST_SYMBOL_EXPORT
#elif defined(TWAT_MP_SHARED)
#define TWAT_MP_MONITOR_DECL BOOST_SYMBOL_IMPORT
#else
#define TWAT_MP_MONITOR_DECL
#endif

namespace twat::mp {

/** Where a `monitor` listens, and whom it answers. */
struct monitor_options
{
    std::string address = "127.0.0.1"; ///< An address of this host, IPv4 or IPv6.
    unsigned short port = 8090;        ///< 0: any that is free; see `monitor::port`.
    /// What a client must send as `Authorization: Bearer <token>` or as `?token=<token>`, for all but `/healthz` and `/readyz`. Empty: nothing, which only
    /// addresses of the loopback interface may have. At least 16 characters.
    std::string token{};
    // What viewers may do beyond looking, by buttons of the page that send `POST`. Nothing, unless it is allowed here.
    /// Ask the busy workers of a pool for their stacks, as its `dump` does: each gets a signal, which may end a system call with `EINTR`.
    bool dumps = false;
    /// Record for ten seconds what a pool does, as `trace_file` does, up to 100000 events of one pool at a time.
    bool records = false;
    /// Download the parcels of failed calls: they hold arguments and environment variables, secrets among them.
    bool parcels = false;
};

/** A small web server inside the program that shows its pools: a library of its own, the CMake target `twat::mp_monitor`.

    `/` is a page that shows what each worker runs, for whom and since when, queues, throughput, quantiles, memory, the lag of the monitor's own loop, and the last 100 failures
    of each pool with their stacks and the command that replays them. `/pools.json` has the counters, `/metrics` is for Prometheus, `/healthz` answers 200 while the loop
    runs, `/readyz` if every pool has a worker that is ready (503 otherwise). It changes nothing but what `monitor_options` allows.

    It holds at most 256 connections, reads at most 8 KiB of each request, gives none more than 10 s, and answers only requests whose `Host` is the address, or
    `localhost`, of a loopback address: pages of other origins cannot read it. All viewers get the same frame, made at most five times a second and only when somebody
    asks, so that a slow one misses frames and nothing is kept for it. Each pool that is watched costs its loop a fraction of a microsecond for each chunk. An
    `inline_pool` has one lane, that of the threads that call it. It counts as work on its context until `stop`.

    @par Object Lifetimes
    Destroy it before its context.

    @par Thread Safety
    Distinct objects: safe. Shared objects: safe, except destruction.
*/
class TWAT_MP_MONITOR_DECL monitor
{
public:
    /** Listens.

        @throws std::invalid_argument that names the member, if an option is bad or an address beyond loopback has no token.
        @throws boost::system::system_error if it cannot listen there.
    */
    monitor(asio::any_io_executor executor, monitor_options options);
    /// The same on the executor of an execution context.
    template <class Context>
    requires requires(Context& context) { context.get_executor(); }
    explicit monitor(Context& context, monitor_options options = {})
        : monitor(asio::any_io_executor(context.get_executor()), std::move(options))
    {}
    monitor(const monitor&) = delete;
    monitor& operator=(const monitor&) = delete;
    /// As `stop`.
    ~monitor();

    /// Shows a pool of any kind under a name, which takes the place of an earlier one of that name. The pool must live until `unwatch` or the end of the monitor.
    template <class Pool>
    void watch(std::string name, const Pool& pool)
    {
        add(std::move(name), [&pool] { return detail::pool_access::core(pool); });
    }
    /// Shows it no longer.
    void unwatch(const std::string& name);

    /// The port on which it listens.
    unsigned short port() const noexcept;
    /// Listens no longer, and ends what is connected.
    void stop();

private:
    class implementation;
    void add(std::string name, std::function<std::shared_ptr<detail::pool_core>()> core);

    std::shared_ptr<implementation> implementation_;
};

} // namespace twat::mp

#endif
