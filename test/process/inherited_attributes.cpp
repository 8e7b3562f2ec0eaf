// SPDX-License-Identifier: BSL-1.0
// What a worker has that belongs to a thread in Linux, or to the program: that of the pool's maker, when it made the pool.
#include <twat/mp.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <stdexcept>
#include <thread>
#include <type_traits>
#include <utility>

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mp = twat::mp;

BOOST_AUTO_TEST_SUITE(test_inherited_attributes)

int die(int signal) { return ::kill(::getpid(), signal); }

struct fixture
{
    /// Makes a pool in a thread that has called `prepare`, and calls `ask` in its worker and in one that replaces it, from here.
    /// A pool that is made in this thread afterwards is as this thread is: `ask` returns `usual` there.
    template <class R>
    static void check(const std::function<void()>& prepare, R (*ask)(), const std::type_identity_t<R>& expected,
                      const std::type_identity_t<R>& usual)
    {
        mp::pool_options options;
        options.nodes = 1;
        std::unique_ptr<mp::process_pool> pool;
        std::thread([&] {
            prepare();
            pool = std::make_unique<mp::process_pool>(options);
        }).join();
        BOOST_TEST(pool->apply(ask) == expected);
        BOOST_CHECK_THROW(pool->apply(die, SIGKILL), mp::worker_died);
        BOOST_TEST(pool->apply(ask) == expected);
        mp::process_pool later(options);
        BOOST_TEST(later.apply(ask) == usual);
    }
};

std::string cpus()
{
    cpu_set_t set;
    std::string found;
    ::sched_getaffinity(0, sizeof set, &set);
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
        if (CPU_ISSET(cpu, &set))
            found += std::to_string(cpu) + " ";
    return found;
}

BOOST_FIXTURE_TEST_CASE(a_worker_has_the_affinity_of_the_thread_that_made_its_pool, fixture)
{
    const std::string all = cpus();
    const std::string last = all.substr(all.rfind(' ', all.size() - 2) + 1);
    check(
        [&] {
            cpu_set_t one;
            CPU_ZERO(&one);
            CPU_SET(std::stoi(last), &one);
            ::sched_setaffinity(0, sizeof one, &one);
        },
        cpus, last, all);
}

BOOST_FIXTURE_TEST_CASE(a_pool_of_the_default_size_has_a_node_for_each_cpu_of_its_maker, fixture)
{
    std::thread([] {
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(::sched_getcpu(), &one);
        ::sched_setaffinity(0, sizeof one, &one);
        BOOST_TEST(mp::process_pool().nodes() == 1u);
    }).join();
}

int niceness() { return ::getpriority(PRIO_PROCESS, 0); }

BOOST_FIXTURE_TEST_CASE(a_worker_has_the_niceness_of_the_thread_that_made_its_pool, fixture)
{
    const int own = niceness();
    const int nicer = std::min(own + 7, 19);
    check([&] { ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), nicer); }, niceness, nicer, own);
}

/// Of `pool`, made by this thread on a loop of its own.
template <class Pool>
int niceness_in(Pool& pool, boost::asio::io_context& context)
{
    auto seen = pool.apply(niceness, boost::asio::use_future);
    context.restart();
    context.run();
    return seen.get();
}

template <class Pool>
void check_niceness_beside_a_loop()
{
    boost::asio::io_context context;
    mp::pool_options options;
    options.nodes = 1;
    for (const auto& [given, added] : {std::pair(-1, 10), std::pair(0, 0), std::pair(3, 3), std::pair(19, 19)}) {
        options.nice = given;
        Pool pool(context, options);
        BOOST_TEST(niceness_in(pool, context) == std::min(niceness() + added, 19));
    }
}

BOOST_AUTO_TEST_CASE(workers_beside_a_loop_are_nicer)
{
    check_niceness_beside_a_loop<mp::async_multi_pool>();
    check_niceness_beside_a_loop<mp::async_thread_pool>();
}

