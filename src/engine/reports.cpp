// SPDX-License-Identifier: BSL-1.0
// The engine's part that tells progress: how many tasks have an outcome, and what those that run say of themselves.
#include <utility>
#include <vector>

#include "engine/engine.hpp"

namespace twat::mp::detail {
progress engine::progress_of(const operation_state& op) const
{
    progress now;
    now.done = op.outcomes();
    now.failed = op.failed;
    now.total = op.traits().total;
    now.elapsed = now_() - op.initiated;
    return now;
}

/// Whether the operation goes on: its callback may have thrown.
bool engine::tell_progress(operation_state& op, const progress& now)
{
    publish();
    try {
        op.op->report_progress(now);
        return true;
    }
    catch (...) {
        stop(op, std::current_exception(), stop_force::kill); // may finish it, or touch it again
        return false;
    }
}

/// Outcomes of this operation have arrived: what its tasks had reported before comes before these.
void engine::look_at_reports(const operation_state& op)
{
    if (agenda_.listeners.look_before_outcome(is_over(op), now_()))
        look_at_reports();
}

void engine::look_at_reports()
{
    agenda_.listeners.looked(now_());
    if (agenda_.listeners.empty())
        return;
    std::vector<task_report> reports; // a callback that throws may take workers away
    for (const auto& worker : staff_.workers)
        backend_.take_reports(worker->id, [&](task_report&& report) { reports.push_back(std::move(report)); });
    for (task_report& report : reports)
        if (operation_state* const of = agenda_.listeners.find(report.operation)) {
            progress now = progress_of(*of);
            now.task = static_cast<std::size_t>(report.index);
            now.fraction = report.fraction;
            now.text = std::move(report.text);
            tell_progress(*of, now);
        }
}

} // namespace twat::mp::detail
