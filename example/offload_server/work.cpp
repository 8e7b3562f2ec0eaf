// SPDX-License-Identifier: BSL-1.0
#include "work.hpp"

#include <twat/mp/any_pool.hpp>
#include <twat/mp/async_pool.hpp>
#include <twat/mp/bind_to_peer.hpp>
#include <twat/mp/error.hpp>
#include <twat/mp/exceptions.hpp>
#include <twat/mp/trace_file.hpp>
#include <twat/mp/worker_died.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <csignal>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "client_tenant.hpp"
#include "json.hpp"

namespace offload {
namespace {

using namespace std::chrono_literals;

/// Primes up to here are one task.
constexpr std::uint64_t piece = 500'000;

std::string primes_of_piece(std::uint64_t number, std::uint64_t end)
{
    return primes(number * piece, std::min((number + 1) * piece, end));
}

} // namespace

struct workshop::pools
{
    mp::any_async_pool processes; // of this machine, or those of the agents of other hosts
    mp::async_thread_pool threads;
};

namespace {

mp::pool_options options(const settings& s, mode where)
{
    mp::pool_options o;
    o.nodes = s.workers;
    o.max_pending = s.max_pending;
    o.max_message_size = std::max<std::size_t>(s.max_body + 4096, std::size_t(64) << 20);
    o.max_tasks_per_child = where == mode::processes ? 10'000 : 0; // what leaks in a decoder is gone some time
    o.measure_usage = true;                                        // the monitor shows CPU time by label
    if (where == s.where && !s.trace.empty())
        o.on_trace = mp::trace_file(s.trace);
    return o;
}

/// The agents have all other options on their own command lines.
mp::pool_options cluster_options(const settings& s)
{
    const mp::pool_options local = options(s, mode::cluster);
    mp::pool_options o;
    o.max_pending = local.max_pending;
    o.max_message_size = local.max_message_size;
    o.on_trace = local.on_trace;
    return o;
}

} // namespace

workshop::workshop(const asio::any_io_executor& executor, const settings& s)
    : settings_(s), hang_up_(s.half_closed ? mp::peer_hangup::reset_only : mp::peer_hangup::any), where_(s.where),
      pools_(new pools{s.where == mode::cluster
                           ? mp::any_async_pool(executor, "cluster", cluster_options(s))
                           : mp::any_async_pool(executor, "processes", with_workers_known(options(s, mode::processes))),
                       mp::async_thread_pool(executor, options(s, mode::threads))})
{}

/// Keeps account of the processes. And a pool without work replaces a worker that died when it is asked to; a server rather has it ready for the next request.
mp::pool_options workshop::with_workers_known(mp::pool_options o)
{
    o.on_event = [this](const mp::pool_event& event) {
        if (event.what == mp::pool_event::worker_ready)
            processes_.insert(event.pid);
        if (event.what == mp::pool_event::worker_lost || event.what == mp::pool_event::worker_retired)
            processes_.erase(event.pid);
        if (event.what == mp::pool_event::worker_lost)
            asio::post(pools_->processes.get_executor(),
                       [this] { pools_->processes.start([](std::exception_ptr) {}); });
    };
    return o;
}

// tag::watch[]
void workshop::show_on(mp::monitor& monitor) const
{
    monitor.watch(name_of(settings_.where == mode::cluster ? mode::cluster : mode::processes), pools_->processes);
    monitor.watch("threads", pools_->threads);
}
// end::watch[]

workshop::~workshop() = default;

bool workshop::has(mode where) const
{
    switch (where) {
    case mode::processes: return settings_.where != mode::cluster;
    case mode::cluster: return settings_.where == mode::cluster;
    default: return true;
    }
}

asio::awaitable<void> workshop::start()
{
    if (in_workers())
        co_await pools_->processes.start();
    else if (where_ == mode::threads)
        co_await pools_->threads.start();
}

asio::awaitable<std::string> workshop::why_not_ready()
{
    if (where_ == mode::in_loop || stats(where_).ready != 0)
        co_return "";
    // A pool that lost its workers tries to start others when it is asked to.
    using namespace asio::experimental::awaitable_operators;
    asio::steady_timer limit(pools_->processes.get_executor(), 1s);
    try {
        const auto first = co_await (start() || limit.async_wait(asio::use_awaitable));
        co_return first.index() == 0 ? "" : "the workers are starting";
    }
    catch (const std::exception& e) {
        co_return e.what();
    }
}

template <class R, class... Parameters, class... Arguments>
asio::awaitable<R> workshop::run(const char* label, caller by, R (*f)(Parameters...), Arguments... arguments)
{
    tcp::socket& client = by.client;
    // tag::peer[]
    mp::call_options options;
    options.timeout = settings_.timeout;
    options.label = label;              // what the monitor calls it
    options.tenant = tenant_of(client); // none keeps the others waiting
    options.trace_parent = by.trace;    // the header `traceparent`
    if (in_workers())
        co_return co_await pools_->processes.with(options).apply(f, std::move(arguments)...,
                                                                 mp::bind_to_peer(client, hang_up_));
    // end::peer[]
    if (where_ == mode::threads)
        co_return co_await pools_->threads.with(options).apply(f, std::move(arguments)...,
                                                               mp::bind_to_peer(client, hang_up_));
    co_return run_here(f, std::move(arguments)...);
}

// On the loop: nothing else goes on meanwhile, and nothing can end it early.
template <class R, class... Parameters, class... Arguments>
R workshop::run_here(R (*f)(Parameters...), Arguments... arguments)
{
    const auto begun = std::chrono::steady_clock::now();
    const auto ended = [&](bool good) {
        ++(good ? here_.done : here_.failed);
        here_.run_time.record(std::chrono::steady_clock::now() - begun);
    };
    try {
        R result = f(std::move(arguments)...);
        ended(true);
        return result;
    }
    catch (...) {
        ended(false);
        throw;
    }
}

asio::awaitable<image> workshop::thumbnail(caller by, std::string bytes, int width)
{
    return run("thumbnail", by, &offload::thumbnail, std::move(bytes), width);
}

asio::awaitable<std::string> workshop::hash(caller by, std::string password, std::string salt, std::uint64_t rounds)
{
    return run("hash", by, &offload::hash, std::move(password), std::move(salt), rounds);
}

asio::awaitable<int> workshop::slow(caller by, int milliseconds)
{
    return run("slow", by, &offload::slow, milliseconds);
}

asio::awaitable<int> workshop::crash(caller by) { return run("crash", by, &offload::crash, 0); }

namespace {

template <class Pool>
asio::awaitable<void> stream_primes(Pool& pool, mp::call_options options, tcp::socket& client, mp::peer_hangup hang_up,
                                    std::uint64_t end, workshop::text_sink& sink)
{
    std::vector<std::uint64_t> numbers((end + piece - 1) / piece), ends(numbers.size(), end);
    for (std::size_t i = 0; i < numbers.size(); ++i)
        numbers[i] = i;
    auto pieces = pool.with(options).imap(&primes_of_piece, std::move(numbers), std::move(ends));
    while (const auto text = co_await pieces.next(mp::bind_to_peer(client, hang_up)))
        co_await sink(*text);
} // a client that hung up: what has not begun is dropped with the stream

} // namespace

asio::awaitable<void> workshop::primes(caller by, std::uint64_t end, text_sink& sink)
{
    mp::call_options options;
    options.timeout = settings_.timeout;
    options.chunk_size = 1;
    options.window = 8; // so much is made ahead of a client that reads slowly
    options.label = "primes";
    options.tenant = tenant_of(by.client);
    options.trace_parent = by.trace;
    if (in_workers())
        co_await stream_primes(pools_->processes, options, by.client, hang_up_, end, sink);
    else if (where_ == mode::threads)
        co_await stream_primes(pools_->threads, options, by.client, hang_up_, end, sink);
    else
        for (std::uint64_t i = 0; i * piece < end; ++i) {
            const std::string text = co_await run("primes", by, &primes_of_piece, i, end);
            co_await sink(text);
        }
}

asio::awaitable<void> workshop::one_of_flood(std::uint64_t rounds)
{
    mp::call_options options;
    options.timeout = settings_.timeout;
    options.label = "hash";
    std::string password = "password", salt = "salt";
    if (in_workers())
        co_await pools_->processes.with(options).apply(&offload::hash, password, salt, rounds);
    else if (where_ == mode::threads)
        co_await pools_->threads.with(options).apply(&offload::hash, password, salt, rounds);
    else
        run_here(&offload::hash, password, salt, rounds);
}

void workshop::flood(std::size_t tasks, std::uint64_t rounds)
{
    for (std::size_t i = 0; i < tasks; ++i)
        // stats() counts those that fail or are refused
        asio::co_spawn(pools_->processes.get_executor(), one_of_flood(rounds), [](std::exception_ptr) {});
}

asio::awaitable<int> workshop::kill_one()
{
    co_await pools_->processes.start();
    const mp::pool_dump busy = co_await pools_->processes.dump();
    const int pid = !busy.workers.empty() ? busy.workers.front().pid : processes_.empty() ? 0 : *processes_.begin();
    if (pid == 0 || ::kill(pid, SIGKILL) != 0)
        co_return 0;
    // A pool without work looks after its workers when it is asked to.
    asio::steady_timer pause(pools_->processes.get_executor());
    for (int i = 0; i < 500 && processes_.contains(pid); ++i) {
        pause.expires_after(10ms);
        co_await pause.async_wait(asio::use_awaitable);
        co_await pools_->processes.start();
    }
    co_return pid;
}

mp::pool_stats workshop::stats(mode where) const
{
    switch (where) {
    case mode::processes:
    case mode::cluster: return pools_->processes.stats();
    case mode::threads: return pools_->threads.stats();
    default: return here_;
    }
}

asio::awaitable<void> workshop::drain(std::chrono::nanoseconds patience)
{
    using namespace asio::experimental::awaitable_operators;
    co_await (pools_->processes.drain(patience) && pools_->threads.drain(patience));
}

void workshop::terminate()
{
    pools_->processes.terminate();
    pools_->threads.terminate();
}

// ---------------------------------------------------------------- what went wrong

failure explain(std::exception_ptr error)
{
    failure f;
    json_object body;
    try {
        std::rethrow_exception(error);
    }
    catch (const mp::worker_died& e) {
        body.add("error", "worker_died").add("message", e.what()).add("pid", e.pid());
        if (e.signal() != 0)
            body.add("signal", e.signal());
        else if (e.status_known())
            body.add("exit_code", e.exit_code());
    }
    catch (const mp::error& e) {
        const char* name = "failed";
        if (e.code() == mp::errc::task_timed_out || e.code() == mp::errc::deadline_exceeded) {
            f.status = 504;
            name = "timed_out";
        } else if (e.code() == mp::errc::queue_full) {
            f.status = 503;
            f.retry = true;
            name = "queue_full";
        } else if (e.code() == mp::errc::message_too_large) {
            f.status = 413;
            name = "too_large";
        } else if (e.code() == mp::errc::pool_closed || e.code() == mp::errc::pool_terminated) {
            f.status = 503;
            f.retry = true;
            name = "stopping";
        } else if (e.code() == mp::errc::host_lost) {
            name = "host_lost";
        } else if (e.code() == mp::errc::pool_broken || e.code() == mp::errc::worker_start_failed ||
                   e.code() == mp::errc::no_agents || e.code() == mp::errc::broker_failed) {
            f.status = 503;
            f.retry = true;
            name = "no_workers";
        }
        body.add("error", name).add("message", e.what());
    }
    catch (const boost::system::system_error& e) {
        f.hung_up = e.code() == asio::error::operation_aborted || e.code() == asio::error::broken_pipe ||
                    e.code() == asio::error::connection_reset;
        body.add("error", "failed").add("message", e.what());
    }
    catch (const std::invalid_argument& e) {
        f.status = 422;
        body.add("error", "bad_input").add("message", e.what());
    }
    catch (const std::bad_alloc&) {
        body.add("error", "out_of_memory").add("message", "the worker had no memory left for this");
    }
    catch (const std::exception& e) {
        body.add("error", "failed").add("message", e.what());
    }
    f.body = body.text() + "\n";
    return f;
}

} // namespace offload
