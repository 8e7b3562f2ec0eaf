// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_RUN_HPP
#define TWAT_MP_RUN_HPP

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include <twat/mp/config.hpp>
#include <twat/mp/detail/completion/run_out.hpp>

namespace twat::mp {

/** Runs a coroutine to its end on an `io_context` of its own, in the calling thread, and returns its result.

    What `asyncio.run` is in Python: for `main`, examples and tests. The context ends with the coroutine; what the coroutine has spawned and
    not awaited has 100 ms to end, and is destroyed with it then.

    @par Example
    @code
    asio::awaitable<int> program();

    int main(int argc, char** argv)
    {
        mp::run_if_worker(argc, argv);
        return mp::run(program());
    }
    @endcode

    @throws What the coroutine throws.
*/
template <class T>
T run(asio::awaitable<T> coroutine)
{
    asio::io_context context(1);
    bool done = false;
    std::exception_ptr error;
    std::conditional_t<std::is_void_v<T>, std::nullptr_t, std::optional<T>> value{};
    auto finish = [&](std::exception_ptr e, auto&&... result) {
        done = true;
        error = std::move(e);
        if constexpr (!std::is_void_v<T>)
            if (!error)
                value.emplace(std::move(result)...);
    };
    asio::co_spawn(context, std::move(coroutine), finish);
    // The coroutine may wait for what is no work of this context: a thread that will post to it.
    auto work = asio::make_work_guard(context);
    while (!done)
        context.run_one();
    work.reset();
    detail::run_out(context);
    if (error)
        std::rethrow_exception(std::move(error));
    if constexpr (!std::is_void_v<T>)
        return std::move(*value);
}

} // namespace twat::mp

#endif
