// SPDX-License-Identifier: BSL-1.0
// What every kind of asynchronous pool does. Included inside a suite, behind
//
//   using pool_fixtures = boost::mp11::mp_list<...>;
//
// whose members derive from io_context_fixture and have a `pool`. Functions are portable, so that workers may be processes.

namespace cases {

inline int twice(int x) { return 2 * x; }
inline int add(int x, int y) { return x + y; }
inline std::unique_ptr<int> boxed(int x) { return std::make_unique<int>(x); }
inline int unboxed(const std::unique_ptr<int>& x) { return *x; }
inline void nothing(int) {}
inline bool odd(int x) { return x % 2 != 0; }
inline std::string shout(const std::string& text) { return text + "!"; }
inline asio::awaitable<int> later_twice(int x) { co_return 2 * x; }
inline asio::awaitable<void> later_nothing(int) { co_return; }
inline int refuse_threes(int x)
{
    if (x % 3 == 0)
        throw std::domain_error("three");
    return x;
}
inline void refuse_threes_silently(int x) { refuse_threes(x); }
inline asio::awaitable<int> later_refuse_threes(int x) { co_return refuse_threes(x); }

/// 0, 1, ... up to `end`, behind which reading throws.
struct broken_range
{
    struct iterator
    {
        using value_type = int;
        using difference_type = std::ptrdiff_t;

        int operator*() const
        {
            if (at == end)
                throw std::out_of_range("broken range");
            return at;
        }
        iterator& operator++()
        {
            ++at;
            return *this;
        }
        void operator++(int) { ++at; }
        bool operator==(std::default_sentinel_t) const { return false; }

        int at = 0;
        int end = 0;
    };

    iterator begin() const { return {0, size}; }
    std::default_sentinel_t end() const { return {}; }

    int size = 0;
};

template <class Stream>
asio::awaitable<std::vector<typename Stream::value_type>> read_all(Stream& stream)
{
    std::vector<typename Stream::value_type> values;
    for (;;) {
        auto value = co_await stream.next();
        if (!value)
            co_return values;
        values.push_back(std::move(*value));
    }
}

} // namespace cases

using namespace cases;

// apply

