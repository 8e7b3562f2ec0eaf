// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/worker_state.hpp>

#include <boost/core/demangle.hpp>

#include <stdexcept>
#include <string>
#include <utility>

#include "start/worker_context.hpp"

namespace twat::mp::detail {
namespace {

/// The state of the worker, or of the one whose task this thread has interrupted for another of the same pool.
worker_state_base* find_state(const worker_context& worker) noexcept
{
    for (const worker_context* at = &worker; at; at = at->outer)
        if (at->pool == worker.pool && at->state)
            return at->state.get();
    return nullptr;
}

} // namespace

worker_state_base::~worker_state_base() = default;

void keep_state(std::unique_ptr<worker_state_base> state)
{
    if (worker_context* const worker = current_worker())
        worker->state = std::move(state);
}

void drop_state() noexcept
{
    if (worker_context* const worker = current_worker())
        std::exchange(worker->state, nullptr).reset();
}

void throw_null_state(const std::type_info& type)
{
    throw std::logic_error("twat::mp: the factory of worker_state<" + boost::core::demangle(type.name()) +
                           "> returned a null pointer");
}

void* current_state(const std::type_info& type)
{
    const worker_context* const worker = current_worker();
    worker_state_base* const state = worker ? find_state(*worker) : nullptr;
    if (state && state->type() == type)
        return state->object();
    const std::string wanted = boost::core::demangle(type.name());
    if (!worker)
        throw std::logic_error("twat::mp: the state " + wanted + "& of a worker was asked for outside a worker");
    if (!state)
        throw std::logic_error("twat::mp: a task takes " + wanted +
                               "&, but its pool has no state (pool_options::state)");
    throw std::logic_error("twat::mp: a task takes " + wanted + "&, but the state of its pool is a " +
                           boost::core::demangle(state->type().name()));
}

} // namespace twat::mp::detail
