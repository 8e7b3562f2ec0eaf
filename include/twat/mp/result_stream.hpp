// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_RESULT_STREAM_HPP
#define TWAT_MP_RESULT_STREAM_HPP

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <twat/mp/config.hpp>
#include <twat/mp/fwd.hpp>
#include <twat/mp/options.hpp>

#include <twat/mp/detail/completion/awaitable_deferred.hpp>
#include <twat/mp/detail/operation/next_initiation.hpp>
#include <twat/mp/detail/operation/stream_state.hpp>

namespace twat::mp {

/** The results of `imap` or `uimap`, read one after the other. Move-only.

    The tasks run ahead of the reader by the window of the call (`call_options::window`). It holds nothing of the pool object or the `with`
    handle that made it.

    Destroying a stream before its end cancels the call as by a request of type `terminal`, capped by `call_options::cancel_limit`, as nobody
    wants its results: tasks that have not begun are dropped, in any case; those that run are asked to stop, and a process that is still in a
    plain one after `pool_options::cancel_grace` is killed and replaced. It does not wait for them: in a thread pool, tasks that run may still
    use an lvalue container that the call refers to, at the latest until `join`.

    @par Thread Safety
    Distinct objects: safe. Shared objects: unsafe; one consumer at a time.

    @par Example
    @code
    auto squares = pool.imap(square, std::views::iota(0, 1000));
    while (auto value = co_await squares.next())
        use(*value);
    @endcode

    @tparam R The result of a task; `std::monostate` for `void` tasks.
*/
template <class R>
class result_stream
{
public:
    using value_type = R;
    using executor_type = asio::any_io_executor;

    /// A stream at its end.
    result_stream() = default;
    result_stream(result_stream&& other) noexcept = default;
    result_stream& operator=(result_stream&& other) noexcept
    {
        if (this != &other) {
            reset();
            state_ = std::move(other.state_);
        }
        return *this;
    }
    /// Cancels the call if its end was not reached; see above. Does not wait.
    ~result_stream() { reset(); }

    /** Reads the next result.

        Completes when it is there: with the result, with the exception of a task that failed, after which the stream can be read on,
        or with nothing at the end. What ended the stream early (a range that threw, `terminate`, a deadline) is thrown once, after the
        last element. A stream that was default-constructed or moved from is at its end.

        @pre No other read of this stream is outstanding.

        @par Object Lifetimes
        What the call that made the stream refers to must live until the stream's end. If the stream is destroyed before, the read
        completes with `operation_aborted`.

        @par Completion Signature
        @code void(std::exception_ptr, std::optional<R>) @endcode

        @par Executor
        The completion handler runs on its associated executor, or on `get_executor()` if it has none, and never from inside this
        function. A coroutine that awaits an available result usually resumes immediately, without going through its executor.

        @par Per-Operation Cancellation
        Every type ends this read, with `asio::error::operation_aborted`, and nothing else: the tasks go on, and no element is lost.

        @param token Produces the completion handler. By default the result is awaitable.
    */
    template <class CompletionToken = asio::use_awaitable_t<>>
    auto next(CompletionToken&& token = CompletionToken())
    {
        if constexpr (std::is_same_v<std::decay_t<CompletionToken>, asio::use_awaitable_t<>>)
            return detail::await_next(state_);
        else
            return detail::initiate_next(state_, token);
    }

    /** Reads the next result, and waits for it at most for `limit`; then it completes with nothing, and no element is lost.

        As `next` in all other ways. Nothing also comes at the end: `ended` tells which it was.

        @param limit Zero or less: takes what is there.
    */
    template <class CompletionToken = asio::use_awaitable_t<>>
    auto next_for(duration limit, CompletionToken&& token = CompletionToken())
    {
        return detail::initiate_next(state_, token, limit);
    }

    /** Takes the next result if it is there, and does not wait. Nothing otherwise, and at the end: `ended` tells which it was.

        Throws as `next`. The pool needs its context to run: a loop that does nothing else finds nothing new.

        @pre No read of this stream is outstanding.
    */
    std::optional<R> try_next()
    {
        auto taken = state_ ? state_->try_take() : std::nullopt;
        if (!taken)
            return std::nullopt;
        if (taken->error)
            std::rethrow_exception(std::move(taken->error));
        return std::move(taken->value);
    }

    /// Whether there is nothing left to read, now or later: no result and no error. @pre No read of this stream is outstanding.
    bool ended() const { return !state_ || state_->at_end(); }

    /// The position in the input of the last element that `next` gave or failed with.
    std::uint64_t index() const { return state_ ? state_->index() : 0; }

    /// The pool's executor; empty if the stream was default-constructed or moved from.
    executor_type get_executor() const noexcept { return state_ ? state_->get_executor() : executor_type(); }

    /// @private What `co_await stream` looks for.
    template <class AwaitingExecutor>
    auto operator()(asio::detail::awaitable_frame_base<AwaitingExecutor>*) const
    {
        static_assert(
            sizeof(AwaitingExecutor) == 0,
            "twat::mp: a stream has many results and cannot be awaited itself; use co_await stream.next(), which gives "
            "std::optional: while (auto value = co_await stream.next())");
    }

    /// @private
    explicit result_stream(std::shared_ptr<detail::stream_state<R>> state) noexcept : state_(std::move(state)) {}

private:
    void reset() noexcept
    {
        if (auto state = std::exchange(state_, nullptr))
            state->abandon();
    }

    std::shared_ptr<detail::stream_state<R>> state_;
};

} // namespace twat::mp

#endif
