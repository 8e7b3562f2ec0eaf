// SPDX-License-Identifier: BSL-1.0
#include "process/process_workers.hpp"

#include <twat/mp/error.hpp>
#include <twat/mp/task.hpp>
#include <twat/mp/worker.hpp>
#include <twat/mp/worker_died.hpp>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "fake_engine.hpp"

using namespace twat::mp;
using namespace twat::mp::detail;
using namespace twat::mp::test;
using namespace std::chrono_literals;

namespace {

int square(int i) { return i * i; }

int pid_of(int) { return ::getpid(); }

std::size_t index_of(int) { return this_worker::index(); }

int die_of(int signal)
{
    ::raise(signal);
    return 0;
}

int leave_with(int code) { ::_exit(code); }

int abort_at_50(int i)
{
    if (i == 50)
        std::abort();
    return i;
}

std::string twice(const std::string& text) { return text + text; }
/// How this process may use the memory that it shares with its parent: "rw-s" and the like, in the order of the addresses.
std::vector<std::string> uses_of_shared_memory(int)
{
    std::vector<std::string> uses;
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);)
        if (line.find("memfd:twat-mp") != std::string::npos)
            uses.push_back(line.substr(line.find(' ') + 1, 4));
    return uses;
}
std::string stretch_or_die(int size)
{
    if (size < 0)
        ::raise(SIGKILL);
    return std::string(static_cast<std::size_t>(size), static_cast<char>('a' + size % 26));
}

/// Returns when the file is there.
int wait_for_file(const std::string& path)
{
    while (!std::filesystem::exists(path))
        std::this_thread::sleep_for(1ms);
    return 1;
}

/// Returns at once for an empty path.
int maybe_wait_for_file(const std::string& path) { return path.empty() ? 0 : wait_for_file(path); }

int wait_for_stop(int i)
{
    while (!this_task::stop_token().stop_requested())
        std::this_thread::sleep_for(1ms);
    return i;
}

int ignore_everything(int)
{
    ::signal(SIGTERM, SIG_IGN);
    for (;;)
        ::pause();
}

/// Leaves a child behind that keeps the worker's descriptors open until somebody opens the fifo to write.
int die_and_leave_a_child(const std::string& fifo)
{
    if (fifo.empty())
        return 7;
    if (::fork() == 0) {
        ::setpgid(0, 0); // it is not to be killed with the worker
        const int fd = ::open(fifo.c_str(), O_RDONLY);
        ::close(fd);
        ::_exit(0);
    }
    ::_exit(3);
}

/// Keeps so many mebibytes.
int grow_by(int mebibytes)
{
    static std::vector<std::string> kept;
    kept.emplace_back(static_cast<std::size_t>(mebibytes) << 20, 'x');
    std::this_thread::sleep_for(2ms); // the size is looked at no more often than that
    return 0;
}

std::size_t resident_bytes(int)
{
    std::size_t total = 0, resident = 0, shared = 0;
    std::ifstream("/proc/self/statm") >> total >> resident >> shared;
    return (resident - shared) * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

asio::awaitable<int> async_square(int i)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, 1ms);
    co_await timer.async_wait(asio::use_awaitable);
    co_return i* i;
}

asio::awaitable<int> never(int i)
{
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    co_await timer.async_wait(asio::use_awaitable);
    co_return i;
}

asio::awaitable<int> block_the_loop(int)
{
    for (;;)
        ::pause();
    co_return 0;
}

void fail_to_initialize() { throw std::runtime_error("no database"); }

void never_initialized()
{
    for (;;)
        ::pause();
}

void append_line(const std::string& path) { std::ofstream(path, std::ios::app) << ::getpid() << '\n'; }

std::size_t lines_in(const std::string& path)
{
    std::ifstream file(path);
    std::size_t lines = 0;
    for (std::string line; std::getline(file, line);)
        ++lines;
    return lines;
}

struct temporary_directory
{
    temporary_directory()
    {
        std::string name = (std::filesystem::temp_directory_path() / "twat-mp-XXXXXX").string();
        path = ::mkdtemp(name.data());
    }
    ~temporary_directory() { std::filesystem::remove_all(path); }
    std::string operator/(const char* name) const { return (path / name).string(); }
    static void touch(const std::string& file) { std::ofstream{file}; }

