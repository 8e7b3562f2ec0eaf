// SPDX-License-Identifier: BSL-1.0
// The steps of a worker's life that lie outside its tasks: it is started, greeted, idle, given arguments, gives a result. Who is told of
// what when it ends there, and that nobody else is.
#include <twat/mp.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <mutex>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include "census.hpp"
#include "errors.hpp"
#include "fault.hpp"
#include "hostile_program.hpp"

using namespace twat::mp;
using namespace twat::mp::test;
using namespace std::chrono_literals;
namespace bdata = boost::unit_test::data;

namespace {

int square_elsewhere(int i) { return i * i; }

TWAT_MP_REGISTER(square_elsewhere)

int square(int i) { return i * i; }

std::vector<int> numbers(int n)
{
    std::vector<int> all(static_cast<std::size_t>(n));
    std::iota(all.begin(), all.end(), 0);
    return all;
}

/// Those of the causes that a process can come to outside of a task. What it throws there ends it as `abort` does.
constexpr std::array deaths{cause::segv, cause::abort, cause::exit_0, cause::exit_1, cause::kill};
constexpr std::array deaths_and_silences{cause::segv, cause::abort, cause::exit_0, cause::exit_1,
                                         cause::kill, cause::stop,  cause::hang};

/// What happened to the workers of a pool.
class chronicle
{
public:
    void note(const pool_event& event)
    {
        std::lock_guard lock(mutex_);
        if (event.what == pool_event::worker_ready)
            ready_.push_back(event.pid);
        if (event.what == pool_event::worker_lost)
            lost_.insert_or_assign(event.pid, event);
    }
    std::vector<int> ready() const
    {
        std::lock_guard lock(mutex_);
        return ready_;
    }
    std::map<int, pool_event> lost() const
    {
        std::lock_guard lock(mutex_);
        return lost_;
    }

private:
    mutable std::mutex mutex_;
    std::vector<int> ready_;
    std::map<int, pool_event> lost_;
};

pool_options workers(std::size_t nodes, chronicle& events)
{
    pool_options options;
    options.nodes = nodes;
    options.start_timeout = 60s;
    options.restarts.count = 1000;
    options.on_event = [&events](const pool_event& event) { events.note(event); };
    return options;
}

/// Whether the process runs no more; it may not be reaped yet.
bool is_over(int pid)
{
    std::string line;
    if (!std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/stat"), line))
        return true;
    const char state = line[line.rfind(')') + 2];
    return state == 'Z' || state == 'X';
}

void wait_until_over(int pid)
{
    while (!is_over(pid))
        std::this_thread::sleep_for(1ms);
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_phases)

// ---------------------------------------------------------------- exec

namespace {

enum class program { missing, a_folder, not_executable, empty, no_program, of_another_kind };
std::ostream& operator<<(std::ostream& os, program p)
{
    static constexpr const char* names[] = {"missing", "a_folder",   "not_executable",
                                            "empty",   "no_program", "of_another_kind"};
    return os << names[static_cast<int>(p)];
}
constexpr std::array programs{program::missing, program::a_folder,   program::not_executable,
                              program::empty,   program::no_program, program::of_another_kind};

} // namespace

BOOST_DATA_TEST_CASE_F(census_fixture, a_program_that_cannot_be_run_is_told_of, bdata::make(programs), which)
{
    std::string folder = (std::filesystem::temp_directory_path() / "twat_mp_exec_XXXXXX").string();
    BOOST_TEST_REQUIRE((::mkdtemp(folder.data()) != nullptr));
    const std::filesystem::path file = std::filesystem::path(folder) / "program";
    switch (which) {
    case program::missing: break;
    case program::a_folder: std::filesystem::create_directory(file); break;
    case program::not_executable: std::ofstream(file) << "#!/bin/sh\n"; break;
    case program::empty:
    case program::no_program:
        std::ofstream(file) << (which == program::empty ? ""
                                                        : "\x7f"
                                                          "ELF, or so it says");
        ::chmod(file.c_str(), 0700);
        break;
    case program::of_another_kind: std::filesystem::copy_file("/bin/true", file); break;
    }
    {
        chronicle events;
        pool_options options = workers(2, events);
        options.executable = file;
        options.restarts.count = 2;
        process_pool pool(options);
        const auto codes = codes_of(error_of([&] { pool.apply(square_elsewhere, 9); }));
        BOOST_TEST_REQUIRE(!codes.empty());
        BOOST_TEST((codes.front() == errc::worker_start_failed || codes.front() == errc::pool_broken));
        BOOST_TEST((codes.back() == errc::worker_start_failed));
        BOOST_TEST(events.ready().empty());
        BOOST_TEST((codes_of(error_of([&] { pool.apply(square_elsewhere, 9); })).empty() == false));
    }
    std::filesystem::remove_all(folder);
}

// ---------------------------------------------------------------- handshake

namespace {

const char* const greetings[] = {"unread", "unanswered", "half_answered", "answered"};

} // namespace

BOOST_DATA_TEST_CASE_F(census_fixture, a_worker_that_ends_in_its_handshake_is_told_of,
                       bdata::make(greetings) * bdata::make(deaths_and_silences), when, what)
{
    chronicle events;
    pool_options options = workers(2, events);
    options.executable = hostile_program();
    options.restarts.count = 2;
    if (is_silence(what))
        options.start_timeout = 1s;
    ::setenv("TWAT_MP_TEST_HOSTILE", (std::string("greeting_") + when).c_str(), 1);
    ::setenv("TWAT_MP_TEST_CAUSE", std::to_string(static_cast<int>(what)).c_str(), 1);
    process_pool pool(options);
    const auto codes = codes_of(error_of([&] { pool.apply(square_elsewhere, 9); }));
    BOOST_TEST_REQUIRE(!codes.empty());
    BOOST_TEST((codes.front() == errc::pool_broken));
    BOOST_TEST((codes.back() == errc::worker_start_failed));
    for (const auto& [pid, event] : events.lost()) {
        BOOST_TEST(event.signal == (is_silence(what) ? event.signal : expected_signal(what)));
        BOOST_TEST(event.exit_code == expected_exit_code(what));
        BOOST_TEST(event.ec == make_error_code(errc::worker_start_failed));
    }
    BOOST_TEST(events.ready().empty());
}

// ---------------------------------------------------------------- idle

namespace {

/// Lets it happen when the task is long over.
int let_it_happen_later(cause what)
{
    std::thread([what] {
        std::this_thread::sleep_for(30ms);
        commit(what);
    }).detach();
    return ::getpid();
}

} // namespace

BOOST_DATA_TEST_CASE_F(census_fixture, a_worker_that_dies_idle_takes_nothing_with_it, bdata::make(deaths), what)
{
    chronicle events;
    process_pool pool(workers(2, events));
    pool.start();
    const int pid = pool.apply(let_it_happen_later, what);
    wait_until_over(pid);
    const auto results = pool.try_map(square, numbers(40));
    BOOST_TEST_REQUIRE(results.size() == 40u);
    for (int i = 0; i != 40; ++i)
        BOOST_TEST(
            (results[static_cast<std::size_t>(i)].has_value() && *results[static_cast<std::size_t>(i)] == i * i));
    while (!events.lost().contains(pid)) // found out at the next operation, and told behind it
        BOOST_TEST(pool.apply(square, 9) == 81);
    const pool_event lost = events.lost().at(pid);
    BOOST_TEST(lost.signal == expected_signal(what));
    BOOST_TEST(lost.exit_code == expected_exit_code(what));
    BOOST_TEST(lost.ec == make_error_code(errc::worker_died));
    BOOST_TEST(pool.stats().failed == 0u);
}

BOOST_FIXTURE_TEST_CASE(the_only_worker_may_die_idle, census_fixture)
{
    chronicle events;
    process_pool pool(workers(1, events));
    pool.start();
    for (int round = 0; round != 5; ++round) {
        const int pid = events.ready().back();
        ::kill(pid, SIGKILL);
        wait_until_over(pid);
        BOOST_TEST(pool.apply(square, round) == round * round);
    }
    BOOST_TEST(pool.stats().died == 5u);
}

BOOST_FIXTURE_TEST_CASE(a_worker_that_stops_idle_holds_up_nobody, census_fixture)
{
    chronicle events;
    process_pool pool(workers(2, events));
    pool.start();
    const int pid = events.ready().front();
    ::kill(pid, SIGSTOP);
    const auto results = pool.try_map(square, numbers(40));
    for (int i = 0; i != 40; ++i)
        BOOST_TEST(
            (results.at(static_cast<std::size_t>(i)).has_value() && *results[static_cast<std::size_t>(i)] == i * i));
    BOOST_CHECK_NO_THROW(pool.join());
    BOOST_TEST(is_over(pid));
}

BOOST_FIXTURE_TEST_CASE(a_lone_call_is_answered_though_the_worker_stops_idle, census_fixture)
{
    chronicle events;
    process_pool pool(workers(1, events));
    pool.start();
    const int pid = events.ready().front();
    ::kill(pid, SIGSTOP);
    BOOST_TEST(pool.apply(square, 9) == 81); // by the one that takes its place
    BOOST_TEST(is_over(pid));
    BOOST_TEST(pool.stats().failed == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_worker_that_is_stopped_for_a_moment_goes_on, census_fixture)
{
    chronicle events;
    process_pool pool(workers(1, events));
    pool.start();
    const int pid = events.ready().front();
    ::kill(pid, SIGSTOP);
    auto answer = pool.submit(square, 9);
    std::this_thread::sleep_for(300ms);
    ::kill(pid, SIGCONT);
    BOOST_TEST(answer.get() == 81);
    BOOST_TEST(pool.stats().died == 0u);
}

BOOST_DATA_TEST_CASE_F(census_fixture, a_task_that_is_stopped_fails_with_the_name_of_the_signal,
                       bdata::make({SIGSTOP, SIGTSTP, SIGTTIN}), signal)
{
    chronicle events;
    process_pool pool(workers(1, events));
    try {
        pool.apply([](int number) { return ::kill(::getpid(), number); }, signal);
        BOOST_ERROR("the task returned");
    }
    catch (const worker_died& e) {
        BOOST_TEST(e.has_task());
        BOOST_TEST_CONTEXT(e.what())
        BOOST_TEST((std::string(e.what()).find("stopped by signal " + std::to_string(signal)) != std::string::npos));
    }
    BOOST_TEST(pool.apply(square, 9) == 81);
}

// ---------------------------------------------------------------- arguments and results on their way

// The worker reads nothing, so that most of the argument cannot be written. The task has not begun: it goes to the next worker.
BOOST_DATA_TEST_CASE_F(census_fixture, a_worker_that_dies_before_its_argument_is_there_has_not_begun,
                       bdata::make({0, 1 << 23}), size)
{
    chronicle events;
    process_pool pool(workers(1, events));
    pool.start();
    for (int round = 0; round != 5; ++round) {
        const int pid = events.ready().back();
        ::kill(pid, SIGSTOP);
        auto answer = pool.submit([](const std::string& text) { return text.size(); },
                                  std::string(static_cast<std::size_t>(size), 'x'));
        std::this_thread::sleep_for(round * 5ms);
        ::kill(pid, SIGKILL);
        BOOST_TEST(answer.get() == static_cast<std::size_t>(size));
    }
    BOOST_TEST(pool.stats().failed == 0u);
}

BOOST_DATA_TEST_CASE_F(census_fixture, a_worker_that_dies_in_the_midst_of_a_result_is_told_of, bdata::make(deaths),
                       what)
{
    chronicle events;
    pool_options options = workers(1, events);
    options.executable = hostile_program();
    ::setenv("TWAT_MP_TEST_HOSTILE", "half_a_result", 1);
    ::setenv("TWAT_MP_TEST_CAUSE", std::to_string(static_cast<int>(what)).c_str(), 1);
    process_pool pool(options);
    const auto results = pool.with({.chunk_size = 4}).try_map(square_elsewhere, numbers(4));
    // Of each four tasks it writes one result and half of the next; the others go to the next worker, which does the same.
    BOOST_TEST_REQUIRE(results.size() == 4u);
    for (std::size_t i = 0; i != 4; ++i) {
        if (i % 2 == 0) {
            BOOST_TEST((results[i].has_value() && *results[i] == 4711));
            continue;
        }
        BOOST_TEST_REQUIRE(results[i].has_error());
        try {
            std::rethrow_exception(results[i].error());
        }
        catch (const worker_died& e) {
            BOOST_TEST(e.signal() == expected_signal(what));
            BOOST_TEST(e.exit_code() == expected_exit_code(what));
            BOOST_TEST((e.has_task() && e.task_index() == i));
        }
        catch (const std::exception& e) {
            BOOST_ERROR("task " << i << ": " << e.what());
        }
    }
}

// A result of this size is written for milliseconds, in which its worker dies: it arrives whole, or its task was lost with the worker.
BOOST_FIXTURE_TEST_CASE(a_large_result_arrives_whole_or_not_at_all, census_fixture)
{
    chronicle events;
    process_pool pool(workers(2, events));
    pool.start();
    int whole = 0, lost = 0;
    for (int round = 0; round != 30; ++round) {
        const auto result = pool.try_map(
            [](int pause) {
                std::thread([pause] {
                    std::this_thread::sleep_for(pause * 500us);
                    ::kill(::getpid(), SIGKILL);
                }).detach();
                return std::string(std::size_t(4) << 20, 'x');
            },
            std::vector{round});
        if (result.at(0).has_value()) {
            ++whole;
            BOOST_TEST(result[0]->find_first_not_of('x') == std::string::npos);
            BOOST_TEST(result[0]->size() == std::size_t(4) << 20);
            continue;
        }
        ++lost;
        BOOST_TEST((codes_of(result[0].error()).front() == errc::worker_died));
    }
    BOOST_TEST_MESSAGE(whole << " results arrived, " << lost << " were lost with their worker");
}

BOOST_AUTO_TEST_SUITE_END()
