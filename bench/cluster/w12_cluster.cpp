// SPDX-License-Identifier: BSL-1.0
// W12: pools over several hosts, all of them on the loopback of one, so that what is measured is the library and the broker and no network.
#include "cluster/w12_cluster.hpp"

#include <nats/nats.h>

#include <twat/mp/async_pool.hpp>
#include <twat/mp/cluster.hpp>
#include <twat/mp/multi_pool.hpp>

#include <sys/resource.h>

#include <cstring>
#include <memory>
#include <string>
#include <thread>

#include "awaited.hpp"
#include "child.hpp"
#include "cluster/site.hpp"
#include "shapes.hpp"

namespace bench {

namespace mp = twat::mp;

namespace {

// ---------------------------------------------------------------- the floor

void check(natsStatus status, const char* what)
{
    if (status != NATS_OK)
        throw std::runtime_error(std::string(what) + ": " + natsStatus_GetText(status));
}

std::shared_ptr<natsConnection> connect(const std::string& url)
{
    natsOptions* options = nullptr;
    check(natsOptions_Create(&options), "options");
    const std::unique_ptr<natsOptions, decltype(&natsOptions_Destroy)> owned(options, natsOptions_Destroy);
    check(natsOptions_SetURL(options, url.c_str()), "url");
    check(natsOptions_SetSendAsap(options, true), "send at once");
    natsConnection* connection = nullptr;
    check(natsConnection_Connect(&connection, options), "connect");
    return {connection, natsConnection_Destroy};
}

/// One of a queue group, which answers with 1 more.
[[noreturn]] void respond(const std::string& url)
{
    const auto connection = connect(url);
    natsSubscription* subscription = nullptr;
    check(natsConnection_QueueSubscribeSync(&subscription, connection.get(), "increment", "workers"), "subscribe");
    for (;;) {
        natsMsg* request = nullptr;
        if (natsSubscription_NextMsg(&request, subscription, 1000) != NATS_OK)
            continue;
        std::int64_t x = 0;
        std::memcpy(&x, natsMsg_GetData(request), sizeof x);
        x = increment(x);
        natsConnection_Publish(connection.get(), natsMsg_GetReply(request), &x, sizeof x);
        natsMsg_Destroy(request);
    }
}

measured bare_requests(const effort& how)
{
    const site here(0, 0);
    const auto start = [&] { return forked_child([&] { respond(here.url()); }); };
    forked_child responders[] = {start(), start()}; // before this process has threads
    const auto connection = connect(here.url());
    const auto ask = [&](std::int64_t x) -> std::int64_t {
        natsMsg* answer = nullptr;
        natsStatus status = NATS_NO_RESPONDERS;
        while (status == NATS_NO_RESPONDERS) // not yet
            status = natsConnection_Request(&answer, connection.get(), "increment", &x, sizeof x, 10'000);
        check(status, "request");
        std::memcpy(&x, natsMsg_GetData(answer), sizeof x);
        natsMsg_Destroy(answer);
        return x;
    };
    const measured found = round_trips(how, ask);
    for (forked_child& responder : responders)
        responder.kill();
    return found;
}

// ---------------------------------------------------------------- pools

std::int64_t sleep_10_ms(std::int64_t x)
{
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return 2 * x;
}

/// 1 us on the average, most of it asleep: a shorter sleep would cost the processor more than it lasts.
std::int64_t sleep_1_us(std::int64_t x)
{
    if (x % 2000 == 0)
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return 2 * x;
}

mp::cluster_options options_for(const site& here) { return {.url = here.url(), .lease = std::chrono::seconds(10)}; }

measured cluster_apply(const effort& how)
{
    const site here(1, 2);
    mp::cluster_pool pool(options_for(here));
    pool.apply(increment, std::int64_t(0));
    return round_trips(how, [&](std::int64_t i) { return pool.apply(increment, i); });
}

measured cluster_awaited_apply(const effort& how)
{
    const site here(1, 2);
    awaited<mp::async_cluster_pool> loop(options_for(here));
    return round_trips(how, [&](std::int64_t i) {
        return loop.wait([&](mp::async_cluster_pool& pool) { return pool.apply(increment, i); });
    });
}

measured local_apply(const effort& how)
{
    mp::process_pool pool(2);
    pool.start();
    return round_trips(how, [&](std::int64_t i) { return pool.apply(increment, i); });
}

constexpr std::size_t sleepers = 6;

/// The time that all of the workers together need, over the time that passes.
template <class Pool>
measured fullness(const effort& how, Pool& pool)
{
    const auto in = numbers(how.of<std::size_t>(3000, 600));
    const double ideal = 0.01 * static_cast<double>(in.size()) / sleepers;
    std::vector<double> found;
    for (int i = 0; i != 3; ++i) {
        std::vector<std::int64_t> out;
        const double time = time_of([&] { out = pool.map(sleep_10_ms, in); });
        bench::check(in, out, twice);
        if (i > 0)
            found.push_back(ideal / time);
    }
    return {median(found), {}};
}

measured local_fullness(const effort& how)
{
    mp::process_pool pool(sleepers);
    pool.start();
    return fullness(how, pool);
}

measured cluster_fullness(const effort& how)
{
    const site here(3, sleepers / 3);
    mp::cluster_pool pool(options_for(here));
    return fullness(how, pool);
}

measured local_items(const effort& how)
{
    mp::process_pool pool(2);
    pool.start();
    return doubles(how, 1'000'000, 1e9, [&](const std::vector<std::int64_t>& in) { return pool.map(sleep_1_us, in); });
}

measured cluster_items(const effort& how)
{
    const site here(1, 2);
    mp::cluster_pool pool(options_for(here));
    return doubles(how, 1'000'000, 1e9, [&](const std::vector<std::int64_t>& in) { return pool.map(sleep_1_us, in); });
}

double own_cpu_time()
{
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds_of = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
    };
    return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

constexpr std::size_t chunk_workers = 16;

/// What a chunk costs the processors, by workers that sleep: of the parent, and of the programs beside it.
template <class Pool>
measured chunk_cost(const effort& how, Pool& pool, const std::vector<started>* others)
{
    const auto in = numbers(how.of<std::size_t>(16'000, 3200));
    const auto run = [&] { bench::check(in, pool.with({.chunk_size = 1}).map(sleep_10_ms, in), twice); };
    run(); // the first one warms up
    const double before = own_cpu_time();
    std::vector<double> theirs;
    if (others)
        for (const started& program : *others)
            theirs.push_back(program.cpu_time());
    const double time = time_of(run);
    const auto of_a_chunk = [&](double seconds) { return 1e6 * seconds / static_cast<double>(in.size()); };
    measured found{of_a_chunk(own_cpu_time() - before), {{"chunks_a_second", static_cast<double>(in.size()) / time}}};
    for (std::size_t i = 0; i != theirs.size(); ++i)
        found.more.emplace_back(i == 0 ? "broker_us" : "agent_us", of_a_chunk((*others)[i].cpu_time() - theirs[i]));
    return found;
}

measured local_chunk_cost(const effort& how)
{
    mp::process_pool pool(chunk_workers);
    pool.start();
    return chunk_cost(how, pool, nullptr);
}

measured cluster_chunk_cost(const effort& how)
{
    const site here(1, chunk_workers);
    mp::cluster_pool pool(options_for(here));
    return chunk_cost(how, pool, &here.running());
}

} // namespace

void add_w12(registry& rows)
{
    const std::string floor = "nats.c, request to a queue group";
    rows.add({"w12", floor, role::floor, bare_requests});
    rows.add({"w12", "process_pool", role::ours, local_apply});
    rows.add({"w12", "cluster_pool", role::ours, cluster_apply, floor, 1.5});
    rows.add({"w12", "async_cluster_pool", role::ours, cluster_awaited_apply, floor, 1.5});

    rows.add({"w12-10ms", "process_pool, 6 workers", role::ours, local_fullness});
    rows.add({"w12-10ms", "cluster_pool, 3 agents of 2 workers", role::ours, cluster_fullness,
              "process_pool, 6 workers", 0.95});

    rows.add({"w12-1us", "process_pool", role::ours, local_items});
    rows.add({"w12-1us", "cluster_pool, an agent of 2 workers", role::ours, cluster_items});

    rows.add({"w12-cpu", "process_pool, 16 workers", role::ours, local_chunk_cost});
    rows.add({"w12-cpu", "cluster_pool, an agent of 16 workers", role::ours, cluster_chunk_cost});
}

} // namespace bench
