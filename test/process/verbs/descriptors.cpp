// SPDX-License-Identifier: BSL-1.0
// Test that header files are self-contained.
#include <twat/mp/sockets.hpp>
#include <twat/mp/unique_fd.hpp>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>
#include <boost/exception/diagnostic_information.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <twat/mp/error.hpp>
#include <twat/mp/inline_pool.hpp>
#include <twat/mp/portable.hpp>
#include <twat/mp/reclaim.hpp>
#include <twat/mp/worker_died.hpp>

#include "blocking_pools.hpp"
#include "io_context_fixture.hpp"
#include "resource_limit.hpp"
#include "sanitizers.hpp"

using namespace twat::mp;
using namespace twat::mp::test;
using namespace std::chrono_literals;
using asio::ip::tcp;
using boost::test_tools::per_element;
using local = asio::local::stream_protocol;

namespace {

using all_pools = boost::mp11::mp_list<thread_pool, process_pool, inline_pool, inline_process_pool>;

std::size_t open_descriptors()
{
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator("/proc/self/fd"))
        ++count;
    return count;
}

struct ends
{
    unique_fd read, write;
};

ends make_ends()
{
    int fds[2];
    BOOST_REQUIRE(::pipe2(fds, O_CLOEXEC) == 0);
    return {unique_fd(fds[0]), unique_fd(fds[1])};
}

std::string read_all(const unique_fd& from)
{
    std::string text;
    char part[256];
    for (ssize_t n; (n = ::read(from.get(), part, sizeof part)) > 0;)
        text.append(part, static_cast<std::size_t>(n));
    return text;
}

bool write_to(const unique_fd& to, const std::string& text)
{
    return ::write(to.get(), text.data(), text.size()) == ssize_t(text.size());
}

bool write_there(unique_fd to, std::string text) { return write_to(to, text); }
unique_fd make_file(std::string text)
{
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC) != 0)
        throw std::runtime_error("no pipe");
    unique_fd read(fds[0]), write(fds[1]);
    write_to(write, text);
    return read;
}
std::size_t count_inodes(std::vector<unique_fd> all)
{
    std::vector<ino_t> seen;
    for (const unique_fd& fd : all) {
        struct ::stat about;
        if (::fstat(fd.get(), &about) == 0)
            seen.push_back(about.st_ino);
    }
    std::ranges::sort(seen);
    return static_cast<std::size_t>(std::unique(seen.begin(), seen.end()) - seen.begin());
}
std::vector<unique_fd> make_files(int count)
{
    std::vector<unique_fd> made;
    for (int i = 0; i < count; ++i)
        made.push_back(make_file(std::to_string(i)));
    return made;
}
void die_with(unique_fd) { ::raise(SIGKILL); }
unique_fd throw_with(unique_fd, std::string what) { throw std::domain_error(what); }
int open_in_worker(int) { return static_cast<int>(open_descriptors()); }

/// Answers lines until one says "back"; then gives the conversation back.
asio::awaitable<std::optional<connection<tcp::socket>>> converse(connection<tcp::socket> client)
{
    for (;;) {
        co_await asio::async_read_until(client.socket, asio::dynamic_buffer(client.received), '\n',
                                        asio::use_awaitable);
        const auto end = client.received.find('\n');
        const std::string line = client.received.substr(0, end);
        client.received.erase(0, end + 1);
        if (line == "bye")
            co_return std::nullopt;
        if (line == "back")
            co_return std::move(client);
        const std::string answer = line + " from " + std::to_string(::getpid()) + "\n";
        co_await asio::async_write(client.socket, asio::buffer(answer), asio::use_awaitable);
    }
}

asio::awaitable<std::string> read_first(local::socket from, std::size_t count)
{
    std::string text(count, '\0');
    co_await asio::async_read(from, asio::buffer(text), asio::use_awaitable);
    co_return text;
}

pool_options one_node()
{
    pool_options options;
    options.nodes = 1;
    return options;
}

/// What a pool holds may go a moment after its last call.
void check_descriptors(std::size_t expected)
{
    for (int i = 0; i < 600 && open_descriptors() != expected; ++i)
        std::this_thread::sleep_for(50ms);
    BOOST_TEST(open_descriptors() == expected);
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_verbs_descriptors)

