// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_BENCH_AWAITED_HPP
#define TWAT_MP_BENCH_AWAITED_HPP

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <optional>
#include <utility>

#include "run_coroutine.hpp"

namespace bench {

/** An asynchronous pool on a loop of its own, for measurements that make one call after the other.

    `wait(call)` runs the loop until the awaitable that `call(pool)` returns is done.
*/
template <class Pool>
class awaited
{
public:
    template <class... Args>
    explicit awaited(Args&&... args) : pool_(context_, std::forward<Args>(args)...)
    {
        wait([](Pool& pool) { return pool.start(); });
    }

    template <class Call>
    auto wait(Call call)
    {
        using result = typename decltype(call(pool_))::value_type;
        context_.restart();
        if constexpr (std::is_void_v<result>) {
            run_coroutine(context_, call(pool_));
        } else {
            std::optional<result> found;
            auto body = [&]() -> asio::awaitable<void> { found.emplace(co_await call(pool_)); };
            run_coroutine(context_, body());
            return std::move(*found);
        }
    }

    Pool& pool() noexcept { return pool_; }

private:
    asio::io_context context_{1};
    Pool pool_;
};

} // namespace bench

#endif
