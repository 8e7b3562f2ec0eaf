// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include <twat/mp/worker_state.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <twat/mp/error.hpp>
#include <twat/mp/inline_pool.hpp>
#include <twat/mp/portable.hpp>

#include "blocking_pools.hpp"
#include "io_context_fixture.hpp"

using namespace twat::mp;
using namespace twat::mp::test;
using namespace std::chrono_literals;
using boost::test_tools::per_element;

namespace {

using all_pools = boost::mp11::mp_list<thread_pool, process_pool, inline_pool, inline_process_pool>;

/// Counts its uses. Neither movable nor encodable, and says of its life in a file.
class counter
{
public:
    explicit counter(std::string journal, int start) : journal_(std::move(journal)), count_(start) { note("made"); }
    counter(const counter&) = delete;
    counter& operator=(const counter&) = delete;
    ~counter() { note("destroyed"); }

    int next() { return count_++; }
    int count() const { return count_; }
    const void* place() const { return this; }

    void note(std::string_view what) const { write(journal_, what); }
    static void write(const std::string& journal, std::string_view what)
    {
        if (!journal.empty())
            std::ofstream(journal, std::ios::app) << what << ' ';
    }

private:
    std::string journal_;
    int count_;
};

counter make_counter(const std::string& journal, int start) { return counter(journal, start); }

int next_plus(counter& state, int x) { return x + state.next(); }
int plain_next(counter& state) { return state.next(); }
bool keep_even(counter& state, int x)
{
    state.next();
    return x % 2 == 0;
}
asio::awaitable<int> next_later(counter& state, int x)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, 1ms);
    co_await timer.async_wait(asio::use_awaitable);
    co_return x + (state.next() & 0);
}

struct not_it
{
    int value = 0;
};
int of_another(not_it& state, int x) { return state.value + x; }

struct file
{
    file() : path((std::filesystem::temp_directory_path() / ("twat-mp-state-" + std::to_string(::getpid()))).string())
    {
        std::filesystem::remove(path);
    }
    ~file() { std::filesystem::remove(path); }
    std::string text() const
    {
        std::ifstream in(path);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    const std::string path;
};

using calls_in = std::pair<int, std::string>;

pool_options with_counter(std::size_t nodes, const std::string& journal = {})
{
    pool_options options;
    options.nodes = nodes;
    options.state = worker_state<counter>(make_counter, journal, 100);
    return options;
}

auto message_has(std::string_view text)
{
    return [text](const std::exception& e) { return std::string_view(e.what()).find(text) != std::string_view::npos; };
}

struct shape
{
    virtual ~shape() = default;
    virtual int corners() const = 0;
};
struct square final : shape
{
    int corners() const override { return 4; }
};
std::unique_ptr<shape> make_shape() { return std::make_unique<square>(); }
int corners(shape& state) { return state.corners(); }
int corners_times(shape& state, const int& factor, int x) { return state.corners() * factor * x; }

} // namespace

BOOST_AUTO_TEST_SUITE(test_verbs_state)

