// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <utility>
#include <vector>

#include "engine/engine.hpp"
#include "time/saturating.hpp"

namespace twat::mp::detail {
namespace {

/// Between two looks at what tasks report, while outcomes arrive and while none does.
constexpr duration look_pause = std::chrono::milliseconds(10);
constexpr duration look_interval = std::chrono::milliseconds(100);

} // namespace

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
    if (is_over(op) || now_() - reports_looked_at_ >= look_pause)
        look_at_reports();
}

// The workers wake nobody for a report, so somebody looks at what they have left.
void engine::look_at_reports()
{
    reports_looked_at_ = now_();
    reports_at_ = listening_.empty() ? time_point::max() : saturating_add(reports_looked_at_, look_interval);
    if (listening_.empty())
        return;
    std::vector<task_report> reports; // a callback that throws may take workers away
    for (const auto& worker : workers_)
        backend_.take_reports(worker->id, [&](task_report&& report) { reports.push_back(std::move(report)); });
    for (task_report& report : reports) {
        const auto of = std::find_if(listening_.begin(), listening_.end(),
                                     [&](const operation_state* op) { return op->id == report.operation; });
        if (of == listening_.end() || (*of)->final_error)
            continue;
        progress now = progress_of(**of);
        now.task = static_cast<std::size_t>(report.index);
        now.fraction = report.fraction;
        now.text = std::move(report.text);
        tell_progress(**of, now);
    }
}

void engine::listen(operation_state& op)
{
    if (!op.traits().counts_progress)
        return;
    listening_.push_back(&op);
    if (reports_at_ == time_point::max())
        reports_at_ = saturating_add(now_(), look_interval);
}

void engine::listen_no_more(operation_state& op) noexcept
{
    if (!op.traits().counts_progress)
        return;
    std::erase(listening_, &op);
    if (listening_.empty())
        reports_at_ = time_point::max();
}

} // namespace twat::mp::detail
