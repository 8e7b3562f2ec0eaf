// SPDX-License-Identifier: BSL-1.0
// Lets the n-th of each system call fail, n from 1 until there is no n-th one, in the host or in the workers, and looks at what becomes
// of a program that uses the library.
//
//   test_shim SIDE [--most N] [--seed N] [--only CALL] [--from N]
//
// SIDE: host, worker (the n-th call of the first worker that gets so far) or workers (of each of them). --most: that many values of n for
// each call and error, those beyond the eighth chosen by the seed. Each run is a process of its own; a run that failed is shown with the
// command that repeats it.
#include <twat/mp.hpp>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../expect.hpp"

namespace mp = twat::mp;
namespace asio = boost::asio;
using namespace std::chrono_literals;
using twat::mp::test::failed;

namespace {

// ---------------------------------------------------------------- one run

/// What is expected of this run.
struct expectations
{
    bool harmless = false; ///< The call is to be made again: nobody notices.
    bool starting = false; ///< The call belongs to starting a worker: while another lives, no task notices.
    bool slow = false;     ///< Every call is hit: a megabyte by single bytes takes minutes.
};

long hits()
{
    static auto* const count = static_cast<std::atomic<long>*>(::dlsym(RTLD_DEFAULT, "twat_mp_shim_hits"));
    return count ? count->load() : 0;
}

void disarm()
{
    if (auto* const armed = static_cast<std::atomic<bool>*>(::dlsym(RTLD_DEFAULT, "twat_mp_shim_armed")))
        *armed = false;
    ::unsetenv("TWAT_MP_SHIM"); // workers that start from now on
}

int square(int i) { return i * i; }

int kill_at_7(int i)
{
    if (i == 7)
        ::kill(::getpid(), SIGKILL);
    return i * i;
}

std::string repeat(std::string text) { return text + text; }

int hang(int)
{
    for (volatile bool for_ever = true; for_ever;) {
    }
    return 0;
}

asio::awaitable<int> square_later(int i)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, 1ms);
    co_await timer.async_wait(asio::use_awaitable);
    co_return i* i;
}

/// Whether it is an error that says what is the matter: the library's own, or the system's.
bool is_named(const std::exception_ptr& error)
{
    try {
        std::rethrow_exception(error);
    }
    catch (const boost::system::system_error& e) {
        return static_cast<bool>(e.code());
    }
    catch (const std::system_error& e) {
        return static_cast<bool>(e.code());
    }
    catch (const std::bad_alloc&) {
        return true;
    }
    catch (const std::exception& e) {
        std::cerr << "  an error without a name: " << e.what() << '\n';
    }
    catch (...) {
    }
    return false;
}

const char* what_of(const std::exception_ptr& error)
{
    static std::string text;
    try {
        std::rethrow_exception(error);
    }
    catch (const std::exception& e) {
        text = e.what();
    }
    catch (...) {
        text = "something else";
    }
    return text.c_str();
}

/// Calls; what it throws must be named, and may not come when nothing may be noticed.
template <class F>
bool attempt(const char* step, bool must_do, F call)
{
    try {
        call();
        return true;
    }
    catch (...) {
        const auto error = std::current_exception();
        EXPECT(is_named(error));
        if (must_do) {
            failed = true;
            std::cerr << "  " << step << " failed: " << what_of(error) << '\n';
        }
        return false;
    }
}

