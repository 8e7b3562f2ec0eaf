// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include "process/warden.hpp"

#include <boost/asio/error.hpp>
#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child_census.hpp"
#include "child_process.hpp"
#include "descriptor_shortage.hpp"
#include "os/launch_thread.hpp"
#include "sanitizers.hpp"

using namespace twat::mp;
using namespace twat::mp::detail;
using namespace twat::mp::test;
using namespace std::chrono_literals;
using boost::system::error_code;

BOOST_AUTO_TEST_SUITE(test_warden)

/// What the warden tells about one child.
class witness
{
public:
    auto on_launched()
    {
        return [this](error_code ec) { tell([&] { launched_.push_back(ec); }); };
    }
    auto on_exit()
    {
        return [this](exit_status status) { tell([&] { exits_.push_back(status); }); };
    }
    auto on_abandoned()
    {
        return [this] { tell([&] { ++abandoned_; }); };
    }

    error_code wait_launched()
    {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !launched_.empty(); });
        return launched_.front();
    }
    exit_status wait_exit()
    {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !exits_.empty() || (!launched_.empty() && launched_.front()); });
        BOOST_REQUIRE(!exits_.empty()); // A launch that failed has no exit to wait for.
        return exits_.front();
    }
    void wait_abandoned()
    {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return abandoned_ != 0; });
    }
    std::size_t count_launched()
    {
        std::lock_guard lock(mutex_);
        return launched_.size();
    }
    std::size_t count_exits()
    {
        std::lock_guard lock(mutex_);
        return exits_.size();
    }
    std::size_t count_abandoned()
    {
        std::lock_guard lock(mutex_);
        return abandoned_;
    }

private:
    template <class F>
    void tell(F f)
    {
        std::lock_guard lock(mutex_);
        f();
        changed_.notify_all();
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<error_code> launched_;
    std::vector<exit_status> exits_;
    std::size_t abandoned_ = 0;
};

struct fixture
{
    std::size_t descriptors, children;
    witness seen;
    unique_descriptor socket;
    std::shared_ptr<launch_thread> launcher = std::make_shared<launch_thread>();

    fixture()
    {
        (void)run("exit-code"); // The warden's own descriptors are there from now on.
        socket.reset();
        descriptors = count_descriptors();
        children = count_children();
    }

    ~fixture()
    {
        socket.reset();
        BOOST_TEST(count_descriptors() == descriptors);
        BOOST_TEST(count_children() == children);
    }

    std::shared_ptr<child> start(const char* mode, witness& w)
    {
        auto start = make_request(mode);
        socket = std::move(start.socket);
        current_ = &w;
        return warden::instance().launch(std::move(start.request), w.on_launched(), w.on_exit(), launcher);
    }
    std::shared_ptr<child> start(const char* mode) { return start(mode, seen); }

    exit_status run(const char* mode)
    {
        witness w;
        const auto process = start(mode, w);
        BOOST_TEST(!w.wait_launched());
        BOOST_TEST(process->pid() > 0);
        const auto status = w.wait_exit();
        BOOST_TEST(w.count_launched() == 1u);
        BOOST_TEST(w.count_exits() == 1u);
        return status;
    }

    /// Until the child says that it is where the test wants it.
    void wait_ready()
    {
        BOOST_TEST(!current_->wait_launched());
        BOOST_TEST(read_some(socket.get(), 1) == ".");
    }

private:
    witness* current_ = nullptr; // of the last child
};

void check_signal(const exit_status& status, int signal)
{
    BOOST_TEST(status.known);
    BOOST_TEST(status.signal == signal);
    BOOST_TEST(status.code == 0);
}

BOOST_FIXTURE_TEST_CASE(exit_codes_and_signals_are_told_apart, fixture)
{
    const auto status = run("exit-code");
    BOOST_TEST(status.known);
    BOOST_TEST(status.signal == 0);
    BOOST_TEST(status.code == 42);
    check_signal(run("abort"), SIGABRT);
}

