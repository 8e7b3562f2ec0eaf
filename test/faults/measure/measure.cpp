// SPDX-License-Identifier: BSL-1.0
// How fast, how late, how much: what the promises say about time and memory, measured. Prints figures, and judges none of them: a busy
// machine shows other ones. Fails only if something that must come to pass does not.
//
//   test_measure WHAT [N]      N: how often
#include <twat/mp.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <future>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <random>
#include <ranges>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../expect.hpp"

namespace mp = twat::mp;
namespace asio = boost::asio;
using namespace std::chrono_literals;
using twat::mp::test::failed;
using steady = std::chrono::steady_clock;

namespace {

double ms(steady::duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

/// A row of figures: the middle, the highest but one in a hundred, the highest.
void print(const std::string& what, std::vector<double> values, const char* unit = "ms")
{
    if (values.empty())
        return;
    std::ranges::sort(values);
    const auto at = [&](double share) {
        return values[std::min(values.size() - 1,
                               static_cast<std::size_t>(share * static_cast<double>(values.size())))];
    };
    std::printf("%-58s n %5zu   p50 %9.2f   p99 %9.2f   max %9.2f %s\n", what.c_str(), values.size(), at(0.5), at(0.99),
                values.back(), unit);
    std::fflush(stdout);
}

mp::pool_options workers(std::size_t nodes)
{
    mp::pool_options options;
    options.nodes = nodes;
    options.start_timeout = 60s;
    options.restarts.count = 1'000'000;
    return options;
}

int square(int i) { return i * i; }

/// The resident size of this process in KiB.
long resident()
{
    std::ifstream in("/proc/self/statm");
    long pages = 0;
    in >> pages >> pages;
    return pages * ::sysconf(_SC_PAGESIZE) / 1024;
}

std::int64_t now_ns() { return steady::now().time_since_epoch().count(); }

double ms_since(std::int64_t then) { return static_cast<double>(now_ns() - then) / 1e6; }

// ---------------------------------------------------------------- death notice

std::unique_ptr<char[]> ballast; ///< Of a worker.

int take_memory(int mib)
{
    const auto size = static_cast<std::size_t>(mib) << 20;
    ballast.reset(new char[size]);
    for (std::size_t i = 0; i < size; i += 4096)
        ballast[i] = static_cast<char>(i);
    return mib;
}

/// Writes the time of its death into a file that outlives it.
int die(const std::string& file)
{
    const int fd = ::open(file.c_str(), O_WRONLY);
    const std::int64_t now = now_ns();
    [[maybe_unused]] const auto n = ::write(fd, &now, sizeof now);
    ::kill(::getpid(), SIGKILL);
    return 0;
}

int die_beside_a_child(const std::string& file)
{
    ::fcntl(3, F_SETFD, 0); // so that the child keeps the worker's socket
    if (::fork() == 0) {
        ::execl("/bin/sleep", "sleep", "3", nullptr);
        ::_exit(1);
    }
    return die(file);
}

void death_notice(int n)
{
    char file[] = "/tmp/twat_mp_death_XXXXXX";
    ::close(::mkstemp(file));
    for (const char* how : {"plain", "a child keeps the socket", "SIGCHLD ignored"}) {
        const auto before = std::signal(SIGCHLD, how[0] == 'S' ? SIG_IGN : SIG_DFL);
        for (const auto& [mib, most] : {std::pair(1, n), {64, n}, {512, n < 5 ? 0 : 20}, {2048, n < 100 ? 0 : 5}}) {
            if (most == 0)
                continue;
            std::vector<double> times;
            {
                mp::process_pool pool(workers(1));
                for (int i = 0; i != std::min(most, n); ++i) {
                    pool.apply(take_memory, mib);
                    try {
                        if (how[0] == 'a')
                            pool.apply(die_beside_a_child, std::string(file));
                        else
                            pool.apply(die, std::string(file));
                        EXPECT(false && "it lives");
                    }
                    catch (const mp::worker_died&) {
                        std::int64_t then = 0;
                        std::ifstream(file, std::ios::binary).read(reinterpret_cast<char*>(&then), sizeof then);
                        times.push_back(ms_since(then));
                    }
                }
            }
            print("death to error, " + std::to_string(mib) + " MiB, " + how, times);
        }
        std::signal(SIGCHLD, before);
    }
    ::unlink(file);
}

// ---------------------------------------------------------------- timeouts

int loop_for_ever(const std::string& file)
{
    const int fd = ::open(file.c_str(), O_WRONLY);
    const std::int64_t now = now_ns();
    [[maybe_unused]] const auto n = ::write(fd, &now, sizeof now);
    for (volatile bool for_ever = true; for_ever;) {
    }
    return 0;
}

int ignore_sigterm(const std::string& file)
{
    std::signal(SIGTERM, SIG_IGN);
    return loop_for_ever(file);
}

int stop_itself(const std::string& file)
{
    const int fd = ::open(file.c_str(), O_WRONLY);
    const std::int64_t now = now_ns();
    [[maybe_unused]] const auto n = ::write(fd, &now, sizeof now);
    ::kill(::getpid(), SIGSTOP);
    return 0;
}

void timeouts(int n)
{
    constexpr auto timeout = 50ms;
    char file[] = "/tmp/twat_mp_late_XXXXXX";
    ::close(::mkstemp(file));
    const std::pair<const char*, int (*)(const std::string&)> tasks[] = {
        {"a tight loop", loop_for_ever}, {"SIGTERM ignored", ignore_sigterm}, {"SIGSTOP", stop_itself}};
    for (const auto& [name, task] : tasks) {
        std::vector<double> late, back;
        mp::process_pool pool(workers(1));
        pool.start();
        for (int i = 0; i != n; ++i) {
            try {
                pool.with({.timeout = timeout}).apply(task, std::string(file));
                EXPECT(false && "it returned");
            }
            catch (const mp::error& e) {
                EXPECT(e.code() == mp::errc::task_timed_out);
            }
            std::int64_t then = 0;
            std::ifstream(file, std::ios::binary).read(reinterpret_cast<char*>(&then), sizeof then);
            late.push_back(ms_since(then) - ms(timeout));
            EXPECT(pool.apply(square, 9) == 81);
            back.push_back(ms_since(then) - ms(timeout));
        }
        print(std::string("timeout, ") + name + ": answered late by", late);
        print(std::string("timeout, ") + name + ": next task done after", back);
    }
    ::unlink(file);
}

// ---------------------------------------------------------------- shutdown

int never_end(int)
{
    for (volatile bool for_ever = true; for_ever;) {
    }
    return 0;
}

void hang_in_the_end()
{
    std::signal(SIGTERM, SIG_IGN);
    never_end(0);
}

int stop_the_process(int)
{
    ::kill(::getpid(), SIGSTOP);
    return 0;
}

void shutdown(int n)
{
    std::vector<double> joins, hanging_joins, terminates, destructors, async_destructors;
    for (int i = 0; i != n; ++i) {
        {
            mp::process_pool pool(workers(2));
            pool.start();
            const auto begun = steady::now();
            pool.join();
            joins.push_back(ms(steady::now() - begun));
        }
        {
            auto options = workers(2);
            options.finalizer = mp::task(hang_in_the_end);
            mp::process_pool pool(options);
            pool.start();
            const auto begun = steady::now();
            pool.join();
            hanging_joins.push_back(ms(steady::now() - begun));
        }
        {
            auto pool = std::make_unique<mp::process_pool>(workers(2));
            pool->start();
            auto busy = pool->submit(i % 2 ? never_end : stop_the_process, 0);
            std::this_thread::sleep_for(20ms);
            const auto begun = steady::now();
            pool->terminate();
            try {
                busy.get();
                EXPECT(false && "it returned");
            }
            catch (const mp::error& e) {
                EXPECT(e.code() == mp::errc::pool_terminated);
            }
            terminates.push_back(ms(steady::now() - begun));
            const auto then = steady::now();
            pool.reset();
            destructors.push_back(ms(steady::now() - then));
        }
        {
            asio::io_context context;
            auto pool = std::make_unique<mp::async_multi_pool>(context, workers(2));
            bool answered = false;
            pool->apply(never_end, 0, [&](std::exception_ptr, int) { answered = true; });
            context.run_for(30ms);
            const auto begun = steady::now();
            pool.reset();
            context.run();
            async_destructors.push_back(ms(steady::now() - begun));
            EXPECT(answered);
        }
    }
    print("join, idle workers", joins);
    print("join, finalizers that hang (stop_grace 200 ms)", hanging_joins);
    print("terminate to the answer, workers that hang or are stopped", terminates);
    print("destructor behind it", destructors);
    print("destructor of an asynchronous pool, to the last handler", async_destructors);
}

// ---------------------------------------------------------------- the loop

/// Runs a timer of 1 ms on the loop, and keeps how late it was.
class probe
{
public:
    explicit probe(asio::io_context& context) : timer_(context) { next(); }
    void stop()
    {
        timer_.cancel();
        stopped_ = true;
    }
    std::vector<double> late;

private:
    void next()
    {
        timer_.expires_after(1ms);
        timer_.async_wait([this](boost::system::error_code ec) {
            if (ec || stopped_)
                return;
            late.push_back(ms(steady::now() - timer_.expiry()));
            next();
        });
    }

    asio::steady_timer timer_;
    bool stopped_ = false;
};

int die_now(int)
{
    ::kill(::getpid(), SIGKILL);
    return 0;
}

void loop_lag(int n, int mib)
{
    asio::io_context context;
    std::vector<double> idle;
    {
        probe timer(context);
        context.run_for(200ms);
        idle = timer.late;
        timer.stop();
        context.restart();
        context.run();
    }
    std::map<std::string, std::vector<double>> lag;
    for (int i = 0; i != n; ++i) {
        context.restart();
        auto timer = std::make_unique<probe>(context);
        const auto phase = [&](const char* name, auto begin) {
            timer->late.clear();
            bool done = false;
            begin([&done](auto&&...) { done = true; });
            while (!done)
                context.run_one();
            context.run_for(5ms);
            auto& all = lag[name];
            all.insert(all.end(), timer->late.begin(), timer->late.end());
        };
        auto pool = std::make_unique<mp::async_multi_pool>(context, workers(2));
        phase("start", [&](auto done) { pool->start(done); });
        phase("calls", [&](auto done) { pool->map(square, std::views::iota(0, 2000), done); });
        phase("a worker fills its memory", [&](auto done) { pool->apply(take_memory, mib, done); });
        phase("kill of all workers", [&](auto done) { pool->try_map(die_now, std::views::iota(0, 4), done); });
        phase("join", [&](auto done) { pool->join(done); });
        pool = std::make_unique<mp::async_multi_pool>(context, workers(2));
        phase("destruction while busy", [&](auto done) {
            pool->apply(never_end, 0, done);
            context.run_for(20ms);
            timer->late.clear();
            pool.reset();
        });
        timer->stop();
        context.run();
    }
    print("lag of the loop, nothing but the timer", idle);
    for (const auto& [name, values] : lag)
        print("lag of the loop, " + name + " (" + std::to_string(mib) + " MiB)", values);
}

// ---------------------------------------------------------------- memory

void stream_memory(long n)
{
    // Warm first: a pool of what is allocated once.
    const auto run = [](auto range, long most, const char* what, bool slow) {
        mp::process_pool pool(workers(2));
        auto results = pool.imap(square, std::move(range));
        long seen = 0, before = 0, highest = 0;
        for ([[maybe_unused]] const int i : results) {
            if (++seen == most)
                break;
            if (slow && seen % 64 == 0)
                std::this_thread::sleep_for(1ms);
            if (seen == most / 10)
                before = highest = resident();
            if (seen > most / 10 && seen % 1024 == 0)
                highest = std::max(highest, resident());
        }
        EXPECT(seen == most);
        std::printf("%-58s n %7ld   grew by %ld KiB after the first tenth\n", what, seen, highest - before);
        std::fflush(stdout);
    };
    constexpr auto wrap = [](long i) { return static_cast<int>(i % 1000); };
    run(std::views::iota(0L, n + 1) | std::views::transform(wrap), n, "resident size, a long range, imap", false);
    run(std::views::iota(0L) | std::views::transform(wrap), n / 10, "resident size, an endless range, a slow reader",
        true);
}

void crash_memory(int n)
{
    mp::process_pool pool(workers(2));
    pool.start();
    const auto crash = [&] {
        try {
            pool.apply(die_now, 0);
            EXPECT(false && "it returned");
        }
        catch (const mp::worker_died&) {
        }
    };
    for (int i = 0; i != n / 2; ++i)
        crash();
    const long before = resident();
    for (int i = n / 2; i != n; ++i)
        crash();
    const long after = resident();
    std::printf("%-58s n %7d   %+ld bytes per crash over the second half\n", "resident size, crashes", n,
                (after - before) * 1024 / std::max(1, n - n / 2));
}

// ---------------------------------------------------------------- clocks

void wall_clock(int n)
{
    // Long timeouts must not end what is short, short ones must end what is long: whatever the wall clock shows.
    auto* const looks = reinterpret_cast<std::atomic<unsigned>* (*)()>(::dlsym(RTLD_DEFAULT, "twat_mp_shim_looks"));
    if (!looks)
        std::puts("the wall clock does not jump: test_shim_clock is not preloaded");
    std::atomic<bool> over = false;
    std::thread looker([&over] {
        while (!over) {
            static_cast<void>(std::chrono::system_clock::now());
            std::this_thread::sleep_for(1ms);
        }
    });
    mp::process_pool pool(workers(2));
    pool.start();
    std::vector<double> late;
    for (int i = 0; i != n; ++i) {
        const auto results = pool.with({.timeout = 60s, .deadline = 120s})
                                 .map(
                                     [](int j) {
                                         std::this_thread::sleep_for(1ms);
                                         return j;
                                     },
                                     std::views::iota(0, 8));
        EXPECT(results.size() == 8);
        const auto begun = steady::now();
        try {
            pool.with({.timeout = 20ms}).apply(never_end, 0);
            EXPECT(false && "it returned");
        }
        catch (const mp::error& e) {
            EXPECT(e.code() == mp::errc::task_timed_out);
        }
        late.push_back(ms(steady::now() - begun) - 20);
        const auto then = steady::now();
        try {
            pool.with({.deadline = 20ms}).apply(never_end, 0);
            EXPECT(false && "it returned");
        }
        catch (const mp::error& e) {
            EXPECT(e.code() == mp::errc::deadline_exceeded);
        }
        late.push_back(ms(steady::now() - then) - 20);
    }
    over = true;
    looker.join();
    print("timeouts and deadlines of 20 ms, late by (jumping clock)", late);
    if (looks)
        std::printf("the wall clock was looked at %u times\n", looks()->load());
}

// ---------------------------------------------------------------- crash loop

void end_at_once() { ::_exit(1); }

void crash_loop(int seconds)
{
    auto options = workers(4);
    options.restarts = {};
    options.initializer = mp::task(end_at_once);
    std::mutex mutex;
    std::vector<steady::time_point> starts;
    options.on_event = [&](const mp::pool_event& event) {
        std::lock_guard lock(mutex);
        if (event.what == mp::pool_event::worker_started)
            starts.push_back(steady::now());
    };
    const auto begun = steady::now();
    mp::process_pool pool(options);
    int answered = 0;
    double first = 0;
    while (steady::now() - begun < std::chrono::seconds(seconds)) {
        try {
            pool.apply(square, 9);
            EXPECT(false && "it returned");
        }
        catch (const mp::error& e) {
            EXPECT(e.code() == mp::errc::pool_broken);
            if (answered++ == 0)
                first = ms(steady::now() - begun);
        }
        std::this_thread::sleep_for(10ms);
    }
    std::lock_guard lock(mutex);
    std::printf("%-58s %zu starts in %d s, the first call answered after %.0f ms, %d calls refused\n",
                "a crash loop, 4 nodes", starts.size(), seconds, first, answered);
    // And a broken pool tries one more after 1 s, 2 s, 4 s ...
    EXPECT(starts.size() <= 4 + 8 + static_cast<std::size_t>(std::bit_width(static_cast<unsigned>(seconds))));
}

// ---------------------------------------------------------------- poisoned tasks

int crash_if_negative(int x)
{
    if (x < 0)
        std::abort();
    return x;
}

/// Every tenth task kills its worker; default options. Compared with as many starts of workers with nothing else to do, in turns.
void poisoned(int n)
{
    const ::rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    constexpr int rounds = 5;
    std::mt19937 random(1);
    std::vector<double> shares;
    double starting = 0, serving = 0;
    int deaths = 0;
    for (int round = 0; round != rounds; ++round) {
        std::vector<int> inputs(static_cast<std::size_t>(n / rounds));
        std::iota(inputs.begin(), inputs.end(), 0);
        for (std::size_t i = 0; i < inputs.size(); i += 10)
            inputs[i] = -1;
        std::ranges::shuffle(inputs, random);

        auto begun = steady::now();
        std::size_t started = 0;
        for (const std::size_t wanted = inputs.size() / 10; started < wanted;) {
            mp::process_pool pool;
            pool.start();
            started += pool.nodes();
            pool.terminate();
        }
        const double starts = ms(steady::now() - begun);

        mp::process_pool pool;
        pool.start();
        begun = steady::now();
        const auto results = pool.try_map(crash_if_negative, inputs);
        const double took = ms(steady::now() - begun);
        EXPECT(results.size() == inputs.size());
        for (std::size_t i = 0; i < inputs.size(); ++i)
            EXPECT(inputs[i] < 0 ? results[i].has_error() : results[i].has_value() && *results[i] == inputs[i]);
        deaths += static_cast<int>(pool.stats().died);
        EXPECT(pool.apply(crash_if_negative, 5) == 5);
        starting += starts;
        serving += took;
        shares.push_back(starts / took);
    }
    EXPECT(deaths == n / 10);
    std::printf("%-58s n %7d   %d deaths, %.2f ms each; as many starts alone: %.2f ms each\n",
                "every tenth task kills its worker", n, deaths, serving / deaths, starting / deaths);
    print("throughput, as a share of what the starts alone allow", shares, "");
}

// ---------------------------------------------------------------- the host's end

void victim(bool busy)
{
    auto options = workers(3);
    options.on_event = [](const mp::pool_event& event) {
        if (event.what == mp::pool_event::worker_started) {
            [[maybe_unused]] const auto n = ::write(1, &event.pid, sizeof event.pid);
        }
    };
    mp::process_pool pool(options);
    pool.start();
    if (busy)
        pool.map(never_end, std::views::iota(0, 3));
    for (;;)
        ::pause();
}

void host_kills(int n)
{
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    std::mt19937 random(std::random_device{}());
    std::vector<double> times;
    for (int round = 0; round != n; ++round) {
        int from_victim[2];
        if (::pipe2(from_victim, O_CLOEXEC) != 0)
            std::abort();
        const int host = ::fork();
        if (host == 0) {
            ::dup2(from_victim[1], 1);
            ::execl("/proc/self/exe", "test_measure", round % 2 ? "victim_busy" : "victim_idle", nullptr);
            ::_exit(1);
        }
        ::close(from_victim[1]);
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 60'000));
        ::kill(host, SIGKILL);
        ::waitpid(host, nullptr, 0);
        const auto begun = steady::now();
        bool gone = false;
        while (!gone && steady::now() - begun < 60s) {
            while (::waitpid(-1, nullptr, WNOHANG) > 0) {
            }
            gone = errno == ECHILD;
            if (!gone)
                std::this_thread::sleep_for(200us);
        }
        EXPECT(gone);
        times.push_back(ms(steady::now() - begun));
        ::close(from_victim[0]);
    }
    print("the host is killed at a random moment: last worker gone", times);
}

// ---------------------------------------------------------------- recycling

void recycling(int n)
{
    auto options = workers(4);
    options.max_tasks_per_child = 1;
    std::atomic<std::size_t> lost = 0;
    options.on_event = [&](const mp::pool_event& event) { lost += event.what == mp::pool_event::worker_lost; };
    mp::process_pool pool(options);
    pool.start();
    const auto begun = steady::now();
    const auto results =
        pool.map(square, std::views::iota(0, n) | std::views::transform([](int i) { return i % 1000; }));
    const double took = ms(steady::now() - begun);
    EXPECT(results.size() == static_cast<std::size_t>(n));
    for (int i = 0; i != n; ++i)
        EXPECT(results[static_cast<std::size_t>(i)] == i % 1000 * (i % 1000));
    EXPECT(lost == 0);
    std::printf("%-58s n %7d   %.2f ms a task, a worker each, %zu lost\n", "max_tasks_per_child = 1, 4 nodes", n,
                took / n, lost.load());
}

} // namespace

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);
    const std::string what = argc > 1 ? argv[1] : "";
    const auto n = [&](long otherwise) { return argc > 2 ? std::atol(argv[2]) : otherwise; };
    const std::map<std::string, std::function<void()>> measures{
        {"death_notice", [&] { death_notice(static_cast<int>(n(20))); }},
        {"timeouts", [&] { timeouts(static_cast<int>(n(20))); }},
        {"shutdown", [&] { shutdown(static_cast<int>(n(10))); }},
        {"loop_lag", [&] { loop_lag(static_cast<int>(n(3)), argc > 3 ? std::atoi(argv[3]) : 64); }},
        {"stream_memory", [&] { stream_memory(n(200'000)); }},
        {"crash_memory", [&] { crash_memory(static_cast<int>(n(200))); }},
        {"wall_clock", [&] { wall_clock(static_cast<int>(n(10))); }},
        {"crash_loop", [&] { crash_loop(static_cast<int>(n(2))); }},
        {"poisoned", [&] { poisoned(static_cast<int>(n(2'000))); }},
        {"host_kills", [&] { host_kills(static_cast<int>(n(20))); }},
        {"recycling", [&] { recycling(static_cast<int>(n(200))); }},
        {"victim_busy", [] { victim(true); }},
        {"victim_idle", [] { victim(false); }},
    };
    const auto measure = measures.find(what);
    if (measure == measures.end())
        return 2;
    try {
        measure->second();
    }
    catch (const std::exception& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
    return failed ? 1 : 0;
}
