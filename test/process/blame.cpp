// SPDX-License-Identifier: BSL-1.0
// Whom a death is blamed on where several coroutine tasks shared the worker.
#include <twat/mp/multi_pool.hpp>

#include <twat/mp/error.hpp>
#include <twat/mp/worker.hpp>
#include <twat/mp/worker_died.hpp>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <ostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace twat::mp;
using namespace std::chrono_literals;
namespace bdata = boost::unit_test::data;

namespace {

constexpr int killer = 3;

/// The way in which the killer gets onto the CPU for its last moment.
enum class way { timer, post, dispatch, strand, spawned, on_the_workers_loop, thrown, while_decoding, from_a_thread };

std::ostream& operator<<(std::ostream& to, way w) { return to << static_cast<int>(w); }

struct deadly
{
    int value = 0;
    bool in_decode = false;
};

[[noreturn]] void die()
{
    ::raise(SIGKILL);
    std::abort();
}

asio::awaitable<void> sleep_for(std::chrono::milliseconds time)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<void> sleep_and_die()
{
    co_await sleep_for(1ms);
    die();
}

asio::awaitable<int> nap(deadly argument, way how)
{
    const auto executor = co_await asio::this_coro::executor;
    if (argument.value != killer) {
        co_await sleep_for(300ms);
        co_return argument.value;
    }
    co_await sleep_for(50ms); // until the others have begun
    switch (how) {
    case way::timer: die();
    case way::post: asio::post(executor, die); break;
    case way::dispatch:
        co_await asio::post(executor, asio::use_awaitable);
        co_await asio::dispatch(executor, asio::use_awaitable);
        die();
    case way::strand: {
        const auto strand = asio::make_strand(executor);
        co_await asio::post(strand, asio::bind_executor(strand, asio::use_awaitable));
        die();
    }
    case way::spawned: asio::co_spawn(executor, sleep_and_die(), asio::detached); break;
    case way::on_the_workers_loop: asio::post(this_worker::executor(), die); break;
    case way::thrown: asio::post(executor, [] { throw std::runtime_error("nobody catches this"); }); break;
    case way::while_decoding: break;
    case way::from_a_thread:
        std::thread([] {
            std::this_thread::sleep_for(20ms);
            die();
        }).detach();
        break;
    }
    co_await sleep_for(10s);
    co_return -1;
}

asio::awaitable<int> pid_later(std::string file, int)
{
    const int pid = ::getpid();
    std::ofstream(file, std::ios::app) << pid << std::endl;
    co_await sleep_for(400ms);
    co_return pid;
}

std::vector<deadly> six()
{
    std::vector<deadly> inputs;
    for (int i = 0; i < 6; ++i)
        inputs.push_back({i, false});
    return inputs;
}

struct told
{
    int value = -1;
    bool culprit = false, bystander = false, quarantined = false;
    std::string what;
};

told tell(const result<int>& outcome)
{
    told t;
    if (outcome.has_value()) {
        t.value = *outcome;
        return t;
    }
    try {
        std::rethrow_exception(outcome.error());
    }
    catch (const worker_died& death) {
        t.bystander = death.bystander();
        t.culprit = !t.bystander;
        t.what = death.what();
    }
    catch (const error& e) {
        t.quarantined = e.code() == errc::task_quarantined;
        t.what = e.what();
    }
    return t;
}

} // namespace

template <>
struct twat::mp::codec<deadly>
{
    static void encode(encoder& out, const deadly& d)
    {
        out.write(d.value);
        out.write(d.in_decode);
    }
    static deadly decode(decoder& in)
    {
        const deadly d{in.read<int>(), in.read<bool>()};
        if (d.in_decode)
            die();
        return d;
    }
};

BOOST_AUTO_TEST_SUITE(test_blame)

constexpr way marked[] = {way::timer,  way::post,          way::dispatch,
                          way::strand, way::spawned,       way::on_the_workers_loop,
                          way::thrown, way::while_decoding};

BOOST_DATA_TEST_CASE(the_coroutine_on_the_cpu_alone_is_the_culprit, bdata::make(marked), how)
{
    process_pool pool(pool_options{.nodes = 1, .child_stderr = error_output::discard});
    auto inputs = six();
    inputs[killer].in_decode = how == way::while_decoding;
    if (how == way::while_decoding) // the others have begun by then
        std::swap(inputs[killer], inputs.back());
    const auto outcomes = pool.try_map(nap, inputs, std::vector<way>(6, how));
    for (std::size_t i = 0; i < 6; ++i) {
        const told t = tell(outcomes[i]);
        BOOST_TEST_CONTEXT("task " << i << ": " << t.what)
        {
            BOOST_TEST(t.culprit == (inputs[i].value == killer));
            BOOST_TEST(t.bystander == (inputs[i].value != killer));
            BOOST_TEST((t.what.find("suspended") != std::string::npos) == t.bystander);
        }
    }
}

