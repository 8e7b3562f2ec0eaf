// SPDX-License-Identifier: BSL-1.0
#ifndef OFFLOAD_SETTINGS_HPP
#define OFFLOAD_SETTINGS_HPP

#include <boost/asio/ip/address.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace offload {

namespace asio = boost::asio;

/// Where the work of a request runs.
enum class mode { processes, cluster, threads, in_loop };

const char* name_of(mode m);

struct settings
{
    asio::ip::address address = asio::ip::address_v4::loopback();
    unsigned short port = 8080;      ///< 0: any that is free.
    bool port_given = false;         ///< If not, the next free one is taken.
    unsigned short monitor_port = 0; ///< 0: any that is free.
    mode where = mode::processes;
    std::string cluster{};            ///< The address of a broker, where `where` is `cluster`.
    std::vector<std::string> hosts{}; ///< Names under which it may be asked for, beside localhost and addresses.
    bool half_closed = false;         ///< A client that only shuts down its sending half still gets its answer.
    std::size_t workers = 0;          ///< 0: as many as CPUs.
    std::size_t max_pending = 64;     ///< Requests that wait for a worker; more are answered 503.
    std::size_t max_body = 16u << 20; ///< Bytes of a request's body.
    std::chrono::milliseconds timeout{10000}; ///< Of one task.
    /// A client may take so long to send a request or to take its answer.
    std::chrono::milliseconds client_timeout{15000};
    std::chrono::milliseconds stop_timeout{5000}; ///< What runs when the server is told to stop may take so long.
    std::string trace;                            ///< Where to write a trace of the workers; empty: nowhere.
    bool demo = true;                             ///< Serves what lets the page crash and kill workers.

    /// Only this machine can reach it.
    bool loopback() const { return address.is_loopback(); }
};

/// Reads the command line. Prints the help or an error and ends the program where there is nothing else to do.
settings read_settings(int argc, char** argv);

} // namespace offload

#endif
