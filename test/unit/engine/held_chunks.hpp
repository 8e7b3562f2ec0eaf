// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_UNIT_ENGINE_HELD_CHUNKS_HPP
#define TWAT_MP_TEST_UNIT_ENGINE_HELD_CHUNKS_HPP

#include <deque>
#include <memory>
#include <vector>

#include "fakes.hpp"

namespace twat::mp::test::engines {

/// Workers and what they hold, without an engine: what its parts look at.
struct held_chunks
{
    time_point now{std::chrono::hours(1)};
    std::deque<tenant_state> tenants{1};
    std::deque<operation_state> operations;
    std::vector<std::unique_ptr<ready_worker>> workers;

    operation_state& operation(operation_traits traits = {})
    {
        operation_state& op = operations.emplace_back();
        op.op = std::make_shared<fake_operation>(1000, traits);
        op.tenant = &tenants.front();
        op.prio = traits.options.prio;
        op.next_index = 1000;
        op.initiated = now;
        return op;
    }
    /// Whose tasks are known to take so long each.
    operation_state& operation_of(duration each, operation_traits traits = {})
    {
        operation_state& op = operation(traits);
        op.sizes.measured(1, each);
        return op;
    }
    ready_worker& worker()
    {
        workers.push_back(std::make_unique<ready_worker>());
        workers.back()->id = workers.back()->order = workers.size();
        return *workers.back();
    }
    /// The worker gets a chunk, and begins it now if it is its first one.
    given_chunk& give(ready_worker& to, operation_state& op, std::size_t tasks)
    {
        given_chunk& given = to.held.emplace_back(to);
        given.work = std::make_shared<chunk>();
        given.work->id = ++last_chunk;
        given.work->op = op.op;
        given.work->coroutine = op.traits().coroutine;
        given.work->count = given.keep = tasks;
        given.owner = &op;
        given.since = now;
        given.begun = to.held.size() == 1;
        given.is_part = tasks > 1;
        op.held.push_back(given);
        ++op.held_chunks;
        to.running += tasks;
        return given;
    }
    chunk_id last_chunk = 0;
};

} // namespace twat::mp::test::engines

#endif
