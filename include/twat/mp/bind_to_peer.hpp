// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_BIND_TO_PEER_HPP
#define TWAT_MP_BIND_TO_PEER_HPP

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/associator.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <type_traits>
#include <utility>

#include <twat/mp/config.hpp>
#include <twat/mp/detail/completion/peer_watch.hpp>

namespace twat::mp {

/// A completion token that `bind_to_peer` made.
template <class Socket, class Token>
struct peer_bound
{
    Socket* socket;                       ///< The socket that is watched.
    Token token;                          ///< The token that is adapted.
    peer_hangup until = peer_hangup::any; ///< What counts as a hang-up.
};

/** Makes an operation end when the peer of a socket hangs up: the answer has no reader any more.

    Adapts a completion token. While the operation is outstanding the socket is watched, without reading from it: what the peer has
    sent, and the end of it, is still there afterwards, and the socket may be read and written meanwhile. When the peer has closed or
    reset the connection the operation gets a `terminal` cancellation. A cancellation slot that the token has works as well.

    By default a peer that only shuts down its sending half counts as one that hung up, because the two look the same. A server whose clients do
    that (`nc -N`, for example) passes `peer_hangup::reset_only`.

    A socket that is not open counts as hung up. One that this program closes while the operation runs is not noticed. If the system has no
    descriptor left for the watch, the operation runs without it.

    @par Executor
    The cancellation is requested on the handler's associated executor, or on the socket's if it has none. As for every cancellation
    slot, that must be a strand, or one thread must run its context.

    @par Object Lifetimes
    The socket must live until the operation is initiated (for `use_awaitable`: until the `co_await`). Nothing is outstanding on its context
    when the operation is over.

    @par Example
    @code
    co_await pool.apply(thumbnail, bytes, width, mp::bind_to_peer(stream.socket(), asio::use_awaitable));
    @endcode

    @param socket A connected stream socket, of TCP or local, with `native_handle()` and `get_executor()`.
    @param until What counts as a hang-up.
*/
template <class Socket, class Token = asio::use_awaitable_t<>>
peer_bound<Socket, std::decay_t<Token>> bind_to_peer(Socket& socket, Token&& token = Token(),
                                                     peer_hangup until = peer_hangup::any)
{
    return {&socket, std::forward<Token>(token), until};
}

/// The same for `asio::use_awaitable`.
template <class Socket>
peer_bound<Socket, asio::use_awaitable_t<>> bind_to_peer(Socket& socket, peer_hangup until)
{
    return {&socket, asio::use_awaitable_t<>(), until};
}

namespace detail {

/** A completion handler whose operation is watched. */
template <class Handler>
class peer_handler
{
public:
    using cancellation_slot_type = asio::cancellation_slot;

    peer_handler(Handler handler, std::shared_ptr<peer_watch> watch)
        : handler_(std::move(handler)), watch_(std::move(watch))
    {}

    cancellation_slot_type get_cancellation_slot() const noexcept { return watch_->slot(); }
    const Handler& inner() const noexcept { return handler_; }

    template <class... Values>
    void operator()(Values&&... values)
    {
        watch_->stop();
        auto slot = asio::get_associated_cancellation_slot(handler_);
        if (slot.is_connected())
            slot.clear();
        std::move(handler_)(std::forward<Values>(values)...);
    }

private:
    Handler handler_;
    std::shared_ptr<peer_watch> watch_;
};

/** Starts the operation that was asked for, and the watch beside it. */
template <class Socket, class Initiation>
class peer_initiation
{
public:
    peer_initiation(Socket& socket, peer_hangup until, Initiation initiation)
        : socket_(&socket), until_(until), initiation_(std::move(initiation))
    {}

    template <class Handler, class... Args>
    void operator()(Handler&& handler, Args&&... args)
    {
        const asio::any_io_executor socket_executor = socket_->get_executor();
        const asio::any_io_executor executor = asio::get_associated_executor(handler, socket_executor);
        auto watch = std::make_shared<peer_watch>(socket_executor, socket_->native_handle(), until_);
        auto slot = asio::get_associated_cancellation_slot(handler);
        if (slot.is_connected())
            slot.assign([weak = std::weak_ptr(watch)](asio::cancellation_type type) {
                if (const auto watched = weak.lock())
                    watched->cancel(type);
            });
        std::move(initiation_)(peer_handler<std::decay_t<Handler>>(std::forward<Handler>(handler), watch),
                               std::forward<Args>(args)...);
        watch->start(executor); // now that the operation listens
    }

private:
    Socket* socket_;
    peer_hangup until_;
    Initiation initiation_;
};

} // namespace detail
} // namespace twat::mp

namespace boost::asio {

template <class Socket, class Token, class Signature>
class async_result<twat::mp::peer_bound<Socket, Token>, Signature>
{
public:
    template <class Initiation, class Bound, class... Args>
    static auto initiate(Initiation&& initiation, Bound&& bound, Args&&... args)
    {
        using started = twat::mp::detail::peer_initiation<Socket, std::decay_t<Initiation>>;
        Token token = std::forward<Bound>(bound).token;
        return asio::async_initiate<Token, Signature>(
            started(*bound.socket, bound.until, std::forward<Initiation>(initiation)), token,
            std::forward<Args>(args)...);
    }
};

/// All but the cancellation slot is the inner handler's.
template <template <class, class> class Associator, class Handler, class Default>
struct associator<Associator, twat::mp::detail::peer_handler<Handler>, Default> : Associator<Handler, Default>
{
    static auto get(const twat::mp::detail::peer_handler<Handler>& handler) noexcept
    {
        return Associator<Handler, Default>::get(handler.inner());
    }

    static auto get(const twat::mp::detail::peer_handler<Handler>& handler, const Default& otherwise) noexcept
    {
        return Associator<Handler, Default>::get(handler.inner(), otherwise);
    }
};

} // namespace boost::asio

#endif