BOOST_AUTO_TEST_CASE(a_unique_fd_closes_what_it_owns)
{
    const std::size_t before = open_descriptors();
    {
        ends pipe = make_ends();
        unique_fd moved = std::move(pipe.read);
        BOOST_TEST(!pipe.read);
        BOOST_TEST(!!moved);
        moved = std::move(pipe.write);
        const int released = moved.release();
        BOOST_TEST(moved.get() == -1);
        moved.reset(released);
        BOOST_TEST(moved.get() == released);
    }
    BOOST_TEST(open_descriptors() == before);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(they_are_arguments_and_results, Pool, all_pools)
{
    Pool pool(one_node());
    pool.start();
    const std::size_t before = open_descriptors();
    {
        ends pipe = make_ends();
        BOOST_TEST(pool.apply(write_there, std::move(pipe.write), "hello"));
        BOOST_TEST(read_all(pipe.read) == "hello"); // nobody has the other end any more
        const unique_fd file = pool.apply(make_file, "made there");
        BOOST_TEST(read_all(file) == "made there");
        BOOST_TEST(!pool.apply([](unique_fd none) { return none; }, unique_fd()));
    }
    check_descriptors(before);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(many_go_at_once, Pool, all_pools)
{
    Pool pool(one_node());
    pool.start();
    const std::size_t before = open_descriptors();
    {
        std::vector<unique_fd> files = make_files(300); // more than one message can take
        BOOST_TEST(pool.apply(count_inodes, std::move(files)) == 300u);
        const std::vector<unique_fd> made = pool.apply(make_files, 300);
        BOOST_REQUIRE(made.size() == 300u);
        for (int i = 0; i < 300; ++i)
            BOOST_TEST(read_all(made[i]) == std::to_string(i));
    }
    check_descriptors(before);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(each_element_of_a_map_gets_its_own, Pool, all_pools)
{
    Pool pool(one_node());
    pool.start();
    const std::size_t before = open_descriptors();
    {
        std::vector<ends> pipes;
        for (int i = 0; i < 50; ++i)
            pipes.push_back(make_ends());
        std::vector<unique_fd> to;
        std::vector<std::string> texts;
        for (int i = 0; i < 50; ++i) {
            to.push_back(std::move(pipes[i].write));
            texts.push_back(std::to_string(i));
        }
        const auto write_each = [](const unique_fd& fd, const std::string& text) { return write_to(fd, text); };
        pool.map(write_each, to, texts);
        to.clear();
        for (int i = 0; i < 50; ++i)
            BOOST_TEST(read_all(pipes[i].read) == std::to_string(i));
        int i = 0;
        for (unique_fd&& file : pool.imap(make_file, texts))
            BOOST_TEST(read_all(file) == std::to_string(i++));
        BOOST_TEST(i == 50);
    }
    check_descriptors(before);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(nothing_stays_open_when_a_task_throws, Pool, all_pools)
{
    Pool pool(one_node());
    const int there = pool.apply(open_in_worker, 0);
    const std::size_t before = open_descriptors();
    for (int i = 0; i < 20; ++i)
        BOOST_CHECK_THROW(pool.apply(throw_with, make_ends().write, "no"), std::domain_error);
    check_descriptors(before);
    BOOST_TEST(pool.apply(open_in_worker, 0) == there);
}

BOOST_AUTO_TEST_CASE(nothing_stays_open_when_a_worker_dies)
{
    const auto run = [] {
        process_pool pool(one_node());
        for (int i = 0; i < 5; ++i) {
            ends pipe = make_ends();
            BOOST_CHECK_THROW(pool.apply(die_with, std::move(pipe.write)), worker_died);
            BOOST_TEST(read_all(pipe.read).empty());
        }
    };
    run(); // the library keeps a few of its own from then on
    const std::size_t before = open_descriptors();
    run();
    check_descriptors(before);
}

BOOST_AUTO_TEST_CASE(what_never_begins_is_closed)
{
    const auto run = [] {
        pool_options options = one_node();
        options.max_pending = 1;
        process_pool pool(options);
        auto busy = pool.submit(until_stopped, 1);
        await_running_task(pool);
        ends waiting = make_ends(), refused = make_ends();
        auto cancelled = pool.submit(write_there, std::move(waiting.write), "never");
        while (pool.stats().pending == 0)
            std::this_thread::yield();
        BOOST_CHECK_EXCEPTION(pool.apply(write_there, std::move(refused.write), "never"), error,
                              [](const error& e) { return e.code() == errc::queue_full; });
        BOOST_TEST(read_all(refused.read).empty());
        cancelled.cancel();
        BOOST_CHECK_THROW(cancelled.get(), boost::system::system_error);
        busy.cancel();
        BOOST_CHECK_THROW(busy.get(), boost::system::system_error);
        // it may have been on its way to the worker, which closes it when it comes to it
        BOOST_TEST(read_all(waiting.read).empty());
    };
    run(); // the library keeps a few of its own from then on
    const std::size_t before = open_descriptors();
    run();
    check_descriptors(before);
}

/// A pool of one worker that is busy, and whose queue of one is full.
template <class Pool>
struct full_pool
{
    static pool_options options()
    {
        pool_options options = one_node();
        options.max_pending = 1;
        return options;
    }

    full_pool()
    {
        await_running_task(pool);
        // What a worker holds does not wait: so long ones, until one waits.
        while (pool.stats().pending == 0) {
            others.push_back(pool.submit(until_stopped, 1));
            std::this_thread::sleep_for(1ms);
        }
    }
    ~full_pool()
    {
        for (auto& other : others)
            other.cancel();
        busy.cancel();
    }

    Pool pool{options()};
    future<int> busy = pool.submit(until_stopped, 1);
    std::vector<future<int>> others;
};

BOOST_AUTO_TEST_CASE_TEMPLATE(a_refused_call_gives_back_what_it_was_given, Pool, blocking_pools)
{
    full_pool<Pool> full;
    ends pipe = make_ends();
    const int fd = pipe.write.get();
    std::exception_ptr kept;
    try {
        full.pool.apply(write_there, std::move(pipe.write), "never");
    }
    catch (const error& e) {
        BOOST_TEST((e.code() == errc::queue_full));
        BOOST_TEST(!reclaim<std::string>(e)); // a copy is with who has it
        kept = std::current_exception();
        pipe.write = reclaim<unique_fd>(e).value();
        BOOST_TEST(!reclaim<unique_fd>(e)); // once
    }
    BOOST_TEST(!reclaim<unique_fd>(kept));
    BOOST_TEST(pipe.write.get() == fd);
    BOOST_TEST(write_to(pipe.write, "still here"));
    pipe.write.reset();
    BOOST_TEST(read_all(pipe.read) == "still here");

    // It is closed with the error where nobody takes it.
    ends unwanted = make_ends();
    try {
        full.pool.apply(write_there, std::move(unwanted.write), "never");
    }
    catch (const error& e) {
        BOOST_TEST(boost::diagnostic_information(e).find("mp::reclaim") != std::string::npos);
    }
    BOOST_TEST(read_all(unwanted.read).empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_cancelled_call_that_waited_gives_it_back, Pool, blocking_pools)
{
    pool_options options = one_node();
    Pool pool(options);
    auto busy = pool.submit(until_stopped, 1);
    await_running_task(pool);
    std::vector<future<int>> others;
    while (pool.stats().pending == 0) {
        others.push_back(pool.submit(until_stopped, 1));
        std::this_thread::sleep_for(1ms);
    }
    ends pipe = make_ends();
    std::optional<unique_fd> back;
    try {
        pool.with({.queue_timeout = 10ms}).apply(write_there, std::move(pipe.write), "never");
    }
    catch (const error& e) {
        BOOST_TEST((e.code() == errc::queue_timed_out));
        back = reclaim<unique_fd>(e);
    }
    BOOST_TEST(!!back);
    std::stop_source stop;
    stop.request_stop();
    try {
        pool.apply(write_there, std::move(*back), "never", stop.get_token());
    }
    catch (const boost::system::system_error& e) {
        BOOST_TEST(is_aborted(e));
        back = reclaim<unique_fd>(e);
    }
    BOOST_TEST((back && *back));
    pool.close();
    back = [&]() -> std::optional<unique_fd> {
        try {
            pool.apply(write_there, std::move(*back), "never");
        }
        catch (...) {
            return reclaim<unique_fd>(std::current_exception());
        }
        return {};
    }();
    BOOST_TEST((back && *back));
    for (auto& other : others)
        other.cancel();
    busy.cancel();
}

BOOST_AUTO_TEST_CASE(what_a_worker_was_given_does_not_come_back)
{
    process_pool pool(one_node());
    try {
        pool.apply(throw_with, make_ends().write, "no");
    }
    catch (const std::exception& e) {
        BOOST_TEST(!reclaim<unique_fd>(e));
    }
    try {
        pool.apply(die_with, make_ends().write);
    }
    catch (const worker_died& e) {
        BOOST_TEST(!reclaim<unique_fd>(e));
    }
    // One that cannot be encoded was not given to any.
    const auto use = [](const unique_fd& fd, std::unique_ptr<int>, int x) { return fd ? x : 0; };
    try {
        pool.apply(partial(use, make_ends().read), std::make_unique<int>(7), 1);
    }
    catch (const error& e) {
        BOOST_TEST((e.code() == errc::encode_failed));
        BOOST_TEST(*reclaim<std::unique_ptr<int>>(e).value() == 7);
    }
    BOOST_TEST(!reclaim<int>(std::exception_ptr()));
    BOOST_TEST(!reclaim<int>(std::make_exception_ptr(1)));
}

BOOST_AUTO_TEST_CASE(results_that_nobody_wants_are_closed)
{
    process_pool pool(one_node());
    pool.start();
    const std::size_t before = open_descriptors();
    for (int i = 0; i < 10; ++i) {
        auto stream = pool.imap(make_file, std::vector<std::string>(100, "unread"));
        stream.begin();
    }
    BOOST_TEST(pool.apply(twice, 1) == 2);
    check_descriptors(before);
}

BOOST_AUTO_TEST_CASE(a_lack_of_descriptors_is_named)
{
    // UBSan opens a pipe to look at an object: without one it takes the category of an error code for something else.
    if (TWAT_MP_TEST_ASAN)
        return;
    process_pool pool(one_node());
    pool.start();
    const std::size_t before = open_descriptors();
    {
        ends pipe = make_ends();
        ::rlimit old{};
        ::getrlimit(RLIMIT_NOFILE, &old);
        ::rlimit few = old;
        few.rlim_cur = 10; // the lowest number of a duplicate
        ::setrlimit(RLIMIT_NOFILE, &few);
        std::string what;
        try {
            pool.apply(write_there, std::move(pipe.write), "never");
        }
        catch (const std::exception& e) {
            what = e.what();
        }
        ::setrlimit(RLIMIT_NOFILE, &old);
        BOOST_TEST(what.find("cannot be sent") != std::string::npos, what);
    }
    check_descriptors(before);
    const auto limit_worker = [](int most) {
        const ::rlimit few{static_cast<::rlim_t>(most), static_cast<::rlim_t>(most)};
        return ::setrlimit(RLIMIT_NOFILE, &few);
    };
    const int there = pool.apply(open_in_worker, 0);
    BOOST_TEST(pool.apply(limit_worker, there + 10) == 0);
    const auto names_limit = [](const std::exception& e) {
        return std::string_view(e.what()).find("RLIMIT_NOFILE") != std::string_view::npos;
    };
    BOOST_CHECK_EXCEPTION(pool.apply(count_inodes, make_files(64)), std::exception, names_limit);
    BOOST_TEST(pool.apply(count_inodes, make_files(2)) == 2u); // those that follow are the right ones
    check_descriptors(before);
}

BOOST_AUTO_TEST_CASE(one_that_is_bound_is_refused)
{
    process_pool pool(one_node());
    const auto use = [](const unique_fd& fd, int x) { return fd ? x : 0; };
    BOOST_CHECK_EXCEPTION(pool.apply(partial(use, make_ends().read), 1), error,
                          [](const error& e) { return e.code() == errc::encode_failed; });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(sockets_of_a_local_kind_travel, Pool, all_pools)
{
    asio::io_context ctx;
    Pool pool(one_node());
    local::socket here(ctx), there(ctx);
    asio::local::connect_pair(here, there);
    asio::write(here, asio::buffer("hello", 5));
    std::jthread loop([&] {
        const auto work = asio::make_work_guard(ctx);
        ctx.run_for(60s);
    });
    BOOST_TEST(pool.apply(read_first, std::move(there), std::size_t(5)) == "hello");
    char end;
    boost::system::error_code ec;
    asio::read(here, asio::buffer(&end, 1), ec);
    BOOST_TEST((ec == asio::error::eof));
    ctx.stop();
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(a_conversation_goes_to_a_worker_and_back, Pool, awaitable_pools, io_context_fixture)
{
    Pool pool(ctx, one_node());
    tcp::acceptor acceptor(ctx, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    run_coro([&]() -> asio::awaitable<void> {
        tcp::socket client(ctx);
        co_await client.async_connect(acceptor.local_endpoint(), asio::use_awaitable);
        tcp::socket accepted = co_await acceptor.async_accept(asio::use_awaitable);
        const std::string request = "first\nsecond\nback\n";
        co_await asio::async_write(client, asio::buffer(request), asio::use_awaitable);

        connection<tcp::socket> begun{std::move(accepted)};
        co_await asio::async_read_until(begun.socket, asio::dynamic_buffer(begun.received), "first\n",
                                        asio::use_awaitable);
        std::optional<connection<tcp::socket>> back = co_await pool.apply(converse, std::move(begun));
        BOOST_REQUIRE(back.has_value());
        std::string answers;
        while (std::ranges::count(answers, '\n') < 2)
            co_await asio::async_read_until(client, asio::dynamic_buffer(answers), '\n', asio::use_awaitable);
        const bool elsewhere = std::is_same_v<Pool, async_multi_pool>;
        BOOST_TEST((answers.find("first from " + std::to_string(::getpid())) == std::string::npos) == elsewhere);
        BOOST_TEST(answers.find("second from ") != std::string::npos);

        co_await asio::async_write(back->socket, asio::buffer("here\n", 5), asio::use_awaitable);
        std::string last;
        co_await asio::async_read_until(client, asio::dynamic_buffer(last), '\n', asio::use_awaitable);
        BOOST_TEST(last == "here\n");
        back.reset();
        boost::system::error_code ec;
        char end;
        co_await asio::async_read(client, asio::buffer(&end, 1), asio::redirect_error(asio::use_awaitable, ec));
        BOOST_TEST((ec == asio::error::eof));
    });
}

BOOST_AUTO_TEST_SUITE_END()
