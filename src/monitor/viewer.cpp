// SPDX-License-Identifier: BSL-1.0
#include "monitor/viewer.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <exception>
#include <utility>

#include <unistd.h>

#include "monitor/report.hpp"
#include "os/job_thread.hpp"
#include "os/memory_use.hpp"

namespace twat::mp::detail {
namespace {

constexpr auto frame_interval = std::chrono::milliseconds(200);
constexpr auto lag_interval = std::chrono::milliseconds(50);
/// Nobody looks any more.
constexpr auto attention = std::chrono::seconds(5);
constexpr auto dump_limit = std::chrono::seconds(30);
constexpr auto report_limit = std::chrono::seconds(60);
/// Of the worker processes, in one frame: reading that of one takes some microseconds of the loop.
constexpr std::size_t most_memory_reads = 64;
constexpr auto memory_interval = std::chrono::seconds(1);
constexpr const char* json_type = "application/json";

monitor_answer no_such_pool() { return {.status = 404, .body = "no pool of that name is watched\n"}; }

} // namespace

// ---------------------------------------------------------------- the pools

void viewer::add(std::string name, core_source core)
{
    watched pool{std::move(core), std::make_shared<pool_board>(), {}};
    core_of(pool);
    std::lock_guard lock(mutex_);
    pools_[std::move(name)] = std::move(pool);
}

void viewer::remove(const std::string& name)
{
    std::lock_guard lock(mutex_);
    pools_.erase(name);
}

void viewer::close()
{
    {
        std::lock_guard lock(relay_->mutex);
        relay_->on.reset();
    }
    std::lock_guard lock(mutex_);
    pools_.clear();
}

void viewer::stop()
{
    stopped_ = true;
    lag_timer_.cancel();
    recorded_.reset();
    recorder_.reset();
    waiting_.clear();
}

/// Another one after a `restart`.
std::shared_ptr<pool_core> viewer::core_of(watched& pool)
{
    auto core = pool.source();
    if (pool.observed.lock() != core) {
        core->observe(pool.board);
        pool.observed = core;
    }
    return core;
}

std::shared_ptr<pool_core> viewer::find(const std::string& pool)
{
    std::lock_guard lock(mutex_);
    const auto found = pools_.find(pool);
    return found == pools_.end() ? nullptr : core_of(found->second);
}

std::shared_ptr<pool_board> viewer::board_of(const std::string& pool) const
{
    std::lock_guard lock(mutex_);
    const auto found = pools_.find(pool);
    return found == pools_.end() ? nullptr : found->second.board;
}

watched_pools viewer::look()
{
    watched_pools all;
    std::lock_guard lock(mutex_);
    for (auto& [name, pool] : pools_)
        all.emplace(name, core_of(pool)->stats());
    return all;
}

// ---------------------------------------------------------------- frames

std::shared_ptr<const std::string> viewer::frame()
{
    const auto now = clock::now();
    asked_ = now;
    if (!measures_)
        measure_lag();
    if (!frame_ || now - framed_ >= frame_interval) {
        read_memory();
        frame_ = std::make_shared<const std::string>(make_frame(now));
        framed_ = now;
    }
    return frame_;
}

std::string viewer::make_frame(clock::time_point now)
{
    json_list pools('[');
    {
        std::lock_guard lock(mutex_);
        for (auto& [name, pool] : pools_) {
            const pool_stats stats = core_of(pool)->stats();
            json_list one('{');
            one.add("name", json_text(name));
            add_counters(one, stats);
            pool.board->add_recent(one, stats, now);
            one.add("workers", pool.board->lanes_json(stats.nodes, stats.hosts, now));
            one.add("failures", pool.board->failures_json(now));
            pools.add(one.close());
        }
    }
    json_list can('[');
    for (const auto& [may, what] : {std::pair(options_.dumps, "dump"), std::pair(options_.records, "record"),
                                    std::pair(options_.parcels, "parcel")})
        if (may)
            can.add(json_text(what));
    const std::string lag = json_ms(std::exchange(lag_, {}));
    return json_list('{')
               .add("now_ms", json_ms(now.time_since_epoch()))
               .add("pid", static_cast<std::size_t>(::getpid()))
               .add("memory", std::size_t(read_resident_size(::getpid())))
               .add("lag_ms", lag)
               .add("can", can.close())
               .add("recording", std::string(recording_ != 0 ? "true" : "false"))
               .add("pools", pools.close())
               .close() +
           "\n";
}

void viewer::read_memory()
{
    if (unread_.empty()) {
        if (clock::now() - memory_read_ < memory_interval)
            return;
        memory_read_ = clock::now();
        std::lock_guard lock(mutex_);
        for (const auto& [name, pool] : pools_)
            for (const int pid : pool.board->processes())
                unread_.push_back(pid);
    }
    for (std::size_t i = 0; i != most_memory_reads && !unread_.empty(); ++i, unread_.pop_back()) {
        const std::uint64_t bytes = read_resident_size(unread_.back());
        std::lock_guard lock(mutex_);
        for (const auto& [name, pool] : pools_)
            pool.board->set_memory(unread_.back(), bytes);
    }
}

/// How late a timer rings is how long a handler of the program waits. Only while somebody looks.
void viewer::measure_lag()
{
    measures_ = !stopped_ && clock::now() - asked_ < attention;
    if (!measures_)
        return;
    lag_timer_.expires_after(lag_interval);
    lag_timer_.async_wait(asio::bind_executor(strand_, [self = shared_from_this()](boost::system::error_code ec) {
        if (ec)
            return;
        self->lag_ = std::max<std::chrono::nanoseconds>(self->lag_, clock::now() - self->lag_timer_.expiry());
        self->measure_lag();
    }));
}

// ---------------------------------------------------------------- what takes its time

std::uint64_t viewer::wait(respond to, std::chrono::seconds limit)
{
    const std::uint64_t number = ++last_waiting_;
    auto timer = std::make_unique<asio::steady_timer>(strand_, limit);
    timer->async_wait(asio::bind_executor(strand_, [self = shared_from_this(), number](boost::system::error_code ec) {
        if (!ec)
            self->answer(number, {.status = 504, .body = "the pool did not answer\n"});
    }));
    waiting_.emplace(number, waiting{std::move(to), std::move(timer)});
    return number;
}

void viewer::answer(std::uint64_t number, monitor_answer with)
{
    for (std::uint64_t* const waits : {&dumping_, &recording_})
        if (*waits == number)
            *waits = 0;
    if (auto found = waiting_.extract(number))
        found.mapped().to(std::move(with));
}

void viewer::make_elsewhere(std::uint64_t number, std::function<monitor_answer()> make)
{
    static constinit job_thread reports("twat-mp:report");
    reports.post([relay = relay_, to = weak_from_this(), number, make = std::move(make)]() mutable noexcept {
        monitor_answer made;
        try {
            made = make();
        }
        catch (const std::exception& e) {
            made = {.status = 500, .body = e.what() + std::string("\n")};
        }
        make = nullptr;
        std::lock_guard lock(relay->mutex);
        if (relay->on)
            asio::post(*relay->on, [to = std::move(to), number, made = std::move(made)]() mutable {
                if (const auto self = to.lock())
                    self->answer(number, std::move(made));
            });
    });
}

void viewer::dump(const std::string& pool, respond to)
{
    const auto core = find(pool);
    if (!core)
        return to(no_such_pool());
    if (dumping_ != 0)
        return to({.status = 409, .body = "a dump is under way\n"});
    dumping_ = wait(std::move(to), dump_limit);
    core->dump(asio::bind_executor(strand_, [self = shared_from_this(), number = dumping_](std::exception_ptr error,
                                                                                           pool_dump found) {
        if (error)
            return self->answer(number, {.status = 410, .body = "the pool is gone\n"});
        // an inline pool leaves names to be looked up
        self->make_elsewhere(number, [found = std::move(found)] { return monitor_answer{.body = found.to_string()}; });
    }));
}

void viewer::record(const std::string& pool, std::chrono::seconds length, respond to)
{
    const auto core = find(pool);
    if (!core)
        return to(no_such_pool());
    if (recording_ != 0)
        return to({.status = 409, .body = "a recording is under way\n"});
    recorder_ = std::make_shared<recorder>();
    core->observe(recorder_);
    recording_ = wait(std::move(to), length + report_limit);
    recorded_ = std::make_unique<asio::steady_timer>(strand_, length);
    recorded_->async_wait(
        asio::bind_executor(strand_, [self = shared_from_this(), number = recording_](boost::system::error_code ec) {
            if (ec)
                return;
            self->make_elsewhere(number, [made = std::exchange(self->recorder_, nullptr)] {
                return monitor_answer{.body = made->text(), .type = json_type, .file = "recording.json"};
            });
        }));
}

void viewer::report(const std::string& pool, std::uint64_t id, respond to)
{
    const auto board = board_of(pool);
    auto found = board ? board->failure(id) : std::nullopt;
    if (!found)
        return to({.status = 404, .body = "that failure is not kept any more\n"});
    make_elsewhere(wait(std::move(to), report_limit), [failure = std::move(*found), parcels = options_.parcels] {
        return monitor_answer{.body = report_json(failure, parcels), .type = json_type};
    });
}

monitor_answer viewer::parcel(const std::string& pool, std::uint64_t id) const
{
    const auto board = board_of(pool);
    const auto found = board ? board->failure(id) : std::nullopt;
    if (!found || found->text.call.empty())
        return {.status = 404, .body = "there is no parcel of that failure\n"};
    return {.body = found->text.call.bytes(), .type = "application/octet-stream", .file = parcel_name(*found)};
}

} // namespace twat::mp::detail
