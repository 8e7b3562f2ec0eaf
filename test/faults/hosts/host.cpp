// SPDX-License-Identifier: BSL-1.0
// Programs that make life hard for a library: one behaviour for each first argument, each run as a program of its own. A silent exit
// code 0 is success.
#include <twat/mp.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <future>
#include <iostream>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../expect.hpp"
#include "terminal.hpp"
#include "modes.hpp"

namespace mp = twat::mp;
using namespace std::chrono_literals;
using twat::mp::test::failed;

namespace {

int square(int i) { return i * i; }

int kill_at_5(int i)
{
    if (i == 5)
        ::kill(::getpid(), SIGKILL);
    return i * i;
}

mp::pool_options workers(std::size_t nodes)
{
    mp::pool_options options;
    options.nodes = nodes;
    options.start_timeout = 60s;
    options.restarts.count = 100'000;
    return options;
}

std::vector<int> numbers(int n)
{
    std::vector<int> all(static_cast<std::size_t>(n));
    for (int i = 0; i != n; ++i)
        all[static_cast<std::size_t>(i)] = i;
    return all;
}

/// A crash in task 5 of 20 is the error of task 5 alone. Returns whether its status is known.
bool check_one_crash(mp::process_pool& pool)
{
    bool known = false;
    const auto results = pool.try_map(kill_at_5, numbers(20));
    EXPECT(results.size() == 20);
    for (std::size_t i = 0; i != results.size(); ++i) {
        if (i != 5) {
            EXPECT(results[i].has_value() && *results[i] == static_cast<int>(i * i));
            continue;
        }
        try {
            results[i].value();
            EXPECT(false && "task 5 returned");
        }
        catch (const mp::worker_died& e) {
            known = e.status_known();
            EXPECT(e.has_task() && e.task_index() == 5);
            EXPECT(e.signal() == (known ? SIGKILL : 0));
        }
        catch (const std::exception& e) {
            std::cerr << e.what() << '\n';
            EXPECT(false && "task 5 failed with something else");
        }
    }
    EXPECT(pool.apply(square, 9) == 81);
    return known;
}

void poll_until(const std::function<bool()>& done, std::chrono::seconds patience = 60s)
{
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!done()) {
        if (std::chrono::steady_clock::now() > end) {
            EXPECT(false && "it did not come to pass");
            return;
        }
        std::this_thread::sleep_for(5ms);
    }
}

// ---------------------------------------------------------------- signals and statuses

void sigchld_ignored()
{
    std::signal(SIGCHLD, SIG_IGN);
    {
        mp::process_pool pool(workers(2));
        EXPECT(!check_one_crash(pool));
        pool.join();
    }
    EXPECT(std::signal(SIGCHLD, SIG_DFL) == SIG_IGN);
}

std::atomic<int> handled = 0;

void sigchld_handled()
{
    struct sigaction own
    {
    }, after{};
    own.sa_handler = [](int) { ++handled; };
    ::sigaction(SIGCHLD, &own, nullptr);
    {
        mp::process_pool pool(workers(2));
        EXPECT(check_one_crash(pool));
        pool.join();
    }
    ::sigaction(SIGCHLD, nullptr, &after);
    EXPECT(after.sa_handler == own.sa_handler);
    EXPECT(handled > 0);
}

void statuses_stolen()
{
    std::atomic<bool> stopped = false;
    std::thread thief([&] {
        while (!stopped)
            if (::waitpid(-1, nullptr, WNOHANG) <= 0)
                std::this_thread::sleep_for(100us);
    });
    {
        mp::process_pool pool(workers(2));
        for (int i = 0; i != 20; ++i)
            check_one_crash(pool);
        pool.join();
    }
    stopped = true;
    thief.join();
}

void no_disposition_is_changed()
{
    std::map<int, void (*)(int)> before;
    const auto disposition = [](int number) {
        struct sigaction now
        {};
        ::sigaction(number, nullptr, &now);
        return now.sa_handler;
    };
    for (int number = 1; number != NSIG; ++number)
        before[number] = disposition(number);
    {
        mp::process_pool pool(workers(2));
        check_one_crash(pool);
        for (int number = 1; number != NSIG; ++number)
            EXPECT(disposition(number) == before[number]);
    }
    for (int number = 1; number != NSIG; ++number)
        EXPECT(disposition(number) == before[number]);
}

// ---------------------------------------------------------------- descriptors

void standard_descriptors_closed()
{
    for (const int fd : {0, 1, 2})
        ::close(fd);
    mp::process_pool pool(workers(2));
    EXPECT(check_one_crash(pool));
    pool.join();
}