/// A bit of everything that a pool does. `exact`: nothing may go wrong but what the tasks do themselves.
void use_a_pool(expectations expected, bool exact)
{
    mp::pool_options options;
    options.nodes = 2;
    options.start_timeout = 3s;
    options.cancel_grace = 20ms;
    options.restarts.count = exact ? 1000 : 4;
    attempt("the pool", exact, [&] {
        mp::process_pool pool(options);
        const bool started = attempt("start", exact || expected.harmless, [&] { pool.start(); });
        const bool ready = started && hits() == 0; // from here on there is always another worker
        const auto must_do = [&] { return exact || expected.harmless || (ready && expected.starting); };

        std::vector<int> numbers(20);
        std::iota(numbers.begin(), numbers.end(), 0);
        attempt("try_map", must_do(), [&] {
            const auto results = pool.try_map(kill_at_7, numbers);
            EXPECT(results.size() == 20);
            for (std::size_t i = 0; i != results.size(); ++i) {
                if (results[i].has_value()) {
                    EXPECT(i != 7 && *results[i] == static_cast<int>(i * i));
                    continue;
                }
                EXPECT(is_named(results[i].error()));
                if (i != 7 && must_do()) {
                    failed = true;
                    std::cerr << "  task " << i << " failed: " << what_of(results[i].error()) << '\n';
                }
            }
        });
        attempt("apply", must_do(), [&] { EXPECT(pool.apply(square, 9) == 81); });
        attempt("a large apply", must_do(), [&] {
            const std::string large(expected.slow ? 20'000 : 700'000, 'x');
            EXPECT(pool.apply(repeat, large) == large + large);
        });
        attempt("a coroutine", must_do(), [&] { EXPECT(pool.apply(square_later, 9) == 81); });
        attempt("imap", must_do(), [&] {
            int sum = 0;
            for (const int i : pool.imap(square, numbers))
                sum += i;
            EXPECT(sum == 2470);
        });
        try {
            pool.with({.timeout = 20ms}).apply(hang, 1);
            EXPECT(false && "a task that hangs has returned");
        }
        catch (const mp::error& e) {
            EXPECT(e.code() == mp::errc::task_timed_out || !must_do());
        }
        catch (...) {
            EXPECT(is_named(std::current_exception()) && !must_do());
        }
        attempt("join", exact || expected.harmless, [&] { pool.join(); });
    });
}

int count_names(const char* folder)
{
    int n = 0;
    if (DIR* const open = ::opendir(folder)) {
        while (const dirent* entry = ::readdir(open))
            n += entry->d_name[0] != '.';
        ::closedir(open);
    }
    return n;
}

/// A pool's launching thread ends behind its back.
bool somebody_launches()
{
    bool found = false;
    if (DIR* const open = ::opendir("/proc/self/task")) {
        while (const dirent* entry = ::readdir(open)) {
            std::string name;
            std::getline(std::ifstream("/proc/self/task/" + std::string(entry->d_name) + "/comm"), name);
            found = found || name == "twat-mp:launch";
        }
        ::closedir(open);
    }
    return found;
}

/// What is left when nothing of a pool is there any more: the library's own thread and what it holds. Written to descriptor `to`.
int run_once(expectations expected, int to)
{
    use_a_pool(expected, false);
    disarm();
    use_a_pool({}, true); // whatever has failed, it passes
    int left[2] = {};
    for (int i = 0; i != 200; ++i) { // what was killed is reaped behind the pool's back: soon, and not at once
        if (::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD && !somebody_launches()) {
            left[0] = count_names("/proc/self/fd");
            left[1] = count_names("/proc/self/task");
            if (::write(to, left, sizeof left) != sizeof left)
                return 3;
            return failed ? 1 : 0;
        }
        std::this_thread::sleep_for(50ms);
    }
    std::cerr << "  a child is left\n";
    return 1;
}

// ---------------------------------------------------------------- the sweep

struct call_failure
{
    const char* call;
    std::vector<const char*> host, worker; ///< What befalls it: an errno, "short" or "swallow".
};

#define TEXT_OF(number) TEXT_OF_EXPANDED(number)
#define TEXT_OF_EXPANDED(number) #number
const char* const e_mfile = TEXT_OF(EMFILE);
const char* const e_nfile = TEXT_OF(ENFILE);
const char* const e_nomem = TEXT_OF(ENOMEM);
const char* const e_again = TEXT_OF(EAGAIN);
const char* const e_intr = TEXT_OF(EINTR);
const char* const e_nospc = TEXT_OF(ENOSPC);
const char* const e_nosys = TEXT_OF(ENOSYS);
const char* const e_pipe = TEXT_OF(EPIPE);
const char* const e_connreset = TEXT_OF(ECONNRESET);
const char* const e_noent = TEXT_OF(ENOENT);

