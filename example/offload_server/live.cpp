// SPDX-License-Identifier: BSL-1.0
#include "live.hpp"

#include <algorithm>

#include "json.hpp"

namespace offload {
namespace {

constexpr auto period = std::chrono::milliseconds(20);
constexpr std::size_t most_items = 5000;

const char* name_of(mp::trace_outcome outcome)
{
    switch (outcome) {
    case mp::trace_outcome::done: return "done";
    case mp::trace_outcome::failed: return "failed";
    case mp::trace_outcome::timed_out: return "timed out";
    case mp::trace_outcome::died: return "died";
    case mp::trace_outcome::cancelled: return "cancelled";
    }
    return "";
}

} // namespace

void live::start()
{
    timer_.expires_after(period);
    timer_.async_wait([this](boost::system::error_code ec) {
        if (ec || stopped_)
            return;
        measure();
        start();
    });
}

void live::measure()
{
    const auto late = clock::now() - timer_.expiry();
    lag_.record(late);
    push(json_object()
             .add("k", "lag")
             .add("t", now())
             .add("ms", std::chrono::duration<double, std::milli>(late).count())
             .text());
}

void live::add(mode where, const mp::trace_event& event)
{
    switch (event.what) {
    case mp::trace_event::worker_ready: workers_.insert_or_assign({where, event.worker}, event); break;
    case mp::trace_event::worker_gone:
        // The next one of its node may be there already.
        if (const auto known = workers_.find({where, event.worker});
            known != workers_.end() && known->second.pid == event.pid)
            workers_.erase(known);
        break;
    case mp::trace_event::chunk_begun: running_.insert_or_assign({where, event.chunk}, event); break;
    case mp::trace_event::chunk_ended: running_.erase({where, event.chunk}); break;
    default: return; // operations are counted elsewhere
    }
    push(text(where, event));
}

std::string live::text(mode where, const mp::trace_event& event) const
{
    static constexpr const char* kinds[] = {"ready", "gone", "", "", "begin", "end"};
    json_object object;
    object.add("k", kinds[event.what])
        .add("m", offload::name_of(where))
        .add("w", event.worker)
        .add("t", at(event.when));
    if (event.pid != 0)
        object.add("pid", event.pid);
    if (event.what == mp::trace_event::chunk_begun)
        object.add("c", event.chunk).add("label", event.label ? event.label : "task");
    if (event.what == mp::trace_event::chunk_ended)
        object.add("c", event.chunk).add("ms", std::chrono::duration<double, std::milli>(event.took).count());
    if (event.what == mp::trace_event::chunk_ended || event.what == mp::trace_event::worker_gone)
        object.add("how", name_of(event.outcome));
    return object.text();
}

void live::push(std::string item)
{
    items_.push_back(std::move(item));
    ++next_;
    if (items_.size() > most_items)
        items_.pop_front();
}

std::string live::since(std::uint64_t& position) const
{
    const std::uint64_t first = next_ - items_.size();
    std::string all = "[";
    for (std::uint64_t i = std::max(position, first); i < next_; ++i)
        (all += all.size() == 1 ? "" : ",") += items_[i - first];
    position = next_;
    return all + "]";
}

std::string live::present() const
{
    std::string all = "[";
    for (const auto& [key, event] : workers_)
        (all += all.size() == 1 ? "" : ",") += text(key.first, event);
    for (const auto& [key, event] : running_)
        (all += all.size() == 1 ? "" : ",") += text(key.first, event);
    return all + "]";
}

int live::some_process() const
{
    for (const auto& [key, event] : running_)
        if (event.pid != 0)
            return event.pid;
    for (const auto& [key, event] : workers_)
        if (event.pid != 0)
            return event.pid;
    return 0;
}

bool live::has_process(int pid) const
{
    for (const auto& [key, event] : workers_)
        if (event.pid == pid)
            return true;
    return false;
}

} // namespace offload