void no_descriptors_left()
{
    std::mutex mutex;
    std::vector<int> ready;
    auto options = workers(2);
    std::atomic<unsigned> lost = 0;
    options.on_event = [&](const mp::pool_event& event) {
        std::lock_guard lock(mutex);
        if (event.what == mp::pool_event::worker_ready)
            ready.push_back(event.pid);
        lost += event.what == mp::pool_event::worker_lost;
    };
    mp::process_pool pool(options);
    pool.start();
    rlimit few{64, 64};
    ::setrlimit(RLIMIT_NOFILE, &few);
    std::vector<int> taken;
    for (int fd; (fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;)
        taken.push_back(fd);
    EXPECT(errno == EMFILE);
    // One of the two dies and cannot be replaced. Nothing fails but its task.
    const auto results = pool.try_map(kill_at_5, numbers(20));
    for (std::size_t i = 0; i != results.size(); ++i)
        EXPECT(results[i].has_value() == (i != 5));
    for (int i = 0; i != 100; ++i) {
        EXPECT(pool.apply(square, 9) == 81);
        std::this_thread::sleep_for(5ms);
    }
    for (const int fd : taken)
        ::close(fd);
    poll_until([&] {
        EXPECT(pool.apply(square, 9) == 81);
        return failed || pool.stats().ready == 2;
    });
    pool.join();
}

int close_everything(int i)
{
    if (i == 5)
        ::syscall(SYS_close_range, 3u, ~0u, 0u);
    return i * i;
}

void a_task_closes_all_descriptors()
{
    mp::process_pool pool(workers(2));
    const auto results = pool.try_map(close_everything, numbers(20));
    for (std::size_t i = 0; i != results.size(); ++i)
        EXPECT(results[i].has_value() || i == 5);
    EXPECT(pool.apply(square, 9) == 81);
    pool.join();
}

int make_noise(int i, int fd)
{
    const std::string noise(100'000, 'x');
    if (i == 5) {
        [[maybe_unused]] const auto n = ::write(fd, noise.data(), noise.size());
    }
    return i * i;
}

void a_task_writes_noise()
{
    const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    const int before = ::dup(1);
    ::dup2(null, 1);
    mp::process_pool pool(workers(2));
    for (const int fd : {1, 3}) {
        const auto results = pool.try_map(make_noise, numbers(20), std::vector(20, fd));
        for (std::size_t i = 0; i != results.size(); ++i) {
            EXPECT(results[i].has_value() || (fd == 3 && i >= 5));
            if (results[i].has_error())
                try {
                    std::rethrow_exception(results[i].error());
                }
                catch (const mp::error& e) {
                    EXPECT(e.code() == mp::errc::protocol_error || e.code() == mp::errc::worker_died);
                }
        }
        EXPECT(pool.apply(square, 9) == 81);
    }
    pool.join();
    ::dup2(before, 1);
}

/// The child keeps the worker's socket until the file is gone.
int leave_a_child(const std::string& file)
{
    if (::fork() == 0) {
        for (int i = 0; i != 600 && ::access(file.c_str(), F_OK) == 0; ++i)
            std::this_thread::sleep_for(100ms);
        ::_exit(0);
    }
    ::kill(::getpid(), SIGKILL);
    return 0;
}

void a_grandchild_keeps_the_socket()
{
    char file[] = "/tmp/twat_mp_grandchild_XXXXXX";
    ::close(::mkstemp(file));
    {
        mp::process_pool pool(workers(2));
        const auto begun = std::chrono::steady_clock::now();
        try {
            pool.apply(leave_a_child, std::string(file));
            EXPECT(false && "the task returned");
        }
        catch (const mp::worker_died& e) {
            EXPECT(e.signal() == SIGKILL);
        }
        const auto took = std::chrono::steady_clock::now() - begun;
        EXPECT(took < 30s); // and not the minute that the child takes
        std::cout << "answered after " << std::chrono::duration<double, std::milli>(took).count() << " ms\n";
        EXPECT(pool.apply(square, 9) == 81);
    }
    ::unlink(file);
}

// ---------------------------------------------------------------- the program itself

int hang(int)
{
    for (volatile bool for_ever = true; for_ever;) {
    }
    return 0;
}

/// Tells the pids of its workers to descriptor 1, and never ends.
void victim(bool busy)
{
    auto options = workers(3);
    options.on_event = [](const mp::pool_event& event) {
        if (event.what == mp::pool_event::worker_ready) {
            [[maybe_unused]] const auto n = ::write(1, &event.pid, sizeof event.pid);
        }
    };
    mp::process_pool pool(options);
    pool.start();
    if (busy)
        pool.map(hang, numbers(3));
    for (;;)
        ::pause();
}

void killed(const char* mode)
{
    for (int round = 0; round != 3; ++round) {
        int from_victim[2];
        if (::pipe2(from_victim, O_CLOEXEC) != 0)
            std::abort();
        const int host = ::fork();
        if (host == 0) {
            ::dup2(from_victim[1], 1);
            ::execl("/proc/self/exe", "host", mode, nullptr);
            ::_exit(1);
        }
        ::close(from_victim[1]);
        std::vector<pollfd> workers;
        for (int pid; workers.size() != 3 && ::read(from_victim[0], &pid, sizeof pid) == sizeof pid;)
            workers.push_back({static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)), POLLIN, 0});
        EXPECT(workers.size() == 3);
        if (round != 0)
            std::this_thread::sleep_for(20ms * round); // tasks have begun or not: both must do
        ::kill(host, SIGKILL);
        ::waitpid(host, nullptr, 0);
        const auto begun = std::chrono::steady_clock::now();
        for (auto& worker : workers)
            EXPECT(worker.fd >= 0 && ::poll(&worker, 1, 30'000) == 1);
        std::cout << "the last worker was gone after "
                  << std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count()
                  << " ms\n";
        for (auto& worker : workers)
            ::close(worker.fd);
        ::close(from_victim[0]);
    }
}

/// At whatever moment of the start of its workers: what is left of them comes to this process, and ends.
void killed_while_starting()
{
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (int round = 0; round != 40; ++round) {
        const int host = ::fork();
        if (host == 0) {
            const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
            ::dup2(null, 1);
            ::execl("/proc/self/exe", "host", round % 2 ? "victim_busy" : "victim_idle", nullptr);
            ::_exit(1);
        }
        std::this_thread::sleep_for(1ms * round);
        ::kill(host, SIGKILL);
        poll_until([] {
            while (::waitpid(-1, nullptr, WNOHANG) > 0) {
            }
            return errno == ECHILD;
        });
    }
}

/// Runs as a copy of this program, which it replaces while it runs.
void replaced()
{
    const auto self = std::filesystem::read_symlink("/proc/self/exe");
    const auto other = self.string() + ".other";
    mp::process_pool pool(workers(2));
    EXPECT(check_one_crash(pool));
    std::filesystem::copy_file("/bin/false", other);
    std::filesystem::rename(other, self);
    EXPECT(check_one_crash(pool));
    EXPECT(check_one_crash(pool));
    EXPECT(pool.stats().died == 3);
    pool.join();
}

void program_replaced()
{
    char folder[] = "/tmp/twat_mp_replaced_XXXXXX";
    if (!::mkdtemp(folder))
        std::abort();
    const std::string copy = std::string(folder) + "/host";
    std::filesystem::copy_file("/proc/self/exe", copy);
    const int child = ::fork();
    if (child == 0) {
        ::execl(copy.c_str(), "host", "replaced", nullptr);
        ::_exit(1);
    }
    int status = 1;
    ::waitpid(child, &status, 0);
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    std::filesystem::remove_all(folder);
}

} // namespace

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);
    const std::map<std::string, std::function<void()>> modes{
        {"sigchld_ignored", sigchld_ignored},
        {"sigchld_handled", sigchld_handled},
        {"statuses_stolen", statuses_stolen},
        {"no_disposition_is_changed", no_disposition_is_changed},
        {"standard_descriptors_closed", standard_descriptors_closed},
        {"no_descriptors_left", no_descriptors_left},
        {"a_task_closes_all_descriptors", a_task_closes_all_descriptors},
        {"a_task_writes_noise", a_task_writes_noise},
        {"a_grandchild_keeps_the_socket", a_grandchild_keeps_the_socket},
        {"killed_while_busy", [] { killed("victim_busy"); }},
        {"killed_while_idle", [] { killed("victim_idle"); }},
        {"killed_while_starting", killed_while_starting},
        {"program_replaced", program_replaced},
        {"killed_by_the_kernel_for_memory", killed_by_the_kernel_for_memory},
        {"a_task_opens_the_terminal", mp::test::a_task_opens_the_terminal},
        {"ctrl_z_pauses_the_workers", mp::test::ctrl_z_pauses_the_workers},
        {"killed_while_stopped", mp::test::killed_while_stopped},
        {"job_opens_the_terminal", mp::test::job_opens_the_terminal},
        {"memory_locked", memory_locked},
        {"started_by_the_linker", started_by_the_linker},
        {"without_proc", without_proc},
        {"without_dev_null", without_dev_null},
        {"shared_vector_without_proc", shared_vector_without_proc},
        {"memfd_create_denied", memfd_create_denied},
        {"small_pool", small_pool},
        {"job_counts", mp::test::job_counts},
        {"victim_busy", [] { victim(true); }},
        {"victim_idle", [] { victim(false); }},
        {"replaced", replaced},
    };
    const auto mode = modes.find(argc > 1 ? argv[1] : "");
    if (mode == modes.end())
        return 2;
    try {
        mode->second();
    }
    catch (const std::exception& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
    return failed ? 1 : 0;
}
