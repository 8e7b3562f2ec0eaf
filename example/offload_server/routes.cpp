// SPDX-License-Identifier: BSL-1.0
#include "routes.hpp"

#include <utility>

#include "json.hpp"
#include "page/page.hpp"

namespace offload {
namespace {

answer ok(const json_object& body) { return {.body = body.text() + "\n"}; }

asio::awaitable<answer> home(exchange&) { co_return answer{.body = page(), .type = "text/html; charset=utf-8"}; }

asio::awaitable<answer> ping(exchange&) { co_return answer{.body = "{\"ok\":true}\n"}; }

asio::awaitable<answer> metrics_text(exchange& e)
{
    http_server& s = e.client.server();
    co_return answer{.body = s.counted().text(e.work, s.lag()), .type = "text/plain; version=0.0.4; charset=utf-8"};
}

/// For the page.
asio::awaitable<answer> state(exchange& e)
{
    co_return ok(json_object()
                     .add("mode", name_of(e.work.where()))
                     .add("cluster", e.work.has(mode::cluster))
                     .add("refused", e.work.stats(e.work.where()).refused)
                     .add("monitor", e.client.server().monitor_url()));
}

/// For a load balancer: new requests may come here.
asio::awaitable<answer> ready(exchange& e)
{
    std::string why;
    if (e.client.server().stopping())
        why = "the server is stopping";
    else
        why = co_await e.work.why_not_ready();
    if (why.empty())
        co_return ok(json_object().add("ready", true));
    answer a = error_answer(503, "not_ready", why);
    a.retry = true;
    co_return a;
}

asio::awaitable<answer> thumbnail_of(exchange& e)
{
    const auto width = e.t.number("width", 200, 1, 4096);
    image made = co_await e.work.thumbnail(caller_of(e), std::move(e.r.body()), static_cast<int>(width));
    co_return answer{.body = std::move(made.bytes), .type = std::move(made.type)};
}

asio::awaitable<answer> hash_of(exchange& e)
{
    const auto rounds = e.t.number("rounds", 100'000, 1, 100'000'000);
    const std::string digest = co_await e.work.hash(caller_of(e), std::move(e.r.body()), "salt", rounds);
    co_return ok(json_object().add("rounds", rounds).add("salt", "salt").add("hash", digest));
}

// ---------------------------------------------------------------- misdeeds

asio::awaitable<answer> slow_task(exchange& e)
{
    const auto ms = e.t.number("ms", 3000, 1, 600'000);
    const int took = co_await e.work.slow(caller_of(e), static_cast<int>(ms));
    co_return ok(json_object().add("ms", took));
}

asio::awaitable<answer> flood(exchange& e)
{
    const auto tasks = e.t.number("tasks", 60, 1, 10'000);
    const auto rounds = e.t.number("rounds", 100'000, 1, 10'000'000);
    e.work.flood(tasks, rounds);
    answer a = ok(json_object().add("tasks", tasks));
    a.status = 202;
    co_return a;
}

asio::awaitable<answer> crash_worker(exchange& e)
{
    if (e.work.where() != mode::processes && e.work.where() != mode::cluster)
        co_return error_answer(409, "refused", "the work runs in this very process: it would be the server that dies");
    co_await e.work.crash(caller_of(e));
    co_return answer{.body = "{}\n"};
}

asio::awaitable<answer> kill_worker(exchange& e)
{
    if (e.work.where() != mode::processes)
        co_return error_answer(409, "refused",
                               e.work.where() == mode::cluster
                                   ? "the workers are on other hosts"
                                   : "there are no worker processes: it would be the server that dies");
    const int pid = co_await e.work.kill_one();
    co_return ok(json_object().add("killed", pid));
}

asio::awaitable<answer> change_mode(exchange& e)
{
    const std::string_view to = e.t.text("to");
    for (const mode m : {mode::processes, mode::cluster, mode::threads, mode::in_loop})
        if (to == name_of(m) && e.work.has(m)) {
            e.work.go_to(m);
            co_await e.work.start();
            co_return ok(json_object().add("mode", name_of(m)));
        }
    co_return error_answer(400, "bad_query",
                           e.work.has(mode::cluster) ? "to is cluster, threads or inline"
                                                     : "to is processes, threads or inline");
}

constexpr auto get = http::verb::get, post = http::verb::post;

constexpr route routes[] = {
    {"/", get, false, home, nullptr, nullptr},
    {"/ping", get, false, ping, nullptr, nullptr},
    {"/metrics", get, false, metrics_text, nullptr, nullptr},
    {"/readyz", get, false, ready, nullptr, nullptr},
    {"/state", get, false, state, nullptr, nullptr},
    {"/primes", get, false, nullptr, stream_primes, "text/plain"},
    {"/thumbnail", post, false, thumbnail_of, nullptr, nullptr},
    {"/hash", post, false, hash_of, nullptr, nullptr},
    {"/slow", post, true, slow_task, nullptr, nullptr},
    {"/flood", post, true, flood, nullptr, nullptr},
    {"/crash", post, true, crash_worker, nullptr, nullptr},
    {"/kill", post, true, kill_worker, nullptr, nullptr},
    {"/mode", post, true, change_mode, nullptr, nullptr},
};

} // namespace

caller caller_of(exchange& e)
{
    const auto header = e.r["traceparent"];
    const mp::trace_context told(std::string_view(header.data(), header.size()));
    return {e.client.socket(), told.valid() ? told : mp::trace_context()};
}

const route* find_route(std::string_view path, bool demo)
{
    for (const route& r : routes)
        if (r.path == path && (demo || !r.demo))
            return &r;
    return nullptr;
}

} // namespace offload
