// SPDX-License-Identifier: BSL-1.0
#include "blocking_pools.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <list>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <twat/mp/exceptions.hpp>
#include <twat/mp/inline_pool.hpp>
#include <twat/mp/portable.hpp>
#include <twat/mp/unique_fd.hpp>

#include "io_context_fixture.hpp"
#include "scratch_folder.hpp"

using namespace twat::mp;
using namespace twat::mp::test;
using namespace std::chrono_literals;
using boost::test_tools::per_element;

namespace {

std::atomic<int> syncs{0};

} // namespace

// In the place of the system's, which it calls: counts how often something was brought to the disk.
extern "C" int fdatasync(int fd)
{
    ++syncs;
    return static_cast<int>(::syscall(SYS_fdatasync, fd));
}

namespace {

using all_blocking_pools = boost::mp11::mp_list<thread_pool, process_pool, inline_pool, inline_process_pool>;

/// A folder with a journal, and in which tasks of all processes note that they ran.
struct folder : scratch_folder
{
    folder() : scratch_folder("journal") {}

    std::string journal() const { return path / "journal"; }
    std::string runs() const { return path / "runs"; }
    std::size_t ran() const { return std::filesystem::exists(runs()) ? std::filesystem::file_size(runs()) : 0; }
    std::vector<std::pair<std::string, int>> jobs(int count) const { return numbered_jobs(runs(), count); }
};

unique_fd duplicate(int fd) { return unique_fd(::dup(fd)); }

std::string noted(const std::pair<std::string, int>& job)
{
    const int fd = ::open(job.first.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (::write(fd, "x", 1) != 1)
        throw std::runtime_error("no note");
    ::close(fd);
    return std::string(static_cast<std::size_t>(job.second % 7), 'a') + std::to_string(job.second);
}

std::string also_noted(const std::pair<std::string, int>& job) { return noted(job) + "!"; }
std::string not_7(const std::pair<std::string, int>& job)
{
    return job.second == 7 ? throw std::domain_error("seven") : noted(job);
}
std::string with_bound(int bound, const std::pair<std::string, int>& job) { return noted(job) + std::to_string(bound); }

asio::awaitable<std::string> noted_later(std::pair<std::string, int> job)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, 1ms);
    co_await timer.async_wait(asio::use_awaitable);
    co_return noted(job);
}

std::size_t length(const std::pair<std::string, int>& job) { return noted(job).size(); }
asio::awaitable<std::size_t> length_later(std::pair<std::string, int> job)
{
    const std::string text = co_await noted_later(std::move(job));
    co_return text.size();
}
/// As long as a file beside the notes says so, the 30th fails.
std::size_t length_unless_broken(const std::pair<std::string, int>& job)
{
    if (job.second == 30 && std::filesystem::exists(job.first + ".broken"))
        throw std::domain_error("thirty");
    return length(job);
}
bool is_even(const std::pair<std::string, int>& job)
{
    noted(job);
    return job.second % 2 == 0;
}

std::size_t lengths(int count)
{
    std::size_t sum = 0;
    for (int i = 0; i != count; ++i)
        sum += std::string(static_cast<std::size_t>(i % 7), 'a').size() + std::to_string(i).size();
    return sum;
}

/// With so many workers, where there are any.
template <class Pool>
std::unique_ptr<Pool> make_pool(std::size_t nodes)
{
    if constexpr (std::is_constructible_v<Pool, std::size_t>)
        return std::make_unique<Pool>(nodes);
    else
        return std::make_unique<Pool>();
}

std::vector<std::string> expected(int count)
{
    std::vector<std::string> all;
    for (int i = 0; i != count; ++i)
        all.push_back(std::string(static_cast<std::size_t>(i % 7), 'a') + std::to_string(i));
    return all;
}

auto says(const std::string& text)
{
    return [text](const std::exception& e) {
        BOOST_TEST_INFO(e.what());
        return std::string(e.what()).find(text) != std::string::npos;
    };
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_journal)

