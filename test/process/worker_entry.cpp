// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include "worker/watchdog.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <cstdlib>
#include <string>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child_census.hpp"
#include "child_process.hpp"
#include "start/worker_marker.hpp"
#include "start/marker.hpp"

using namespace twat::mp::detail;
using namespace twat::mp::test;
using boost::system::error_code;

BOOST_AUTO_TEST_SUITE(test_worker_entry)

struct fixture
{
    const std::size_t descriptors = count_descriptors();
    const std::size_t children = count_children();
    child_start started;
    launched process;

    ~fixture()
    {
        process = {};
        started = {};
        BOOST_TEST(count_descriptors() == descriptors);
        BOOST_TEST(count_children() == children);
    }

    void start(const char* mode, bool marked = true, unique_descriptor page = {})
    {
        started = make_request(mode ? mode : "");
        if (page)
            started.request.descriptors[1] = std::move(page);
        if (!mode)
            started.request.environment.clear();
        if (marked)
            started.request.environment.push_back(encode_marker({3, 2, ::getpid(), 99}));
        error_code ec;
        process = launch(started.request, ec);
        BOOST_TEST(!ec);
        started.request = {};
    }

    std::string hear(std::size_t size) { return read_some(started.socket.get(), size); }

    /// The exit code, or minus the signal.
    int reap()
    {
        siginfo_t info{};
        BOOST_TEST(::waitid(P_PIDFD, static_cast<id_t>(process.pidfd.get()), &info, WEXITED) == 0);
        return info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
    }
};

BOOST_FIXTURE_TEST_CASE(the_marker_is_read_and_unset_and_the_descriptors_close_on_exec, fixture)
{
    start("marker");
    BOOST_TEST(read_all(started.socket.get()) == "unset marked 2 3 cloexec cloexec cloexec");
    BOOST_TEST(reap() == 0);
}

BOOST_FIXTURE_TEST_CASE(a_marker_that_is_none_marks_nothing, fixture)
{
    ::setenv(worker_marker_name, "1", 1);
    start("marker", false);
    ::unsetenv(worker_marker_name);
    BOOST_TEST(read_all(started.socket.get()) == "unset other 0 0 inherited inherited inherited");
    BOOST_TEST(reap() == 0);
}

BOOST_FIXTURE_TEST_CASE(a_marked_program_that_does_not_enter_ends_with_a_code_of_its_own, fixture)
{
    start("not-entered");
    BOOST_TEST(reap() == not_entered_exit_code);
}

BOOST_FIXTURE_TEST_CASE(a_program_that_is_not_marked_goes_on, fixture)
{
    start("not-entered", false);
    BOOST_TEST(reap() == 0);
    start(nullptr, false);
    BOOST_TEST(reap() == 3); // Behind run_if_worker.
}

BOOST_FIXTURE_TEST_CASE(a_marked_program_without_a_socket_does_not_run, fixture)
{
    launch_request request;
    request.executable = child_program();
    request.environment = {encode_marker({3, 1, ::getpid(), 99})};
    error_code ec;
    process = launch(request, ec);
    BOOST_TEST(!ec);
    BOOST_TEST(reap() == bad_start_exit_code);
}

BOOST_FIXTURE_TEST_CASE(a_busy_worker_ends_when_its_parent_hangs_up, fixture)
{
    start("watched");
    BOOST_TEST(hear(5) == "busy ");
    started.socket.reset();
    BOOST_TEST(reap() == -SIGKILL); // With its group.
}

BOOST_FIXTURE_TEST_CASE(bytes_on_the_socket_are_no_hang_up, fixture)
{
    start("watched");
    BOOST_TEST(hear(5) == "busy ");
    BOOST_TEST(::write(started.socket.get(), "something", 9) == 9);
    const std::uint64_t one = 1;
    BOOST_TEST(::write(started.doorbell.get(), &one, sizeof one) == 8);
    BOOST_TEST(hear(5) == "rung "); // Still there, and the watchdog heard it.
    BOOST_TEST(::write(started.doorbell.get(), &one, sizeof one) == 8);
    BOOST_TEST(hear(5) == "rung ");
    started.socket.reset();
    BOOST_TEST(reap() == -SIGKILL);
}

BOOST_FIXTURE_TEST_CASE(what_a_worker_started_ends_with_it, fixture)
{
    int ends[2];
    BOOST_REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    unique_descriptor reader(ends[0]), writer(ends[1]);
    start("watched-grandchild", true, std::move(writer));
    BOOST_TEST(hear(1) == ".");
    started.socket.reset();
    BOOST_TEST(reap() == -SIGKILL);
    BOOST_TEST(read_all(reader.get()) == ""); // The other holder of the pipe is gone as well.
}

BOOST_AUTO_TEST_SUITE_END()
