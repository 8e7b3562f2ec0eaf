// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_WITH_POOL_HPP
#define TWAT_MP_WITH_POOL_HPP

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

#include <twat/mp/async_pool.hpp>
#include <twat/mp/config.hpp>
#include <twat/mp/fwd.hpp>
#include <twat/mp/options.hpp>

#include <twat/mp/detail/function/temporaries.hpp>
#include <twat/mp/detail/operation/pool_scope.hpp>

namespace twat::mp {

/** Runs a coroutine with a pool of its own.

    The pool is made on the executor of the coroutine that awaits this. When `body` returns, the pool is closed and joined, and what
    `body` returned is the result. When it throws, or the wait for the pool is cancelled, the pool is terminated and joined, and the
    exception passes on.

    The pool is the one that the parameter of `body` names: `asio::awaitable<T>(mp::async_multi_pool&)` or
    `asio::awaitable<T>(mp::async_thread_pool&)`. If `body` takes either (an `auto&`), say which: `with_pool<mp::thread_workers>`.

    @par Object Lifetimes
    `options` are copied, `body` is moved in. A temporary `pool_options` is refused by g++ before 13, which destroys it twice within a
    `co_await` expression: name it first.

    @par Errors
    What `body` throws; what making the pool throws (`std::invalid_argument` for a bad option); what `join` completes with.

    @par Example
    @code
    mp::pool_options options{.nodes = 4};
    auto body = [&](mp::async_multi_pool& pool) -> asio::awaitable<int> {
        co_return co_await pool.apply(count_words, path);
    };
    int words = co_await mp::with_pool(options, body);
    @endcode
*/
template <class Workers = void, class Body>
auto with_pool(const detail::options_of_t<Workers>& options, Body&& body)
{
    return detail::run_in_pool<detail::pool_for_body_t<Workers, Body>>(detail::options_of_t<Workers>(options),
                                                                       std::forward<Body>(body));
}

template <class Workers = void, class Body>
auto with_pool(detail::options_of_t<Workers>&& options, Body&& body)
{
    static_assert(!detail::destroys_temporaries_twice || std::is_void_v<std::add_pointer_t<Body>>,
                  "twat::mp: with_pool takes no temporary pool_options; give them a name first and pass that");
    return detail::run_in_pool<detail::pool_for_body_t<Workers, Body>>(std::move(options), std::forward<Body>(body));
}

/// With a pool of `nodes` workers; 0: as many as CPUs that this process may use.
template <class Workers = void, class Body>
auto with_pool(std::size_t nodes, Body&& body)
{
    detail::options_of_t<Workers> options;
    options.nodes = nodes;
    return detail::run_in_pool<detail::pool_for_body_t<Workers, Body>>(std::move(options), std::forward<Body>(body));
}

} // namespace twat::mp

#endif