BOOST_AUTO_TEST_CASE_TEMPLATE(what_is_there_is_not_run_again, Pool, all_blocking_pools)
{
    Pool pool;
    folder f;
    auto journaled = pool.with({.chunk_size = 3}).journal(f.journal());
    const auto few = f.jobs(10), many = f.jobs(40);
    BOOST_TEST(journaled.map(noted, few) == expected(10), per_element());
    BOOST_TEST(f.ran() == 10u);
    BOOST_TEST(journaled.map(noted, few) == expected(10), per_element());
    BOOST_TEST(f.ran() == 10u);
    BOOST_TEST(journaled.map(noted, many) == expected(40), per_element());
    BOOST_TEST(f.ran() == 40u);
    BOOST_TEST(journaled.map(noted, std::list<std::pair<std::string, int>>(many.begin(), many.end())) == expected(40),
               per_element());
    BOOST_TEST(f.ran() == 40u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(items_are_known_by_index_and_arguments, Pool, all_blocking_pools)
{
    Pool pool;
    folder f;
    auto journaled = pool.with({.chunk_size = 2}).journal(f.journal());
    auto jobs = f.jobs(20);
    journaled.map(noted, jobs);
    for (const std::size_t changed : {0u, 5u, 6u, 13u, 19u})
        jobs[changed].second += 100;
    const auto results = journaled.map(noted, jobs);
    BOOST_TEST(f.ran() == 25u);
    for (std::size_t i = 0; i != jobs.size(); ++i)
        BOOST_TEST(results[i].ends_with(std::to_string(jobs[i].second)));
    jobs.insert(jobs.begin(), jobs.front()); // all have another index, but the first
    journaled.map(noted, jobs);
    BOOST_TEST(f.ran() == 25u + 20u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(verbs_share_it, Pool, all_blocking_pools)
{
    Pool pool;
    folder f;
    auto journaled = pool.with({}).journal(f.journal());
    const auto jobs = f.jobs(30);
    std::size_t at = 0;
    for (const std::string& result : journaled.imap(noted, jobs))
        BOOST_TEST(result == expected(30)[at++]);
    BOOST_TEST(f.ran() == 30u);
    at = 0;
    for (const std::string& result : journaled.imap(noted, jobs))
        BOOST_TEST(result == expected(30)[at++]);
    for (const auto& result : journaled.uimap(noted, jobs))
        at += result.size() != 0;
    BOOST_TEST(at == 60u);
    BOOST_TEST(journaled.try_map(noted, jobs).size() == 30u);
    BOOST_TEST(f.ran() == 30u);
    std::size_t told = 0;
    const auto callback = [&](const progress& now) { told = now.done; };
    journaled.on_progress(callback).map(noted, jobs);
    pool.with({}).on_progress(callback).journal(f.journal()).map(noted, jobs);
    BOOST_TEST(told == 30u);
    BOOST_TEST(f.ran() == 30u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(failures_are_run_again, Pool, all_blocking_pools)
{
    Pool pool;
    folder f;
    auto journaled = pool.with({}).journal(f.journal());
    const auto jobs = f.jobs(20);
    for (int i = 0; i != 2; ++i) {
        const auto results = journaled.try_map(not_7, jobs);
        BOOST_TEST(results[7].has_error());
        BOOST_TEST(*results[8] == "a8");
        BOOST_TEST(f.ran() == 19u);
    }
    BOOST_CHECK_THROW(journaled.map(not_7, jobs), std::domain_error);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(coroutines_are_kept, Pool, all_blocking_pools)
{
    Pool pool;
    folder f;
    auto journaled = pool.with({}).journal(f.journal());
    for (int i = 0; i != 2; ++i)
        BOOST_TEST(journaled.map(noted_later, f.jobs(20)) == expected(20), per_element());
    BOOST_TEST(f.ran() == 20u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(parts_of_a_reduction_are_kept, Pool, all_blocking_pools)
{
    folder f;
    auto jobs = f.jobs(42);
    const auto reduce = [&](std::size_t nodes, std::size_t init = 0) {
        const auto pool = make_pool<Pool>(nodes);
        return pool->with({.chunk_size = 4, .deterministic = true})
            .journal(f.journal())
            .reduce(length, std::plus<>(), init, jobs);
    };
    BOOST_TEST(reduce(2) == lengths(42));
    BOOST_TEST(f.ran() == 42u);
    BOOST_TEST(reduce(3) == lengths(42)); // whatever the number of workers
    BOOST_TEST(reduce(1, 1000) == lengths(42) + 1000);
    BOOST_TEST(f.ran() == 42u);
    jobs[13].second += 7; // in the fourth part
    jobs[41].second += 7; // in the last, which has two
    reduce(2);
    BOOST_TEST(f.ran() == 42u + 4u + 2u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_reduction_that_failed_goes_on_where_it_was, Pool, all_blocking_pools)
{
    folder f;
    const auto jobs = f.jobs(40);
    const auto reduce = [&] {
        const auto pool = make_pool<Pool>(2);
        return pool->with({.chunk_size = 4, .deterministic = true})
            .journal(f.journal())
            .reduce(length_unless_broken, std::plus<>(), std::size_t(0), jobs);
    };
    std::ofstream(f.runs() + ".broken").put('x');
    BOOST_CHECK_THROW(reduce(), std::domain_error);
    const std::size_t before = f.ran();
    std::filesystem::remove(f.runs() + ".broken");
    BOOST_TEST(reduce() == lengths(40));
    BOOST_TEST(f.ran() < before + 40u); // the parts before that with the failure had a value
    BOOST_TEST(f.ran() >= before + 4u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(parts_of_other_folds_are_kept, Pool, all_blocking_pools)
{
    folder f;
    const auto pool = make_pool<Pool>(2);
    const auto jobs = f.jobs(40);
    const auto journal = [&](const char* name) {
        return pool->with({.chunk_size = 3, .deterministic = true}).journal(f.path / name);
    };
    for (int i = 0; i != 2; ++i) {
        const auto even = journal("filter").filter(is_even, jobs);
        BOOST_TEST(even.size() == 20u);
        BOOST_TEST(even[19].second == 38);
        BOOST_TEST(f.ran() == 40u);
    }
    for (int i = 0; i != 2; ++i) {
        journal("each").for_each(noted, std::list<std::pair<std::string, int>>(jobs.begin(), jobs.end()));
        BOOST_TEST(f.ran() == 80u);
    }
    for (int i = 0; i != 2; ++i) {
        BOOST_TEST(journal("later").reduce(length_later, std::plus<>(), std::size_t(0), jobs) == lengths(40));
        BOOST_TEST(f.ran() == 120u);
    }
    BOOST_CHECK_EXCEPTION(journal("later").reduce(length, std::plus<>(), std::size_t(0), jobs), std::invalid_argument,
                          says("of another function"));
    BOOST_CHECK_EXCEPTION(journal("later").reduce(length_later, std::multiplies<>(), std::size_t(1), jobs),
                          std::invalid_argument, says("of another function"));
    const auto bound = [&](int n) {
        return journal("bound").reduce(partial(with_bound, n), std::plus<>(), std::string(), jobs);
    };
    bound(1);
    BOOST_CHECK_EXCEPTION(bound(2), std::invalid_argument, says("of other bound arguments"));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(parts_that_depend_on_the_workers_are_not_kept, Pool, all_blocking_pools)
{
    folder f;
    Pool pool;
    const auto jobs = f.jobs(3);
    auto journaled = pool.with({.chunk_size = 3}).journal(f.journal());
    const auto refused = says("call_options::deterministic");
    BOOST_CHECK_EXCEPTION(journaled.reduce(length, std::plus<>(), std::size_t(0), jobs), std::invalid_argument,
                          refused);
    BOOST_CHECK_EXCEPTION(journaled.filter(is_even, jobs), std::invalid_argument, refused);
    BOOST_CHECK_EXCEPTION(journaled.for_each(noted, jobs), std::invalid_argument, refused);
    BOOST_TEST(!std::filesystem::exists(f.journal()));
    BOOST_TEST(f.ran() == 0u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(another_function_is_refused_by_name, Pool, all_blocking_pools)
{
    Pool pool;
    folder f;
    auto journaled = pool.with({}).journal(f.journal());
    const auto jobs = f.jobs(3);
    journaled.map(noted, jobs);
    BOOST_CHECK_EXCEPTION(journaled.map(also_noted, jobs), std::invalid_argument, says("of another function"));
    BOOST_TEST(journaled.map(noted, jobs).size() == 3u);
    std::ofstream(f.path / "letter") << "Dear Sir or Madam, this is no journal";
    BOOST_CHECK_EXCEPTION(pool.with({}).journal(f.path / "letter").map(noted, jobs), std::invalid_argument,
                          says("letter"));
    folder g;
    auto bound = pool.with({}).journal(g.journal());
    bound.map(partial(with_bound, 1), jobs);
    BOOST_CHECK_EXCEPTION(bound.map(partial(with_bound, 2), jobs), std::invalid_argument,
                          says("of other bound arguments"));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(another_build_is_refused_by_name, Pool, all_blocking_pools)
{
    Pool pool;
    folder f;
    const auto jobs = f.jobs(3);
    auto journaled = pool.with({}).journal(f.journal());
    journaled.map(noted, jobs);
    {
        // As another build had begun it: behind four words stands the build's id.
        std::fstream file(f.journal(), std::ios::in | std::ios::out | std::ios::binary);
        file.seekg(32);
        const int first = file.get();
        file.seekp(32);
        file.put(static_cast<char>(first ^ 1));
    }
    const auto size = std::filesystem::file_size(f.journal());
    BOOST_CHECK_EXCEPTION(journaled.map(noted, jobs), std::invalid_argument, says("of another build of the program"));
    BOOST_CHECK_EXCEPTION(journaled.map(noted, jobs), std::invalid_argument, says(f.journal()));
    BOOST_TEST(std::filesystem::file_size(f.journal()) == size); // nothing was lost
    BOOST_TEST(f.ran() == 3u);
    std::filesystem::remove(f.journal());
    journaled.map(noted, jobs);
    BOOST_TEST(f.ran() == 6u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(results_are_on_the_disk_as_early_as_was_asked_for, Pool, all_blocking_pools)
{
    Pool pool;
    for (const auto& [sync, least, most] :
         {std::tuple(journal_sync::never, 0, 0), std::tuple(journal_sync::every_second, 2, 1'000'000),
          std::tuple(journal_sync::always, 21, 1'000'000)}) {
        folder f;
        const auto jobs = f.jobs(20);
        const int before = syncs;
        auto journaled = pool.with({}).journal(f.journal(), sync);
        BOOST_TEST(journaled.map(noted, jobs) == expected(20), per_element());
        const int during = syncs - before;
        BOOST_TEST(during >= least); // the header's among them
        BOOST_TEST(during <= most);
        BOOST_TEST(journaled.map(noted, jobs) == expected(20), per_element());
        BOOST_TEST(f.ran() == 20u);
        BOOST_TEST(syncs - before == during); // nothing was added
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_torn_tail_is_cut_off, Pool, all_blocking_pools)
{
    Pool pool;
    folder f;
    auto journaled = pool.with({}).journal(f.journal());
    const auto jobs = f.jobs(12);
    journaled.map(noted, jobs);
    std::filesystem::resize_file(f.journal(), std::filesystem::file_size(f.journal()) - 3);
    BOOST_TEST(journaled.map(noted, jobs) == expected(12), per_element());
    BOOST_TEST(f.ran() == 13u);
    std::ofstream(f.journal(), std::ios::app) << "half a record";
    BOOST_TEST(journaled.map(noted, jobs) == expected(12), per_element());
    BOOST_TEST(f.ran() == 13u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_journal_in_use_is_refused, Pool, all_blocking_pools)
{
    Pool pool;
    folder f;
    auto journaled = pool.with({}).journal(f.journal());
    const auto jobs = f.jobs(3);
    journaled.map(noted, jobs);
    const int fd = ::open(f.journal().c_str(), O_RDONLY | O_CLOEXEC);
    BOOST_TEST_REQUIRE(::flock(fd, LOCK_EX | LOCK_NB) == 0);
    BOOST_CHECK_EXCEPTION(journaled.map(noted, jobs), boost::system::system_error, says(f.journal()));
    ::close(fd);
    BOOST_TEST(journaled.map(noted, jobs).size() == 3u);
}

// It would be of no use to a later run.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_descriptor_is_not_kept, Pool, all_blocking_pools)
{
    Pool pool;
    folder f;
    BOOST_CHECK_EXCEPTION(pool.with({}).journal(f.journal()).apply(duplicate, 1), error, [](const error& e) {
        return e.code() == errc::encode_failed && std::string_view(e.what()).find("journal") != std::string_view::npos;
    });
    BOOST_TEST(!!pool.apply(duplicate, 1));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_full_disk_names_the_file, Pool, all_blocking_pools)
{
    BOOST_TEST_REQUIRE(::access("/dev/full", W_OK) == 0);
    Pool pool;
    folder f;
    const auto jobs = f.jobs(2000);
    struct ::rlimit before;
    ::getrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, SIG_IGN);
    pool.apply(twice, 1); // its workers have no such limit
    const ::rlimit small{20000, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
    BOOST_CHECK_EXCEPTION(pool.with({}).journal(f.journal()).map(noted, jobs), boost::system::system_error,
                          says(f.journal()));
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, SIG_DFL);
    BOOST_TEST((pool.with({}).journal(f.journal()).map(noted, jobs) == expected(2000)));
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(awaitable_pools_have_it, Pool, awaitable_pools, io_context_fixture)
{
    this->run_coro([&]() -> asio::awaitable<void> {
        Pool pool(this->ctx, 2);
        folder f;
        auto journaled = pool.with({}).journal(f.journal());
        const auto jobs = f.jobs(20);
        for (int i = 0; i != 2; ++i) {
            const auto results = co_await journaled.map(noted, jobs);
            BOOST_TEST(results == expected(20), per_element());
        }
        const std::string parts = f.path / "parts";
        for (int i = 0; i != 2; ++i) {
            auto reduced = pool.with({.chunk_size = 3, .deterministic = true}).journal(parts);
            const auto sum = co_await reduced.reduce(length, std::plus<>(), std::size_t(0), jobs);
            BOOST_TEST(sum == lengths(20));
            BOOST_TEST(f.ran() == 40u);
        }
        auto stream = journaled.imap(noted, jobs);
        std::size_t count = 0;
        while (co_await stream.next())
            ++count;
        BOOST_TEST(count == 20u);
        BOOST_TEST(f.ran() == 40u);
        co_await pool.join();
    });
}

BOOST_AUTO_TEST_SUITE_END()
