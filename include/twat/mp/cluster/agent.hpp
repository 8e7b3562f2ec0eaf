// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_CLUSTER_AGENT_HPP
#define TWAT_MP_CLUSTER_AGENT_HPP

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <twat/mp/cluster/options.hpp>
#include <twat/mp/config.hpp>

#include <twat/mp/detail/completion/async_completion.hpp>
#include <twat/mp/detail/operation/initiate.hpp>

namespace twat::mp {

namespace detail::cluster {

/// An agent that serves; its members may be called from any thread.
class TWAT_MP_CLUSTER_DECL agent_control
{
public:
    virtual ~agent_control();
    virtual void leave() = 0;                 ///< Takes nothing any more, finishes what runs, ends.
    virtual void stop() = 0;                  ///< Stops what runs, ends.
    virtual std::string describe() const = 0; ///< What it has done, once it has ended.
};

/// @param done Called once, on the agent's strand. Throws `std::invalid_argument` for bad options.
TWAT_MP_CLUSTER_DECL std::shared_ptr<agent_control> start_agent(asio::any_io_executor executor, agent_options options,
                                                                std::function<void(std::exception_ptr)> done);

struct agent_initiation
{
    template <class Handler>
    void operator()(Handler&& handler, asio::any_io_executor executor, agent_options options) const
    {
        using completion = async_completion<std::decay_t<Handler>, asio::any_io_executor>;
        auto slot = asio::get_associated_cancellation_slot(handler);
        auto wait = std::make_shared<shared_wait<completion>>(completion(std::forward<Handler>(handler), executor));
        try {
            auto control = start_agent(std::move(executor), std::move(options),
                                       [wait](std::exception_ptr error) { wait->finish(error); });
            if (slot.is_connected())
                slot.assign([weak = std::weak_ptr(control)](asio::cancellation_type type) {
                    if (const auto serves = weak.lock())
                        (type & asio::cancellation_type::terminal) != asio::cancellation_type::none ? serves->stop()
                                                                                                    : serves->leave();
                });
        }
        catch (...) {
            wait->finish(std::current_exception());
        }
    }
};

} // namespace detail::cluster

/** Serves as agent if the command line or the environment says so: the second statement of `main`, behind `run_if_worker`.

    @verbatim
    program --twat-mp-agent nats://head:4222 [--nodes N] [--group NAME] [--host NAME]
            [--user NAME] [--creds FILE] [--ca FILE] [--cert FILE] [--key FILE] [--drain SECONDS]
    @endverbatim

    or the same with `TWAT_MP_AGENT=nats://head:4222`. A password comes from `TWAT_MP_AGENT_PASSWORD`, a token from `TWAT_MP_AGENT_TOKEN`, since
    others can see a command line. SIGTERM and SIGINT let what runs finish, return the rest, and end the agent; a second one ends it at once.

    @return The program's exit status when it has served: 0, or 1 after an error, which was written to the standard error, or 2 for a bad
    command line. Nothing if the program was not started as an agent.
*/
TWAT_MP_CLUSTER_DECL std::optional<int> run_if_agent(int argc, char** argv);

/** Serves as agent until SIGTERM or SIGINT comes; blocks.

    @throws std::invalid_argument that names the member, if an option is bad.
    @throws error `errc::broker_failed` if the broker cannot be reached or used at first. Later it is tried again for ever.
*/
TWAT_MP_CLUSTER_DECL void run_agent(agent_options options);

/** Serves as agent on an executor, for a program that decides by itself when.

    @par Completion Signature
    @code void(std::exception_ptr) @endcode

    @par Executor
    The completion handler runs on its associated executor, or on `executor`, and never from inside this function. The agent's own work runs on
    `executor`.

    @par Per-Operation Cancellation
    @li `total`, `partial`: takes nothing any more, finishes what runs within `agent_options::drain`, returns the rest, and completes without error.
    @li `terminal`: the same, but what runs is stopped.

    @par Errors
    @li `errc::broker_failed` if the broker cannot be reached or used at first.
    @li `std::invalid_argument` that names the member, if an option is bad.

    @par Thread Safety
    May be called from any thread.
*/
template <class CompletionToken = asio::use_awaitable_t<>>
auto async_run_agent(asio::any_io_executor executor, agent_options options, CompletionToken&& token = CompletionToken())
{
    return asio::async_initiate<CompletionToken, void(std::exception_ptr)>(detail::cluster::agent_initiation(), token,
                                                                           std::move(executor), std::move(options));
}

} // namespace twat::mp

#endif
