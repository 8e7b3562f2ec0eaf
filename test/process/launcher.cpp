// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include "os/launcher.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <functional>
#include <string>
#include <thread>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child_census.hpp"
#include "child_process.hpp"
#include "descriptor_shortage.hpp"

using namespace twat::mp::detail;
using namespace twat::mp::test;
using boost::system::error_code;

BOOST_AUTO_TEST_SUITE(test_launcher)

int reap(const launched& child)
{
    siginfo_t info{};
    BOOST_TEST(::waitid(P_PIDFD, static_cast<id_t>(child.pidfd.get()), &info, WEXITED) == 0);
    return info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
}

struct fixture
{
    const std::size_t descriptors = count_descriptors();
    const std::size_t children = count_children();

    ~fixture()
    {
        BOOST_TEST(count_descriptors() == descriptors);
        BOOST_TEST(count_children() == children);
    }

    /// What a child with this mode says until it is gone.
    static std::string hear(const char* mode, std::vector<std::string> environment = {})
    {
        auto start = make_request(mode);
        for (auto& entry : environment)
            start.request.environment.push_back(std::move(entry));
        error_code ec;
        const auto child = launch(start.request, ec);
        BOOST_TEST(!ec, ec.message());
        start.request = {};
        auto said = read_all(start.socket.get());
        BOOST_TEST(reap(child) == 0);
        return said;
    }
};

BOOST_FIXTURE_TEST_CASE(a_child_holds_exactly_its_six_descriptors, fixture)
{
    const unique_descriptor inherited(::open("/dev/null", O_RDONLY)); // does not close on exec
    BOOST_TEST(hear("descriptors") == "0 1 2 3 4 5 ");
}

BOOST_FIXTURE_TEST_CASE(a_hundred_launches_succeed_while_descriptors_come_and_go, fixture)
{
    std::atomic<bool> stop{false};
    std::thread churn([&stop] {
        while (!stop) {
            unique_descriptor fds[8];
            for (auto& fd : fds)
                fd.reset(::open("/dev/null", O_RDONLY));
        }
    });
    for (int i = 0; i < 100; ++i)
        BOOST_TEST(hear("descriptors") == "0 1 2 3 4 5 ");
    stop = true;
    churn.join();
}

BOOST_FIXTURE_TEST_CASE(launches_on_several_threads_do_not_share_descriptors, fixture)
{
    std::atomic<int> right{0};
    std::thread threads[4];
    for (auto& thread : threads)
        thread = std::thread([&right] {
            for (int i = 0; i < 10; ++i) {
                auto start = make_request("descriptors");
                error_code ec;
                const auto child = launch(start.request, ec);
                start.request = {};
                // If another child held our child's end, this would wait for that child too.
                right += !ec && read_all(start.socket.get()) == "0 1 2 3 4 5 ";
                ::waitid(P_PIDFD, static_cast<id_t>(child.pidfd.get()), nullptr, WEXITED);
            }
        });
    for (auto& thread : threads)
        thread.join();
    BOOST_TEST(right == 40);
}

BOOST_FIXTURE_TEST_CASE(a_missing_executable_is_told_and_leaves_nothing, fixture)
{
    auto start = make_request("echo");
    start.request.executable = "/nowhere/at/all";
    error_code ec;
    const auto child = launch(start.request, ec);
    BOOST_TEST(ec.value() == ENOENT);
    BOOST_TEST(child.pid == 0);
    BOOST_TEST(!child.pidfd);
    start.request.executable = "/dev/null";
    launch(start.request, ec);
    BOOST_TEST(ec.value() == EACCES);
}

BOOST_FIXTURE_TEST_CASE(every_shortage_of_descriptors_leaves_nothing, fixture)
{
    bool launched_once = false;
    for (rlim_t spare = 0; !launched_once; ++spare) {
        BOOST_REQUIRE(spare < 32u);
        auto start = make_request("echo");
        error_code ec;
        launched child;
        {
            const descriptor_shortage shortage(spare);
            child = launch(start.request, ec);
        }
        launched_once = !ec;
        if (ec) {
            BOOST_TEST(ec.value() == EMFILE);
            BOOST_TEST(count_children() == children);
        } else {
            start = {};
            BOOST_TEST(reap(child) == 0);
        }
    }
}

BOOST_FIXTURE_TEST_CASE(ignored_handled_and_blocked_signals_are_the_parents_matter, fixture)
{
    struct sigaction ignore = {}, handle = {}, old_pipe, old_user;
    ignore.sa_handler = SIG_IGN;
    handle.sa_handler = [](int) {};
    ::sigaction(SIGPIPE, &ignore, &old_pipe);
    ::sigaction(SIGUSR1, &handle, &old_user);
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    const auto said = hear("signals");
    sigset_t after;
    ::pthread_sigmask(SIG_SETMASK, &before, &after);
    BOOST_TEST(said == "");
    BOOST_TEST(::sigismember(&after, SIGTERM) == 1);
    struct sigaction now;
    ::sigaction(SIGPIPE, &old_pipe, &now);
    BOOST_TEST((now.sa_handler == SIG_IGN));
    ::sigaction(SIGUSR1, &old_user, &now);
    BOOST_TEST((now.sa_handler == handle.sa_handler));
}

