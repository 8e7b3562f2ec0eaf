// SPDX-License-Identifier: BSL-1.0
// Workers are killed and operations cancelled at random moments, and a ledger says which tasks ran how often.
//
// TWAT_MP_STORM_SEED and TWAT_MP_STORM_TASKS make one run the same as another; tools/soak sets them.
#include <twat/mp.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <exception>
#include <future>
#include <memory>
#include <random>
#include <ranges>
#include <string>
#include <vector>

#include "assassin.hpp"
#include "census.hpp"
#include "ledger.hpp"

using namespace twat::mp;
using namespace twat::mp::test;
using namespace std::chrono_literals;

namespace {

std::uint64_t setting(const char* name, std::uint64_t otherwise)
{
    const char* const text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

struct storm_fixture : census_fixture
{
    const std::uint64_t seed = setting("TWAT_MP_STORM_SEED", std::random_device()());
    const std::size_t tasks = setting("TWAT_MP_STORM_TASKS", 2500);
    ledger book;
    assassin killer{seed, 20ms};

    storm_fixture() { BOOST_TEST_MESSAGE("TWAT_MP_STORM_SEED=" << seed << " TWAT_MP_STORM_TASKS=" << tasks); }
    ~storm_fixture() { BOOST_TEST_MESSAGE(killer.kills() << " workers killed"); }

    pool_options options()
    {
        pool_options options;
        options.nodes = 2 + seed % 3;
        options.start_timeout = 60s;
        options.restarts.count = 1'000'000;
        options.on_event = [this](const pool_event& event) { killer.note(event); };
        return options;
    }

    /// No value without its run, and no task that ran more than `most` times.
    void check_ledger(const std::vector<bool>& has_value, unsigned most)
    {
        const auto counts = book.counts(has_value.size());
        for (std::size_t i = 0; i != counts.size(); ++i) {
            if (counts[i] > most || (has_value[i] && counts[i] == 0))
                BOOST_ERROR("task " << i << " ran " << counts[i] << " times");
        }
    }
};

/// What a task in the storm does.
std::uint64_t enter_and_answer(std::uint64_t index, const std::string& book)
{
    ledger::enter(book, index);
    const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(index % 7 * 50);
    while (std::chrono::steady_clock::now() < until) {
    }
    return index * 3 + 1;
}

constexpr auto in_storm = [](const std::string& book, std::uint64_t index) { return enter_and_answer(index, book); };

/// A task that was killed says so; every other error is a fault.
void check_killed(const std::exception_ptr& error, std::size_t index)
{
    try {
        std::rethrow_exception(error);
    }
    catch (const worker_died& e) {
        if (e.signal() != SIGKILL || !e.has_task() || e.task_index() != index)
            BOOST_ERROR("task " << index << ": " << e.what());
    }
    catch (const std::exception& e) {
        BOOST_ERROR("task " << index << ": " << e.what());
    }
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_kill_storm)

BOOST_FIXTURE_TEST_CASE(try_map_answers_each_task_once, storm_fixture)
{
    process_pool pool(options());
    killer.start();
    const auto results =
        pool.try_map(partial(in_storm, book.path()), std::views::iota(std::uint64_t(0), std::uint64_t(tasks)));
    killer.stop();
    BOOST_TEST_REQUIRE(results.size() == tasks);
    std::vector<bool> has_value(tasks);
    for (std::size_t i = 0; i != tasks; ++i) {
        has_value[i] = results[i].has_value();
        if (!has_value[i])
            check_killed(results[i].error(), i);
        else if (*results[i] != i * 3 + 1)
            BOOST_ERROR("task " << i << " has the value " << *results[i]);
    }
    check_ledger(has_value, 1);
}

BOOST_FIXTURE_TEST_CASE(retries_bring_each_task_to_its_end, storm_fixture)
{
    process_pool pool(options());
    killer.start();
    const auto results =
        pool.with({.retries = 20})
            .map(partial(in_storm, book.path()), std::views::iota(std::uint64_t(0), std::uint64_t(tasks)));
    killer.stop();
    BOOST_TEST_REQUIRE(results.size() == tasks);
    for (std::size_t i = 0; i != tasks; ++i)
        if (results[i] != i * 3 + 1)
            BOOST_ERROR("task " << i << " has the value " << results[i]);
    check_ledger(std::vector<bool>(tasks, true), 21);
}

BOOST_FIXTURE_TEST_CASE(each_submitted_task_is_answered_once, storm_fixture)
{
    process_pool pool(options());
    killer.start();
    std::vector<std::future<std::uint64_t>> futures;
    for (std::uint64_t i = 0; i != tasks; ++i)
        futures.push_back(pool.submit(in_storm, book.path(), i));
    std::vector<bool> has_value(tasks);
    for (std::size_t i = 0; i != tasks; ++i) {
        try {
            if (futures[i].get() != i * 3 + 1)
                BOOST_ERROR("task " << i << " has the value of another");
            has_value[i] = true;
        }
        catch (...) {
            check_killed(std::current_exception(), 0);
        }
    }
    killer.stop();
    check_ledger(has_value, 1);
}

BOOST_FIXTURE_TEST_CASE(a_stream_goes_on_behind_each_killed_task, storm_fixture)
{
    process_pool pool(options());
    killer.start();
    std::vector<bool> has_value(tasks);
    std::size_t answered = 0;
    auto results = pool.imap(partial(in_storm, book.path()), std::views::iota(std::uint64_t(0), std::uint64_t(tasks)));
    for (bool at_end = false; !at_end;) {
        try {
            auto it = results.begin();
            while (it != results.end()) {
                if (*it != answered * 3 + 1)
                    BOOST_ERROR("element " << answered << " is " << *it);
                has_value.at(answered++) = true;
                ++it;
            }
            at_end = true;
        }
        catch (...) {
            check_killed(std::current_exception(), answered++);
        }
    }
    killer.stop();
    BOOST_TEST(answered == tasks);
    check_ledger(has_value, 1);
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

namespace asio = boost::asio;

/** Operations of one to ten tasks each, some thirty at a time, half of which are cancelled at a random moment. */
class cancel_storm
{
public:
    cancel_storm(std::uint64_t seed, std::size_t operations, pool_options options, const std::string& book)
        : random_(seed), operations_(operations), book_(book), pool_(context_, std::move(options))
    {}

    void run()
    {
        for (int i = 0; i != 30; ++i)
            begin();
        context_.run();
    }

    std::size_t completed = 0, aborted = 0;
    std::uint64_t tasks = 0;
    std::vector<bool> has_value, must_not_run; ///< By task.

private:
    struct one
    {
        explicit one(asio::io_context& context) : timer(context) {}

        asio::steady_timer timer;
        asio::cancellation_signal signal;
        std::uint64_t first = 0;
        std::size_t count = 0;
        asio::cancellation_type type = asio::cancellation_type::none;
        bool over = false;
    };

    int pick(int most) { return std::uniform_int_distribution<int>(0, most)(random_); }

    void begin()
    {
        if (begun_ == operations_)
            return;
        ++begun_;
        auto op = std::make_shared<one>(context_);
        op->first = tasks;
        op->count = static_cast<std::size_t>(1 + pick(9));
        tasks += op->count;
        has_value.resize(tasks);
        must_not_run.resize(tasks);
        if (pick(1) == 0) {
            constexpr asio::cancellation_type types[] = {
                asio::cancellation_type::total, asio::cancellation_type::partial, asio::cancellation_type::terminal};
            op->type = types[pick(2)];
            op->timer.expires_after(std::chrono::microseconds(pick(3000)));
            op->timer.async_wait([op](boost::system::error_code) {
                if (!op->over)
                    op->signal.emit(op->type);
            });
        }
        auto done = [this, op](std::exception_ptr error, std::vector<std::uint64_t> values) { end(op, error, values); };
        pool_.map(partial(in_storm, book_), std::views::iota(op->first, op->first + op->count),
                  asio::bind_cancellation_slot(op->signal.slot(), done));
    }

    void end(const std::shared_ptr<one>& op, const std::exception_ptr& error, const std::vector<std::uint64_t>& values)
    {
        if (std::exchange(op->over, true))
            BOOST_ERROR("an operation completed twice");
        op->timer.cancel();
        ++completed;
        if (error) {
            ++aborted;
            try {
                std::rethrow_exception(error);
            }
            catch (const boost::system::system_error& e) {
                if (e.code() != asio::error::operation_aborted || op->type == asio::cancellation_type::none)
                    BOOST_ERROR("an operation failed: " << e.what());
            }
            catch (...) {
                BOOST_ERROR("an operation failed with something else");
            }
        }
        for (std::size_t i = 0; i != op->count; ++i) {
            has_value[op->first + i] = !error;
            must_not_run[op->first + i] = error && op->type == asio::cancellation_type::total;
            if (!error && values.at(i) != (op->first + i) * 3 + 1)
                BOOST_ERROR("a task has the value of another");
        }
        begin();
    }

    std::mt19937_64 random_;
    const std::size_t operations_;
    std::size_t begun_ = 0;
    const std::string book_;
    asio::io_context context_;
    async_multi_pool pool_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_cancel_storm)

BOOST_FIXTURE_TEST_CASE(each_operation_has_one_outcome_and_what_was_dropped_never_runs, storm_fixture)
{
    cancel_storm storm(seed, tasks, options(), book.path());
    storm.run();
    BOOST_TEST(storm.completed == tasks);
    BOOST_TEST_MESSAGE(storm.aborted << " of " << tasks << " operations were cancelled in time");
    check_ledger(storm.has_value, 1);
    const auto counts = book.counts(storm.tasks);
    for (std::size_t i = 0; i != counts.size(); ++i)
        if (storm.must_not_run[i] && counts[i] != 0)
            BOOST_ERROR("task " << i << " ran, though its operation completed as one none of whose tasks had begun");
}

BOOST_AUTO_TEST_SUITE_END()
