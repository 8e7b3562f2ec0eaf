// SPDX-License-Identifier: BSL-1.0
// What cancellation, deadlines and timeouts do to calls on worker processes, by type and by how far the call is.
#include <twat/mp/async_pool.hpp>

#include <twat/mp/error.hpp>
#include <twat/mp/worker.hpp>
#include <twat/mp/worker_died.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace twat::mp;
using namespace std::chrono_literals;
namespace bdata = boost::unit_test::data;

namespace {

using asio::cancellation_type;

/// Lines that tasks append, from whatever process.
void append(const std::string& journal, const std::string& line)
{
    std::ofstream(journal, std::ios::app) << line + '\n';
}

int pid_of(const std::string&) { return ::getpid(); }

int note(const std::string& journal, const std::string& name)
{
    append(journal, name);
    return ::getpid();
}

/// Until it is told to stop.
int obey(const std::string& journal, const std::string& name)
{
    append(journal, name + " begins");
    while (!this_task::stop_token().stop_requested())
        std::this_thread::sleep_for(1ms);
    append(journal, name + " stops");
    return 0;
}

/// Until there is a file, whatever it is told.
int wait_for(const std::string& journal, const std::string& name, const std::string& file)
{
    append(journal, name + " begins");
    while (!std::filesystem::exists(file))
        std::this_thread::sleep_for(1ms);
    append(journal, name + " ends");
    return 0;
}

asio::awaitable<int> never(std::string journal, std::string name)
{
    append(journal, name + " begins");
    asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    try {
        co_await timer.async_wait(asio::use_awaitable);
    }
    catch (const boost::system::system_error& e) {
        append(journal, e.code() == asio::error::operation_aborted ? name + " is cancelled" : "?");
        throw;
    }
    co_return 0;
}

asio::awaitable<int> ignore_cancellation(std::string journal, std::string name)
{
    append(journal, name + " begins");
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    co_await timer.async_wait(asio::use_awaitable);
    co_return 0;
}

asio::awaitable<int> wait_for_later(std::string journal, std::string name, std::string file)
{
    append(journal, name + " begins");
    asio::steady_timer timer(co_await asio::this_coro::executor);
    while (!std::filesystem::exists(file)) {
        timer.expires_after(1ms);
        co_await timer.async_wait(asio::use_awaitable);
    }
    co_return static_cast<int>(::getpid());
}

struct fixture
{
    fixture()
    {
        std::string name = (std::filesystem::temp_directory_path() / "twat-mp-XXXXXX").string();
        BOOST_REQUIRE(::mkdtemp(name.data()));
        folder = name;
        options.nodes = 1;
        options.cancel_grace = 100ms;
    }
    ~fixture()
    {
        pool.reset();
        std::filesystem::remove_all(folder);
    }

    struct call
    {
        asio::cancellation_signal signal;
        std::optional<std::exception_ptr> outcome;
        int value = 0;
    };

    template <class Pool, class F, class... Args>
    void begin_on(call& to, Pool&& on, F f, Args... args)
    {
        on.apply(f, args..., asio::bind_cancellation_slot(to.signal.slot(), [&to](std::exception_ptr error, int value) {
                     BOOST_TEST(!to.outcome.has_value()); // once
                     to.outcome = error;
                     to.value = value;
                 }));
    }
    template <class F, class... Args>
    void begin(call& to, F f, Args... args)
    {
        if (!pool)
            pool.emplace(context, options);
        begin_on(to, *pool, f, args...);
    }