BOOST_AUTO_TEST_CASE_TEMPLATE(each_task_gets_the_state_of_its_worker, Pool, all_pools)
{
    Pool pool(with_counter(1));
    BOOST_TEST(pool.apply(plain_next) == 100);
    BOOST_TEST(pool.map(next_plus, std::vector<int>{0, 0, 0}) == (std::vector<int>{101, 102, 103}), per_element());
    BOOST_TEST(pool.starmap(next_plus, std::vector<std::tuple<int>>{{1}, {2}}) == (std::vector<int>{105, 107}),
               per_element());
    BOOST_TEST(pool.try_map(next_plus, std::vector<int>{0})[0].value() == 106);
    std::vector<int> streamed;
    for (int x : pool.imap(next_plus, std::vector<int>{0, 0}))
        streamed.push_back(x);
    BOOST_TEST(streamed == (std::vector<int>{107, 108}), per_element());
    BOOST_TEST(pool.submit(plain_next).get() == 109);
    BOOST_TEST(pool.reduce(next_plus, std::plus<>(), 0, std::vector<int>{0, 0}) == 110 + 111);
    BOOST_TEST(pool.filter(keep_even, std::vector<int>{1, 2, 3, 4}) == (std::vector<int>{2, 4}), per_element());
    pool.for_each(next_plus, std::vector<int>{1, 2});
    BOOST_TEST(pool.apply(plain_next) == 118);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_lambda_takes_it_too, Pool, all_pools)
{
    Pool pool(with_counter(1));
    BOOST_TEST(pool.apply([](counter& state, std::string text) { return text + std::to_string(state.next()); },
                          "no. ") == "no. 100");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(coroutine_tasks_get_it, Pool, all_pools)
{
    Pool pool(with_counter(2));
    BOOST_TEST(pool.map(next_later, std::vector<int>{1, 2, 3, 4}) == (std::vector<int>{1, 2, 3, 4}), per_element());
    const int rest = pool.reduce([](counter& state, int) { return state.count() - 100; },
                                 [](int a, int b) { return std::max(a, b); }, 0, numbers(1));
    BOOST_TEST(rest >= 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(workers_do_not_share_it, Pool, blocking_pools)
{
    constexpr std::size_t nodes = 3;
    Pool pool(with_counter(nodes));
    pool.start();
    const auto calls = [](counter& state, int) {
        std::this_thread::sleep_for(1ms);
        return std::pair(this_worker::index(), state.next());
    };
    std::vector<std::vector<int>> seen(nodes);
    for (const auto& [worker, count] : pool.map(calls, numbers(60)))
        seen.at(worker).push_back(count);
    std::size_t all = 0;
    for (auto& counts : seen) {
        std::ranges::sort(counts);
        for (std::size_t i = 0; i < counts.size(); ++i)
            BOOST_TEST(counts[i] == int(100 + i));
        all += counts.size();
    }
    BOOST_TEST(all == 60u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(it_lives_from_the_initializer_to_the_finalizer, Pool, all_pools)
{
    const file journal;
    {
        pool_options options = with_counter(1, journal.path);
        options.initializer = task([](const std::string& to) { counter::write(to, "initialized"); }, journal.path);
        options.finalizer = task([](counter& state) { state.note("finalized"); });
        Pool pool(options);
        pool.apply([](counter& state) { state.note("used"); });
        pool.join();
    }
    BOOST_TEST(journal.text() == "initialized made used finalized destroyed ");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(exit_results_are_what_finalizers_returned, Pool, all_pools)
{
    pool_options options = with_counter(2);
    options.finalizer =
        task([](counter& state, const std::string& unit) { return std::pair(state.count() - 100, unit); }, "calls");
    Pool pool(options);
    pool.start();
    pool.map(next_plus, numbers(50));
    BOOST_TEST(pool.template exit_results<calls_in>().empty());
    pool.join();
    const auto results = pool.template exit_results<calls_in>();
    BOOST_TEST(results.size() == pool.nodes());
    int calls = 0;
    for (const auto& [count, unit] : results) {
        calls += count;
        BOOST_TEST(unit == "calls");
    }
    BOOST_TEST(calls == 50);
    BOOST_TEST((pool.template exit_results<calls_in>() == results));
    BOOST_CHECK_EXCEPTION(pool.template exit_results<int>(), std::logic_error, message_has("exit_results<int>"));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(recycled_workers_leave_their_results, Pool, blocking_pools)
{
    pool_options options = with_counter(1);
    options.max_tasks_per_child = 2;
    options.finalizer = task([](counter& state) -> asio::awaitable<int> { co_return state.count(); });
    Pool pool(options);
    for (int i = 0; i < 6; ++i)
        BOOST_TEST(pool.apply(plain_next) <= 101);
    pool.join();
    const std::vector<int> results = pool.template exit_results<int>();
    BOOST_TEST(std::accumulate(results.begin(), results.end(), 0, [](int sum, int n) { return sum + n - 100; }) == 6);
    BOOST_TEST(results.size() >= 3u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_finalizer_that_throws_has_none, Pool, all_pools)
{
    pool_options options;
    options.nodes = 1;
    options.finalizer = task([]() -> int { throw std::runtime_error("dropped"); });
    Pool pool(options);
    pool.start();
    pool.join();
    BOOST_TEST(pool.template exit_results<int>().empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(there_are_none_without_a_finalizer, Pool, all_pools)
{
    Pool pool;
    BOOST_CHECK_EXCEPTION(pool.template exit_results<int>(), std::logic_error, message_has("finalizer"));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_factory_may_return_a_pointer_or_a_coroutine, Pool, all_pools)
{
    pool_options options;
    options.nodes = 1;
    options.state = worker_state<shape>(make_shape);
    Pool pool(options);
    BOOST_TEST(pool.apply(corners) == 4);

    options.state = worker_state<std::unique_ptr<int>>(
        [](int x) -> asio::awaitable<std::unique_ptr<int>> {
            asio::steady_timer timer(co_await asio::this_coro::executor, 1ms);
            co_await timer.async_wait(asio::use_awaitable);
            co_return std::make_unique<int>(x);
        },
        7);
    Pool awaited(options);
    BOOST_TEST(awaited.apply([](std::unique_ptr<int>& state) { return ++*state; }) == 8);

    options.state = worker_state<not_it>();
    Pool made_by_default(options);
    BOOST_TEST(made_by_default.apply(of_another, 3) == 3);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_partial_binds_comes_behind_it, Pool, all_pools)
{
    pool_options options;
    options.nodes = 1;
    options.state = worker_state<shape>(make_shape);
    Pool pool(options);
    BOOST_TEST(pool.map(partial(corners_times, 10), std::vector<int>{1, 2}) == (std::vector<int>{40, 80}),
               per_element());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(functions_reach_it_by_themselves, Pool, all_pools)
{
    Pool pool(with_counter(1));
    BOOST_TEST(pool.apply([](int x) { return x + this_worker::state<counter>().next(); }, 1) == 101);
    BOOST_CHECK_EXCEPTION(pool.apply([] { return this_worker::state<not_it>().value; }), std::logic_error,
                          message_has("not_it"));
    BOOST_CHECK_THROW(this_worker::state<counter>(), std::logic_error);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_factory_that_throws_is_an_initializer_that_throws, Pool, all_pools)
{
    pool_options options;
    options.nodes = 1;
    options.state = worker_state<not_it>([]() -> not_it { throw std::domain_error("no model"); });
    Pool pool(options);
    const auto has_cause = [](const error& e) {
        try {
            std::rethrow_if_nested(e);
        }
        catch (const std::domain_error& cause) {
            return std::string_view(cause.what()) == "no model";
        }
        catch (const error& broken) {
            try {
                std::rethrow_if_nested(broken);
            }
            catch (const std::domain_error&) {
                return true;
            }
            catch (...) {
            }
        }
        catch (...) {
        }
        return false;
    };
    BOOST_CHECK_EXCEPTION(pool.start(), error,
                          [&](const error& e) { return e.code() == errc::initializer_failed && has_cause(e); });

    options.state = worker_state<shape>([]() -> std::unique_ptr<shape> { return nullptr; });
    Pool null(options);
    BOOST_CHECK_THROW(null.start(), error);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_that_wants_another_state_is_refused, Pool, all_pools)
{
    Pool without;
    BOOST_CHECK_EXCEPTION(without.apply(of_another, 1), std::logic_error,
                          message_has("pool_options::state is not set"));
    Pool with(with_counter(1));
    BOOST_CHECK_EXCEPTION(with.map(of_another, numbers(2)), std::logic_error, message_has("counter"));
    BOOST_CHECK_EXCEPTION(with.reduce(of_another, std::plus<>(), 0, numbers(2)), std::logic_error,
                          message_has("not_it"));
    BOOST_CHECK_THROW(with.submit(of_another, 1).get(), std::logic_error);
    auto stream = with.imap(of_another, numbers(1));
    BOOST_CHECK_THROW(stream.begin(), std::logic_error);
    BOOST_TEST(with.apply(plain_next) == 100); // it goes on
}

BOOST_AUTO_TEST_CASE_TEMPLATE(bad_options_name_the_member, Pool, all_pools)
{
    pool_options options;
    options.finalizer = task([](counter&) {});
    BOOST_CHECK_EXCEPTION(Pool{options}, std::invalid_argument, message_has("pool_options::finalizer"));
    options = with_counter(1);
    options.initializer = task([](counter&) {});
    BOOST_CHECK_EXCEPTION(Pool{options}, std::invalid_argument, message_has("pool_options::initializer"));
}

BOOST_AUTO_TEST_CASE(processes_refuse_a_factory_that_cannot_be_sent)
{
    pool_options options;
    options.nodes = 1;
    options.state = worker_state<int>([x = 3] { return x; });
    BOOST_TEST(thread_pool(options).apply([](int& state, int x) { return state + x; }, 1) == 4);
    BOOST_CHECK_EXCEPTION(process_pool{options}, std::invalid_argument, message_has("pool_options::state"));
    options.state = worker_state<int>([](const std::shared_ptr<int>& x) { return *x; }, std::make_shared<int>(3));
    BOOST_CHECK_EXCEPTION(process_pool{options}, std::invalid_argument, message_has("pool_options::state"));
    options.state = worker_state<int>([] { return 1; });
    options.executable = "/bin/true";
    BOOST_CHECK_EXCEPTION(process_pool{options}, std::invalid_argument, message_has("pool_options::state"));
}

BOOST_AUTO_TEST_CASE(a_thread_that_waits_in_a_task_keeps_its_state)
{
    thread_pool pool(with_counter(1));
    const auto nested = [&](counter& state) {
        const auto places = pool.map([](counter& mine, int) { return mine.place(); }, numbers(3));
        return std::ranges::all_of(places, [&](const void* place) { return place == state.place(); });
    };
    BOOST_TEST(pool.apply(nested));
}

BOOST_AUTO_TEST_CASE(threads_take_turns_with_the_state_of_an_inline_pool)
{
    inline_pool pool(with_counter(1));
    std::vector<std::jthread> threads;
    std::atomic<bool> inside{false}, met{false};
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            pool.map(
                [&](counter& state, int) {
                    if (inside.exchange(true))
                        met = true;
                    state.next();
                    std::this_thread::yield();
                    inside = false;
                },
                numbers(50));
        });
    threads.clear();
    BOOST_TEST(!met);
    BOOST_TEST(pool.apply(plain_next) == 300);
}

BOOST_AUTO_TEST_CASE(a_worker_that_takes_the_place_of_a_dead_one_makes_its_own)
{
    process_pool pool(with_counter(1));
    BOOST_TEST(pool.apply(plain_next) == 100);
    BOOST_CHECK_THROW(pool.apply([](counter&) { ::_exit(3); }), worker_died);
    BOOST_TEST(pool.apply(plain_next) == 100);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(awaitable_verbs_get_it, Pool, awaitable_pools, io_context_fixture)
{
    pool_options options = with_counter(1);
    options.finalizer = task([](counter& state) { return state.count(); });
    Pool pool(ctx, options);
    const std::vector<int> zeros{0, 0};
    run_coro([&]() -> asio::awaitable<void> {
        const int first = co_await pool.apply(plain_next);
        BOOST_TEST(first == 100);
        const auto next = co_await pool.map(next_plus, zeros);
        BOOST_TEST(next == (std::vector<int>{101, 102}), per_element());
        auto stream = pool.uimap(next_plus, zeros);
        std::vector<int> streamed;
        while (auto x = co_await stream.next())
            streamed.push_back(*x);
        BOOST_TEST(streamed == (std::vector<int>{103, 104}), per_element());
        const int sum = co_await pool.reduce(next_plus, std::plus<>(), 0, zeros);
        BOOST_TEST(sum == 105 + 106);
        BOOST_CHECK_THROW(co_await pool.map(of_another, zeros), std::logic_error);
        co_await pool.join();
    });
    BOOST_TEST(pool.template exit_results<int>() == std::vector<int>{107}, per_element());
}

BOOST_AUTO_TEST_SUITE_END()