std::vector<call_failure> all_failures()
{
    return {
        {"socketpair", {e_mfile, e_nfile, e_nomem}, {}},
        {"memfd_create", {e_mfile, e_nomem}, {}},
        {"ftruncate", {e_nospc, e_intr}, {}},
        {"mmap", {e_nomem}, {e_nomem}},
        {"fcntl", {e_mfile}, {e_mfile}},
        {"open", {e_mfile, e_nfile}, {e_mfile}},
        {"eventfd", {e_mfile}, {e_mfile}},
        {"epoll_create1", {e_mfile, e_nomem}, {e_mfile}},
        {"timerfd_create", {e_mfile}, {e_mfile}},
        {"epoll_ctl", {e_nomem, e_nospc}, {e_nomem}},
        {"epoll_wait", {e_intr}, {e_intr}},
        {"poll", {e_intr}, {e_intr, e_nomem}},
        {"sendmsg", {e_intr, "short", e_again, e_nomem, e_pipe}, {e_intr, "short", e_pipe, e_nomem}},
        {"recv", {e_intr, "short", e_again, e_connreset, e_nomem}, {e_intr, "short", e_connreset, e_nomem}},
        {"read", {e_intr, e_again}, {e_intr}},
        {"pread", {}, {e_intr, "short"}},
        {"waitid", {e_intr}, {}},
        {"waitpid", {e_intr}, {}},
        {"pthread_create", {e_again}, {e_again}},
        {"clone", {e_again, e_nomem}, {}},
        {"execve", {e_nomem, e_again, e_noent}, {}},
        {"dup3", {e_mfile, e_intr}, {}},
        {"close_range", {e_nosys}, {}},
        {"sigkill", {"swallow"}, {}},
    };
}

expectations expectations_of(std::string_view call, std::string_view what)
{
    expectations e;
    const bool again = what == e_intr || what == "short" || what == e_nosys;
    e.harmless = (again && call != "ftruncate" && call != "dup3" && call != "pread") ||
                 (what == e_again && (call == "sendmsg" || call == "recv")) || (call == "sendmsg" && what == e_nomem);
    for (const auto of_start : {"socketpair", "memfd_create", "ftruncate", "mmap", "fcntl", "open", "eventfd",
                                "pthread_create", "clone", "execve", "dup3"})
        e.starting = e.starting || call == of_start;
    return e;
}

struct outcome
{
    bool ok = false, hit = false;
    int descriptors = 0, threads = 0;
};

/// The longest that a run may take; one that takes longer has hung.
constexpr int patience_ms = 60'000;

void show(int process)
{
    const std::string folder = "/proc/" + std::to_string(process) + "/task";
    if (DIR* const open = ::opendir(folder.c_str())) {
        while (const dirent* entry = ::readdir(open)) {
            if (entry->d_name[0] == '.')
                continue;
            char name[64] = {}, call[128] = {};
            if (std::FILE* const file = std::fopen((folder + "/" + entry->d_name + "/comm").c_str(), "r")) {
                [[maybe_unused]] const auto read = std::fgets(name, sizeof name, file);
                std::fclose(file);
            }
            if (std::FILE* const file = std::fopen((folder + "/" + entry->d_name + "/syscall").c_str(), "r")) {
                [[maybe_unused]] const auto read = std::fgets(call, sizeof call, file);
                std::fclose(file);
            }
            std::cerr << "  thread " << entry->d_name << ' ' << name << "    in call " << call;
        }
        ::closedir(open);
    }
}

outcome run(const std::string& side, const char* call, long n, const char* what)
{
    const std::string token = "/tmp/twat_mp_shim_" + std::to_string(::getpid());
    const std::string said = token + ".stderr";
    const std::string text =
        (side == "host" ? "host " : "worker ") + std::string(call) + " " + std::to_string(n) + " " + what;
    const expectations expected = expectations_of(call, what);
    // Of several workers that each fail in the same way, nothing is left to do the work.
    const std::string flags = std::string(expected.harmless ? "h" : "-") +
                              (expected.starting && side == "host" ? "s" : "-") + (n == 0 ? "e" : "-");
    int report[2];
    if (::pipe2(report, O_CLOEXEC) != 0)
        std::abort();
    std::cout.flush();
    const int child = ::fork();
    if (child == 0) {
        ::dup2(report[1], 9);
        // workers complain of what befell them
        ::dup2(::open(said.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), 2);
        ::setenv("LD_PRELOAD", TWAT_MP_TEST_SHIM_LIBRARY, 1);
        ::setenv("TWAT_MP_SHIM", text.c_str(), 1);
        ::setenv("TWAT_MP_SHIM_TOKEN", token.c_str(), 1);
        if (side == "worker")
            ::setenv("TWAT_MP_SHIM_ONCE", "1", 1);
        ::execl("/proc/self/exe", "test_shim", "run", flags.c_str(), nullptr);
        ::_exit(4);
    }
    ::close(report[1]);
    outcome result;
    pollfd end{static_cast<int>(::syscall(SYS_pidfd_open, child, 0)), POLLIN, 0};
    int status = 0;
    if (::poll(&end, 1, patience_ms) != 1) {
        std::cerr << "  it hangs:\n";
        show(child);
        ::kill(child, SIGKILL);
        ::waitpid(child, &status, 0);
    } else {
        ::waitpid(child, &status, 0);
        int left[2];
        const bool reported = ::read(report[0], left, sizeof left) == sizeof left;
        result.ok = reported && WIFEXITED(status) && WEXITSTATUS(status) == 0;
        if (reported)
            result.descriptors = left[0], result.threads = left[1];
        if (WIFSIGNALED(status))
            std::cerr << "  the program died of signal " << WTERMSIG(status) << '\n';
    }
    ::close(end.fd);
    ::close(report[0]);
    // Workers that outlived their program have come to this process, and end.
    for (int i = 0; ::waitpid(-1, nullptr, WNOHANG) != -1; ++i) {
        if (i == 200) {
            std::cerr << "  a worker has outlived the program\n";
            result.ok = false;
            break;
        }
        std::this_thread::sleep_for(50ms);
    }
    result.hit = ::unlink(token.c_str()) == 0;
    if (!result.ok)
        std::cerr << std::ifstream(said).rdbuf();
    ::unlink(said.c_str());
    if (!result.ok)
        std::cerr << "failed: " << side << " --only " << call << ':' << what << " --from " << n << " --most 1\n";
    return result;
}