    std::filesystem::path path;
};

std::size_t open_descriptors()
{
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
        ++count;
    return count;
}

std::size_t rss_of_a_worker()
{
    fake_engine engine;
    engine.start();
    return engine.run(engine.ready[0], *engine.chunk_of(&resident_bytes, std::vector{1})).at(0).value<std::size_t>();
}

/// Children are reaped on another thread, a moment after they are gone.
void await_no_children()
{
    for (int i = 0; i < 20'000; ++i) {
        siginfo_t info{};
        if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == -1 && errno == ECHILD)
            return;
        std::this_thread::sleep_for(1ms);
    }
    BOOST_ERROR("a child is left");
}

template <class F>
worker_died death_of(F&& rethrow)
{
    try {
        rethrow();
    }
    catch (const worker_died& e) {
        return e;
    }
    throw std::logic_error("no worker_died");
}

errc code_of(const std::exception_ptr& e)
{
    try {
        std::rethrow_exception(e);
    }
    catch (const error& known) {
        return static_cast<errc>(known.code().value());
    }
}

std::string what_of(const std::exception_ptr& e)
{
    try {
        std::rethrow_exception(e);
    }
    catch (const std::exception& known) {
        return known.what();
    }
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_process_workers)

BOOST_AUTO_TEST_CASE(a_task_runs_in_another_process)
{
    fake_engine engine;
    engine.start();
    BOOST_TEST(engine.run(engine.ready[0], *engine.chunk_of(&square, std::vector{7})).at(0).value<int>() == 49);
    const int pid = engine.run(engine.ready[0], *engine.chunk_of(&pid_of, std::vector{7})).at(0).value<int>();
    BOOST_TEST(pid != ::getpid());
    engine.stop();
    BOOST_TEST(::kill(pid, 0) == -1);
    await_no_children();
}

BOOST_AUTO_TEST_CASE(each_worker_knows_its_index)
{
    fake_engine engine({}, 3);
    engine.start(3);
    std::vector<bool> seen(3);
    for (const worker_id id : engine.ready)
        seen.at(engine.run(id, *engine.chunk_of(&index_of, std::vector{0})).at(0).value<std::size_t>()) = true;
    BOOST_TEST((seen == std::vector<bool>{true, true, true}));
}

BOOST_AUTO_TEST_CASE(many_chunks_in_flight_keep_their_order)
{
    fake_engine engine;
    engine.start();
    std::vector<std::shared_ptr<chunk>> chunks;
    for (int i = 0; i < 30; ++i) {
        chunks.push_back(engine.chunk_of(&square, std::vector<int>(500, i)));
        engine.workers->submit(engine.ready[0], *chunks.back());
    }
    engine.run_until([&] { return engine.ended.size() == 30; });
    for (int i = 0; i < 30; ++i) {
        const auto& outcomes = engine.outcomes[chunks[static_cast<std::size_t>(i)]->id];
        BOOST_REQUIRE(outcomes.size() == 500u);
        BOOST_TEST(outcomes[499].position == 499u);
        BOOST_TEST(outcomes[499].value<int>() == i * i);
    }
}

BOOST_AUTO_TEST_CASE(a_death_names_the_task_and_the_signal)
{
    fake_engine engine;
    engine.start();
    const auto work = engine.chunk_of(&die_of, std::vector{SIGKILL});
    work->first = 40;
    engine.workers->submit(engine.ready[0], *work);
    engine.run_until([&] { return !engine.gone.empty(); });
    const worker_loss& loss = engine.gone.at(engine.ready[0]);
    BOOST_TEST(!loss.expected);
    BOOST_REQUIRE(loss.begun.size() == 1u);
    BOOST_TEST(loss.begun[0].id == work->id);
    BOOST_TEST(loss.begun[0].position == 0u);
    const worker_died death = death_of([&] { std::rethrow_exception(loss.explain(40)); });
    BOOST_TEST(death.status_known());
    BOOST_TEST(death.signal() == SIGKILL);
    BOOST_TEST(death.task_index() == 40u);

    // and another takes its place
    const worker_id next = engine.await_ready(2);
    BOOST_TEST(engine.run(next, *engine.chunk_of(&index_of, std::vector{0})).at(0).value<std::size_t>() == 0u);
    BOOST_TEST(engine.roster.died() == 1u);
    BOOST_TEST(engine.roster.restarts() == 1u);
}

