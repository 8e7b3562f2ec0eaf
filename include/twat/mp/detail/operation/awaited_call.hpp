// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_AWAITED_CALL_HPP
#define TWAT_MP_DETAIL_OPERATION_AWAITED_CALL_HPP

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <utility>

#include <twat/mp/config.hpp>

#include <twat/mp/detail/completion/async_completion.hpp>
#include <twat/mp/detail/operation/operation.hpp>

namespace twat::mp::detail {

template <class Token>
inline constexpr bool is_use_awaitable = false;
template <class Executor>
inline constexpr bool is_use_awaitable<asio::use_awaitable_t<Executor>> = true;

/** A call of a verb that a coroutine waits for, of which only what it completes with is known.

    Asio makes two coroutines and some ten more functions of each type that it is asked to initiate. With this there is one such type for each
    kind of result, and not one for each call in a program: a third of what a further call costs the compiler.

    @tparam Completion What is called at its end.
*/
template <class Completed, class Completion>
class awaited_call
{
public:
    using completed = Completed;

    template <class Call>
    explicit awaited_call(Call&& call) : call_(std::make_unique<call_of<Call>>(std::move(call)))
    {}

    /// Makes the operation; see `collect_call`.
    std::shared_ptr<operation> make(Completion&& completion) && { return call_->make(std::move(completion)); }

private:
    struct any_call
    {
        virtual ~any_call() = default;
        virtual std::shared_ptr<operation> make(Completion&& completion) = 0;
    };

    template <class Call>
    struct call_of final : any_call
    {
        explicit call_of(Call&& call) : call_(std::move(call)) {}
        std::shared_ptr<operation> make(Completion&& completion) override
        {
            return std::move(call_).make(std::move(completion));
        }
        Call call_;
    };

    std::unique_ptr<any_call> call_;
};

/// The `awaited_call` of what completes with `Completed` in a coroutine that waits by `Token`.
template <class Token, class Signature, class Completed, class Executor>
using awaited_call_for =
    awaited_call<Completed, async_completion<typename asio::async_result<Token, Signature>::handler_type, Executor>>;

} // namespace twat::mp::detail

#endif
