// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_COMMON_CHILD_PROCESS_HPP
#define TWAT_MP_TEST_COMMON_CHILD_PROCESS_HPP

#include <boost/test/unit_test.hpp>

#include <string>

#include <unistd.h>

#include "os/launcher.hpp"
#include "start/worker_marker.hpp"

namespace twat::mp::test {

/// Where the helper program is: CMake tells it by a definition, Jam behind `--` on the command line.
inline std::string child_program()
{
#if defined(TWAT_MP_TEST_CHILD)
    return TWAT_MP_TEST_CHILD;
#else
    const auto& suite = boost::unit_test::framework::master_test_suite();
    return suite.argv[suite.argc - 1];
#endif
}

/// A request for the helper program, and the parent's ends.
struct child_start
{
    detail::launch_request request;
    detail::unique_descriptor socket, doorbell;
};

inline child_start make_request(const std::string& mode)
{
    boost::system::error_code ec;
    child_start start;
    start.request.executable = child_program();
    start.request.title = "child: worker 3 of 4711";
    start.request.environment = {"CHILD_MODE=" + mode};
    auto pair = detail::make_socket_pair(ec);
    start.socket = std::move(pair.first);
    start.request.descriptors[0] = std::move(pair.second);
    start.request.descriptors[1] = detail::make_page(4096, ec);
    start.doorbell = detail::make_event(ec);
    start.request.descriptors[2] = detail::duplicate(start.doorbell.get(), ec);
    return start;
}

/// Until the other end is closed.
inline std::string read_all(int fd)
{
    std::string all;
    char text[256];
    for (ssize_t n; (n = ::read(fd, text, sizeof text)) > 0;)
        all.append(text, static_cast<std::size_t>(n));
    return all;
}

/// Exactly `size` characters, or fewer if the other end is closed before.
inline std::string read_some(int fd, std::size_t size)
{
    std::string text;
    char c;
    while (text.size() < size && ::read(fd, &c, 1) == 1)
        text += c;
    return text;
}

} // namespace twat::mp::test

#endif
