// SPDX-License-Identifier: BSL-1.0
// An HTTP server on one event loop, whose heavy work runs in worker processes: it may take long, crash or be killed, and no other
// request notices.
//
//   settings     the command line
//   tasks        what the workers do: hash, primes and the demonstration's misdeeds
//   picture/     what else they do: thumbnails, with libpng and libjpeg
//   work         hands tasks to the workers, and says what went wrong with them
//   http_server  listens, knows its connections, and stops in order
//   connection   a client: its requests and answers, their limits and their time, with Boost.Beast
//   request      what a request asks for, and what is wrong with it
//   routes       what there is at which path; streams has the answers that come piece by piece
//   metrics      what is counted, for Prometheus
//   loop_lag     how late the event loop is
//   page/        the page; what the workers do is shown by twat::mp_monitor
//   descriptors  the limit of open files
#include <twat/mp/monitor.hpp>
#include <twat/mp/worker.hpp>
#if defined(OFFLOAD_CLUSTER)
#include <twat/mp/cluster.hpp>
#endif

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <csignal>
#include <exception>
#include <iostream>
#include <string>

#include "descriptors.hpp"
#include "http_server.hpp"
#include "loop_lag.hpp"
#include "settings.hpp"
#include "work.hpp"

namespace {

namespace asio = boost::asio;
using namespace offload;

asio::awaitable<void> serve(http_server& server, workshop& work, loop_lag& lag, const settings& s)
{
    co_await work.start();
    lag.start();
    std::cout << "offload_server: serving on " << server.url() << " (work runs in "
              << (s.where == mode::in_loop ? "the loop" : name_of(s.where)) << ", shown on " << server.monitor_url()
              << ")" << std::endl;
    co_await server.accept();
}

/// The first signal ends it in order, the second one at once.
asio::awaitable<void> stop_on_signal(asio::signal_set& signals, http_server& server, loop_lag& lag,
                                     mp::monitor& monitor)
{
    co_await signals.async_wait(asio::use_awaitable);
    std::cout << "offload_server: stopping" << std::endl;
    signals.async_wait([&server](boost::system::error_code ec, int) {
        if (!ec)
            server.hurry();
    });
    co_await server.stop();
    lag.stop();
    monitor.stop();
    signals.cancel();
}

} // namespace

int main(int argc, char** argv)
{
    twat::mp::run_if_worker(argc, argv); // the workers are this program, started again
#if defined(OFFLOAD_CLUSTER)
    if (const auto status = twat::mp::run_if_agent(argc, argv)) // offload_server --twat-mp-agent URL
        return *status;
#endif
    try {
        const settings s = read_settings(argc, argv);
#if defined(OFFLOAD_CLUSTER)
        if (s.where == mode::cluster)
            mp::use_cluster({.url = s.cluster});
#endif
        check_descriptors(s);
        asio::io_context context(1);
        loop_lag lag(context.get_executor());
        workshop work(context.get_executor(), s);
        // tag::monitor[]
        // Only this machine sees it, so it needs no token. Its viewers may do what those of the page may.
        mp::monitor monitor(context, {.port = s.monitor_port, .dumps = s.demo, .records = s.demo, .parcels = s.demo});
        // end::monitor[]
        work.show_on(monitor);
        http_server server(context.get_executor(), s, work, lag,
                           "http://127.0.0.1:" + std::to_string(monitor.port()) + "/");
        asio::signal_set signals(context, SIGINT, SIGTERM);
        const auto rethrow = [&server](std::exception_ptr e) {
            if (e && !server.stopping()) // a stop while the workers start ends that start
                std::rethrow_exception(e);
        };
        asio::co_spawn(context, serve(server, work, lag, s), rethrow);
        asio::co_spawn(context, stop_on_signal(signals, server, lag, monitor), rethrow);
        context.run();
    }
    catch (const std::exception& e) {
        std::cerr << "offload_server: " << e.what() << '\n';
        return 1;
    }
}
