// SPDX-License-Identifier: BSL-1.0
#include "settings.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace offload {
namespace {

constexpr const char* help = R"(Usage: offload_server [OPTION]...
An HTTP server whose heavy work runs in worker processes. It says the address where it serves; / is a page that shows it.

  --address A         listen on this address or name (127.0.0.1)
  --port N            listen on this port (8080, or the next that is free); 0: any
  --monitor-port N    the page of the workers is on this port of the loopback interface (any that is free)
  --host NAME         requests may name this host; may be repeated. On loopback addresses, or when given, all but these, localhost and
                      addresses are refused, so that no page of another site can make its own name lead here
  --half-closed       a client that shuts down its sending half (nc -N) still gets its answer; one that hangs up is noticed later
  --threads           do the work in threads instead of processes
  --inline            do it on the event loop, for comparison
  --cluster URL       do it on the agents at a NATS broker: offload_server --twat-mp-agent URL on each host
  --workers N         so many workers (as many as CPUs)
  --max-pending N     so many requests may wait for a worker (64)
  --max-body BYTES    the largest body of a request (16777216)
  --timeout MS        of one task (10000)
  --client-timeout MS of a client that is slow to send or to read (15000)
  --stop-timeout MS   for what still runs after SIGTERM or SIGINT (5000)
  --trace FILE        write what the workers do to FILE, for https://ui.perfetto.dev
  --demo, --no-demo   serve /crash, /kill, /slow, /flood and /mode, or not; by default on loopback addresses only
  -h, --help          this text
)";

[[noreturn]] void refuse(std::string_view what)
{
    std::fprintf(stderr, "offload_server: %.*s\noffload_server -h tells the options\n", static_cast<int>(what.size()),
                 what.data());
    std::exit(1);
}

std::uint64_t number(const std::string& option, const char* text, std::uint64_t most)
{
    std::uint64_t value = 0;
    const char* const end = text + std::strlen(text);
    const auto [at, ec] = std::from_chars(text, end, value);
    if (ec != std::errc() || at != end || value > most)
        refuse(option + " " + text + ": give a number from 0 to " + std::to_string(most));
    return value;
}

/// The address of a name, one of IPv4 if there is one.
asio::ip::address resolved(const std::string& name)
{
    boost::system::error_code ec;
    const auto address = asio::ip::make_address(name, ec);
    if (!ec)
        return address;
    asio::io_context context;
    const auto found = asio::ip::tcp::resolver(context).resolve(name, "", asio::ip::tcp::resolver::passive, ec);
    if (ec || found.empty())
        refuse("--address " + name + ": " + (ec ? ec.message() : "no address"));
    for (const auto& entry : found)
        if (entry.endpoint().address().is_v4())
            return entry.endpoint().address();
    return found.begin()->endpoint().address();
}

} // namespace

const char* name_of(mode m)
{
    switch (m) {
    case mode::processes: return "processes";
    case mode::cluster: return "cluster";
    case mode::threads: return "threads";
    case mode::in_loop: return "inline";
    }
    return "";
}

settings read_settings(int argc, char** argv)
{
    settings s;
    int demo = -1;
    for (int i = 1; i < argc; ++i) {
        const std::string option = argv[i];
        const auto value = [&] {
            if (++i == argc)
                refuse(option + " needs a value");
            return argv[i];
        };
        const auto milliseconds = [&] { return std::chrono::milliseconds(number(option, value(), 86'400'000)); };
        if (option == "-h" || option == "--help") {
            std::fputs(help, stdout);
            std::exit(0);
        } else if (option == "--address")
            s.address = resolved(value());
        else if (option == "--port") {
            s.port = static_cast<unsigned short>(number(option, value(), 65535));
            s.port_given = true;
        } else if (option == "--monitor-port")
            s.monitor_port = static_cast<unsigned short>(number(option, value(), 65535));
        else if (option == "--host")
            s.hosts.push_back(value());
        else if (option == "--half-closed")
            s.half_closed = true;
        else if (option == "--threads")
            s.where = mode::threads;
        else if (option == "--inline")
            s.where = mode::in_loop;
        else if (option == "--cluster") {
#if defined(OFFLOAD_CLUSTER)
            s.cluster = value();
            s.where = mode::cluster;
#else
            refuse("--cluster: this server was built without twat::mp_cluster");
#endif
        } else if (option == "--workers")
            s.workers = number(option, value(), 1024);
        else if (option == "--max-pending")
            s.max_pending = number(option, value(), 1'000'000);
        else if (option == "--max-body")
            s.max_body = number(option, value(), std::uint64_t(1) << 29);
        else if (option == "--timeout")
            s.timeout = milliseconds();
        else if (option == "--client-timeout")
            s.client_timeout = milliseconds();
        else if (option == "--stop-timeout")
            s.stop_timeout = milliseconds();
        else if (option == "--trace")
            s.trace = value();
        else if (option == "--demo")
            demo = 1;
        else if (option == "--no-demo")
            demo = 0;
        else
            refuse("unknown option: " + option);
    }
    if (!s.cluster.empty() && s.where != mode::cluster)
        refuse("--cluster, --threads and --inline exclude each other");
    s.demo = demo == -1 ? s.loopback() : demo == 1;
    return s;
}

} // namespace offload
