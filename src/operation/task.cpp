// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/detail/completion/run_out.hpp>
#include <twat/mp/task.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>

#include "start/worker_context.hpp"

namespace twat::mp::detail {

task_base::~task_base() = default;

void throw_not_portable()
{
    throw std::logic_error(
        "twat::mp: a task whose function or arguments cannot be sent was to be sent to a process worker");
}

void run_to_completion(asio::awaitable<void> coroutine)
{
    std::optional<asio::io_context> own;
    asio::io_context* context = nullptr;
    if (const worker_context* worker = current_worker())
        if (const auto* executor = worker->executor.target<asio::io_context::executor_type>())
            context = &executor->context();
    if (!context)
        context = &own.emplace(1);

    struct outcome
    {
        bool done = false;
        std::exception_ptr error;
    };
    // Shared: if the context is stopped under way, the coroutine may end later.
    const auto end = std::make_shared<outcome>();
    asio::co_spawn(*context, std::move(coroutine), [end](std::exception_ptr error) {
        end->done = true;
        end->error = error;
    });
    if (context->stopped())
        context->restart();
    while (!end->done && context->run_one() != 0) {
    }
    if (own)
        run_out(*own);
    if (!end->done)
        throw boost::system::system_error(asio::error::operation_aborted, "the worker was stopped");
    if (end->error)
        std::rethrow_exception(end->error);
}

} // namespace twat::mp::detail
