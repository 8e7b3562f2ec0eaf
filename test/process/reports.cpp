// SPDX-License-Identifier: BSL-1.0
// What is told of a worker that died.
#include <twat/mp/multi_pool.hpp>

#include <twat/mp/async_pool.hpp>
#include <twat/mp/codec.hpp>
#include <twat/mp/exceptions.hpp>
#include <twat/mp/worker.hpp>
#include <twat/mp/worker_died.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/exception/diagnostic_information.hpp>
#include <boost/exception/get_error_info.hpp>
#include <boost/test/unit_test.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace twat::mp;
using namespace std::chrono_literals;

namespace {

/// Dies where it says.
struct deadly
{
    life_phase in = life_phase::unknown;
};

void die_in(const deadly& d, life_phase phase)
{
    if (d.in == phase)
        std::abort();
}

} // namespace

template <>
struct twat::mp::codec<deadly>
{
    static void encode(encoder& out, const deadly& d)
    {
        if (this_worker::is_worker())
            die_in(d, life_phase::encode);
        out.write(static_cast<int>(d.in));
    }
    static deadly decode(decoder& in)
    {
        const deadly d{static_cast<life_phase>(in.read<int>())};
        die_in(d, life_phase::decode);
        return d;
    }
};

namespace {

deadly pass_on(const deadly& d)
{
    die_in(d, life_phase::call);
    return d;
}

boost::asio::awaitable<deadly> pass_on_later(deadly d)
{
    co_await boost::asio::post(this_worker::executor(), boost::asio::use_awaitable);
    die_in(d, life_phase::call);
    co_return d;
}

int say_and_abort(std::string text)
{
    std::fputs(text.c_str(), stderr);
    std::abort();
}

/// More than a pipe holds.
int say_much(int i)
{
    for (int line = 0; line < 20'000; ++line)
        std::fprintf(stderr, "%d: what nobody wants to know, line %d\n", i, line);
    if (i == 1)
        std::abort();
    return i;
}

int say_much_and_touch(const std::string& file)
{
    say_much(0);
    std::ofstream{file};
    return 0;
}

int grow_and_abort(int mebibytes)
{
    const std::size_t size = static_cast<std::size_t>(mebibytes) << 20;
    void* at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    std::memset(at, 1, size);
    std::abort();
}

int kill_itself(int) { return std::raise(SIGKILL); }

void fail_to_initialize()
{
    std::fputs("the licence has expired\n", stderr);
    ::_exit(4);
}

void initialize_unless(const std::string& file)
{
    if (std::filesystem::exists(file))
        throw std::runtime_error("no database");
}

template <class F>
worker_died death_of(F&& call)
{
    try {
        call();
    }
    catch (const worker_died& e) {
        return e;
    }
    throw std::logic_error("nobody died");
}

std::string report_of(const std::exception_ptr& error)
{
    try {
        std::rethrow_exception(error);
    }
    catch (...) {
        return boost::current_exception_diagnostic_information();
    }
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

pool_options with_captured_output()
{
    pool_options options;
    options.nodes = 1;
    options.child_stderr = error_output::capture;
    return options;
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_reports)

BOOST_AUTO_TEST_CASE(a_death_tells_how_far_the_task_was)
{
    process_pool pool(1);
    for (const life_phase phase : {life_phase::decode, life_phase::call, life_phase::encode}) {
        const worker_died death = death_of([&] { pool.apply(pass_on, deadly{phase}); });
        BOOST_TEST((death.phase() == phase), to_string(phase) << ", but " << death.what());
        BOOST_TEST(death.has_task());
        const worker_died of_a_coroutine = death_of([&] { pool.apply(pass_on_later, deadly{phase}); });
        BOOST_TEST((of_a_coroutine.phase() == phase), to_string(phase) << ", but " << of_a_coroutine.what());
    }
}

BOOST_AUTO_TEST_CASE(a_death_between_tasks_is_told_as_an_event)
{
    std::mutex mutex;
    std::vector<pool_event> lost;
    pool_options options;
    options.nodes = 1;
    options.on_event = [&](const pool_event& event) {
        std::lock_guard lock(mutex);
        if (event.what == pool_event::worker_lost)
            lost.push_back(event);
    };
    process_pool pool(options);
    const int pid = pool.apply([](int) { return int(::getpid()); }, 0);
    ::kill(pid, SIGKILL);
    BOOST_TEST(pool.apply([](int i) { return i; }, 7) == 7);
    std::lock_guard lock(mutex);
    BOOST_REQUIRE(lost.size() == 1u);
    BOOST_TEST((lost[0].phase == life_phase::idle));
    BOOST_TEST(lost[0].signal == SIGKILL);
    BOOST_TEST(contains(lost[0].why, "while idle"), lost[0].why);
}

BOOST_AUTO_TEST_CASE(a_death_tells_the_largest_size)
{
    process_pool pool(1);
    const worker_died death = death_of([&] { pool.apply(grow_and_abort, 600); });
    BOOST_TEST(death.resident_size() >= std::size_t(600) << 20);
    BOOST_TEST(death.resident_size() < std::size_t(6) << 30);
    BOOST_TEST((death.out_of_memory() == memory_verdict::unlikely)); // it aborted
}

BOOST_AUTO_TEST_CASE(a_small_worker_of_a_large_program_is_not_told_to_be_large)
{
    constexpr std::size_t size = std::size_t(500) << 20;
    void* at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    std::memset(at, 1, size);
    process_pool pool(1);
    const worker_died death = death_of([&] { pool.apply(say_and_abort, std::string()); });
    BOOST_TEST(death.resident_size() != 0u); // as it told itself when it was ready
    BOOST_TEST(death.resident_size() < size);
    ::munmap(at, size);
}

BOOST_AUTO_TEST_CASE(a_kill_by_hand_is_not_taken_for_a_lack_of_memory)
{
    process_pool pool(1);
    const worker_died death = death_of([&] { pool.apply(kill_itself, 0); });
    BOOST_TEST((death.out_of_memory() != memory_verdict::likely));
}

BOOST_AUTO_TEST_CASE(captured_output_comes_with_the_death)
{
    process_pool pool(with_captured_output());
    std::exception_ptr error;
    const worker_died death = death_of([&] {
        try {
            pool.apply(say_and_abort, std::string("first\nthe last words\n"));
        }
        catch (...) {
            error = std::current_exception();
            throw;
        }
    });
    BOOST_TEST(death.stderr_tail() == "first\nthe last words\n");
    BOOST_TEST(contains(death.what(), "the last words"), death.what());
    const std::string report = report_of(error);
    for (const char* part :
         {"killed by signal 6", "Task index: 0", "The worker was: calling the function",
          "Resident size: ", "Out of memory: unlikely", "The end of its standard error:\n  first\n  the last words\n"})
        BOOST_TEST(contains(report, part), part << " is not in " << report);
}

BOOST_AUTO_TEST_CASE(much_output_holds_up_no_worker_and_its_end_is_kept)
{
    process_pool pool(with_captured_output());
    BOOST_TEST(pool.apply(say_much, 0) == 0);
    const worker_died death = death_of([&] { pool.apply(say_much, 1); });
    BOOST_TEST(death.stderr_tail().size() == 64u * 1024);
    BOOST_TEST(death.stderr_tail().ends_with("1: what nobody wants to know, line 19999\n"));
}

BOOST_AUTO_TEST_CASE(output_is_read_while_the_pools_loop_does_not_run)
{
    asio::io_context context;
    async_multi_pool pool(context, with_captured_output());
    bool started = false;
    pool.start([&](std::exception_ptr) { started = true; });
    while (!started)
        context.run_one();
    std::string folder = (std::filesystem::temp_directory_path() / "twat-mp-XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(folder.data()));
    const std::string file = folder + "/all_is_written";
    pool.apply(say_much_and_touch, file, [&](std::exception_ptr, int) {});
    context.poll();
    for (int i = 0; i < 60'000 && !std::filesystem::exists(file); ++i)
        std::this_thread::sleep_for(1ms); // and nobody runs the context
    BOOST_TEST(std::filesystem::exists(file));
    std::filesystem::remove_all(folder);
}

BOOST_AUTO_TEST_CASE(discarded_output_is_nowhere)
{
    pool_options options;
    options.nodes = 1;
    options.child_stderr = error_output::discard;
    process_pool pool(options);
    BOOST_TEST(pool.apply(say_much, 0) == 0);
    const worker_died death = death_of([&] { pool.apply(say_and_abort, std::string("unheard\n")); });
    BOOST_TEST(death.stderr_tail().empty());
    const auto target = pool.apply(
        [](int) {
            char name[64] = {};
            return std::string(name, static_cast<std::size_t>(::readlink("/proc/self/fd/2", name, sizeof name)));
        },
        0);
    BOOST_TEST(target == "/dev/null");
}

BOOST_AUTO_TEST_CASE(captured_output_comes_with_a_failed_start)
{
    pool_options options = with_captured_output();
    options.initializer = task(fail_to_initialize);
    options.restarts.count = 1;
    process_pool pool(options);
    try {
        pool.start();
        BOOST_ERROR("the pool started");
    }
    catch (const error& e) {
        BOOST_TEST((e.code() == errc::pool_broken));
        try {
            std::rethrow_if_nested(e);
            BOOST_ERROR("it has no cause");
        }
        catch (const error& cause) {
            BOOST_TEST((cause.code() == errc::worker_start_failed));
            BOOST_TEST(contains(cause.what(), "while it ran the initializer"), cause.what());
            BOOST_TEST(contains(cause.what(), "the licence has expired"), cause.what());
            const std::string* tail = boost::get_error_info<errinfo_stderr_tail>(cause);
            BOOST_TEST((tail && *tail == "the licence has expired\n"));
        }
        BOOST_TEST(contains(boost::diagnostic_information(e), "the licence has expired"));
    }
}

BOOST_AUTO_TEST_CASE(an_initializer_that_fails_later_is_told_with_its_exception)
{
    std::string folder = (std::filesystem::temp_directory_path() / "twat-mp-XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(folder.data()));
    pool_options options;
    options.nodes = 1;
    options.restarts.count = 2;
    options.initializer = task(initialize_unless, folder + "/broken");
    process_pool pool(options);
    pool.start();
    std::ofstream{folder + "/broken"};
    death_of([&] { pool.apply(say_and_abort, std::string()); });
    try {
        pool.apply([](int i) { return i; }, 1);
        BOOST_ERROR("it ran");
    }
    catch (const error& e) {
        BOOST_TEST((e.code() == errc::initializer_failed));
        try {
            std::rethrow_if_nested(e);
            BOOST_ERROR("it has no cause");
        }
        catch (const std::runtime_error& cause) {
            BOOST_TEST(cause.what() == std::string("no database"));
        }
    }
    std::filesystem::remove_all(folder);
}

BOOST_AUTO_TEST_CASE(workers_are_what_the_system_kills_first)
{
    const int own = [] {
        int score = 0;
        std::FILE* file = std::fopen("/proc/self/oom_score_adj", "r");
        BOOST_TEST(std::fscanf(file, "%d", &score) == 1);
        std::fclose(file);
        return score;
    }();
    process_pool pool(1);
    const int of_a_worker = pool.apply(
        [](int) {
            int score = 0;
            std::FILE* file = std::fopen("/proc/self/oom_score_adj", "r");
            const bool read = std::fscanf(file, "%d", &score) == 1;
            std::fclose(file);
            return read ? score : -1;
        },
        0);
    BOOST_TEST((of_a_worker > own || own == 1000));
}

BOOST_AUTO_TEST_SUITE_END()