template <class Pool>
void check_niceness_of_a_blocking_pool()
{
    mp::pool_options options;
    options.nodes = 1;
    BOOST_TEST(Pool(options).apply(niceness) == niceness());
    options.nice = 4;
    BOOST_TEST(Pool(options).apply(niceness) == std::min(niceness() + 4, 19));
}

BOOST_AUTO_TEST_CASE(workers_of_a_blocking_pool_are_as_nice_as_its_maker_unless_the_options_say_more)
{
    check_niceness_of_a_blocking_pool<mp::process_pool>();
    check_niceness_of_a_blocking_pool<mp::thread_pool>();
}

int niceness_of_a_thread()
{
    int seen = -1;
    std::thread([&] { seen = niceness(); }).join();
    return seen;
}

BOOST_AUTO_TEST_CASE(what_a_task_starts_is_as_nice_as_its_worker)
{
    mp::pool_options options;
    options.nodes = 1;
    options.nice = 5;
    BOOST_TEST(mp::process_pool(options).apply(niceness_of_a_thread) == std::min(niceness() + 5, 19));
    BOOST_TEST(mp::thread_pool(options).apply(niceness_of_a_thread) == std::min(niceness() + 5, 19));
}

template <class Pool>
void check_refused_niceness(int bad)
{
    mp::pool_options options;
    options.nice = bad;
    BOOST_CHECK_EXCEPTION(Pool{options}, std::invalid_argument, [](const std::invalid_argument& e) {
        return std::string(e.what()).find("pool_options::nice ") != std::string::npos;
    });
}

BOOST_AUTO_TEST_CASE(a_niceness_that_is_none_is_refused)
{
    for (const int bad : {-2, -20, 20}) {
        check_refused_niceness<mp::process_pool>(bad);
        check_refused_niceness<mp::thread_pool>(bad);
    }
}

int policy() { return ::sched_getscheduler(0); }

BOOST_FIXTURE_TEST_CASE(a_worker_has_the_scheduling_class_of_the_thread_that_made_its_pool, fixture)
{
    check(
        [] {
            const sched_param none{};
            ::sched_setscheduler(0, SCHED_BATCH, &none);
        },
        policy, SCHED_BATCH, SCHED_OTHER);
}

int no_new_privileges() { return ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); }

BOOST_FIXTURE_TEST_CASE(a_worker_has_the_no_new_privs_of_the_thread_that_made_its_pool, fixture)
{
    check([] { ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }, no_new_privileges, 1, no_new_privileges());
}

/// Makes a call that nobody else here makes fail with an error that it never has.
void forbid_a_call()
{
    sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sched_rr_get_interval, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EDOM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog program{static_cast<unsigned short>(std::size(filter)), filter};
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    BOOST_TEST(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0);
}

int error_of_that_call()
{
    timespec slice{};
    return ::syscall(SYS_sched_rr_get_interval, 0, &slice) == 0 ? 0 : errno;
}

BOOST_FIXTURE_TEST_CASE(a_worker_has_the_seccomp_filter_of_the_thread_that_made_its_pool, fixture)
{
    check(forbid_a_call, error_of_that_call, EDOM, 0);
}

#if defined(SYS_landlock_restrict_self)

/// Directories may not be made anywhere.
void forbid_directories()
{
    const std::uint64_t make_directory = 1u << 7;
    const int rules =
        static_cast<int>(::syscall(SYS_landlock_create_ruleset, &make_directory, sizeof make_directory, 0));
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    BOOST_TEST(::syscall(SYS_landlock_restrict_self, rules, 0) == 0);
    ::close(rules);
}

int error_of_a_directory()
{
    const std::string name = "/tmp/twat_mp_directory_" + std::to_string(::getpid());
    if (::mkdir(name.c_str(), 0700) != 0)
        return errno;
    ::rmdir(name.c_str());
    return 0;
}