BOOST_AUTO_TEST_CASE(leaving_with_a_good_code_is_a_death_too)
{
    fake_engine engine;
    engine.start();
    engine.workers->submit(engine.ready[0], *engine.chunk_of(&leave_with, std::vector{0}));
    engine.run_until([&] { return !engine.gone.empty(); });
    const worker_loss& loss = engine.gone.at(engine.ready[0]);
    BOOST_TEST(loss.begun.size() == 1u);
    const worker_died death = death_of([&] { std::rethrow_exception(loss.explain(0)); });
    BOOST_TEST(death.signal() == 0);
    BOOST_TEST(death.exit_code() == 0);
}

BOOST_AUTO_TEST_CASE(what_was_finished_before_a_death_counts)
{
    fake_engine engine;
    engine.start();
    std::vector<int> inputs(100);
    for (int i = 0; i < 100; ++i)
        inputs[static_cast<std::size_t>(i)] = i;
    const auto work = engine.chunk_of(&abort_at_50, inputs), behind = engine.chunk_of(&square, inputs);
    engine.workers->submit(engine.ready[0], *work);
    engine.workers->submit(engine.ready[0], *behind);
    engine.run_until([&] { return !engine.gone.empty(); });
    BOOST_TEST(engine.outcomes[work->id].size() == 50u);
    const worker_loss& loss = engine.gone.at(engine.ready[0]);
    BOOST_REQUIRE(loss.begun.size() == 1u);
    BOOST_TEST(loss.begun[0].id == work->id);
    BOOST_TEST(loss.begun[0].position == 50u);
    BOOST_TEST(engine.outcomes[behind->id].empty());
}

BOOST_AUTO_TEST_CASE(tasks_that_have_not_begun_can_be_taken_back)
{
    temporary_directory files;
    fake_engine engine;
    engine.start();
    const std::string go = files / "go";
    const auto first = engine.chunk_of(&wait_for_file, std::vector{go, go, go});
    first->timeout = 1h; // so that the running one can be seen
    const auto second = engine.chunk_of(&square, std::vector{1, 2});
    engine.workers->submit(engine.ready[0], *first);
    engine.workers->submit(engine.ready[0], *second);
    engine.await_running(engine.ready[0], *first);
    BOOST_TEST(engine.workers->recall(engine.ready[0], second->id).value() == 0u);
    BOOST_TEST(engine.workers->recall(engine.ready[0], first->id).value() == 1u);
    temporary_directory::touch(go);
    engine.run_until([&] { return engine.ended.size() == 2; });
    BOOST_TEST(engine.outcomes[first->id].size() == 1u);
    BOOST_TEST(engine.outcomes[second->id].empty());
}

BOOST_AUTO_TEST_CASE(outcomes_do_not_wait_for_a_long_task_behind_them)
{
    temporary_directory files;
    fake_engine engine;
    engine.start();
    const std::string go = files / "go";
    const auto work = engine.chunk_of(&maybe_wait_for_file, std::vector{std::string(), go});
    engine.workers->submit(engine.ready[0], *work);
    engine.run_until([&] { return engine.outcomes[work->id].size() == 1; });
    temporary_directory::touch(go);
    engine.run_until([&] { return engine.ended.contains(work->id); });
    BOOST_TEST(engine.outcomes[work->id].size() == 2u);
}

BOOST_AUTO_TEST_CASE(large_arguments_and_results_arrive_whole)
{
    fake_engine engine;
    engine.start();
    std::string text(std::size_t(64) << 20, 'x');
    for (std::size_t i = 0; i < text.size(); i += 4096)
        text[i] = static_cast<char>('a' + i / 4096 % 26);
    const auto& outcomes = engine.run(engine.ready[0], *engine.chunk_of(&twice, std::vector<std::string>{text, "y"}));
    BOOST_REQUIRE(outcomes.size() == 2u);
    BOOST_TEST((outcomes[0].value<std::string>() == text + text));
    BOOST_TEST(outcomes[1].value<std::string>() == "yy");
}

