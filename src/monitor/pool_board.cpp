// SPDX-License-Identifier: BSL-1.0
#include "monitor/pool_board.hpp"

#include <algorithm>
#include <utility>

#include "monitor/texts.hpp"

namespace twat::mp::detail {
namespace {

constexpr std::size_t longest_label = 80;
constexpr std::size_t longest_what_listed = 500;
constexpr auto recent = std::chrono::seconds(5);

const char* name_of(trace_outcome outcome)
{
    switch (outcome) {
    case trace_outcome::done: return "done";
    case trace_outcome::failed: return "threw";
    case trace_outcome::timed_out: return "timed out";
    case trace_outcome::died: return "died";
    case trace_outcome::cancelled: return "cancelled";
    }
    return "";
}

/// Whether a histogram may have been `earlier`.
bool follows(const histogram& now, const histogram& earlier) noexcept
{
    for (std::size_t i = 0; i != histogram::bucket_count; ++i)
        if (now[i] < earlier[i])
            return false;
    return true;
}

} // namespace

void pool_board::happened(const trace_event& event) noexcept
{
    try {
        std::lock_guard lock(mutex_);
        change(event);
    }
    catch (...) { // no memory: the page misses something
    }
}

void pool_board::change(const trace_event& event)
{
    if (event.what == trace_event::operation_added || event.what == trace_event::operation_ended ||
        event.what == trace_event::task_used)
        return;
    place where(event.host ? event.host : "", event.worker);
    if (!lanes_.contains(where) && lanes_.size() >= most_lanes && !make_room())
        return;
    lane& at = lanes_[std::move(where)];
    switch (event.what) {
    case trace_event::worker_ready:
        at.pid = event.pid;
        ++at.ready;
        break;
    case trace_event::worker_gone:
        at.ready -= at.ready != 0;
        at.deaths += event.outcome == trace_outcome::died;
        if (at.ready == 0) {
            at.pid = 0;
            at.memory = 0;
        }
        break;
    case trace_event::chunk_begun:
        if (at.running++ == 0)
            at.since = event.when;
        at.label.assign(event.label ? std::string_view(event.label).substr(0, longest_label) : std::string_view());
        at.tenant = event.tenant.value;
        at.first = event.first;
        at.count = event.count;
        break;
    case trace_event::chunk_ended:
        at.tasks += event.count;
        if (at.running == 0)
            break;
        --at.running;
        if (at.running == 0)
            at.busy += std::max(std::chrono::nanoseconds(0), std::chrono::nanoseconds(event.when - at.since));
        break;
    default: break;
    }
}

/// Hosts come and go, each with a name of its own.
bool pool_board::make_room()
{
    std::erase_if(lanes_, [](const auto& each) { return !each.first.first.empty() && each.second.running == 0; });
    return lanes_.size() < most_lanes;
}

void pool_board::failed(const observed_failure& failure) noexcept
{
    try {
        keep(failure);
    }
    catch (...) { // no memory
    }
}

void pool_board::keep(const observed_failure& failure)
{
    const auto now = clock::now();
    bool details = false;
    {
        std::lock_guard lock(mutex_);
        if (now - second_ >= std::chrono::seconds(1)) {
            second_ = now;
            in_second_ = 0;
            described_ = {};
        }
        if (++in_second_ > most_failures_a_second)
            return;
        details = described_ < most_describing_a_second;
    }
    kept_failure kept{.when = now, .seen = failure};
    kept.seen.label = nullptr;
    kept.seen.host = nullptr;
    kept.seen.error = nullptr; // the program's own: it may change it, and what it holds ends with its last copy
    if (failure.label)
        kept.label = std::string(failure.label).substr(0, longest_label);
    if (failure.host)
        kept.host = failure.host;
    kept.text = describe_failure(failure.error, details);
    if (!details)
        kept.text.details = "left out: the exceptions of this second take long to describe\n";
    std::deque<kept_failure> dropped; // megabytes of calls are freed without the lock
    std::lock_guard lock(mutex_);
    described_ += clock::now() - now;
    kept.id = ++last_failure_;
    failures_.push_back(std::move(kept));
    while (failures_.size() > most_failures || (failures_.size() > 1 && parcel_bytes() > most_parcel_bytes)) {
        dropped.push_back(std::move(failures_.front()));
        failures_.pop_front();
    }
}

std::size_t pool_board::parcel_bytes() const
{
    std::size_t bytes = 0;
    for (const kept_failure& f : failures_)
        bytes += f.text.call.size();
    return bytes;
}

void pool_board::add_lane(json_list& to, const place& where, const lane& at, clock::time_point now)
{
    const auto runs = at.running == 0 ? std::chrono::nanoseconds(0)
                                      : std::max(std::chrono::nanoseconds(0), std::chrono::nanoseconds(now - at.since));
    const auto& [host, node] = where;
    json_list one('[');
    for (const std::uint64_t value : {std::uint64_t(node), std::uint64_t(at.pid),
                                      std::uint64_t(at.ready != 0 || !host.empty()), std::uint64_t(at.running)})
        one.add(std::to_string(value));
    one.add(json_text(at.label)).add(json_ms(runs));
    for (const std::uint64_t value : {at.tenant, at.first, at.count, at.tasks})
        one.add(std::to_string(value));
    one.add(json_ms(at.busy + runs)).add(std::to_string(at.deaths)).add(std::to_string(at.memory));
    if (!host.empty())
        one.add(json_text(host));
    to.add(one.close());
}

std::string pool_board::lanes_json(std::size_t nodes, const std::vector<host_stats>& hosts, clock::time_point now) const
{
    std::lock_guard lock(mutex_);
    json_list all('[');
    std::size_t left = most_lanes;
    for (const host_stats& host : hosts)
        for (std::size_t node = 0; node != host.nodes && left != 0; ++node, --left) {
            const place where(host.host, node);
            const auto found = lanes_.find(where);
            add_lane(all, where, found == lanes_.end() ? lane() : found->second, now);
        }
    for (const auto& [where, at] : lanes_) {
        const auto& [host, node] = where;
        // of hosts: what runs beyond the workers that their agents tell, as coroutines do, or on one that leaves
        const auto known = std::ranges::find(hosts, host, &host_stats::host);
        const bool shown = host.empty() ? hosts.empty() && (node < nodes || at.ready != 0)
                                        : at.running != 0 && (known == hosts.end() || node >= known->nodes);
        if (shown)
            add_lane(all, where, at, now);
    }
    return all.close();
}

std::string pool_board::failures_json(clock::time_point now) const
{
    std::lock_guard lock(mutex_);
    json_list all('[');
    for (auto f = failures_.rbegin(); f != failures_.rend(); ++f) {
        json_list one('{');
        one.add("id", f->id).add("ago_ms", json_ms(now - f->when)).add("how", json_text(name_of(f->seen.how)));
        one.add("label", json_text(f->label)).add("tenant", f->seen.tenant.value).add("task", f->seen.index);
        if (f->seen.placed)
            one.add("worker", f->seen.worker).add("pid", static_cast<std::size_t>(f->seen.pid));
        if (!f->host.empty())
            one.add("host", json_text(f->host));
        one.add("what", json_text(f->text.what.substr(0, longest_what_listed)))
            .add("parcel", f->text.call.size() + !f->text.call.empty());
        all.add(one.close());
    }
    return all.close();
}

std::optional<kept_failure> pool_board::failure(std::uint64_t id) const
{
    std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(failures_, id, &kept_failure::id);
    if (found == failures_.end())
        return {};
    return *found;
}

void pool_board::add_recent(json_list& to, const pool_stats& stats, clock::time_point now)
{
    std::lock_guard lock(mutex_);
    // nobody has looked for a while: what lies between is not recent
    if (!past_.empty() && now - past_.back().when > 2 * recent)
        past_.clear();
    // after a restart a pool counts from 0 again
    if (!past_.empty() &&
        (stats.done + stats.failed < past_.back().ended || !follows(stats.queue_wait, past_.back().waits) ||
         !follows(stats.run_time, past_.back().runs)))
        past_.clear();
    if (past_.empty() || now - past_.back().when >= std::chrono::milliseconds(500))
        past_.push_back({now, stats.done + stats.failed, stats.queue_wait, stats.run_time});
    while (past_.size() > 1 && now - past_[1].when >= recent)
        past_.pop_front();
    const moment& then = past_.front();
    histogram waits = stats.queue_wait, runs = stats.run_time;
    waits -= then.waits;
    runs -= then.runs;
    const double seconds = std::chrono::duration<double>(now - then.when).count();
    const double rate = seconds > 0 ? static_cast<double>(stats.done + stats.failed - then.ended) / seconds : 0;
    to.add("rate", std::to_string(rate));
    to.add("recent", runs.count());
    add_quantiles(to, waits, runs);
}

std::vector<int> pool_board::processes() const
{
    std::lock_guard lock(mutex_);
    std::vector<int> all;
    for (const auto& [where, at] : lanes_)
        if (at.pid != 0)
            all.push_back(at.pid);
    return all;
}

void pool_board::set_memory(int pid, std::size_t bytes)
{
    std::lock_guard lock(mutex_);
    for (auto& [where, at] : lanes_)
        if (at.pid == pid)
            at.memory = bytes;
}

} // namespace twat::mp::detail