    template <class Done>
    void run_until(Done done)
    {
        const auto guard = asio::make_work_guard(context);
        context.restart();
        for (int i = 0; !done(); ++i) {
            BOOST_REQUIRE_MESSAGE(i < 60'000, "what the test waits for does not happen");
            context.run_one_for(1ms);
        }
    }
    void run_for(duration time)
    {
        const auto end = std::chrono::steady_clock::now() + time;
        run_until([&] { return std::chrono::steady_clock::now() >= end; });
    }
    void await_line(const std::string& line)
    {
        run_until([&] { return has(line); });
    }
    void await(call& c)
    {
        run_until([&] { return c.outcome.has_value(); });
    }

    std::vector<std::string> lines() const
    {
        std::ifstream file(journal());
        std::vector<std::string> all;
        for (std::string line; std::getline(file, line);)
            all.push_back(line);
        return all;
    }
    bool has(const std::string& line) const
    {
        const auto all = lines();
        return std::find(all.begin(), all.end(), line) != all.end();
    }
    std::string journal() const { return folder + "/journal"; }
    std::string file() const { return folder + "/go"; }
    void touch() const { std::ofstream{file()}; }

    int pid()
    {
        call c;
        begin(c, &pid_of, std::string());
        await(c);
        BOOST_TEST(!*c.outcome);
        return c.value;
    }

    static boost::system::error_code code_of(const call& c)
    {
        if (!c.outcome || !*c.outcome)
            return {};
        try {
            std::rethrow_exception(*c.outcome);
        }
        catch (const boost::system::system_error& e) {
            return e.code();
        }
    }
    static bool aborted(const call& c) { return code_of(c) == asio::error::operation_aborted; }

    std::string folder;
    asio::io_context context;
    pool_options options;
    std::optional<async_multi_pool> pool;
};

const cancellation_type all_types[] = {cancellation_type::total, cancellation_type::partial,
                                       cancellation_type::terminal};
const cancellation_type strong_types[] = {cancellation_type::partial, cancellation_type::terminal};

} // namespace

namespace boost::asio {
std::ostream& operator<<(std::ostream& os, cancellation_type type) { return os << static_cast<unsigned>(type); }
} // namespace boost::asio

BOOST_AUTO_TEST_SUITE(test_cancellation)

BOOST_DATA_TEST_CASE_F(fixture, what_has_not_begun_is_dropped, bdata::make(all_types), type)
{
    call running, queued;
    begin(running, &wait_for, journal(), std::string("first"), file());
    begin(queued, &note, journal(), std::string("second")); // sent to the worker already, behind the first
    await_line("first begins");
    queued.signal.emit(type);
    await(queued);
    BOOST_TEST(aborted(queued));
    touch();
    await(running);
    BOOST_TEST(!*running.outcome);
    pid();
    BOOST_TEST(!has("second"));
}

BOOST_FIXTURE_TEST_CASE(total_has_no_effect_on_what_has_begun, fixture)
{
    call running;
    begin(running, &wait_for, journal(), std::string("task"), file());
    await_line("task begins");
    running.signal.emit(cancellation_type::total);
    run_for(50ms);
    BOOST_TEST(!running.outcome.has_value());
    touch();
    await(running);
    BOOST_TEST(!*running.outcome);
}

BOOST_DATA_TEST_CASE_F(fixture, a_running_task_gets_its_stop_token, bdata::make(strong_types), type)
{
    const int before = pid();
    call running;
    begin(running, &obey, journal(), std::string("task"));
    await_line("task begins");
    running.signal.emit(type);
    await(running);
    BOOST_TEST(aborted(running));
    await_line("task stops");
    BOOST_TEST(pid() == before); // it stopped in time
}

BOOST_FIXTURE_TEST_CASE(partial_lets_a_running_task_run_out_and_its_worker_gets_nothing_before, fixture)
{
    const int before = pid();
    call running, next;
    begin(running, &wait_for, journal(), std::string("task"), file());
    await_line("task begins");
    running.signal.emit(cancellation_type::partial);
    await(running); // at once: the worker is dealt with behind it
    BOOST_TEST(aborted(running));
    BOOST_TEST(!has("task ends"));
    begin(next, &note, journal(), std::string("next"));
    run_for(300ms); // longer than the grace
    BOOST_TEST(!next.outcome.has_value());
    touch();
    await(next);
    BOOST_TEST(next.value == before);
    BOOST_TEST(lines() == (std::vector<std::string>{"task begins", "task ends", "next"}),
               boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(terminal_kills_the_worker_of_a_task_that_goes_on, fixture)
{
    const int before = pid();
    call running, next;
    begin(running, &wait_for, journal(), std::string("task"), file());
    await_line("task begins");
    running.signal.emit(cancellation_type::terminal);
    await(running);
    BOOST_TEST(aborted(running));
    begin(next, &note, journal(), std::string("next"));
    await(next);
    BOOST_TEST(!*next.outcome);
    BOOST_TEST(next.value != before);
    BOOST_TEST(!has("task ends"));
    BOOST_TEST(pool->stats().died == 0u); // it was killed, it did not die
}

BOOST_FIXTURE_TEST_CASE(the_limit_of_a_call_caps_what_a_request_does, fixture)
{
    const int before = pid();
    call capped, deaf;
    begin_on(capped, pool->with({.cancel_limit = cancellation_type::partial}), &wait_for, journal(),
             std::string("task"), file());
    await_line("task begins");
    capped.signal.emit(cancellation_type::terminal);
    await(capped);
    run_for(300ms);
    touch();
    await_line("task ends"); // nobody killed it
    BOOST_TEST(pid() == before);
    std::filesystem::remove(file());
    begin_on(deaf, pool->with({.cancel_limit = cancellation_type::none}), &wait_for, journal(), std::string("other"),
             file());
    await_line("other begins");
    deaf.signal.emit(cancellation_type::terminal);
    run_for(50ms);
    BOOST_TEST(!deaf.outcome.has_value());
    touch();
    await(deaf);
    BOOST_TEST(!*deaf.outcome);
}

BOOST_DATA_TEST_CASE_F(fixture, coroutine_tasks_are_cancelled, bdata::make(strong_types), type)
{
    const int before = pid();
    call running, beside;
    begin(running, &never, journal(), std::string("task"));
    begin(beside, &wait_for_later, journal(), std::string("beside"), file());
    await_line("task begins");
    await_line("beside begins");
    running.signal.emit(type);
    await(running);
    BOOST_TEST(aborted(running));
    await_line("task is cancelled");
    touch();
    await(beside);
    BOOST_TEST(beside.value == before);
}

BOOST_FIXTURE_TEST_CASE(a_coroutine_that_ignores_cancellation_is_abandoned_and_its_worker_lives, fixture)
{
    const int before = pid();
    call running, beside;
    begin(running, &ignore_cancellation, journal(), std::string("task"));
    begin(beside, &wait_for_later, journal(), std::string("beside"), file());
    await_line("task begins");
    await_line("beside begins");
    running.signal.emit(cancellation_type::terminal);
    await(running);
    BOOST_TEST(aborted(running));
    run_for(400ms); // longer than the grace, twice
    touch();
    await(beside);
    BOOST_TEST(beside.value == before);
    BOOST_TEST(pid() == before); // plain tasks run in it, too
}

BOOST_FIXTURE_TEST_CASE(a_call_whose_deadline_passes_in_the_queue_never_runs, fixture)
{
    call running, queued;
    begin(running, &wait_for, journal(), std::string("first"), file());
    begin_on(queued, pool->with({.deadline = 50ms}), &note, journal(), std::string("second"));
    await(queued);
    BOOST_TEST(code_of(queued) == make_error_code(errc::deadline_exceeded));
    BOOST_TEST(!running.outcome.has_value());
    touch();
    await(running);
    BOOST_TEST(!*running.outcome); // it lost nothing by it
    pid();
    BOOST_TEST(!has("second"));
}

BOOST_FIXTURE_TEST_CASE(the_time_of_a_task_begins_when_it_does, fixture)
{
    call running, queued;
    begin(running, &wait_for, journal(), std::string("first"), file());
    begin_on(queued, pool->with({.timeout = 200ms}), &note, journal(), std::string("second"));
    run_for(400ms);
    BOOST_TEST(!queued.outcome.has_value()); // it waits longer than it may run
    touch();
    await(queued);
    BOOST_TEST(!*queued.outcome);
}

BOOST_FIXTURE_TEST_CASE(a_task_out_of_time_is_answered_and_its_worker_replaced, fixture)
{
    const int before = pid();
    call running;
    begin_on(running, pool->with({.timeout = 50ms}), &wait_for, journal(), std::string("task"), file());
    await(running);
    BOOST_TEST(code_of(running) == make_error_code(errc::task_timed_out));
    BOOST_TEST(pid() != before);
    BOOST_TEST(!has("task ends"));
}

BOOST_FIXTURE_TEST_CASE(an_item_that_kills_twice_is_not_tried_again, fixture)
{
    options.nodes = 2;
    call deadly;
    pool.emplace(context, options);
    const auto die = [](const std::string& log) -> int {
        append(log, "runs");
        ::_exit(3);
    };
    begin_on(deadly, pool->with({.retries = 1}), die, journal());
    await(deadly);
    BOOST_TEST(code_of(deadly) == make_error_code(errc::task_quarantined));
    BOOST_TEST(lines().size() == 2u);
    try {
        std::rethrow_exception(*deadly.outcome);
    }
    catch (const error& e) {
        try {
            std::rethrow_if_nested(e);
            BOOST_ERROR("nothing is nested");
        }
        catch (const worker_died& death) {
            BOOST_TEST(death.exit_code() == 3);
            BOOST_TEST((death.phase() == life_phase::call));
        }
    }
}

BOOST_FIXTURE_TEST_CASE(a_worker_that_is_stopped_holds_up_no_join, fixture)
{
    const int worker = pid();
    ::kill(worker, SIGSTOP);
    bool joined = false;
    pool->join([&](std::exception_ptr error) { joined = !error; });
    run_until([&] { return joined; });
}

BOOST_AUTO_TEST_SUITE_END()
