// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include <twat/mp/shared_span.hpp>

#include <twat/mp/async_pool.hpp>
#include <twat/mp/inline_pool.hpp>
#include <twat/mp/multi_pool.hpp>

#include <boost/asio/awaitable.hpp>

#include <boost/test/unit_test.hpp>

#include <sys/prctl.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <memory>
#include <ranges>
#include <span>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "io_context_fixture.hpp"
#include "scratch_folder.hpp"

using namespace twat::mp;
using namespace twat::mp::test;
using boost::test_tools::per_element;

BOOST_AUTO_TEST_SUITE(test_shared_span)

namespace {

using written_pools = std::tuple<process_pool, thread_pool>;
using awaited_pools = std::tuple<async_multi_pool, async_thread_pool>;

shared_vector<int> up_to(int n)
{
    shared_vector<int> values(static_cast<std::size_t>(n));
    std::iota(values.begin(), values.end(), 0);
    return values;
}

void negate(shared_span<int> part)
{
    for (int& value : part)
        value = -value;
}
long long sum_of(shared_span<const int> part) { return std::accumulate(part.begin(), part.end(), 0LL); }
shared_span<const int> behind(shared_span<const int> part) { return part; }
std::vector<int> first_of_each(std::vector<shared_span<const int>> parts)
{
    std::vector<int> found;
    for (const auto& part : parts)
        found.push_back(part[0]);
    return found;
}
// From a worker to a worker of its own: of what the worker was sent, of what it made, and what may be written.
long long sum_by_another(shared_span<const int> part)
{
    process_pool inner(1);
    return inner.apply(&sum_of, part) + inner.apply(&sum_of, shared_span<const int>(up_to(10), 5, 2));
}
int negate_own_by_another()
{
    shared_vector<int> own = up_to(10);
    process_pool inner(1);
    inner.for_each(&negate, slices(own, 2));
    return own[9];
}
// And what the worker was sent.
void negate_by_another(shared_span<int> part)
{
    process_pool inner(1);
    inner.apply(&negate, part);
}
shared_span<int> the_same(shared_span<int> part) { return part; }
shared_span<int> of_its_own(int) { return slices(up_to(10), 1)[0]; }

} // namespace

BOOST_AUTO_TEST_CASE(slices_cover_an_array_and_do_not_overlap)
{
    shared_vector<int> values = up_to(10);
    const auto parts = slices(values, 4);
    BOOST_TEST_REQUIRE(parts.size() == 4u);
    std::vector<std::size_t> sizes;
    const int* next = values.data();
    for (const shared_span<int>& part : parts) {
        BOOST_TEST(part.data() == next);
        next = part.end();
        sizes.push_back(part.size());
    }
    BOOST_TEST(sizes == (std::vector<std::size_t>{3, 3, 2, 2}), per_element());
    BOOST_TEST(next == values.end());
    BOOST_TEST(slices(values, 100).size() == 10u);
    shared_vector<int> none;
    BOOST_TEST(slices(none, 3).empty());
    BOOST_CHECK_THROW(slices(values, 0), std::invalid_argument);
    static_assert(std::same_as<decltype(slices(std::as_const(values), 2)), std::vector<shared_span<const int>>>);
}