BOOST_FIXTURE_TEST_CASE(a_child_ignores_what_the_request_says, fixture)
{
    auto start = make_request("signals");
    start.request.ignored = only(SIGPIPE) | only(SIGTTIN);
    error_code ec;
    const auto child = launch(start.request, ec);
    start.request = {};
    BOOST_TEST(read_all(start.socket.get()) == "handled:13 handled:21 ");
    BOOST_TEST(reap(child) == 0);
}

BOOST_FIXTURE_TEST_CASE(a_child_leads_a_process_group, fixture) { BOOST_TEST(hear("group") == "own"); }

BOOST_FIXTURE_TEST_CASE(the_title_is_the_first_argument, fixture)
{
    BOOST_TEST(hear("title") == "child: worker 3 of 4711");
}

BOOST_FIXTURE_TEST_CASE(the_environment_is_extended_and_replaced, fixture)
{
    BOOST_TEST(hear("environment") == "unset");
    BOOST_TEST(hear("environment", {"CHILD_VALUE=new"}) == "new");
    ::setenv("CHILD_VALUE", "old", 1);
    BOOST_TEST(hear("environment") == "old");
    BOOST_TEST(hear("environment", {"CHILD_VALUE=newer"}) == "newer");
    ::unsetenv("CHILD_VALUE");
}

BOOST_FIXTURE_TEST_CASE(missing_descriptors_are_dev_null, fixture)
{
    launch_request request;
    request.executable = child_program();
    request.environment = {"CHILD_MODE=descriptors"};
    error_code ec;
    const auto child = launch(request, ec);
    BOOST_TEST(!ec);
    BOOST_TEST(reap(child) == 0);
}

/// Runs `f` in a forked process; its exit code.
int in_fork(const std::function<int()>& f)
{
    const pid_t pid = ::fork();
    if (pid == 0)
        ::_exit(f());
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

BOOST_FIXTURE_TEST_CASE(closed_standard_descriptors_become_dev_null, fixture)
{
    // The child's socket itself comes to be 0, 1 or 2 unless it is made as ours are.
    BOOST_TEST(in_fork([] {
                   for (int fd = 0; fd <= 5; ++fd)
                       ::close(fd);
                   auto start = make_request("standard");
                   error_code ec;
                   const auto child = launch(start.request, ec);
                   start.request = {};
                   const auto said = read_all(start.socket.get());
                   ::waitpid(child.pid, nullptr, 0);
                   return ec ? 1 : said == "/dev/null /dev/null /dev/null" ? 0 : 2;
               }) == 0);
}

BOOST_FIXTURE_TEST_CASE(low_descriptors_are_given_in_the_right_order, fixture)
{
    BOOST_TEST(in_fork([] {
                   auto start = make_request("echo");
                   error_code ec;
                   for (int fd = 3; fd <= 5; ++fd)
                       ::close(fd);
                   ::dup2(start.request.descriptors[0].get(), 5);
                   ::dup2(start.request.descriptors[1].get(), 3);
                   ::dup2(start.request.descriptors[2].get(), 4);
                   for (int i = 0; i < 3; ++i)
                       start.request.descriptors[i].reset(i == 0 ? 5 : i + 2);
                   const auto child = launch(start.request, ec);
                   start.request = {};
                   char c = 0;
                   const bool echoed =
                       ::write(start.socket.get(), "x", 1) == 1 && ::read(start.socket.get(), &c, 1) == 1 && c == 'x';
                   start.socket.reset();
                   int status = 1;
                   ::waitpid(child.pid, &status, 0);
                   return ec ? 1 : echoed && status == 0 ? 0 : 2;
               }) == 0);
}

BOOST_FIXTURE_TEST_CASE(descriptors_of_the_parents_that_close_on_exec_are_no_standard_output, fixture)
{
    BOOST_TEST(in_fork([] {
                   ::close(1);
                   ::close(2);
                   // as an epoll descriptor might be
                   [[maybe_unused]] const int one = ::open("/dev/zero", O_RDWR | O_CLOEXEC);
                   auto start = make_request("standard");
                   error_code ec;
                   const auto child = launch(start.request, ec);
                   start.request = {};
                   const auto said = read_all(start.socket.get());
                   ::waitpid(child.pid, nullptr, 0);
                   return ec ? 1 : said == "/dev/null /dev/null /dev/null" ? 0 : 2;
               }) == 0);
}

BOOST_FIXTURE_TEST_CASE(an_ignored_sigchld_does_not_disturb_a_failing_launch, fixture)
{
    const auto before = ::signal(SIGCHLD, SIG_IGN);
    auto start = make_request("echo");
    start.request.executable = "/nowhere/at/all";
    error_code ec;
    launch(start.request, ec);
    BOOST_TEST(ec.value() == ENOENT);
    ::signal(SIGCHLD, before);
}

BOOST_FIXTURE_TEST_CASE(without_an_executable_it_is_this_program, fixture)
{
    // This program is its own worker; without a socket it refuses to be one.
    launch_request request;
    request.environment = {encode_marker({0, 1, ::getpid(), 1})};
    error_code ec;
    const auto child = launch(request, ec);
    BOOST_TEST(!ec);
    BOOST_TEST(reap(child) == bad_start_exit_code);
}

BOOST_AUTO_TEST_SUITE_END()
