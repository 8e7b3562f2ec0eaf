// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include <twat/mp/shared_vector.hpp>

#include <twat/mp/error.hpp>
#include <twat/mp/multi_pool.hpp>

#include <boost/test/unit_test.hpp>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <numeric>
#include <optional>
#include <thread>
#include <vector>

using namespace twat::mp;

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

BOOST_AUTO_TEST_CASE(empty_ones_and_those_made_in_a_worker_are_copied)
{
    process_pool pool(1);
    BOOST_TEST(pool.apply(&negate, shared_vector<int>()).empty());
    const shared_vector<int> made = pool.apply(&up_to, 100'000);
    BOOST_TEST(made.size() == 100'000u);
    BOOST_TEST(made[99'999] == 99'999);
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

BOOST_AUTO_TEST_CASE(survives_the_death_of_a_worker)
{
    process_pool pool(1);
    std::vector<shared_vector<int>> inputs;
    inputs.push_back(up_to(1000));
    BOOST_CHECK_THROW(pool.map(&write_and_die, inputs), error);
    BOOST_TEST(inputs[0][0] == 42);
    BOOST_TEST(pool.apply(&sum_of, std::move(inputs[0])) == 42 + 999 * 500);
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

BOOST_AUTO_TEST_CASE(a_program_that_nobody_may_look_into_sends_copies)
{
    process_pool pool(1);
    pool.start();
    std::vector<shared_vector<int>> inputs;
    inputs.push_back(up_to(1000));
    ::prctl(PR_SET_DUMPABLE, 0);
    const auto results = pool.map(&negate, inputs);
    ::prctl(PR_SET_DUMPABLE, 1);
    BOOST_TEST(inputs[0][999] == 999);
    BOOST_TEST(results[0][999] == -999);
}

BOOST_AUTO_TEST_CASE(after_a_fork_it_is_the_child_s_too)
{
    const shared_vector<int> values(10);
    const auto holder_of = [&] {
        encoder out;
        out.write(values);
        decoder in(out.bytes());
        in.read<bool>();
        in.read<std::uint64_t>();
        return in.read<std::uint64_t>();
    };
    BOOST_TEST(holder_of() == static_cast<std::uint64_t>(::getpid()));
    const pid_t child = ::fork();
    if (child == 0)
        ::_exit(holder_of() == static_cast<std::uint64_t>(::getpid()) ? 0 : 1);
    int status = -1;
    ::waitpid(child, &status, 0);
    BOOST_TEST(status == 0);
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

BOOST_AUTO_TEST_CASE(a_name_without_its_memory_is_refused)
{
    encoder out;
    {
        const shared_vector<int> gone(10);
        out.write(gone);
        decoder in(out.bytes());
        BOOST_TEST(in.read<shared_vector<int>>().data() == gone.data());
        decoder as_larger(out.bytes()); // the same name for elements of another size
        BOOST_CHECK_EXCEPTION(as_larger.read<shared_vector<long long>>(), error,
                              [](const error& e) { return e.code() == errc::decode_failed; });
    }
    decoder in(out.bytes());
    BOOST_CHECK_EXCEPTION(in.read<shared_vector<int>>(), error,
                          [](const error& e) { return e.code() == errc::decode_failed; });
}

BOOST_AUTO_TEST_SUITE_END()
