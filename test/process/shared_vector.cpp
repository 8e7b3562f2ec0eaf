// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include <twat/mp/shared_vector.hpp>

#include <twat/mp/error.hpp>
#include <twat/mp/inline_pool.hpp>
#include <twat/mp/multi_pool.hpp>
#include <twat/mp/portable.hpp>
#include <twat/mp/shared_span.hpp>
#include <twat/mp/worker.hpp>
#include <twat/mp/worker_died.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <iterator>
#include <numeric>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "resource_limit.hpp"
#include "sanitizers.hpp"
#include "scratch_folder.hpp"
#include "shm/block_registry.hpp"

using namespace twat::mp;
using namespace twat::mp::test;
using boost::test_tools::per_element;

BOOST_AUTO_TEST_SUITE(test_shared_vector)

namespace {

shared_vector<int> negate(shared_vector<int> values)
{
    for (int& value : values)
        value = -value;
    return values;
}

long long sum_of(shared_vector<int> values) { return std::accumulate(values.begin(), values.end(), 0LL); }

shared_vector<int> up_to(int n)
{
    shared_vector<int> values(static_cast<std::size_t>(n));
    std::iota(values.begin(), values.end(), 0);
    return values;
}

int write_and_die(shared_vector<int> values)
{
    values[0] = 42;
    ::raise(SIGKILL);
    return 0;
}

/// Blocks that this process holds. (Other descriptors come and go beside the test.)
std::size_t open_blocks()
{
    std::size_t count = 0;
    std::error_code gone;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
        if (std::filesystem::read_symlink(entry.path(), gone).string().starts_with("/memfd:twat-mp shared_vector"))
            ++count;
    return count;
}

/// What a pool holds may go a moment after its last call.
void check_blocks(std::size_t expected)
{
    for (int i = 0; i < 600 && open_blocks() != expected; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    BOOST_TEST(open_blocks() == expected);
}

shared_vector<int> make_unless_odd(int n)
{
    if (n % 2 != 0)
        throw std::runtime_error("odd");
    return shared_vector<int>(static_cast<std::size_t>(n));
}
std::size_t blocks_there(int) { return open_blocks(); }
std::size_t blocks_beside(shared_span<const int> part) { return part[1] == 6 ? open_blocks() : 1000; }
std::size_t descriptors_there(int)
{
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}
int limit_descriptors(int most)
{
    const ::rlimit few{static_cast<::rlim_t>(most), static_cast<::rlim_t>(most)};
    return ::setrlimit(RLIMIT_NOFILE, &few);
}

std::optional<shared_vector<int>> held_there;
std::vector<shared_span<int>> kept_there;

shared_vector<int> make_and_keep(int n)
{
    shared_vector<int> made = up_to(n);
    kept_there = slices(made, 1);
    return made;
}
void write_to_kept(int x) { kept_there[0][kept_there[0].size() - 1] = x; }

// An array has one owner: these have another one of the same memory.
shared_vector<int> same(const shared_vector<int>& values)
{
    encoder out;
    out.allow(detail::travellers::memory);
    out.write(values);
    decoder in(out.bytes());
    return in.read<shared_vector<int>>();
}
void hold(shared_vector<int> values) { held_there = std::move(values); }
shared_vector<int> hold_and_return(shared_vector<int> values)
{
    held_there = same(values);
    return values;
}
shared_vector<int> held(int) { return same(*held_there); }

int die_twice(shared_span<int> counts)
{
    if (++counts[0] < 3)
        ::raise(SIGKILL);
    return counts[0];
}
shared_vector<int> die_once(shared_vector<int> counts)
{
    if (++counts[0] < 2)
        ::raise(SIGKILL);
    return counts;
}
int throw_twice(shared_span<int> counts)
{
    if (++counts[0] < 3)
        throw std::runtime_error("again");
    return counts[0];
}
int stuck_once(shared_span<int> counts)
{
    const int run = ++std::atomic_ref(counts[0]);
    while (run == 1 && !this_task::stop_token().stop_requested())
        std::this_thread::yield();
    return run;
}
void write_late(shared_span<int> part)
{
    if (this_task::index() == 0)
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
    ++part[0];
}
void write_one(shared_span<int> to, int x) { to[0] = x; }

shared_vector<int> negate_by_another(shared_vector<int> values)
{
    process_pool inner(1);
    const int* const where = values.data();
    values = inner.apply(&negate, std::move(values));
    if (values.data() != where)
        throw std::runtime_error("a copy");
    return values;
}
shared_vector<int> made_by_another(int n)
{
    process_pool inner(1);
    shared_vector<int> made = inner.apply(&up_to, n);
    inner.for_each([](shared_span<int> part) { part[0] = -part[0]; }, slices(made, made.size()));
    return made;
}
asio::awaitable<shared_vector<int>> negate_later(shared_vector<int> values)
{
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    co_return negate(std::move(values));
}

int made_here = 0;
shared_vector<int> make_counted(int n, int first)
{
    ++made_here;
    shared_vector<int> made(static_cast<std::size_t>(n));
    std::iota(made.begin(), made.end(), first);
    return made;
}
int made_there(int) { return made_here; }

} // namespace

BOOST_AUTO_TEST_CASE(holds_zeroes_at_first)
{
    const shared_vector<double> none;
    BOOST_TEST(none.empty());
    BOOST_TEST(none.size() == 0u);
    BOOST_TEST((none.begin() == none.end()));
    shared_vector<int> some(1000);
    BOOST_TEST(some.size() == 1000u);
    BOOST_TEST(std::accumulate(some.begin(), some.end(), 0) == 0);
    some[3] = 7;
    const int* const where = some.data();
    shared_vector<int> moved = std::move(some);
    BOOST_TEST(moved.data() == where);
    BOOST_TEST(moved[3] == 7);
    BOOST_TEST(some.empty());
    const std::vector<int> source{1, 2, 3};
    const shared_vector<int> copy{std::span<const int>(source)};
    BOOST_TEST(std::vector<int>(copy.begin(), copy.end()) == source);
}

BOOST_AUTO_TEST_CASE(comes_back_in_the_same_memory)
{
    process_pool pool(1);
    shared_vector<int> values = up_to(1'000'000);
    const int* const where = values.data();
    for (int round = 0; round < 3; ++round) {
        values = pool.apply(&negate, std::move(values));
        BOOST_TEST(values.data() == where);
        BOOST_TEST(values.size() == 1'000'000u);
        BOOST_TEST(values[999'999] == (round % 2 == 0 ? -999'999 : 999'999));
    }
    BOOST_TEST(pool.apply(&sum_of, std::move(values)) == -999'999LL * 500'000);
}

BOOST_AUTO_TEST_CASE(what_a_worker_has_made_is_its_own_memory_too)
{
    process_pool pool(1);
    BOOST_TEST(pool.apply(&negate, shared_vector<int>()).empty());
    const shared_vector<int> made = pool.apply(&make_and_keep, 100'000);
    BOOST_TEST(made.size() == 100'000u);
    BOOST_TEST(made[99'999] == 99'999);
    pool.apply(&write_to_kept, 7);
    BOOST_TEST(made[99'999] == 7);
    // What the worker has not got from this call is found, whoever made it.
    shared_vector<int> ours = up_to(10);
    pool.apply(&hold, std::move(ours));
    BOOST_TEST(pool.apply(&held, 0)[9] == 9);
    ours = pool.apply(&hold_and_return, up_to(20));
    BOOST_TEST(pool.apply(&held, 0).data() == ours.data());
}

BOOST_AUTO_TEST_CASE(many_go_to_several_workers)
{
    process_pool pool(2);
    std::vector<shared_vector<int>> inputs;
    for (int i = 0; i < 40; ++i)
        inputs.push_back(up_to(1000 + i));
    const std::vector<shared_vector<int>> results = pool.map(&negate, inputs);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        BOOST_TEST(results[i].data() == inputs[i].data());
        BOOST_TEST(inputs[i][999] == -999);
    }
}

BOOST_AUTO_TEST_CASE(one_of_many_tasks_is_sent_once)
{
    process_pool pool(1);
    pool.start();
    const shared_vector<int> values = up_to(1000);
    const std::vector<shared_span<const int>> parts(1000, shared_span<const int>(values, 5, 2));
    const std::vector<std::size_t> open = pool.with({.chunk_size = 500}).map(&blocks_beside, parts);
    BOOST_TEST(std::ranges::max(open) == 1u);
}

BOOST_AUTO_TEST_CASE(survives_the_death_of_a_worker)
{
    process_pool pool(1);
    std::vector<shared_vector<int>> inputs;
    inputs.push_back(up_to(1000));
    BOOST_CHECK_THROW(pool.map(&write_and_die, inputs), error);
    BOOST_TEST(inputs[0][0] == 42);
    BOOST_TEST(pool.apply(&sum_of, std::move(inputs[0])) == 42 + 999 * 500);
}

BOOST_AUTO_TEST_CASE(a_task_that_runs_again_has_the_same_memory)
{
    process_pool pool(2);
    shared_vector<int> counts(3);
    // Not elements of the caller's: the call alone keeps them.
    const auto counted = [&] { return slices(counts, 1)[0]; };
    BOOST_TEST(pool.with({.retries = 2}).apply(&die_twice, counted()) == 3);
    counts[0] = 0;
    BOOST_TEST(pool.with({.retry = {.attempts = 3}}).apply(&throw_twice, counted()) == 3);
    counts[0] = 0;
    BOOST_TEST(pool.with({.hedge_after = std::chrono::milliseconds(20)}).apply(&stuck_once, counted()) == 2);
    shared_vector<int> alone(1);
    const int* const where = alone.data();
    alone = pool.with({.retries = 2}).apply(&die_once, std::move(alone));
    BOOST_TEST(alone.data() == where);
    BOOST_TEST(alone[0] == 2);
}

BOOST_AUTO_TEST_CASE(what_is_taken_back_goes_elsewhere_with_its_memory)
{
    process_pool pool(2);
    shared_vector<int> values(400);
    auto parts = slices(values, 400);
    std::vector<shared_span<int>> moved(parts.begin(), parts.end());
    parts.clear();
    // One worker has half of them, and begins with one that takes long: the other one gets the rest of those.
    pool.with({.chunk_size = 200}).map(&write_late, std::move(moved));
    BOOST_TEST(std::ranges::count(values, 1) == 400);
}

BOOST_AUTO_TEST_CASE(leaves_nothing_behind)
{
    const std::size_t before = open_blocks();
    {
        std::vector<shared_vector<int>> some;
        for (int i = 0; i < 10; ++i)
            some.push_back(up_to(10));
        BOOST_TEST(open_blocks() == before + 10);
    }
    BOOST_TEST(open_blocks() == before);
}

BOOST_AUTO_TEST_CASE(no_descriptor_is_left_after_many_calls)
{
    process_pool pool(1);
    pool.start();
    const std::size_t before = open_blocks();
    const auto call = [&pool](int times) {
        shared_vector<int> same = up_to(10);
        for (int i = 0; i < times; ++i) {
            same = pool.apply(&negate, std::move(same));
            BOOST_TEST_REQUIRE(pool.apply(&sum_of, up_to(10)) == 45);
            BOOST_TEST_REQUIRE(pool.apply(&up_to, 10)[9] == 9);
        }
    };
    call(20); // the worker keeps a few
    const std::size_t in_worker = pool.apply(&blocks_there, 0);
    BOOST_TEST(in_worker <= 9u);
    call(350);
    BOOST_TEST(pool.apply(&blocks_there, 0) == in_worker);
    check_blocks(before);
    for (int i = 0; i < 3; ++i)
        BOOST_CHECK_THROW(pool.apply(&write_and_die, up_to(10)), worker_died);
    check_blocks(before);
    auto dropped = pool.imap(&up_to, std::vector<int>(100, 10));
    dropped.begin();
    {
        const auto gone = std::move(dropped);
    }
    BOOST_TEST(pool.apply(&sum_of, up_to(10)) == 45);
    check_blocks(before);
}

BOOST_AUTO_TEST_CASE(arrays_that_are_made_as_they_are_sent_are_few_at_a_time)
{
    process_pool pool(1);
    pool.start();
    std::size_t most = 0;
    const auto made = std::views::iota(0, 400) | std::views::transform([&most](int) {
                          most = std::max(most, open_blocks());
                          return up_to(10);
                      });
    BOOST_TEST(pool.with({.chunk_size = 300}).map(&sum_of, made).size() == 400u);
    BOOST_TEST(most < 200u);
}

// Its workers tell of the end of a chunk, which nobody waits for, when there is more to tell.
BOOST_AUTO_TEST_CASE(an_idle_pool_keeps_nothing_of_calls_that_are_over)
{
    process_pool pool(1);
    pool.start();
    const std::size_t before = open_blocks();
    const auto several = [](int count) {
        return std::views::iota(0, count) | std::views::transform([](int) { return up_to(10); });
    };
    for (int i = 0; i < 10; ++i) {
        BOOST_TEST_REQUIRE(pool.apply(&sum_of, up_to(10)) == 45);
        check_blocks(before);
        BOOST_TEST_REQUIRE(pool.reduce(&sum_of, std::plus<>(), 0LL, several(20)) == 900);
        check_blocks(before);
        std::vector<shared_vector<int>> all;
        for (shared_vector<int> one : several(5))
            all.push_back(std::move(one));
        BOOST_TEST_REQUIRE(pool.map(&sum_of, std::move(all)).size() == 5u);
        check_blocks(before);
        BOOST_CHECK_THROW(pool.map(&make_unless_odd, std::vector<int>{2, 4, 6, 7}), std::runtime_error);
        check_blocks(before);
    }
}

BOOST_AUTO_TEST_CASE(a_program_that_nobody_may_look_into_sends_the_memory)
{
    process_pool pool(1);
    pool.start();
    std::vector<shared_vector<int>> inputs;
    inputs.push_back(up_to(1000));
    ::prctl(PR_SET_DUMPABLE, 0);
    const auto results = pool.map(&negate, inputs);
    ::prctl(PR_SET_DUMPABLE, 1);
    BOOST_TEST(inputs[0][999] == -999);
    BOOST_TEST(results[0].data() == inputs[0].data());
}

BOOST_AUTO_TEST_CASE(workers_of_workers_get_the_memory)
{
    process_pool pool(1);
    shared_vector<int> values = up_to(1000);
    const int* const where = values.data();
    values = pool.apply(&negate_by_another, std::move(values));
    BOOST_TEST(values.data() == where);
    BOOST_TEST(values[999] == -999);
    const shared_vector<int> made = pool.apply(&made_by_another, 1000);
    BOOST_TEST(made[999] == -999);
}

BOOST_AUTO_TEST_CASE(coroutines_and_inline_pools_get_the_memory)
{
    process_pool pool(1);
    shared_vector<int> values = up_to(100);
    const int* const where = values.data();
    values = pool.apply(&negate_later, std::move(values));
    BOOST_TEST(values.data() == where);
    BOOST_TEST(values[99] == -99);
    inline_process_pool here;
    values = here.apply(&negate_later, std::move(values));
    BOOST_TEST(values.data() == where);
    BOOST_TEST(values[99] == 99);
    BOOST_TEST(here.apply(&up_to, 100)[99] == 99);
}

BOOST_AUTO_TEST_CASE(functions_and_initializers_that_it_is_bound_to_get_the_memory)
{
    shared_vector<int> values = up_to(100), told(1);
    pool_options options;
    options.nodes = 1;
    options.initializer = task(&write_one, slices(told, 1)[0], 1);
    options.finalizer = task(&write_one, slices(told, 1)[0], 2);
    {
        process_pool pool(options);
        pool.start();
        BOOST_TEST(told[0] == 1);
        const shared_span<const int> whole(values);
        const auto f = partial([](const shared_span<const int>& all, int i) { return all[std::size_t(i)]; }, whole);
        values[7] = 70; // seen, as it is no copy
        BOOST_TEST(pool.map(f, std::vector<int>{1, 7}) == (std::vector<int>{1, 70}), per_element());
        values[7] = 7;
        BOOST_TEST(pool.apply(f, 7) == 7);
        pool.apply(partial(&write_one, slices(values, 1)[0]), 8);
        BOOST_TEST(values[0] == 8);
        BOOST_TEST(pool.apply(partial([](shared_span<const int> all, int) { return all; }, whole), 0).data() ==
                   values.data());
        const auto sender =
            pool.apply(partial([](const shared_vector<int>& all, int i) { return all[i]; }, up_to(5)), 4);
        BOOST_TEST(sender == 4);
    }
    BOOST_TEST(told[0] == 2);
}

BOOST_AUTO_TEST_CASE(a_journal_keeps_what_tasks_have_made)
{
    const scratch_folder folder("shared_vector");
    const std::string journal = folder.path / "journal";
    shared_vector<int> runs(1);
    process_pool pool(1);
    const auto make = partial(&make_counted, 10);
    for (int run = 0; run < 2; ++run) {
        const std::vector<shared_vector<int>> made =
            pool.with({}).journal(journal).map(make, std::vector<int>{3, 4, 5});
        BOOST_TEST(made[2][9] == 14);
        BOOST_TEST(made[0][0] == 3);
    }
    BOOST_TEST(pool.apply(&made_there, 0) == 3); // the second run has read them
    // Tasks that are handed out behind a gap keep their memory.
    shared_vector<int> values = up_to(6);
    const auto parts = slices(std::as_const(values), 6);
    const auto twice = [](shared_span<const int> part) { return 2 * part[0]; };
    const std::string other = folder.path / "other";
    BOOST_TEST(pool.with({}).journal(other).map(twice, parts)[5] == 10);
    const std::vector<shared_span<const int>> some{parts[0], shared_span<const int>(values, 5, 1), parts[2], parts[3]};
    BOOST_TEST(pool.with({}).journal(other).map(twice, some) == (std::vector<int>{0, 10, 4, 6}), per_element());
}

BOOST_AUTO_TEST_CASE(a_child_that_the_program_has_forked_sends_the_same_memory)
{
    if (TWAT_MP_TEST_TSAN)
        return; // it ends a forked process that starts threads, as a pool does
    shared_vector<int> values = up_to(1000);
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(60);
        bool same = false;
        try {
            process_pool pool(1);
            const int* const where = values.data();
            const shared_vector<int> back = pool.apply(&negate, std::move(values));
            same = back.data() == where && pool.apply(&up_to, 10)[9] == 9;
        }
        catch (const std::exception& e) {
            std::fprintf(stderr, "%s\n", e.what());
        }
        ::_exit(same ? 0 : 1);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    BOOST_TEST(status == 0);
    BOOST_TEST(values[999] == -999);
}

BOOST_AUTO_TEST_CASE(a_child_of_a_fork_can_make_and_free_them_whatever_other_threads_did)
{
    std::atomic<bool> stop{false};
    std::vector<std::thread> others;
    for (int i = 0; i < 2; ++i)
        others.emplace_back([&stop] {
            while (!stop)
                shared_vector<int>(10);
        });
    int ended_in_order = 0;
    for (int i = 0; i < 200; ++i) {
        const pid_t child = ::fork();
        if (child == 0) {
            ::alarm(20); // a mutex that another thread held would never be free
            shared_vector<int>(10);
            ::_exit(0);
        }
        int status = -1;
        ::waitpid(child, &status, 0);
        ended_in_order += status == 0;
    }
    stop = true;
    for (std::thread& other : others)
        other.join();
    BOOST_TEST(ended_in_order == 200);
}

BOOST_AUTO_TEST_CASE(a_lack_of_descriptors_is_named)
{
    // UBSan opens a pipe to look at an object: without one it takes any for something else, and ends the worker.
    if (TWAT_MP_TEST_ASAN)
        return;
    const auto names_limit = [](const std::exception& e) {
        return std::string_view(e.what()).find("RLIMIT_NOFILE") != std::string_view::npos;
    };
    process_pool pool(1);
    const std::size_t in_worker = pool.apply(&descriptors_there, 0);
    BOOST_TEST(pool.apply(&limit_descriptors, static_cast<int>(in_worker + 3)) == 0);
    const auto count_all = [](std::vector<shared_vector<int>> all) { return all.size(); };
    const auto many = [](int n) {
        std::vector<shared_vector<int>> made;
        for (int i = 0; i < n; ++i)
            made.push_back(up_to(10));
        return made;
    };
    BOOST_CHECK_EXCEPTION(pool.apply(count_all, many(20)), std::exception, names_limit);
    BOOST_TEST(pool.apply(&sum_of, up_to(10)) == 45); // those that follow are the right ones
    process_pool other(1);
    other.start();
    std::string what, cannot_make;
    std::vector<shared_vector<int>> before = many(1); // those of the library, which it makes when they are needed
    {
        const resource_limit few(RLIMIT_NOFILE, 10); // the lowest number of ours
        try {
            other.apply(&up_to, 10);
        }
        catch (const std::exception& e) {
            what = e.what();
        }
        try {
            up_to(10);
        }
        catch (const std::system_error& e) {
            cannot_make = e.what();
        }
        BOOST_TEST(other.apply(&sum_of, std::move(before[0])) == 45); // to send takes none
    }
    BOOST_TEST(what.find("RLIMIT_NOFILE") != std::string::npos, what);
    BOOST_TEST(cannot_make.find("shared memory") != std::string::npos, cannot_make);
    BOOST_TEST(other.apply(&up_to, 10)[9] == 9);
}

BOOST_AUTO_TEST_CASE(what_refers_to_memory_that_is_gone_is_refused)
{
    const auto refused = [](const error& e) { return e.code() == errc::decode_failed; };
    encoder out;
    {
        const shared_vector<int> gone = up_to(10);
        out.allow(detail::travellers::memory);
        out.write(gone);
        decoder in(out.bytes());
        BOOST_TEST(in.read<shared_vector<int>>().data() == gone.data());
        decoder as_larger(out.bytes()); // the same name for elements of another size
        BOOST_CHECK_EXCEPTION(as_larger.read<shared_vector<long long>>(), error, refused);
    }
    {
        decoder in(out.bytes()); // what goes along keeps it
        BOOST_TEST(in.read<shared_vector<int>>()[9] == 9);
    }
    out.sent()->clear();
    decoder in(out.bytes());
    BOOST_CHECK_EXCEPTION(in.read<shared_vector<int>>(), error, refused);
}

BOOST_AUTO_TEST_CASE(bytes_alone_hold_a_copy)
{
    shared_vector<int> values = up_to(10);
    encoder out;
    out.write(values);
    values[9] = 0;
    decoder in(out.bytes());
    BOOST_TEST(in.read<shared_vector<int>>()[9] == 9);
}

BOOST_AUTO_TEST_CASE(what_arrives_and_is_something_else_is_refused)
{
    detail::block_registry& registry = detail::block_registry::instance();
    const detail::block_owner owner{detail::block_owner::kind::results, 1};
    const auto is_refused = [&](std::uint64_t key, int fd) {
        registry.put(owner, key, unique_fd(fd));
        encoder out;
        out.write(true);
        out.write(std::uint64_t(1));
        out.write(key);
        decoder in(out.bytes());
        try {
            in.read<shared_vector<int>>();
            return false;
        }
        catch (const error& e) {
            return e.code() == errc::decode_failed;
        }
    };
    BOOST_TEST(is_refused(1, ::open("/dev/null", O_RDWR | O_CLOEXEC)));
    BOOST_TEST(is_refused(2, ::memfd_create("twat-mp test", MFD_CLOEXEC))); // which could be cut off
    const int empty = ::memfd_create("twat-mp test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    ::fcntl(empty, F_ADD_SEALS, F_SEAL_SHRINK);
    BOOST_TEST(is_refused(3, empty));
    BOOST_TEST(is_refused(4, -1));
    registry.drop(owner);
}

BOOST_AUTO_TEST_SUITE_END()
