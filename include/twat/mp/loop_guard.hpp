// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_LOOP_GUARD_HPP
#define TWAT_MP_LOOP_GUARD_HPP

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution_context.hpp>

#include <concepts>
#include <functional>
#include <memory>
#include <utility>

#include <twat/mp/config.hpp>
#include <twat/mp/options.hpp>
#include <twat/mp/stacktrace.hpp>

namespace twat::mp {

/// What a `loop_guard` tells.
struct loop_stall
{
    duration lasted{};  ///< For how long at least the loop has not come to another handler.
    int thread = 0;     ///< The thread that runs it, as `gettid` has it.
    stacktrace stack{}; ///< What that thread does; if it is missing, `note()` gives the reason.
};

namespace detail {

class guarded_loop;

/// A loop, without its type.
struct loop_site
{
    asio::execution_context* context;
    asio::any_io_executor executor;
    std::shared_ptr<const void> typed;    ///< The executor, for `runs_here`.
    bool (*runs_here)(const void* typed); ///< Async-signal-safe: whether the calling thread runs the loop.
};

TWAT_MP_DECL std::shared_ptr<guarded_loop> watch_loop(const loop_site& site, duration limit,
                                                      std::function<void(const loop_stall&)> callback);
/// Waits for a callback that runs in another thread.
TWAT_MP_DECL void unwatch_loop(const std::shared_ptr<guarded_loop>& loop) noexcept;

} // namespace detail

/** Tells when a handler of an event loop runs for longer than it should, with the stack of the thread that runs it.

    Handlers cost nothing: every `limit / 2` a thread of the library, one for all guards, posts an empty handler to the loop, and looks whether it ran.
    If it has waited for `limit`, the thread that ran the last one is asked for its stack by a signal, and the callback is called, once for each stall.
    A stall is noticed between `limit` and 1.5 times that. (Debuggers and loaded machines stall loops, too.)

    A loop that nobody runs is no stall, nor is one that is stopped. The empty handlers do not keep `run` from returning for longer than one of them
    takes, but `run_one` may find nothing else. Of a context that several threads run, a stall is noticed when none of them comes to the next handler. So
    is a queue so long that a handler waits for `limit`.

    The signal is the highest real-time signal without a handler; a system call of the thread may end with `EINTR`, which Asio's own do not mind.

    @par Object Lifetimes
    Destroy it before what the callback refers to. The context may be destroyed first: then it tells nothing any more.

    @par Thread Safety
    Distinct objects: safe. Shared objects: unsafe.
*/
class loop_guard
{
public:
    /** Begins to watch.

        @param context The loop, an `asio::io_context` for example.
        @param limit How long a handler may run; at least a millisecond.
        @param callback Called as `callback(const mp::loop_stall&)` on the library's thread: other guards wait for it, and the loop is stalled
        meanwhile. It must not throw.
        @throws std::invalid_argument if the limit is shorter.
    */
    template <class Context, class Callback>
    requires std::convertible_to<Context&, asio::execution_context&> && std::invocable<Callback&, const loop_stall&>
    loop_guard(Context& context, duration limit, Callback callback)
    {
        using executor = typename Context::executor_type;
        const auto typed = std::make_shared<const executor>(context.get_executor());
        const detail::loop_site site{&static_cast<asio::execution_context&>(context), *typed, typed, [](const void* e) {
                                         return static_cast<const executor*>(e)->running_in_this_thread();
                                     }};
        loop_ = detail::watch_loop(site, limit, std::move(callback));
    }

    loop_guard(const loop_guard&) = delete;
    loop_guard& operator=(const loop_guard&) = delete;

    /// Ends it. A callback that runs is waited for, unless this is called in it.
    ~loop_guard() { detail::unwatch_loop(loop_); }

private:
    std::shared_ptr<detail::guarded_loop> loop_;
};

} // namespace twat::mp

#endif
