// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/detail/operation/stream_elements.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace twat::mp::detail;

BOOST_AUTO_TEST_SUITE(test_stream_elements)

namespace {

/// What is read of each stream in a row: "index=value", or "index!" for a failure.
template <class R>
std::string read_all(stream_elements<R>& elements)
{
    typename stream_elements<R>::runs fetched;
    elements.fetch(fetched);
    std::string text;
    for (const auto& [key, run] : fetched)
        for (std::size_t i = 0; i != run.size(); ++i) {
            text += (text.empty() ? "" : " ") + std::to_string(run.first + i);
            text += run.error ? "!" : "=" + std::to_string(run.values[i].value);
        }
    return text;
}

/// Adds a run of `count` values that are ten times their index.
void add_run(stream_elements<int>& elements, int first, int count)
{
    auto run = elements.make_run(static_cast<std::uint64_t>(first));
    for (int i = 0; i != count; ++i)
        run.mapped().values.push_back({10 * (first + i)});
    elements.add(std::move(run));
}

void fail(stream_elements<int>& elements, std::uint64_t index)
{
    elements.add_failure(index, std::make_exception_ptr(std::runtime_error("bad")));
}

} // namespace

BOOST_AUTO_TEST_CASE(nothing_can_be_read_at_first)
{
    for (const auto order : {stream_order::input, stream_order::completion}) {
        stream_elements<int> elements(order);
        BOOST_TEST(!elements.readable());
        BOOST_TEST(read_all(elements).empty());
    }
}

BOOST_AUTO_TEST_CASE(input_order_waits_for_what_is_missing)
{
    stream_elements<int> elements(stream_order::input);
    elements.add(2, 20);
    add_run(elements, 4, 2);
    BOOST_TEST(!elements.readable());
    elements.add(0, 0);
    BOOST_TEST(read_all(elements) == "0=0");
    BOOST_TEST(!elements.readable());
    fail(elements, 1);
    BOOST_TEST(read_all(elements) == "1! 2=20");
    elements.add(3, 30);
    BOOST_TEST(read_all(elements) == "3=30 4=40 5=50");
    BOOST_TEST(!elements.readable());
    add_run(elements, 6, 3);
    BOOST_TEST(read_all(elements) == "6=60 7=70 8=80");
}

BOOST_AUTO_TEST_CASE(completion_order_is_that_of_arrival)
{
    stream_elements<int> elements(stream_order::completion);
    add_run(elements, 4, 2);
    elements.add(6, 60);
    elements.add(0, 0);
    fail(elements, 1);
    elements.add(2, 20);
    BOOST_TEST(read_all(elements) == "4=40 5=50 6=60 0=0 1! 2=20");
    elements.add(3, 30);
    BOOST_TEST(read_all(elements) == "3=30");
}

BOOST_AUTO_TEST_CASE(values_one_by_one_become_runs)
{
    for (const auto order : {stream_order::input, stream_order::completion}) {
        stream_elements<int> elements(order);
        for (const std::uint64_t i : {0u, 1u, 2u, 3u})
            elements.add(i, static_cast<int>(i));
        stream_elements<int>::runs fetched;
        elements.fetch(fetched);
        BOOST_TEST(fetched.size() == 1u);
        elements.add(4, 4); // what it continues has gone to the reader
        elements.fetch(fetched);
        BOOST_TEST(fetched.size() == 2u);
    }
}

BOOST_AUTO_TEST_CASE(nothing_continues_a_failure)
{
    stream_elements<int> elements(stream_order::input);
    fail(elements, 0);
    elements.add(1, 10);
    fail(elements, 2);
    BOOST_TEST(read_all(elements) == "0! 1=10 2!");
}

BOOST_AUTO_TEST_CASE(holds_what_containers_refuse)
{
    stream_elements<bool> flags(stream_order::input);
    flags.add(0, true);
    flags.add(1, false);
    BOOST_TEST(read_all(flags) == "0=1 1=0");

    stream_elements<std::unique_ptr<int>> owners(stream_order::completion);
    owners.add(0, std::make_unique<int>(7));
    owners.add(1, nullptr);
    decltype(owners)::runs fetched;
    owners.fetch(fetched);
    BOOST_TEST(*fetched.begin()->second.values[0].value == 7);
}

BOOST_AUTO_TEST_CASE(order_does_not_depend_on_the_order_of_arrival)
{
    std::vector<int> firsts{9, 0, 6, 3, 12, 15};
    do {
        stream_elements<int> elements(stream_order::input);
        std::string text;
        for (const int first : firsts) {
            add_run(elements, first, 3);
            const std::string more = read_all(elements);
            text += (text.empty() || more.empty() ? "" : " ") + more;
        }
        BOOST_TEST_REQUIRE(
            text ==
            "0=0 1=10 2=20 3=30 4=40 5=50 6=60 7=70 8=80 9=90 10=100 11=110 12=120 13=130 14=140 15=150 16=160 17=170");
    } while (std::next_permutation(firsts.begin(), firsts.end()));
}

BOOST_AUTO_TEST_SUITE_END()