BOOST_AUTO_TEST_CASE_TEMPLATE(apply_gives_the_result, fixture, pool_fixtures)
{
    fixture f;
    f.run_coro([&]() -> asio::awaitable<void> {
        BOOST_TEST(co_await f.pool.apply(add, 2, 3) == 5);
        BOOST_TEST(co_await f.pool.apply([] { return 7; }) == 7);
        BOOST_TEST(co_await f.pool.apply(shout, "hey") == "hey!");
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(apply_moves_arguments_and_results, fixture, pool_fixtures)
{
    fixture f;
    f.run_coro([&]() -> asio::awaitable<void> {
        auto argument = std::make_unique<int>(4);
        auto same = [](std::unique_ptr<int> x) { return x; };
        auto result = co_await f.pool.apply(same, std::move(argument));
        BOOST_TEST_REQUIRE(!!result);
        BOOST_TEST(*result == 4);
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(apply_of_a_void_task_has_no_result, fixture, pool_fixtures)
{
    fixture f;
    f.run_coro([&]() -> asio::awaitable<void> {
        static_assert(std::is_same_v<decltype(f.pool.apply(nothing, 1)), asio::awaitable<void>>);
        co_await f.pool.apply(nothing, 1);
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(apply_throws_what_the_task_threw, fixture, pool_fixtures)
{
    fixture f;
    f.run_coro([&]() -> asio::awaitable<void> {
        BOOST_CHECK_THROW(co_await f.pool.apply(refuse_threes, 3), std::domain_error);
        BOOST_CHECK_THROW(co_await f.pool.apply(refuse_threes_silently, 3), std::domain_error);
        BOOST_CHECK_THROW(co_await f.pool.apply(later_refuse_threes, 3), std::domain_error);
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(apply_runs_coroutines, fixture, pool_fixtures)
{
    fixture f;
    f.run_coro([&]() -> asio::awaitable<void> {
        BOOST_TEST(co_await f.pool.apply(later_twice, 4) == 8);
        co_await f.pool.apply(later_nothing, 4);
    });
}

// map

BOOST_AUTO_TEST_CASE_TEMPLATE(map_keeps_the_order_of_the_input, fixture, pool_fixtures)
{
    fixture f;
    std::vector<int> inputs(1000);
    std::iota(inputs.begin(), inputs.end(), 0);
    f.run_coro([&]() -> asio::awaitable<void> {
        const auto results = co_await f.pool.map(twice, inputs);
        BOOST_TEST_REQUIRE(results.size() == inputs.size());
        for (std::size_t i = 0; i < results.size(); ++i)
            BOOST_TEST_REQUIRE(results[i] == 2 * static_cast<int>(i));
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(map_of_nothing_is_empty, fixture, pool_fixtures)
{
    fixture f;
    const std::vector<int> none;
    auto unknown_size = std::views::iota(0, 10) | std::views::filter([](int) { return false; });
    f.run_coro([&]() -> asio::awaitable<void> {
        const auto sized = co_await f.pool.map(twice, none);
        BOOST_TEST(sized.empty());
        const auto unsized = co_await f.pool.map(twice, unknown_size);
        BOOST_TEST(unsized.empty());
        co_await f.pool.map(nothing, none);
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(map_takes_one_element, fixture, pool_fixtures)
{
    fixture f;
    f.run_coro([&]() -> asio::awaitable<void> {
        auto results = co_await f.pool.map(twice, std::vector<int>(1, 21));
        BOOST_TEST(results == std::vector<int>(1, 42), per_element());
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(map_stops_with_the_shortest_range, fixture, pool_fixtures)
{
    fixture f;
    const std::vector<int> xs{1, 2, 3};
    const std::list<int> ys{10, 20};
    const std::vector<int> expected{11, 22};
    f.run_coro([&]() -> asio::awaitable<void> {
        BOOST_TEST(co_await f.pool.map(add, xs, ys) == expected, per_element());
        BOOST_TEST(co_await f.pool.map(add, ys, std::views::iota(1)) == expected, per_element());
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(map_takes_views_and_input_ranges, fixture, pool_fixtures)
{
    fixture f;
    std::istringstream text("1 2 3 4 5");
    const std::vector<int> odds{2, 6, 10};
    f.run_coro([&]() -> asio::awaitable<void> {
        auto odd_ones = std::views::istream<int>(text) | std::views::filter(odd);
        BOOST_TEST(co_await f.pool.map(twice, std::move(odd_ones)) == odds, per_element());
        auto some = std::views::iota(1, 6) | std::views::filter(odd);
        BOOST_TEST(co_await f.pool.map(twice, some) == odds, per_element());
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(map_throws_the_failure_with_its_index, fixture, pool_fixtures)
{
    fixture f;
    auto fail = [](int x) -> int {
        if (x == 5)
            throw std::invalid_argument(std::to_string(x));
        return x;
    };
    f.run_coro([&]() -> asio::awaitable<void> {
        try {
            co_await f.pool.map(fail, std::views::iota(0, 100));
            BOOST_ERROR("it did not throw");
        }
        catch (const std::invalid_argument& e) {
            BOOST_TEST(e.what() == "5");
            const auto* index = boost::get_error_info<errinfo_task_index>(e);
            BOOST_TEST_REQUIRE(index);
            BOOST_TEST(*index == 5u);
        }
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(map_throws_what_its_range_threw, fixture, pool_fixtures)
{
    fixture f;
    const broken_range five{5};
    const broken_range none{0};
    f.run_coro([&]() -> asio::awaitable<void> {
        BOOST_CHECK_THROW(co_await f.pool.map(twice, five), std::out_of_range);
        BOOST_CHECK_THROW(co_await f.pool.map(twice, none), std::out_of_range);
        BOOST_CHECK_THROW(co_await f.pool.try_map(twice, five), std::out_of_range);
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(map_moves_elements_and_results, fixture, pool_fixtures)
{
    fixture f;
    f.run_coro([&]() -> asio::awaitable<void> {
        auto boxes = co_await f.pool.map(boxed, std::views::iota(0, 10));
        BOOST_TEST_REQUIRE(boxes.size() == 10u);
        BOOST_TEST(*boxes[9] == 9);
        const auto values = co_await f.pool.map(unboxed, std::move(boxes));
        BOOST_TEST_REQUIRE(values.size() == 10u);
        BOOST_TEST(values[9] == 9);
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(map_of_bools_gives_a_vector_of_them, fixture, pool_fixtures)
{
    fixture f;
    f.run_coro([&]() -> asio::awaitable<void> {
        std::vector<bool> odds = co_await f.pool.map(odd, std::views::iota(0, 200));
        BOOST_TEST_REQUIRE(odds.size() == 200u);
        for (std::size_t i = 0; i < 200; ++i)
            BOOST_TEST_REQUIRE(odds[i] == (i % 2 != 0));
        auto negate = [](bool x) { return !x; };
        const auto evens = co_await f.pool.map(negate, odds);
        BOOST_TEST(evens[0]);
        BOOST_TEST(!evens[1]);
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(map_of_void_tasks_has_no_result, fixture, pool_fixtures)
{
    fixture f;
    f.run_coro([&]() -> asio::awaitable<void> {
        co_await f.pool.map(nothing, std::views::iota(0, 10));
        BOOST_CHECK_THROW(co_await f.pool.map(refuse_threes_silently, std::views::iota(1, 10)), std::domain_error);
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(map_runs_coroutines, fixture, pool_fixtures)
{
    fixture f;
    f.run_coro([&]() -> asio::awaitable<void> {
        const auto results = co_await f.pool.map(later_twice, std::views::iota(0, 50));
        BOOST_TEST_REQUIRE(results.size() == 50u);
        BOOST_TEST(results[49] == 98);
        BOOST_CHECK_THROW(co_await f.pool.map(later_refuse_threes, std::views::iota(1, 50)), std::domain_error);
    });
}

// starmap

BOOST_AUTO_TEST_CASE_TEMPLATE(starmap_spreads_every_kind_of_tuple, fixture, pool_fixtures)
{
    fixture f;
    const std::vector<int> expected{11, 22};
    const std::vector<std::tuple<int, int>> tuples{{1, 10}, {2, 20}};
    const std::vector<std::pair<int, int>> pairs{{1, 10}, {2, 20}};
    const std::vector<std::array<int, 2>> arrays{{1, 10}, {2, 20}};
    const std::vector<boost::tuple<int, int>> boost_tuples{{1, 10}, {2, 20}};
    const std::vector<int> xs{1, 2};
    const std::vector<int> ys{10, 20};
    f.run_coro([&]() -> asio::awaitable<void> {
        BOOST_TEST(co_await f.pool.starmap(add, tuples) == expected, per_element());
        BOOST_TEST(co_await f.pool.starmap(add, pairs) == expected, per_element());
        BOOST_TEST(co_await f.pool.starmap(add, arrays) == expected, per_element());
        BOOST_TEST(co_await f.pool.starmap(add, boost_tuples) == expected, per_element());
        BOOST_TEST(co_await f.pool.starmap(add, boost::combine(xs, ys)) == expected, per_element());
        auto copies = pairs;
        BOOST_TEST(co_await f.pool.starmap(add, std::move(copies)) == expected, per_element());
    });
}

// try_map

BOOST_AUTO_TEST_CASE_TEMPLATE(try_map_has_a_result_for_each_element, fixture, pool_fixtures)
{
    fixture f;
    f.run_coro([&]() -> asio::awaitable<void> {
        const auto results = co_await f.pool.try_map(refuse_threes, std::views::iota(0, 100));
        BOOST_TEST_REQUIRE(results.size() == 100u);
        for (int i = 0; i < 100; ++i) {
            const auto& result = results[static_cast<std::size_t>(i)];
            BOOST_TEST_REQUIRE(result.has_value() == (i % 3 != 0));
            if (result.has_value())
                BOOST_TEST(*result == i);
            else
                BOOST_CHECK_THROW(result.value(), std::domain_error);
        }
        BOOST_TEST((task_index(results[3].error()) == 3u));
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(try_map_takes_void_bool_and_move_only_results, fixture, pool_fixtures)
{
    fixture f;
    f.run_coro([&]() -> asio::awaitable<void> {
        std::vector<result<void>> silent = co_await f.pool.try_map(refuse_threes_silently, std::views::iota(0, 4));
        BOOST_TEST_REQUIRE(silent.size() == 4u);
        BOOST_TEST(silent[0].has_error());
        BOOST_TEST(silent[1].has_value());
        std::vector<result<bool>> odds = co_await f.pool.try_map(odd, std::views::iota(0, 4));
        BOOST_TEST(*odds[3]);
        BOOST_TEST(!*odds[2]);
        auto boxes = co_await f.pool.try_map(boxed, std::views::iota(0, 4));
        BOOST_TEST(**boxes[3] == 3);
        const std::vector<int> none;
        const auto tried = co_await f.pool.try_map(twice, none);
        BOOST_TEST(tried.empty());
    });
}

// streams

BOOST_AUTO_TEST_CASE_TEMPLATE(imap_gives_the_results_in_input_order, fixture, pool_fixtures)
{
    fixture f;
    f.run_coro([&]() -> asio::awaitable<void> {
        auto stream = f.pool.imap(twice, std::views::iota(0, 300));
        int expected = 0;
        while (const auto value = co_await stream.next()) {
            BOOST_TEST_REQUIRE(*value == 2 * expected);
            BOOST_TEST_REQUIRE(stream.index() == static_cast<std::uint64_t>(expected));
            ++expected;
        }
        BOOST_TEST(expected == 300);
        const auto behind = co_await stream.next();
        BOOST_TEST(!behind.has_value());
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(uimap_gives_every_result_with_its_index, fixture, pool_fixtures)
{
    fixture f;
    f.run_coro([&]() -> asio::awaitable<void> {
        auto stream = f.pool.uimap(twice, std::views::iota(0, 300));
        std::set<std::uint64_t> seen;
        while (const auto value = co_await stream.next()) {
            BOOST_TEST_REQUIRE(*value == 2 * static_cast<int>(stream.index()));
            seen.insert(stream.index());
        }
        BOOST_TEST(seen.size() == 300u);
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_stream_of_an_endless_range_is_read_as_far_as_wanted, fixture, pool_fixtures)
{
    fixture f;
    f.run_coro([&]() -> asio::awaitable<void> {
        auto stream = f.pool.imap(twice, std::views::iota(0));
        for (int i = 0; i < 500; ++i) {
            const auto value = co_await stream.next();
            BOOST_TEST_REQUIRE(value.has_value());
            BOOST_TEST_REQUIRE(*value == 2 * i);
        }
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_stream_is_read_on_after_a_failed_element, fixture, pool_fixtures)
{
    fixture f;
    f.run_coro([&]() -> asio::awaitable<void> {
        auto stream = f.pool.imap(refuse_threes, std::views::iota(0, 100));
        int values = 0;
        int failures = 0;
        for (bool more = true; more;) {
            try {
                const auto value = co_await stream.next();
                more = value.has_value();
                values += more;
            }
            catch (const std::domain_error&) {
                BOOST_TEST(stream.index() % 3 == 0u);
                ++failures;
            }
        }
        BOOST_TEST(values == 66);
        BOOST_TEST(failures == 34);
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_stream_gives_what_came_before_its_range_threw, fixture, pool_fixtures)
{
    fixture f;
    f.run_coro([&]() -> asio::awaitable<void> {
        const broken_range five{5};
        auto stream = f.pool.imap(twice, five);
        for (int i = 0; i < 5; ++i) {
            const auto value = co_await stream.next();
            BOOST_TEST_REQUIRE(value.has_value());
            BOOST_TEST(*value == 2 * i);
        }
        BOOST_CHECK_THROW(co_await stream.next(), std::out_of_range);
        const auto behind = co_await stream.next();
        BOOST_TEST(!behind.has_value());
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(streams_take_void_coroutine_and_move_only_tasks, fixture, pool_fixtures)
{
    fixture f;
    f.run_coro([&]() -> asio::awaitable<void> {
        auto silent = f.pool.imap(nothing, std::views::iota(0, 10));
        static_assert(std::is_same_v<decltype(silent), result_stream<std::monostate>>);
        const auto silent_values = co_await read_all(silent);
        BOOST_TEST(silent_values.size() == 10u);
        auto coroutines = f.pool.uimap(later_twice, std::views::iota(0, 10));
        const auto coroutine_values = co_await read_all(coroutines);
        BOOST_TEST(coroutine_values.size() == 10u);
        auto boxes = f.pool.imap(boxed, std::views::iota(0, 10));
        const auto values = co_await read_all(boxes);
        BOOST_TEST_REQUIRE(values.size() == 10u);
        BOOST_TEST(*values[9] == 9);
        auto empty = f.pool.imap(twice, std::vector<int>());
        const auto no_values = co_await read_all(empty);
        BOOST_TEST(no_values.empty());
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_stream_may_be_left_unread, fixture, pool_fixtures)
{
    fixture f;
    f.run_coro([&]() -> asio::awaitable<void> {
        {
            auto stream = f.pool.imap(twice, std::views::iota(0));
            co_await stream.next();
        }
        {
            auto stream = f.pool.imap(twice, std::views::iota(0));
        }
        BOOST_TEST(co_await f.pool.apply(twice, 1) == 2);
    });
}

// options

BOOST_AUTO_TEST_CASE_TEMPLATE(progress_is_told, fixture, pool_fixtures)
{
    fixture f;
    std::vector<progress> told;
    f.run_coro([&]() -> asio::awaitable<void> {
        auto note = [&](const progress& now) { told.push_back(now); };
        co_await f.pool.with({}).on_progress(note).try_map(refuse_threes, std::views::iota(0, 100));
    });
    BOOST_TEST_REQUIRE(!told.empty());
    BOOST_TEST(told.back().done == 100u);
    BOOST_TEST(told.back().failed == 34u);
    BOOST_TEST((told.back().total == 100u));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_progress_callback_that_throws_ends_the_operation, fixture, pool_fixtures)
{
    fixture f;
    f.run_coro([&]() -> asio::awaitable<void> {
        auto fail = [](const progress&) { throw std::length_error("enough"); };
        BOOST_CHECK_THROW(co_await f.pool.with({}).on_progress(fail).map(twice, std::views::iota(0, 100)),
                          std::length_error);
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(options_hold_for_every_verb, fixture, pool_fixtures)
{
    fixture f;
    const std::vector<int> expected{2, 4};
    const std::vector<int> inputs{1, 2};
    const std::vector<std::pair<int, int>> rows{{1, 1}, {2, 2}};
    f.run_coro([&]() -> asio::awaitable<void> {
        auto under = f.pool.with({.chunk_size = 1, .window = 3});
        BOOST_TEST(co_await under.apply(twice, 1) == 2);
        BOOST_TEST(co_await under.map(twice, inputs) == expected, per_element());
        BOOST_TEST(co_await under.starmap(add, rows) == expected, per_element());
        const auto tried = co_await under.try_map(twice, inputs);
        BOOST_TEST(tried.size() == 2u);
        auto stream = under.imap(twice, inputs);
        BOOST_TEST(co_await read_all(stream) == expected, per_element());
        auto other = under.uimap(twice, inputs);
        const auto other_values = co_await read_all(other);
        BOOST_TEST(other_values.size() == 2u);
    });
}

// the pool's life

BOOST_AUTO_TEST_CASE_TEMPLATE(a_closed_pool_takes_no_work, fixture, pool_fixtures)
{
    fixture f;
    f.run_coro([&]() -> asio::awaitable<void> {
        co_await f.pool.apply(twice, 1);
        f.pool.close();
        try {
            co_await f.pool.apply(twice, 1);
            BOOST_ERROR("it did not throw");
        }
        catch (const error& e) {
            BOOST_TEST((e.code() == errc::pool_closed));
        }
        auto stream = f.pool.imap(twice, std::views::iota(0));
        BOOST_CHECK_THROW(co_await stream.next(), error);
        co_await f.pool.join();
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_pool_is_drained, fixture, pool_fixtures)
{
    fixture f;
    f.run_coro([&]() -> asio::awaitable<void> {
        co_await f.pool.apply(twice, 1);
        const drain_report report = co_await f.pool.drain(std::chrono::minutes(1));
        BOOST_TEST(report.in_time);
        BOOST_CHECK_THROW(co_await f.pool.apply(twice, 1), error);
        const drain_report again = co_await f.pool.drain(duration::max());
        BOOST_TEST(again.in_time);
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_pool_is_started_and_joined, fixture, pool_fixtures)
{
    fixture f;
    f.run_coro([&]() -> asio::awaitable<void> {
        co_await f.pool.start();
        BOOST_TEST(f.pool.nodes() == 2u);
        BOOST_TEST(co_await f.pool.apply(twice, 1) == 2);
        co_await f.pool.join();
    });
}
