// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_COMPLETION_ASYNC_COMPLETION_HPP
#define TWAT_MP_DETAIL_COMPLETION_ASYNC_COMPLETION_HPP

#include <boost/asio/post.hpp>

#include <tuple>
#include <type_traits>
#include <utility>

#include <twat/mp/config.hpp>

#include <twat/mp/detail/completion/kept_handler.hpp>

namespace twat::mp::detail {

/** Calls a handler with its values, wherever it is run: on the handler's executor. */
template <class Kept, class... Values>
class handler_call
{
public:
    using executor_type = typename Kept::executor_type;
    using allocator_type = typename Kept::allocator_type;

    template <class... Vs>
    explicit handler_call(Kept&& handler, Vs&&... values)
        : handler_(std::move(handler)), values_(std::forward<Vs>(values)...)
    {}

    executor_type get_executor() const noexcept { return handler_.get_executor(); }
    allocator_type get_allocator() const noexcept { return handler_.get_allocator(); }

    void operator()()
    {
        std::apply([this](auto&... values) { handler_.call(std::move(values)...); }, values_);
    }

private:
    Kept handler_;
    std::tuple<Values...> values_;
};

/** The completion of an operation for Asio: posts a handler to its associated executor, with its associated allocator. */
template <class Handler, class Executor>
class async_completion
{
public:
    async_completion(Handler handler, const Executor& pool_executor) : handler_(std::move(handler), pool_executor) {}

    template <class... Values>
    void operator()(Values&&... values)
    {
        handler_.leave_pool();
        asio::post(handler_call<kept_handler<Handler, Executor>, std::decay_t<Values>...>(
            std::move(handler_), std::forward<Values>(values)...));
    }

private:
    kept_handler<Handler, Executor> handler_;
};

} // namespace twat::mp::detail

#endif
