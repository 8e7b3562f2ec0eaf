// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_UNIT_ENGINE_VIRTUAL_TIME_HPP
#define TWAT_MP_TEST_UNIT_ENGINE_VIRTUAL_TIME_HPP

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <vector>

#include "fakes.hpp"

namespace twat::mp::test::engines {

/** An engine with workers that take time, by a clock that jumps from event to event: hours pass in a second, and nothing depends on the machine. */
class virtual_pool : public engine_fixture
{
public:
    /// What happens to a call.
    struct call
    {
        std::shared_ptr<fake_operation> op;
        time_point initiated{}, begun{};
        bool ran = false;
    };

    explicit virtual_pool(engine::settings s) : engine_fixture(s)
    {
        for (worker_id id = 1; id <= s.nodes; ++id)
            busy_[id] = {};
        with_workers(s.nodes);
    }

    /// At this time from the start of the test.
    void at(duration when, std::function<void()> what) { events_.emplace(start_ + when, std::move(what)); }

    /// Adds an operation whose tasks take so long each.
    std::shared_ptr<call> start(std::size_t tasks, duration each, operation_traits traits)
    {
        traits.total = tasks;
        auto made = std::make_shared<call>();
        made->op = std::make_shared<fake_operation>(tasks, traits);
        made->initiated = now;
        costs_[made->op.get()] = {each, made};
        core->add(made->op);
        return made;
    }

    void run_until(duration when)
    {
        const time_point end = start_ + when;
        for (;;) {
            core->decide();
            begin_tasks();
            time_point next = end;
            for (const auto& [id, task] : busy_)
                if (task.chunk != 0)
                    next = std::min(next, task.until);
            if (!events_.empty())
                next = std::min(next, events_.begin()->first);
            const bool wakes = core->next_wake() <= next;
            if (wakes)
                next = std::max(now, core->next_wake());
            if (next >= end && now >= end)
                return;
            now = std::max(now, next);
            if (wakes)
                core->tick();
            while (!events_.empty() && events_.begin()->first <= now) {
                const auto what = std::move(events_.begin()->second);
                events_.erase(events_.begin());
                what();
            }
            end_tasks();
        }
    }

    /// Worker time of the tasks of each tenant that have ended.
    std::map<std::uint64_t, duration> worker_time;

private:
    struct running_task
    {
        chunk_id chunk = 0;
        time_point until{};
    };

    void begin_tasks()
    {
        for (auto& [id, task] : busy_) {
            auto& held = workers.workers[id];
            while (task.chunk == 0 && !held.empty()) {
                auto& h = held.front();
                if (h.finished >= h.keep) { // taken back whole
                    end_if_done(id);
                    continue;
                }
                auto& [each, made] = costs_.at(h.work->op.get());
                if (const auto call = made.lock(); call && !std::exchange(call->ran, true))
                    call->begun = now;
                ++h.begun;
                task = {h.work->id, now + each};
                began_[id] = now;
            }
        }
    }

    void end_tasks()
    {
        for (auto& [id, task] : busy_)
            if (task.chunk != 0 && task.until <= now) {
                auto& h = workers.get(id, std::exchange(task.chunk, 0));
                worker_time[h.work->op->traits().options.tenant.value] += now - began_[id];
                core->task_finished(id, h.work->id, h.finished++, nullptr);
                if (h.finished >= h.keep)
                    end_if_done(id);
            }
    }

    void end_if_done(worker_id id)
    {
        const auto& h = first(id);
        const chunk_id chunk = h.work->id;
        const duration busy = costs_.at(h.work->op.get()).first * h.keep;
        workers.workers[id].pop_front();
        core->chunk_ended(id, chunk, busy);
    }

    const time_point start_ = now;
    std::multimap<time_point, std::function<void()>> events_;
    std::map<worker_id, running_task> busy_;
    std::map<worker_id, time_point> began_;
    std::map<const operation*, std::pair<duration, std::weak_ptr<call>>> costs_;
};

/// The value that a part `q` of all do not exceed.
inline duration quantile(std::vector<duration> values, double q)
{
    if (values.empty())
        return duration::zero();
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(std::ceil(q * static_cast<double>(values.size()))) - 1];
}

} // namespace twat::mp::test::engines

#endif
