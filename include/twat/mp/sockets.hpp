// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SOCKETS_HPP
#define TWAT_MP_SOCKETS_HPP

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/basic_stream_socket.hpp>

#include <string>
#include <type_traits>
#include <utility>

#include <twat/mp/codec.hpp>
#include <twat/mp/config.hpp>
#include <twat/mp/unique_fd.hpp>

namespace twat::mp {

namespace detail {

/// For a socket that is decoded: that of the worker, or of the pool whose result it is.
TWAT_MP_DECL asio::any_io_executor executor_for_decoded();
/// The address family of a socket. Throws `mp::error` (`decode_failed`) if `fd` is not a socket.
TWAT_MP_DECL int socket_family(int fd);
TWAT_MP_DECL bool is_ipv6(int family) noexcept;

template <class Protocol>
Protocol protocol_of([[maybe_unused]] int family)
{
    if constexpr (requires { Protocol::v6(); })
        return is_ipv6(family) ? Protocol::v6() : Protocol::v4();
    else if constexpr (std::is_default_constructible_v<Protocol>)
        return Protocol();
    else
        return Protocol(family, 0);
}

} // namespace detail

/** Stream sockets of Asio, `asio::ip::tcp::socket` and `asio::local::stream_protocol::socket` among them, are arguments and results of tasks.

    In a task of a worker process the socket is bound to `this_worker::executor()`, in a result to the executor of the pool (that of an asynchronous
    pool is the user's; one of a blocking pool is better returned as `unique_fd`). On threads and inline it arrives as it is, with the executor that
    it has. Both processes have the same connection, and what one closes stays open until the other has closed it, too: the caller's copy
    is closed at the latest when the task has ended. See `unique_fd` for errors.

    What is read with the socket and not yet used (by a `streambuf`, a TLS layer) does not go with it: see `connection`.
*/
template <class Protocol, class Executor>
struct codec<asio::basic_stream_socket<Protocol, Executor>>
{
    using type = asio::basic_stream_socket<Protocol, Executor>;
    static_assert(std::is_constructible_v<Executor, asio::any_io_executor>,
                  "twat::mp: a socket that is sent to a process has the executor type asio::any_io_executor");

    static void encode(encoder& out, const type& value)
    {
        detail::write_descriptor(out, value.is_open() ? const_cast<type&>(value).native_handle() : -1);
    }

    static type decode(decoder& in)
    {
        unique_fd fd(detail::read_descriptor(in));
        type made{Executor(detail::executor_for_decoded())};
        if (fd) {
            made.assign(detail::protocol_of<Protocol>(detail::socket_family(fd.get())), fd.get());
            fd.release();
        }
        return made;
    }
};

/** A live connection on its way to another worker: its socket, and what was read from it and is still to be looked at.
*/
template <class Socket>
struct connection
{
    Socket socket;          ///< Connected.
    std::string received{}; ///< Bytes that come before those that the socket still has.
};

template <class Socket>
struct codec<connection<Socket>>
{
    static void encode(encoder& out, const connection<Socket>& value)
    {
        out.write(value.socket);
        out.write(value.received);
    }

    static connection<Socket> decode(decoder& in)
    {
        Socket socket = in.read<Socket>();
        return {std::move(socket), in.read<std::string>()};
    }
};

} // namespace twat::mp

#endif