BOOST_AUTO_TEST_CASE(many_large_values_arrive_whole)
{
    fake_engine engine;
    engine.start();
    std::vector<std::shared_ptr<chunk>> chunks;
    for (int c = 0; c < 8; ++c) {
        std::vector<std::string> texts;
        for (int i = 0; i < 20; ++i)
            texts.push_back(stretch_or_die(40'000 + 7001 * i + c));
        chunks.push_back(engine.chunk_of(&twice, texts));
        engine.workers->submit(engine.ready[0], *chunks.back());
    }
    engine.run_until([&] { return engine.ended.size() == chunks.size(); });
    for (int c = 0; c < 8; ++c) {
        const auto& outcomes = engine.outcomes[chunks[static_cast<std::size_t>(c)]->id];
        BOOST_REQUIRE(outcomes.size() == 20u);
        for (int i = 0; i < 20; ++i)
            BOOST_TEST((outcomes[static_cast<std::size_t>(i)].value<std::string>() ==
                        twice(stretch_or_die(40'000 + 7001 * i + c))));
    }
}

BOOST_AUTO_TEST_CASE(a_worker_cannot_write_into_arguments)
{
    fake_engine engine;
    engine.start();
    // Opened where it is needed: by an argument that is too large for the socket.
    engine.run(engine.ready[0], *engine.chunk_of(&twice, std::vector{std::string(1 << 20, 'x')}));
    const auto uses = engine.run(engine.ready[0], *engine.chunk_of(&uses_of_shared_memory, std::vector{1}))
                          .at(0)
                          .value<std::vector<std::string>>();
    BOOST_TEST(std::count(uses.begin(), uses.end(), "r--s") >= 1);
    BOOST_TEST(std::count(uses.begin(), uses.end(), "rw-s") >= 1);
}

BOOST_AUTO_TEST_CASE(large_results_from_before_a_death_count)
{
    fake_engine engine;
    engine.start();
    const auto work = engine.chunk_of(&stretch_or_die, std::vector{100'000, 3, 20'000'000, -1, 5});
    engine.workers->submit(engine.ready[0], *work);
    engine.run_until([&] { return !engine.gone.empty(); });
    const auto& outcomes = engine.outcomes[work->id];
    BOOST_REQUIRE(outcomes.size() == 3u);
    BOOST_TEST((outcomes[0].value<std::string>() == stretch_or_die(100'000)));
    BOOST_TEST((outcomes[2].value<std::string>() == stretch_or_die(20'000'000)));
    const worker_loss& loss = engine.gone.at(engine.ready[0]);
    BOOST_REQUIRE(loss.begun.size() == 1u);
    BOOST_TEST(loss.begun[0].position == 3u);
}

BOOST_AUTO_TEST_CASE(a_grandchild_does_not_hide_a_death)
{
    temporary_directory files;
    const std::string fifo = files / "fifo";
    BOOST_REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    fake_engine engine;
    engine.start();
    const auto work = engine.chunk_of(&die_and_leave_a_child, std::vector<std::string>{"", "", fifo, ""});
    engine.workers->submit(engine.ready[0], *work);
    engine.run_until([&] { return !engine.gone.empty(); });
    const worker_loss& loss = engine.gone.at(engine.ready[0]);
    BOOST_TEST(death_of([&] { std::rethrow_exception(loss.explain(2)); }).exit_code() == 3);
    // What it had finished is read though its socket never hangs up.
    BOOST_TEST(engine.outcomes[work->id].size() == 2u);
    BOOST_REQUIRE(loss.begun.size() == 1u);
    BOOST_TEST(loss.begun[0].position == 2u);
    // waits for the grandchild, which was alive all the time, and lets it go
    const int fd = ::open(fifo.c_str(), O_WRONLY);
    BOOST_TEST(fd != -1);
    ::close(fd);
}

BOOST_AUTO_TEST_CASE(a_stop_request_reaches_the_task)
{
    fake_engine engine;
    engine.start();
    const auto work = engine.chunk_of(&wait_for_stop, std::vector{3});
    engine.workers->submit(engine.ready[0], *work);
    engine.workers->cancel(engine.ready[0], work->id);
    engine.run_until([&] { return engine.ended.contains(work->id); });
    BOOST_TEST(engine.outcomes[work->id].at(0).value<int>() == 3);
}

BOOST_AUTO_TEST_CASE(a_stubborn_worker_is_replaced_at_once)
{
    pool_options options;
    options.stop_grace = 50ms;
    fake_engine engine(options);
    engine.start();
    const auto work = engine.chunk_of(&ignore_everything, std::vector{1});
    work->timeout = 1h;
    engine.workers->submit(engine.ready[0], *work);
    engine.await_running(engine.ready[0], *work);
    engine.replace(engine.ready[0]);
    engine.run_until([&] { return engine.ready.size() == 2 && !engine.gone.empty(); });
    const worker_loss& loss = engine.gone.at(engine.ready[0]);
    BOOST_TEST(loss.expected);
    BOOST_TEST(loss.begun.size() == 1u);
    BOOST_TEST(engine.run(engine.ready[1], *engine.chunk_of(&square, std::vector{4})).at(0).value<int>() == 16);
}

BOOST_AUTO_TEST_CASE(coroutines_run_side_by_side)
{
    fake_engine engine;
    engine.start();
    std::vector<std::shared_ptr<chunk>> chunks;
    for (int i = 0; i < 16; ++i) {
        chunks.push_back(engine.chunk_of(&async_square, std::vector{i}));
        chunks.back()->coroutine = true;
        engine.workers->submit(engine.ready[0], *chunks.back());
    }
    engine.run_until([&] { return engine.ended.size() == 16; });
    for (int i = 0; i < 16; ++i)
        BOOST_TEST(engine.outcomes[chunks[static_cast<std::size_t>(i)]->id].at(0).value<int>() == i * i);
}

BOOST_AUTO_TEST_CASE(a_worker_with_an_abandoned_coroutine_works_on)
{
    fake_engine engine;
    engine.start();
    const auto stuck = engine.chunk_of(&never, std::vector{1});
    stuck->coroutine = true;
    engine.workers->submit(engine.ready[0], *stuck);
    engine.workers->cancel(engine.ready[0], stuck->id);
    engine.workers->abandon(engine.ready[0], stuck->id);
    BOOST_TEST(engine.run(engine.ready[0], *engine.chunk_of(&square, std::vector{4})).at(0).value<int>() == 16);
    BOOST_TEST(engine.gone.empty());
}

BOOST_AUTO_TEST_CASE(a_coroutine_that_blocks_the_loop_costs_its_worker)
{
    pool_options options;
    options.cancel_grace = 50ms;
    std::vector<pool_event> lost;
    options.on_event = [&](const pool_event& event) {
        if (event.what == pool_event::worker_lost)
            lost.push_back(event);
    };
    fake_engine engine(options);
    engine.start();
    const auto stuck = engine.chunk_of(&block_the_loop, std::vector{1});
    stuck->coroutine = true;
    engine.workers->submit(engine.ready[0], *stuck);
    engine.workers->abandon(engine.ready[0], stuck->id);
    engine.run_until([&] { return engine.ready.size() == 2 && !engine.gone.empty(); });
    BOOST_TEST(engine.gone.at(engine.ready[0]).begun.empty()); // nobody waits for it
    BOOST_REQUIRE(lost.size() == 1u);
    BOOST_TEST((lost[0].phase == life_phase::call)); // not idle, though it holds nothing that counts
    BOOST_TEST((lost[0].why.find("a cancelled coroutine kept its event loop from running") != std::string::npos),
               lost[0].why);
}

BOOST_AUTO_TEST_CASE(a_retired_worker_ends_in_order)
{
    temporary_directory files;
    const std::string log = files / "finalized";
    pool_options options;
    options.stop_grace = 10s;
    options.finalizer = task(append_line, log);
    fake_engine engine(options);
    engine.start();
    engine.retire(engine.ready[0]);
    engine.run_until([&] { return engine.ready.size() == 2 && !engine.gone.empty(); });
    BOOST_TEST(engine.gone.at(engine.ready[0]).expected);
    BOOST_TEST(lines_in(log) == 1u);
    engine.stop();
    BOOST_TEST(lines_in(log) == 2u);
    await_no_children();
}

BOOST_AUTO_TEST_CASE(a_worker_goes_on_until_its_successor_is_ready)
{
    fake_engine engine;
    engine.start();
    engine.prepare_successor(engine.ready[0]);
    engine.prepare_successor(engine.ready[0]); // asked for once
    engine.run_until([&] { return !engine.succeeded.empty(); });
    BOOST_TEST(engine.ready.size() == 2u);
    BOOST_TEST(engine.succeeded == std::vector<worker_id>{engine.ready[0]}, boost::test_tools::per_element());
    BOOST_TEST(engine.gone.empty());
    const auto work = engine.chunk_of(&index_of, std::vector{1});
    BOOST_TEST(engine.run(engine.ready[0], *work).at(0).value<std::size_t>() == 0u);
    engine.retire(engine.ready[0]);
    engine.run_until([&] { return !engine.gone.empty(); });
    BOOST_TEST(engine.ready.size() == 2u); // there was one already
    const auto next = engine.chunk_of(&index_of, std::vector{1});
    BOOST_TEST(engine.run(engine.ready[1], *next).at(0).value<std::size_t>() == 0u);
    BOOST_TEST(engine.roster.restarts() == 1u);
    BOOST_TEST(engine.roster.died() == 0u);
}

BOOST_AUTO_TEST_CASE(a_worker_that_dies_before_its_successor_is_ready_is_replaced_once)
{
    pool_options options;
    options.restarts.count = 1;
    fake_engine engine(options);
    engine.start();
    engine.prepare_successor(engine.ready[0]);
    engine.workers->submit(engine.ready[0], *engine.chunk_of(&leave_with, std::vector{1}));
    engine.run_until([&] { return !engine.gone.empty() && engine.ready.size() == 2; });
    BOOST_TEST(engine.roster.restarts() == 1u);
    BOOST_TEST(engine.roster.died() == 1u);
    BOOST_TEST(!engine.cause_of_break);
}

BOOST_AUTO_TEST_CASE(a_worker_that_grew_is_reported_after_its_task)
{
    pool_options options;
    options.max_rss_per_child = rss_of_a_worker() + (50 << 20);
    options.recycle_jitter = 0;
    fake_engine engine(options);
    engine.start();
    engine.run(engine.ready[0], *engine.chunk_of(&grow_by, std::vector{1}));
    BOOST_TEST(engine.grew.empty());
    engine.run(engine.ready[0], *engine.chunk_of(&grow_by, std::vector{100}));
    BOOST_TEST(engine.grew == std::vector<worker_id>{engine.ready[0]}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_initializer_runs_first_in_each_life)
{
    temporary_directory files;
    const std::string log = files / "initialized";
    pool_options options;
    options.initializer = task(append_line, log);
    fake_engine engine(options);
    engine.start();
    BOOST_TEST(lines_in(log) == 1u);
    engine.workers->submit(engine.ready[0], *engine.chunk_of(&leave_with, std::vector{1}));
    engine.await_ready(2);
    BOOST_TEST(lines_in(log) == 2u);
}

BOOST_AUTO_TEST_CASE(an_idle_pool_is_no_work)
{
    fake_engine engine;
    engine.start();
    const auto work = engine.chunk_of(&square, std::vector{7});
    engine.run(engine.ready[0], *work);
    engine.workers->set_active(false);
    engine.run_dry();
    engine.workers->set_active(true);
    BOOST_TEST(engine.run(engine.ready[0], *engine.chunk_of(&square, std::vector{8})).at(0).value<int>() == 64);
}

BOOST_AUTO_TEST_CASE(workers_that_start_are_no_work_while_nobody_waits)
{
    temporary_directory files;
    const std::string go = files / "go";
    pool_options options;
    options.initializer = task(wait_for_file, go);
    options.start_timeout = 60s;
    fake_engine engine(options);
    engine.begin();
    engine.run_dry();
    temporary_directory::touch(go);
    engine.workers->set_active(true);
    engine.await_ready(1);
}

BOOST_AUTO_TEST_CASE(a_death_while_idle_is_told_at_once_and_another_worker_starts)
{
    fake_engine engine;
    engine.start();
    const int pid = engine.run(engine.ready[0], *engine.chunk_of(&pid_of, std::vector{7})).at(0).value<int>();
    engine.workers->set_active(false);
    ::kill(pid, SIGKILL);
    engine.run_until([&] { return !engine.gone.empty(); });
    BOOST_TEST(engine.gone.at(engine.ready[0]).begun.empty());
    BOOST_TEST(engine.roster.restarts() == 1u);
    engine.run_dry(); // it is no work
    BOOST_TEST(engine.ready.size() == 1u);
    engine.workers->set_active(true);
    engine.run_until([&] { return engine.ready.size() == 2; });
}

BOOST_AUTO_TEST_CASE(a_chunk_given_to_a_dead_worker_has_not_begun)
{
    fake_engine engine;
    engine.start();
    const int pid = engine.run(engine.ready[0], *engine.chunk_of(&pid_of, std::vector{7})).at(0).value<int>();
    ::kill(pid, SIGKILL);
    while (::kill(pid, 0) == 0)
        std::this_thread::sleep_for(1ms);
    engine.workers->submit(engine.ready[0], *engine.chunk_of(&square, std::vector{7}));
    engine.run_until([&] { return !engine.gone.empty(); });
    BOOST_TEST(engine.gone.at(engine.ready[0]).begun.empty());
}

BOOST_AUTO_TEST_CASE(a_failing_initializer_breaks_the_pool)
{
    pool_options options;
    options.initializer = task(fail_to_initialize);
    fake_engine engine(options, 2);
    engine.workers->set_active(true);
    engine.begin();
    engine.run_until([&] { return engine.cause_of_break != nullptr; });
    const std::exception_ptr cause = engine.cause_of_break();
    BOOST_TEST((code_of(cause) == errc::initializer_failed));
    try {
        std::rethrow_exception(cause);
    }
    catch (const std::exception& e) {
        BOOST_CHECK_EXCEPTION(std::rethrow_if_nested(e), std::runtime_error, [](const std::runtime_error& nested) {
            return nested.what() == std::string("no database");
        });
    }
}

BOOST_AUTO_TEST_CASE(a_slow_start_is_given_up)
{
    pool_options options;
    options.initializer = task(never_initialized);
    options.start_timeout = 3s; // its process is to be there by then, on a busy machine, too
    options.stop_grace = 10ms;
    options.restarts.count = 1;
    fake_engine engine(options);
    engine.workers->set_active(true);
    engine.begin();
    engine.run_until([&] { return engine.cause_of_break != nullptr; });
    BOOST_TEST((code_of(engine.cause_of_break()) == errc::pool_broken));
}

BOOST_AUTO_TEST_CASE(a_program_that_is_not_there_breaks_the_pool_at_once)
{
    pool_options options;
    options.executable = "/nonexistent/program";
    fake_engine engine(options);
    engine.workers->set_active(true);
    engine.begin();
    engine.run_until([&] { return engine.cause_of_break != nullptr; });
    BOOST_TEST((code_of(engine.cause_of_break()) == errc::worker_start_failed));
    BOOST_TEST(what_of(engine.cause_of_break()).find("/nonexistent/program") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_program_that_never_becomes_a_worker_is_told_how)
{
    pool_options options;
    options.executable = "/bin/true";
    options.restarts.count = 2;
    fake_engine engine(options);
    engine.workers->set_active(true);
    engine.begin();
    engine.run_until([&] { return engine.cause_of_break != nullptr; });
    try {
        std::rethrow_exception(engine.cause_of_break());
    }
    catch (const std::exception& e) {
        BOOST_CHECK_EXCEPTION(std::rethrow_if_nested(e), error, [](const error& nested) {
            return nested.code() == errc::worker_start_failed &&
                   std::string(nested.what()).find("run_if_worker") != std::string::npos;
        });
    }
}

BOOST_AUTO_TEST_CASE(deaths_in_tasks_never_break_the_pool)
{
    pool_options options;
    options.restarts.count = 1;
    fake_engine engine(options);
    engine.start();
    for (std::size_t lives = 1; lives != 30; ++lives) {
        engine.workers->submit(engine.ready.back(), *engine.chunk_of(&leave_with, std::vector{1}));
        engine.run_until([&] { return engine.ready.size() > lives || engine.cause_of_break; });
        BOOST_TEST_REQUIRE(!engine.cause_of_break);
    }
    BOOST_TEST(engine.roster.died() == 29u);
    BOOST_TEST(engine.roster.restarts() == 29u);
}

namespace {

/// Kills the worker while it is idle, and waits until that is noticed.
void kill_idle(fake_engine& engine, std::size_t life)
{
    const worker_id worker = engine.ready.at(life);
    const int pid = engine.run(worker, *engine.chunk_of(&pid_of, std::vector{7})).at(0).value<int>();
    ::kill(pid, SIGKILL);
    engine.run_until([&] { return engine.gone.contains(worker) || engine.cause_of_break; });
}

} // namespace

BOOST_AUTO_TEST_CASE(a_crash_loop_of_idle_workers_ends_until_one_is_tried_again)
{
    pool_options options;
    options.restarts.count = 3;
    fake_engine engine(options, 2);
    engine.start(2);
    std::size_t deaths = 0;
    for (; !engine.cause_of_break; ++deaths) {
        engine.run_until([&] { return engine.ready.size() == 2 + deaths; });
        kill_idle(engine, deaths);
    }
    BOOST_TEST(deaths == 4u);
    BOOST_TEST((code_of(engine.cause_of_break()) == errc::pool_broken));
    BOOST_TEST(!engine.broken_for_good);
    BOOST_TEST(!engine.try_again()); // too soon
    const std::size_t lives = engine.ready.size();
    std::this_thread::sleep_for(1s);
    BOOST_TEST(engine.try_again());
    engine.run_until([&] { return engine.ready.size() == lives + 2; }); // all nodes
    BOOST_TEST(!engine.cause_of_break);
}

BOOST_AUTO_TEST_CASE(nothing_is_left_behind)
{
    {
        fake_engine warm_up; // the warden's threads and descriptors stay
        warm_up.start();
        warm_up.stop();
    }
    await_no_children();
    const std::size_t before = open_descriptors();
    enum { stopped, killed, shut_down, halted, destroyed };
    for (const int end : {stopped, killed, shut_down, halted, destroyed}) {
        {
            fake_engine engine({}, 2);
            engine.start(2);
            if (end != stopped)
                engine.workers->submit(engine.ready[0], *engine.chunk_of(&ignore_everything, std::vector{1}));
            if (end == stopped)
                engine.stop();
            else if (end == killed)
                engine.workers->kill();
            else if (end == shut_down)
                engine.workers->shut_down();
            else if (end == halted)
                std::thread([&] { engine.workers->halt(); }).join();
        }
        await_no_children();
    }
    // the warden closes a child's a moment after it is reaped
    for (int i = 0; i < 20'000 && open_descriptors() != before; ++i)
        std::this_thread::sleep_for(1ms);
    BOOST_TEST(open_descriptors() == before);
}

BOOST_AUTO_TEST_CASE(events_tell_of_a_worker_s_life)
{
    std::vector<int> events;
    pool_options options;
    options.on_event = [&](const pool_event& e) { events.push_back(e.what); };
    fake_engine engine(options);
    engine.start();
    engine.workers->submit(engine.ready[0], *engine.chunk_of(&leave_with, std::vector{1}));
    engine.await_ready(2);
    engine.stop();
    BOOST_TEST(
        (events == std::vector<int>{pool_event::worker_started, pool_event::worker_ready, pool_event::worker_lost,
                                    pool_event::worker_started, pool_event::worker_ready, pool_event::worker_retired}));
}

BOOST_AUTO_TEST_SUITE_END()