BOOST_FIXTURE_TEST_CASE(a_worker_is_in_the_landlock_domain_of_the_thread_that_made_its_pool, fixture)
{
    constexpr unsigned ask_for_version = 1;
    if (::syscall(SYS_landlock_create_ruleset, nullptr, 0, ask_for_version) < 1) {
        BOOST_TEST_MESSAGE("no Landlock here");
        return;
    }
    check(forbid_directories, error_of_a_directory, EACCES, 0);
}

#endif

BOOST_AUTO_TEST_CASE(an_asynchronous_pool_takes_them_from_its_maker_and_not_from_the_loop)
{
    boost::asio::io_context context;
    std::unique_ptr<mp::async_multi_pool> pool;
    std::thread([&] {
        forbid_a_call();
        pool = std::make_unique<mp::async_multi_pool>(context, 1);
    }).join();
    auto seen = pool->apply(error_of_that_call, boost::asio::use_future);
    context.run();
    BOOST_TEST(seen.get() == EDOM);
}

// ---------------------------------------------------------------- signals

/// Whether a write into a pipe that nobody reads is an error. Otherwise it is the end.
int write_to_nobody()
{
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    ::close(ends[0]);
    const int error = ::write(ends[1], "x", 1) < 0 ? errno : 0;
    ::close(ends[1]);
    return error;
}

class disposition
{
public:
    disposition(int signal, void (*handler)(int)) : signal_(signal), before_(std::signal(signal, handler)) {}
    ~disposition() { std::signal(signal_, before_); }

private:
    int signal_;
    void (*before_)(int);
};

BOOST_AUTO_TEST_CASE(what_the_program_ignores_is_ignored_in_workers)
{
    mp::pool_options options;
    options.nodes = 1;
    {
        const disposition ignored(SIGPIPE, SIG_IGN);
        mp::process_pool pool(options);
        BOOST_TEST(pool.apply(write_to_nobody) == EPIPE);
        BOOST_CHECK_THROW(pool.apply(die, SIGKILL), mp::worker_died);
        BOOST_TEST(pool.apply(write_to_nobody) == EPIPE);
    }
    const disposition usual(SIGPIPE, SIG_DFL);
    mp::process_pool pool(options);
    try {
        pool.apply(write_to_nobody);
        BOOST_TEST(false, "the task returned");
    }
    catch (const mp::worker_died& e) {
        BOOST_TEST(e.signal() == SIGPIPE);
    }
}

int status_of_a_child()
{
    const pid_t child = ::fork();
    if (child == 0)
        ::_exit(7);
    int status = -1;
    return ::waitpid(child, &status, 0) == child ? WEXITSTATUS(status) : -1;
}

BOOST_AUTO_TEST_CASE(a_worker_reaps_its_children_and_can_be_ended_though_the_program_ignores_the_signals_for_that)
{
    const disposition children(SIGCHLD, SIG_IGN), terminations(SIGTERM, SIG_IGN);
    mp::pool_options options;
    options.nodes = 1;
    mp::process_pool pool(options);
    BOOST_TEST(pool.apply(status_of_a_child) == 7);
    BOOST_CHECK_THROW(pool.apply(die, SIGTERM), mp::worker_died);
}

// ---------------------------------------------------------------- CPUs

std::size_t default_size() { return mp::process_pool().nodes(); }
std::size_t default_threads() { return mp::thread_pool().nodes(); }
std::size_t default_size_below() { return mp::process_pool().apply(default_size); }

BOOST_AUTO_TEST_CASE(a_nested_pool_of_the_default_size_takes_its_workers_share_of_the_cpus)
{
    const std::size_t all = mp::process_pool().nodes();
    for (const std::size_t nodes : {std::size_t(1), all, 2 * all + 1}) {
        mp::process_pool pool(nodes);
        const std::size_t share = std::max<std::size_t>(1, all / nodes);
        BOOST_TEST(pool.apply(default_size) == share);
        BOOST_TEST(pool.apply(default_threads) == share);
        BOOST_TEST(pool.apply(default_size_below) == 1u);
    }
}

BOOST_AUTO_TEST_SUITE_END()