struct sweep
{
    std::string side;
    long most = 1'000'000;
    std::uint64_t seed = 1;
    std::string only;
    long from = 1;
    int runs = 0, broken = 0;

    void go()
    {
        const outcome whole = run(side, "none", 1, "0");
        broken += !whole.ok;
        std::mt19937_64 random(seed);
        for (const auto& failure : all_failures())
            for (const char* what : side == "host" ? failure.host : failure.worker) {
                const std::string name = failure.call + std::string(":") + what;
                if (!only.empty() && only != failure.call && only != name)
                    continue;
                go(whole, failure.call, what, random);
            }
        std::cout << runs << " runs in which a call failed, " << broken << " broken promises\n";
    }

    void go(const outcome& whole, const char* call, const char* what, std::mt19937_64& random)
    {
        long n = from, hit = 0;
        std::set<int> descriptors;
        for (long i = 0; i < most; ++i) {
            const outcome one = run(side, call, n, what);
            broken += !one.ok;
            if (!one.hit)
                break; // there is no n-th call
            ++hit;
            // Fewer is well: Asio does without a timer's descriptor that it did not get. In place of an eventfd it takes a pipe, which is two.
            const int most_left = whole.descriptors + (std::string_view(call) == "eventfd");
            if (one.ok && (one.descriptors > most_left || one.threads > whole.threads)) {
                ++broken;
                std::cerr << "left " << one.descriptors << " descriptors and " << one.threads << " threads instead of "
                          << whole.descriptors << " and " << whole.threads << ": " << side << " --only " << call << ':'
                          << what << " --from " << n << " --most 1\n";
            }
            // The first ones one by one; then, if not all are wanted, a few of the others.
            n += most < 1'000 && i >= most / 2
                     ? 1 + static_cast<long>(random() % (8u << std::min<long>(i - most / 2, 4)))
                     : 1;
        }
        if (what == std::string_view("short")) { // now each of them
            broken += !run(side, call, 0, what).ok;
            ++hit;
        }
        runs += static_cast<int>(hit);
        const int number = std::atoi(what);
        std::cout << side << ' ' << call << ' ' << (number != 0 ? ::strerrorname_np(number) : what) << ": " << hit
                  << " runs" << std::endl;
    }
};

} // namespace

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);
    if (argc == 3 && std::string_view(argv[1]) == "run") {
        try {
            return run_once({argv[2][0] == 'h', argv[2][1] == 's', argv[2][2] == 'e'}, 9);
        }
        catch (const std::exception& e) {
            std::cerr << "  " << e.what() << '\n';
            return 1;
        }
    }
    if (argc < 2 || argc % 2 != 0)
        return 2;
    sweep all;
    all.side = argv[1];
    for (int i = 2; i + 1 < argc; i += 2) {
        const std::string_view option = argv[i];
        if (option == "--most")
            all.most = std::atol(argv[i + 1]);
        else if (option == "--seed")
            all.seed = std::strtoull(argv[i + 1], nullptr, 10);
        else if (option == "--only")
            all.only = argv[i + 1];
        else if (option == "--from")
            all.from = std::atol(argv[i + 1]);
        else
            return 2;
    }
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    all.go();
    return all.broken == 0 ? 0 : 1;
}
