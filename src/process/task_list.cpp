// SPDX-License-Identifier: BSL-1.0
#include "process/task_list.hpp"

#include <twat/mp/life_phase.hpp>

#include <chrono>
#include <cstdio>
#include <utility>

namespace twat::mp::detail {

std::vector<dumped_task> list_tasks(const held_chunks& all, time_point now)
{
    std::vector<dumped_task> tasks;
    for (const worker_loss::begun_task& begun : all.begun()) {
        const process_chunk& held = *all.find(begun.id);
        dumped_task task{.index = held.first + begun.position, .suspended = !begun.culprit};
        if (held.work->op) {
            task.function = held.work->op->function_types();
            if (const char* label = held.work->op->traits().options.label)
                task.label = label;
        }
        if (const auto running = all.running(begun.id, now); running && running->position == begun.position)
            task.since = running->begun;
        else if (const auto times = all.times(begun.id, now))
            task.since = times->since;
        tasks.push_back(std::move(task));
    }
    return tasks;
}

std::string describe_tasks(const held_chunks& all, time_point now)
{
    constexpr std::size_t most_named = 16;
    std::string runs, suspended;
    std::size_t unnamed = 0, named = 0;
    bool coroutines = false;
    for (const worker_loss::begun_task& begun : all.begun()) {
        const process_chunk& held = *all.find(begun.id);
        coroutines = coroutines || held.work->coroutine;
        std::string name = "task " + std::to_string(held.first + begun.position);
        if (const char* label = held.work->op ? held.work->op->traits().options.label : nullptr)
            name += std::string(" of ") + label;
        if (begun.culprit) {
            runs += (runs.empty() ? "" : ", ") + name + " (" + to_string(all.step(begun.id)) + ')';
            continue;
        }
        if (named++ >= most_named) {
            ++unnamed;
            continue;
        }
        char since[32] = "";
        if (const auto times = all.times(begun.id, now))
            std::snprintf(since, sizeof since, " for %.1f s",
                          std::chrono::duration<double>(now - times->since).count());
        suspended += (suspended.empty() ? "" : ", ") + name + since;
    }
    std::string text = coroutines && runs.empty() ? "the event loop waits"
                       : runs.empty()             ? "no task runs"
                                                  : "runs " + runs;
    if (!suspended.empty())
        text += "; suspended: " + suspended + (unnamed == 0 ? "" : " and " + std::to_string(unnamed) + " more");
    return text;
}

} // namespace twat::mp::detail