BOOST_AUTO_TEST_CASE(any_part_of_an_array_can_be_read)
{
    shared_vector<int> values = up_to(10);
    const shared_span<const int> part(values, 7, 3);
    BOOST_TEST(part.data() == values.data() + 7);
    const std::span<const int> view = part;
    BOOST_TEST(view.size() == 3u);
    BOOST_TEST(shared_span<const int>(values).size() == 10u);
    BOOST_TEST(shared_span<const int>(values, 10, 0).empty());
    BOOST_TEST(shared_span<const int>().empty());
    BOOST_TEST(shared_span<const int>(slices(values, 2)[1])[0] == 5);
    for (const auto& [first, count] : {std::pair<std::size_t, std::size_t>{11, 0}, {8, 3}, {1, SIZE_MAX}})
        BOOST_CHECK_THROW(shared_span<const int>(values, first, count), std::out_of_range);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(tasks_write_the_elements_of_the_caller, Pool, written_pools)
{
    Pool pool(2);
    shared_vector<int> values = up_to(1'000'000);
    pool.map(&negate, slices(values, 7));
    const auto parts = slices(values, 16);
    BOOST_TEST(values[999'999] == -999'999);
    pool.for_each(&negate, parts); // of the caller's range as well as of one that is moved in
    pool.map(&negate, parts);
    BOOST_TEST(values[0] == 0);
    BOOST_TEST(values[999'999] == -999'999);
    std::vector<long long> sums = pool.map(&sum_of, slices(std::as_const(values), 10));
    BOOST_TEST(std::accumulate(sums.begin(), sums.end(), 0LL) == -999'999LL * 500'000);
    BOOST_TEST(pool.apply(&sum_of, shared_span<const int>(values, 100, 3)) == -303);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(awaited_tasks_write_the_elements_of_the_caller, Pool, awaited_pools,
                                 test::io_context_fixture)
{
    this->run_coro([&]() -> boost::asio::awaitable<void> {
        Pool pool(this->ctx, 2);
        shared_vector<int> values = up_to(100'000);
        const auto parts = slices(values, 7);
        co_await pool.for_each(&negate, parts);
        BOOST_TEST(values[99'999] == -99'999);
        BOOST_TEST(values[50'000] == -50'000);
        auto read = slices(std::as_const(values), 10);
        const std::vector<long long> sums = co_await pool.map(&sum_of, std::move(read));
        BOOST_TEST(std::accumulate(sums.begin(), sums.end(), 0LL) == -99'999LL * 50'000);
        const shared_span<const int> few(values, 10, 5);
        const shared_span<const int> back = co_await pool.apply(&behind, few);
        BOOST_TEST(back.data() == values.data() + 10);
        co_await pool.join();
    });
}

BOOST_AUTO_TEST_CASE(one_comes_back_as_the_same_memory)
{
    process_pool pool(1);
    shared_vector<int> values = up_to(1000);
    const shared_span<const int> back = pool.apply(&behind, shared_span<const int>(values, 10, 5));
    BOOST_TEST(back.data() == values.data() + 10);
    BOOST_TEST(back.size() == 5u);
}

BOOST_AUTO_TEST_CASE(one_keeps_the_memory_of_an_array_that_is_gone)
{
    process_pool pool(1);
    auto parts = slices(up_to(100), 4);
    BOOST_TEST(parts[3][24] == 99);
    BOOST_TEST(pool.apply(&first_of_each, std::vector<shared_span<const int>>(parts.begin(), parts.end())) ==
                   (std::vector<int>{0, 25, 50, 75}),
               per_element());
    const auto sums = pool.map(&sum_of, std::vector<shared_span<const int>>(parts.begin(), parts.end()));
    BOOST_TEST(sums[0] == 300);
    parts.clear();
    BOOST_TEST(pool.apply(&sum_of, slices(std::as_const(*std::make_unique<shared_vector<int>>(up_to(10))), 1)[0]) ==
               45);
}

BOOST_AUTO_TEST_CASE(a_worker_sends_on_what_may_be_read)
{
    process_pool pool(1);
    const shared_vector<int> values = up_to(100);
    BOOST_TEST(pool.apply(&sum_by_another, shared_span<const int>(values, 50, 2)) == 101 + 11);
}

BOOST_AUTO_TEST_CASE(what_may_be_written_goes_anywhere_on_the_machine)
{
    process_pool pool(1);
    pool.start();
    BOOST_TEST(pool.apply(&negate_own_by_another) == -9);
    shared_vector<int> values = up_to(100);
    pool.apply(&negate_by_another, slices(values, 1)[0]);
    BOOST_TEST(values[99] == -99);
    const shared_span<int> made = pool.apply(&of_its_own, 0);
    BOOST_TEST(made[9] == 9);
    ::prctl(PR_SET_DUMPABLE, 0);
    pool.for_each(&negate, slices(values, 2));
    const auto sums = pool.map(&sum_of, slices(std::as_const(values), 2));
    ::prctl(PR_SET_DUMPABLE, 1);
    BOOST_TEST(sums[1] == 3725);
    BOOST_TEST(values[99] == 99);
}

BOOST_AUTO_TEST_CASE(what_may_be_written_is_never_copied)
{
    const auto says_so = [](const error& e) {
        return e.code() == errc::encode_failed && std::string(e.what()).find("may be written") != std::string::npos;
    };
    const scratch_folder folder("shared_span");
    process_pool pool(1);
    shared_vector<int> values = up_to(10);
    BOOST_CHECK_EXCEPTION(pool.with({}).journal(folder.path / "own").map(&of_its_own, std::vector<int>{1}), error,
                          says_so);
    const auto back = pool.with({}).journal(folder.path / "same").map(&the_same, slices(values, 1));
    BOOST_TEST(back[0].data() == values.data());
    encoder bytes;
    BOOST_CHECK_EXCEPTION(bytes.write(slices(values, 1)[0]), error, says_so);
}

BOOST_AUTO_TEST_CASE(inline_pools_that_encode_write_the_same_elements)
{
    inline_process_pool pool;
    shared_vector<int> values = up_to(10);
    pool.for_each(&negate, slices(values, 3));
    BOOST_TEST(values[9] == -9);
}

BOOST_AUTO_TEST_CASE(what_is_not_in_the_array_is_refused)
{
    shared_vector<int> values = up_to(10);
    encoder out;
    out.allow(detail::travellers::memory);
    out.write(slices(values, 2)[1]);
    decoder in(out.bytes());
    BOOST_TEST(in.read<shared_span<int>>()[0] == 5);
    decoder as_larger(out.bytes());
    BOOST_CHECK_THROW(as_larger.read<shared_span<long long>>(), error);
    encoder bytes;
    bytes.write(false);
    bytes.write(std::uint64_t(1));
    bytes.write(7);
    decoder for_reading(bytes.bytes());
    BOOST_TEST(for_reading.read<shared_span<const int>>()[0] == 7);
    decoder for_writing(bytes.bytes());
    BOOST_CHECK_THROW(for_writing.read<shared_span<int>>(), error);
}

BOOST_AUTO_TEST_SUITE_END()