BOOST_AUTO_TEST_CASE(bystanders_run_again_and_the_culprit_is_quarantined)
{
    process_pool pool(1);
    const auto outcomes = pool.with({.retries = 1}).try_map(nap, six(), std::vector<way>(6, way::timer));
    for (int i = 0; i < 6; ++i) {
        const told t = tell(outcomes[static_cast<std::size_t>(i)]);
        BOOST_TEST_CONTEXT("task " << i << ": " << t.what)
        {
            BOOST_TEST(t.value == (i == killer ? -1 : i));
            BOOST_TEST(t.quarantined == (i == killer));
        }
    }
    BOOST_TEST(pool.stats().died == 2u);
}

BOOST_AUTO_TEST_CASE(a_kill_from_outside_while_all_are_suspended_is_nobody_s_fault)
{
    const std::string file =
        (std::filesystem::temp_directory_path() / ("twat_mp_blame_" + std::to_string(::getpid()))).string();
    std::filesystem::remove(file);
    for (const std::size_t retries : {0u, 1u}) {
        process_pool pool(1);
        pool.start();
        std::vector<std::future<int>> calls;
        for (int i = 0; i < 4; ++i)
            calls.push_back(pool.with({.retries = retries}).submit(pid_later, file, i));
        const auto begun = [&] {
            std::ifstream in(file);
            return std::count(std::istreambuf_iterator<char>(in), {}, '\n');
        };
        while (begun() < 4)
            std::this_thread::sleep_for(1ms);
        int first = 0;
        std::ifstream(file) >> first;
        std::this_thread::sleep_for(20ms); // all wait for their timers
        ::kill(first, SIGKILL);
        for (auto& call : calls) {
            try {
                BOOST_TEST(call.get() != first);
                BOOST_TEST(retries == 1u);
            }
            catch (const worker_died& death) {
                BOOST_TEST(retries == 0u);
                BOOST_TEST(death.bystander());
            }
        }
        std::filesystem::remove(file);
    }
}

BOOST_AUTO_TEST_CASE(runs_for_nothing_have_an_end_where_no_culprit_is_seen)
{
    process_pool pool(pool_options{.nodes = 1, .restarts = {.count = 1000}});
    const auto outcomes = pool.with({.retries = 1})
                              .try_map(nap, std::vector<deadly>{{killer, false}}, std::vector<way>{way::from_a_thread});
    BOOST_TEST(tell(outcomes[0]).bystander);
    for (int looks = 0; looks != 5000 && pool.stats().died < 9; ++looks)
        std::this_thread::sleep_for(1ms); // the snapshot may be taken after the answer
    BOOST_TEST(pool.stats().died == 9u);
}

asio::awaitable<int> die_at_once(int x)
{
    if (x == killer)
        die();
    co_return x;
}

// With no suspension in between the tasks run one after another, all in one turn of the worker: the killer ends it in the middle.
BOOST_AUTO_TEST_CASE(what_had_finished_keeps_its_value_and_what_had_not_begun_runs_elsewhere)
{
    process_pool pool(pool_options{.nodes = 1});
    pool.start();
    for (int round = 0; round != 5; ++round) {
        const auto outcomes = pool.try_map(die_at_once, std::vector<int>{0, 1, 2, 3, 4, 5});
        for (int x = 0; x != 6; ++x)
            BOOST_TEST((x == killer ? outcomes[x].has_error() : outcomes[x].has_value() && *outcomes[x] == x),
                       "task " << x);
    }
}

/// Keeps the worker's loop, and with it all neighbours, for as long.
asio::awaitable<int> hold_the_loop(int x)
{
    std::this_thread::sleep_for(100ms);
    co_return x;
}

template <class Pool>
void check_that_time_counts_from_the_first_resumption()
{
    Pool pool(pool_options{.nodes = 1});
    pool.start();
    const auto outcomes = pool.with({.timeout = 1s}).try_map(hold_the_loop, std::vector<int>(20)); // 2 s together
    for (const auto& outcome : outcomes)
        BOOST_TEST(outcome.has_value());
}

BOOST_AUTO_TEST_CASE(a_coroutine_s_time_counts_from_its_first_resumption_in_a_process)
{
    check_that_time_counts_from_the_first_resumption<process_pool>();
}

BOOST_AUTO_TEST_CASE(a_coroutine_s_time_counts_from_its_first_resumption_in_a_thread)
{
    check_that_time_counts_from_the_first_resumption<thread_pool>();
}

BOOST_AUTO_TEST_SUITE_END()
