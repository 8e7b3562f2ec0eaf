// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_MONITOR_HPP
#define TWAT_MP_MONITOR_HPP

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>
#include <string>

#include <twat/mp/config.hpp>
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
};

/** A small web server inside the program that shows its pools: a library of its own, the CMake target `twat::mp_monitor`.

    It answers `GET` alone and changes nothing: `/` a page with queues, throughput, quantiles, failures and bills of each pool, `/pools.json` the same as JSON,
    `/metrics` for Prometheus, `/healthz` (the loop runs), `/readyz` (every pool has a worker that is ready, else 503). It holds at most 100 connections, reads at most
    8 KiB of each request, gives none more than 10 s, and answers only requests whose `Host` is the address, or `localhost`, of a loopback address: pages of other
    origins cannot read it. It counts as work on its context until `stop`.

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
        add(std::move(name), [&pool] { return pool.stats(); });
    }
    /// Shows it no longer.
    void unwatch(const std::string& name);

    /// The port on which it listens.
    unsigned short port() const noexcept;
    /// Listens no longer, and ends what is connected.
    void stop();

private:
    class implementation;
    void add(std::string name, std::function<pool_stats()> stats);

    std::shared_ptr<implementation> implementation_;
};

} // namespace twat::mp

#endif