BOOST_FIXTURE_TEST_CASE(a_failed_launch_is_told_and_has_no_exit, fixture)
{
    auto start = make_request("echo");
    start.request.executable = "/nowhere/at/all";
    const auto process = warden::instance().launch(std::move(start.request), seen.on_launched(), seen.on_exit());
    BOOST_TEST(seen.wait_launched().value() == ENOENT);
    BOOST_TEST(process->pid() == 0);
    BOOST_TEST(!process->signal(SIGTERM));
    process->kill();
    process->end(0s, 0s, 0s, seen.on_abandoned());
    (void)run("exit-code"); // Behind which nothing of the above can be under way.
    BOOST_TEST(seen.count_launched() == 1u);
    BOOST_TEST(seen.count_exits() == 0u);
    BOOST_TEST(seen.count_abandoned() == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_killed_child_is_gone, fixture)
{
    const auto process = start("sleep");
    wait_ready();
    process->kill();
    check_signal(seen.wait_exit(), SIGKILL);
    BOOST_TEST(!process->signal(SIGTERM));
    process->kill();
}

BOOST_FIXTURE_TEST_CASE(a_signal_reaches_the_child, fixture)
{
    const auto process = start("sleep");
    wait_ready();
    BOOST_TEST(process->signal(SIGUSR1));
    check_signal(seen.wait_exit(), SIGUSR1);
}

BOOST_FIXTURE_TEST_CASE(a_child_that_heeds_sigterm_dies_of_it, fixture)
{
    const auto process = start("sleep");
    wait_ready();
    process->end(0s, 1h, 1h, seen.on_abandoned());
    check_signal(seen.wait_exit(), SIGTERM);
    BOOST_TEST(seen.count_abandoned() == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_child_that_ignores_sigterm_is_killed, fixture)
{
    const auto process = start("ignore-sigterm");
    wait_ready();
    process->end(0s, 1ms, 1h, seen.on_abandoned());
    check_signal(seen.wait_exit(), SIGKILL);
    BOOST_TEST(seen.count_abandoned() == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_child_that_ends_by_itself_in_time_is_left_alone, fixture)
{
    const auto process = start("echo");
    BOOST_TEST(!seen.wait_launched());
    process->end(1h, 1h, 1h, seen.on_abandoned());
    socket.reset();
    const auto status = seen.wait_exit();
    BOOST_TEST(status.known);
    BOOST_TEST(status.signal == 0);
    BOOST_TEST(status.code == 0);
}

BOOST_FIXTURE_TEST_CASE(a_later_end_replaces_the_durations, fixture)
{
    const auto process = start("ignore-sigterm");
    wait_ready();
    process->end(duration::max(), duration::max(), duration::max(), {});
    process->end(0s, 0s, 1h, {});
    check_signal(seen.wait_exit(), SIGKILL);
}

BOOST_FIXTURE_TEST_CASE(a_stopped_child_is_killed_too, fixture)
{
    const auto process = start("ignore-sigterm"); // which it cannot while it is stopped, but before it is
    wait_ready();
    BOOST_TEST(process->signal(SIGSTOP));
    process->end(0s, 1ms, 1h, {});
    check_signal(seen.wait_exit(), SIGKILL);
}

// A child whose status a debugger holds: dead, its pidfd readable, and yet not to be reaped. The same as a spurious wake-up, and as a
// child that cannot be killed.
BOOST_FIXTURE_TEST_CASE(a_child_that_a_debugger_holds_is_abandoned_and_reaped_when_it_lets_go, fixture)
{
    error_code ec;
    const auto process = start("sleep");
    wait_ready();
    auto control = make_socket_pair(ec);
    const pid_t debugger = ::fork();
    if (debugger == 0) {
        control.first.reset();
        char c = ::ptrace(PTRACE_SEIZE, process->pid(), nullptr, nullptr) == 0 ? 'y' : 'n';
        [[maybe_unused]] auto written = ::write(control.second.get(), &c, 1);
        [[maybe_unused]] auto told = ::read(control.second.get(), &c, 1);
        ::_exit(0);
    }
    control.second.reset();
    const bool held = read_some(control.first.get(), 1) == "y";
    process->kill();
    if (held) {
        process->end(0s, 0s, 50ms, seen.on_abandoned());
        seen.wait_abandoned();
        BOOST_TEST(seen.count_exits() == 0u);
        witness other; // The warden is not held up.
        auto start = make_request("exit-code");
        const auto next = warden::instance().launch(std::move(start.request), other.on_launched(), other.on_exit());
        BOOST_TEST(other.wait_exit().code == 42);
        BOOST_TEST(seen.count_exits() == 0u);
    } else {
        BOOST_TEST_MESSAGE("no debugger may be attached here");
    }
    control.first.reset();
    check_signal(seen.wait_exit(), SIGKILL);
    BOOST_TEST(seen.count_abandoned() == (held ? 1u : 0u));
    ::waitpid(debugger, nullptr, 0);
}

BOOST_FIXTURE_TEST_CASE(an_exit_is_seen_while_a_grandchild_holds_the_socket, fixture)
{
    const auto process = start("grandchild");
    wait_ready();
    BOOST_TEST(::write(socket.get(), "x", 1) == 1);
    const auto status = seen.wait_exit();
    BOOST_TEST(status.known);
    BOOST_TEST(status.code == 7);     // Ended by itself: what it left behind is not ours to end.
    ::kill(-process->pid(), SIGKILL); // A group as long as the grandchild is in it.
    BOOST_TEST(read_all(socket.get()) == "");
}

BOOST_FIXTURE_TEST_CASE(what_a_killed_child_started_is_killed_with_it, fixture)
{
    auto process = start("grandchild-sleep");
    wait_ready();
    process->kill();
    check_signal(seen.wait_exit(), SIGKILL);
    BOOST_TEST(read_all(socket.get()) == ""); // The grandchild held the socket: it is gone as well.

    witness other;
    process = start("grandchild-sleep", other);
    wait_ready();
    process->end(0s, 1h, 1h, {});
    check_signal(other.wait_exit(), SIGTERM);
    BOOST_TEST(read_all(socket.get()) == "");
}

BOOST_FIXTURE_TEST_CASE(an_ignored_sigchld_costs_only_the_status, fixture)
{
    const auto before = ::signal(SIGCHLD, SIG_IGN);
    BOOST_TEST(!run("exit-code").known);
    const auto process = start("sleep");
    wait_ready();
    process->kill();
    BOOST_TEST(!seen.wait_exit().known);
    ::signal(SIGCHLD, before);
}

BOOST_FIXTURE_TEST_CASE(a_thief_of_the_status_costs_only_the_status, fixture)
{
    std::vector<std::shared_ptr<child>> processes;
    std::vector<unique_descriptor> sockets;
    witness witnesses[8];
    for (auto& w : witnesses) {
        processes.push_back(start("sleep", w));
        wait_ready();
        sockets.push_back(std::move(socket));
    }
    std::thread thief([] {
        while (::waitpid(-1, nullptr, 0) > 0 || errno != ECHILD) {
        }
    });
    for (auto& process : processes)
        process->kill();
    for (auto& w : witnesses) {
        const auto status = w.wait_exit(); // Either of the two was first.
        BOOST_TEST((!status.known || status.signal == SIGKILL));
        BOOST_TEST(w.count_exits() == 1u);
    }
    thief.join();
}

BOOST_FIXTURE_TEST_CASE(a_forgotten_child_is_reaped_and_not_spoken_of, fixture)
{
    auto process = start("sleep");
    wait_ready();
    BOOST_TEST(!seen.wait_launched());
    process->end(1h, 0s, 0s, seen.on_abandoned());
    process->forget();
    process->kill();
    process.reset();
    while (count_children() != children)
        std::this_thread::yield();
    (void)run("exit-code");
    BOOST_TEST(seen.count_exits() == 0u);
    BOOST_TEST(seen.count_abandoned() == 0u);
}

/// An executable that cannot be run for as long as the test wants: its exec waits for a lease that the test holds.
struct stuck_executable
{
    std::string path = "/tmp/twat-mp-test-" + std::to_string(::getpid());
    unique_descriptor fd;
    void (*before)(int) = SIG_DFL;

    stuck_executable()
    {
        fd.reset(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0700));
        before = ::signal(SIGIO, SIG_IGN); // which tells the holder that somebody waits
        if (::fcntl(fd.get(), F_SETLEASE, F_WRLCK) != 0)
            fd.reset();
    }
    ~stuck_executable()
    {
        fd.reset();
        ::unlink(path.c_str());
        ::signal(SIGIO, before);
    }
};

BOOST_FIXTURE_TEST_CASE(a_launch_that_has_not_begun_is_taken_back, fixture)
{
    stuck_executable executable;
    if (!executable.fd) {
        BOOST_TEST_MESSAGE("no leases here");
        return;
    }
    witness stuck, second, third;
    auto start_stuck = make_request("echo");
    start_stuck.request.executable = executable.path;
    const auto first =
        warden::instance().launch(std::move(start_stuck.request), stuck.on_launched(), stuck.on_exit(), launcher);
    while (::fcntl(executable.fd.get(), F_GETLEASE) == F_WRLCK)
        std::this_thread::yield(); // Until the exec waits for the lease to be given up.
    const auto queued = count_descriptors();
    const auto killed = start("sleep", second);
    const auto ended = start("sleep", third);
    killed->kill();
    ended->end(1h, 1h, 1h, {});
    BOOST_TEST(second.wait_launched() == error_code(boost::asio::error::operation_aborted));
    BOOST_TEST(third.wait_launched() == error_code(boost::asio::error::operation_aborted));
    socket.reset();
    BOOST_TEST(count_descriptors() == queued); // Theirs are closed although the launching thread is busy.
    // The one that is stuck cannot be killed, only given up.
    first->end(0s, 0s, 0s, stuck.on_abandoned());
    stuck.wait_abandoned();
    BOOST_TEST(stuck.count_launched() == 0u);
    executable.fd.reset();
    BOOST_TEST(bool(stuck.wait_launched())); // It is no program, so the launch fails at last.
    (void)run("exit-code");
    BOOST_TEST(second.count_launched() == 1u);
    BOOST_TEST(second.count_exits() == 0u);
    BOOST_TEST(third.count_launched() == 1u);
    BOOST_TEST(stuck.count_abandoned() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_child_killed_while_it_is_launched_does_not_stay, fixture)
{
    for (int i = 0; i < 50; ++i) {
        witness w;
        const auto process = start("sleep", w);
        if (i % 2)
            std::this_thread::sleep_for(std::chrono::microseconds(20 * i)); // At any moment of it.
        process->kill();
        if (!w.wait_launched())
            check_signal(w.wait_exit(), SIGKILL);
    }
}

BOOST_FIXTURE_TEST_CASE(a_child_asked_to_end_while_it_is_launched_is_asked, fixture)
{
    for (int i = 0; i < 50; ++i) {
        witness w;
        const auto process = start("sleep", w);
        if (i % 2)
            std::this_thread::sleep_for(std::chrono::microseconds(20 * i));
        process->end(0s, 20s, 1h, w.on_abandoned());
        if (!w.wait_launched())
            check_signal(w.wait_exit(), SIGTERM);
    }
}

BOOST_FIXTURE_TEST_CASE(every_shortage_of_descriptors_is_told_and_leaves_nothing, fixture)
{
    for (rlim_t spare = 0;; ++spare) {
        BOOST_REQUIRE(spare < 32u);
        auto start = make_request("echo");
        witness w;
        bool launched = false;
        std::shared_ptr<child> process;
        {
            const descriptor_shortage shortage(spare);
            process = warden::instance().launch(std::move(start.request), w.on_launched(), w.on_exit());
            const auto ec = w.wait_launched();
            launched = !ec;
            if (ec)
                BOOST_TEST(ec.value() == EMFILE);
        }
        if (launched) {
            start = {};
            BOOST_TEST(w.wait_exit().code == 0);
            break;
        }
        BOOST_TEST(count_children() == children);
    }
}

BOOST_FIXTURE_TEST_CASE(a_forked_process_cannot_touch_the_children_and_has_its_own_warden, fixture)
{
    const auto process = start("sleep");
    wait_ready();
    const pid_t forked = ::fork();
    if (forked == 0) {
        process->kill();
        process->end(0s, 0s, 0s, {});
        const bool none = !process->signal(SIGKILL);
        process->forget();
#if TWAT_MP_TEST_TSAN // which allows no threads behind a fork
        ::_exit(none ? 0 : 1);
#endif
        // What cannot be guaranteed in general, after a fork of a process with threads, but works here.
        witness w;
        auto start = make_request("exit-code");
        const auto own = warden::instance().launch(std::move(start.request), w.on_launched(), w.on_exit());
        ::_exit(none && w.wait_exit().code == 42 ? 0 : 1);
    }
    int status = -1;
    ::waitpid(forked, &status, 0);
    BOOST_TEST(status == 0);
    BOOST_TEST(process->signal(SIGUSR1)); // Still there, and ours.
    check_signal(seen.wait_exit(), SIGUSR1);
}

BOOST_FIXTURE_TEST_CASE(many_children_at_once_are_all_reaped, fixture)
{
    constexpr int many = 32;
    witness witnesses[many];
    std::vector<std::shared_ptr<child>> processes;
    for (auto& w : witnesses) {
        auto start = make_request("exit-code");
        processes.push_back(warden::instance().launch(std::move(start.request), w.on_launched(), w.on_exit()));
    }
    for (auto& w : witnesses)
        BOOST_TEST(w.wait_exit().code == 42);
}

BOOST_AUTO_TEST_SUITE_END()
