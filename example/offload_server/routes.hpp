// SPDX-License-Identifier: BSL-1.0
#ifndef OFFLOAD_ROUTES_HPP
#define OFFLOAD_ROUTES_HPP

#include <boost/asio/awaitable.hpp>

#include <string_view>

#include "connection.hpp"
#include "request.hpp"
#include "work.hpp"

namespace offload {

/// A request and who sent it.
struct exchange
{
    connection& client;
    workshop& work;
    request& r;
    const target& t;
};

/// What there is at a path. One of `reply` and `stream` is set.
struct route
{
    std::string_view path;
    http::verb method; ///< get or post; a get serves HEAD, too, so it must change nothing.
    bool demo;         ///< A misdeed, for the page.
    asio::awaitable<answer> (*reply)(exchange&);
    asio::awaitable<bool> (*stream)(exchange&); ///< Writes its answer itself. False: the connection is at its end.
    const char* type;                           ///< Of a stream.
};

/// Null, if there is nothing.
const route* find_route(std::string_view path, bool demo);

asio::awaitable<bool> stream_primes(exchange& e);
/// A header `traceparent` that is malformed is ignored, as the recommendation asks.
caller caller_of(exchange& e);

} // namespace offload

#endif
