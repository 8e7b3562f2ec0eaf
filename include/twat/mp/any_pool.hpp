// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_ANY_POOL_HPP
#define TWAT_MP_ANY_POOL_HPP

#include <boost/asio/execution_context.hpp>

#include <concepts>
#include <string>
#include <string_view>
#include <utility>

#include <twat/mp/async_pool.hpp>
#include <twat/mp/backends.hpp>
#include <twat/mp/config.hpp>
#include <twat/mp/multi_pool.hpp>

namespace twat::mp {

/** A blocking pool whose backend is chosen by name when the program runs: from a command line, a configuration, a test.

    `processes` is a `process_pool`, `threads` a `thread_pool`, `inline` an `inline_pool`; libraries add others, see `backends`. It has the verbs of
    `multi_pool`. Functions must be portable, arguments and results encodable, as with processes: then every choice works. On threads and
    inline nothing is sent all the same, and what only processes do (`pool_options::executable`, limits of memory) is refused.

    @par Thread Safety
    As `multi_pool`.

    @par Example
    @code
    mp::any_pool pool(argc > 1 ? argv[1] : "threads", options);
    std::vector<int> squares = pool.map(square, inputs);
    @endcode
*/
class any_pool : public multi_pool<any_workers>
{
public:
    /** Makes a pool and begins to start its workers.

        @param backend One of `backends()`; empty: `default_backend()`, which the environment variable `TWAT_MP_BACKEND` names.
        @throws std::invalid_argument that lists the known names, if this one is none, or names the member, if an option is bad.
    */
    explicit any_pool(std::string_view backend, pool_options options = {})
        : multi_pool(any_options{std::string(backend), std::move(options)})
    {}

    /// The same with `default_backend()`.
    explicit any_pool(pool_options options) : any_pool(std::string_view(), std::move(options)) {}
    /// The same with the default options.
    any_pool() : any_pool(std::string_view()) {}
};

/** A pool with awaitable operations whose backend is chosen by name when the program runs; see `any_pool`.

    With `inline`, tasks run on the pool's executor, one after the other, and hold it up meanwhile.

    @par Thread Safety
    As `basic_async_pool`.
*/
class any_async_pool : public basic_async_pool<any_workers>
{
public:
    /** Makes a pool on an executor. Starts no worker yet.

        @param executor Where the pool works, and where handlers run that have no executor of their own.
        @param backend One of `backends()`; empty: `default_backend()`.
        @param options As for pools of that backend. With g++ before 13 they need a name beside `co_await`, see `basic_async_pool`.
        @throws std::invalid_argument that lists the known names, if this one is none, or names the member, if an option is bad.
    */
    explicit any_async_pool(const executor_type& executor, std::string_view backend, const pool_options& options)
        : basic_async_pool(executor, any_options{std::string(backend), options})
    {}

    /// The same with the default options. (An overload and not a default argument, which g++ 12 destroys twice beside `co_await`.)
    explicit any_async_pool(const executor_type& executor, std::string_view backend = {})
        : any_async_pool(executor, backend, pool_options())
    {}

    /// The same on an execution context.
    template <class Context>
    requires std::convertible_to<Context&, asio::execution_context&>
    explicit any_async_pool(Context& context, std::string_view backend = {}, const pool_options& options = {})
        : any_async_pool(executor_type(context.get_executor()), backend, options)
    {}
};

} // namespace twat::mp

#endif
