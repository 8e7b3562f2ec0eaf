// SPDX-License-Identifier: BSL-1.0
// The engine under random schedules: workers that join, finish, fail, die and ignore their cancellation, operations that come, are
// cancelled and run out of time, in an order that a seed decides. After every event the promises must hold.
//
// A failing seed is replayed with   TWAT_MP_SEED=<seed> test_unit --run_test=test_engine_simulation   and says so itself.
// and more of them are tried with   TWAT_MP_SEEDS=<how many>, from that one on.
#include "engine/engine.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "fakes.hpp"
#include "sanitizers.hpp"

using namespace twat::mp;
using namespace twat::mp::test::engines;

namespace {

struct simulated_operation
{
    std::shared_ptr<fake_operation> op;
    std::size_t total;
    bool tries = false; // try_map: no failure ends it
    bool stream = false;
    std::size_t retries = 0;
    bool asked_to_end = false;  // cancelled, or has a deadline: may end without all of its tasks
    bool ends_by_force = false; // its end stops its tasks as by terminal
    time_point ended = time_point::max();
};

class simulation
{
public:
    explicit simulation(unsigned seed)
        : seed_(seed), random_(seed), steps_(seed % 10 == 0 ? 300 : 60), coroutines_(seed % 2 != 0),
          late_(seed % 8 >= 6),
          f_({.nodes = nodes,
              .min_nodes = seed % 4 == 1 ? seed % 3 : all_nodes,
              .idle_timeout = seed % 8 == 1 ? 100ms : 0ms,
              .child_concurrency = concurrency,
              .max_tasks_per_child = seed % 3 == 0 ? 20u : 0u,
              .max_age_per_child = seed % 5 == 0 ? 2s : 0s,
              .recycle_jitter = 0.3,
              .seed = seed,
              .max_pending = seed % 7 == 0 ? 2u : 0u,
              .on_overflow = seed % 14 == 0 ? overflow::fail : overflow::wait,
              .shed = seed % 11 == 0 ? load_shedding{.target = 50ms, .interval = 100ms} : load_shedding{}}),
          tenants_(seed % 4 == 1), refuses_(seed % 14 == 0 || seed % 11 == 0)
    {
        if (tenants_) {
            f_.core->set_tenant({1}, {.max_running = 2});
            f_.core->set_tenant({2}, {.weight = 3, .max_pending = 1});
        }
        f_.workers.able.can_kill = seed % 4 != 3;
        f_.workers.tells_what_runs = true;
        f_.workers.claims = 1 + seed % 3;
        f_.workers.late = seed % 3 == 1;
        f_.workers.on_submit = [this](const chunk& work) {
            check_turn(work);
            note_copy(work);
        };
    }

    void run()
    {
        f_.core->start();
        f_.core->decide();
        while (!f_.workers.launched.empty())
            join();
        for (int step = 0; step < steps_; ++step) {
            event();
            check();
        }
        finish();
    }

private:
    static constexpr std::size_t nodes = 3, concurrency = 3;

    std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }
    bool chance(std::size_t percent) { return below(100) < percent; }

    void event()
    {
        const std::size_t what = below(100);
        if (what < 12)
            add();
        else if (what < 75)
            work();
        else if (what < 79)
            die();
        else if (what < 83)
            cancel();
        else if (what < 88)
            read();
        else if (what < 92)
            retire();
        else
            pass(std::chrono::milliseconds(below(150)));
    }

    void add()
    {
        simulated_operation s;
        s.total = below(4) == 0 ? 1 : below(60);
        s.stream = chance(20);
        s.tries = s.stream || chance(40);
        s.retries = chance(20) ? 2 : 0;
        operation_traits traits;
        traits.options.chunk_size = chance(50) ? 1 + below(12) : 0;
        traits.options.retries = s.retries;
        if (chance(20))
            traits.options.retry = {.attempts = 3, .backoff = chance(50) ? 20ms : 0ms};
        traits.options.prio = static_cast<priority>(below(3));
        if (chance(10))
            traits.options.deadline = std::chrono::milliseconds(1 + below(500)), s.asked_to_end = true;
        if (chance(15))
            traits.options.queue_timeout = std::chrono::milliseconds(1 + below(300)), s.asked_to_end = true;
        s.asked_to_end = s.asked_to_end || refuses_;
        if (chance(25))
            traits.options.timeout = 100ms;
        if (chance(15))
            traits.options.hedge_after = std::chrono::milliseconds(1 + below(60));
        if (chance(30)) {
            constexpr asio::cancellation_type limits[] = {asio::cancellation_type::none, asio::cancellation_type::total,
                                                          asio::cancellation_type::partial};
            traits.options.cancel_limit = limits[below(3)];
        }
        traits.options.fail_fast = chance(20);
        if (tenants_)
            traits.options.tenant.value = below(5);
        if (chance(20))
            traits.options.max_concurrency = 1 + below(3);
        traits.coroutine = chance(20) && coroutines_;
        traits.stream = s.stream;
        traits.stops_at_failure = !s.tries;
        if (chance(50))
            traits.total = s.total;
        s.op = std::make_shared<fake_operation>(s.total, traits);
        if (s.stream)
            s.op->window = 4 + below(20);
        operations_.push_back(s);
        f_.core->add(s.op);
        f_.core->decide();
    }

    fake_backend::held* running(worker_id worker, std::size_t which)
    {
        auto& held = f_.workers.workers[worker];
        return held.empty() ? nullptr : &held[held.front().work->coroutine ? which % held.size() : 0];
    }

    /// Some worker goes one step on: begins a task, or finishes the one that it runs.
    void work()
    {
        if (chance(30))
            f_.answer();
        if (alive_.empty())
            return;
        const worker_id id = alive_[below(alive_.size())];
        auto* h = running(id, below(8));
        if (!h)
            return;
        std::shared_ptr<operation> failed;
        if (h->begun == h->finished && h->begun < h->keep) {
            const std::size_t runs = ++ledger_[{h->work->op.get(), h->work->first + h->begun}];
            const call_options& options = h->work->op->traits().options;
            const auto copies = copies_.find({h->work->op.get(), h->work->first + h->begun});
            BOOST_TEST_REQUIRE(runs <= options.retries + options.retry.attempts +
                                           (copies == copies_.end() ? 0 : copies->second));
            ++h->begun;
            h->begun_at = f_.now;
            if (!no_more_hang_ && chance(3))
                hung_.insert({h->work->id, h->finished});
        } else if (h->finished < h->begun && !hangs(*h)) {
            const std::size_t position = h->finished++;
            if (chance(5)) {
                f_.core->task_failed(id, h->work->id, position, std::make_exception_ptr(std::runtime_error("failed")));
                failed = h->work->op;
            } else
                f_.core->task_finished(id, h->work->id, position, nullptr);
        }
        if (h->finished >= h->keep && h->begun == h->finished) {
            const chunk_id chunk = h->work->id;
            while (std::ranges::find(f_.workers.asked, chunk, [](auto& recall) { return recall.second; }) !=
                   f_.workers.asked.end())
                f_.answer();
            const duration busy = 1ms * h->keep;
            std::erase_if(f_.workers.workers[id], [&](auto& x) { return x.work->id == chunk; });
            f_.core->chunk_ended(id, chunk, busy);
        }
        f_.core->decide();
        if (failed && f_.workers.able.can_kill && failed->traits().stops_at_failure &&
            failed->traits().options.fail_fast && failed->traits().options.retry.attempts == 1)
            BOOST_TEST_REQUIRE(!f_.core->knows(*failed)); // nothing is waited for
        replace_dead();
    }

    /// A task that never returns by itself. One on a thread does when it is asked to.
    bool hangs(const fake_backend::held& h) const
    {
        return hung_.contains({h.work->id, h.finished}) && !(h.cancelled && !f_.workers.able.can_kill);
    }

    /// A worker that was started is ready.
    void join()
    {
        const worker_id id = take_launched();
        if (std::erase(f_.workers.replaced, id) != 0)
            return kill(id, true); // it was not wanted any more
        alive_.push_back(id);
        f_.core->worker_ready(id);
        f_.core->decide();
    }

    worker_id take_launched()
    {
        const std::size_t which = below(f_.workers.launched.size());
        const worker_id id = f_.workers.launched[which].first;
        f_.workers.launched.erase(f_.workers.launched.begin() + static_cast<std::ptrdiff_t>(which));
        return id;
    }

    void kill(worker_id id, bool expected)
    {
        std::erase(alive_, id);
        worker_loss loss;
        for (auto& h : f_.workers.workers[id])
            if (h.begun > h.finished)
                loss.begun.push_back({h.work->id, h.finished});
        loss.explain = [](std::uint64_t) { return make_error(errc::worker_died); };
        loss.cause = [] { return make_error(errc::worker_died); };
        loss.expected = expected;
        loss.in_task = !loss.begun.empty();
        f_.workers.workers.erase(id);
        std::erase_if(f_.workers.asked, [&](auto& recall) { return recall.first == id; });
        f_.core->worker_gone(id, loss);
        f_.core->decide();
    }

    void die()
    {
        if (f_.workers.able.can_kill && !alive_.empty())
            kill(alive_[below(alive_.size())], false);
    }

    /// What the engine asked to be killed dies some time later; before that it may still report.
    void replace_dead()
    {
        if (chance(50) && !f_.workers.replaced.empty()) {
            const worker_id id = f_.workers.replaced.back();
            f_.workers.replaced.pop_back();
            if (std::erase_if(f_.workers.launched, [&](auto& l) { return l.first == id; }) != 0 ||
                std::find(alive_.begin(), alive_.end(), id) != alive_.end())
                kill(id, true);
        }
    }

    void retire()
    {
        if (!f_.workers.launched.empty() && chance(50)) {
            if (chance(90) || alive_.empty())
                join();
            else
                kill(take_launched(), false); // its start fails
        } else if (chance(5) && seed_ % 16 == 5) {
            f_.core->resize(1 + below(4));
            f_.core->decide();
        } else if (chance(5) && !alive_.empty()) {
            f_.core->worker_grew(alive_[below(alive_.size())]);
            f_.core->decide();
        }
        if (f_.workers.retired.empty())
            return;
        const worker_id id = f_.workers.retired.back();
        f_.workers.retired.pop_back();
        for (const auto& h : f_.workers.workers[id])
            BOOST_TEST(h.finished >= h.keep);
        if (std::find(alive_.begin(), alive_.end(), id) != alive_.end())
            kill(id, true);
    }

    void cancel()
    {
        if (operations_.empty())
            return;
        auto& s = operations_[below(operations_.size())];
        if (!f_.core->knows(*s.op))
            return;
        s.asked_to_end = true;
        constexpr asio::cancellation_type types[] = {asio::cancellation_type::total, asio::cancellation_type::partial,
                                                     asio::cancellation_type::terminal};
        if (s.stream && chance(50))
            abandon(s);
        else
            cancel(s, types[below(3)]);
    }

    void abandon(simulated_operation& s)
    {
        s.ends_by_force = s.op->traits().options.cancel_limit == asio::cancellation_type::terminal;
        f_.core->abandon(*s.op);
        abandoned_.insert(s.op.get());
        f_.core->decide();
        if (f_.workers.able.can_kill)
            BOOST_TEST_REQUIRE(s.op->completed);
    }

    void cancel(simulated_operation& s, asio::cancellation_type type)
    {
        if (!f_.core->knows(*s.op))
            return;
        s.ends_by_force = type == asio::cancellation_type::terminal && s.op->traits().options.cancel_limit == type;
        f_.core->cancel(*s.op, type);
        f_.core->decide();
        s.ends_by_force = s.ends_by_force && s.op->completed;
    }

    void read()
    {
        for (auto& s : operations_)
            if (s.stream && f_.core->knows(*s.op)) {
                s.op->consumed = s.op->stored.size() + s.op->failures.size();
                f_.core->feed(*s.op);
                f_.core->decide();
            }
    }

    /// The loop wakes up when the engine wants it to, or, in some runs, later.
    void pass(duration d)
    {
        const time_point until = f_.now + d;
        int in_a_row = 0;
        while (!late_ && f_.core->active() && f_.core->next_wake() <= until) {
            f_.now = std::max(f_.now, f_.core->next_wake());
            tick();
            in_a_row = f_.core->next_wake() > f_.now ? 0 : in_a_row + 1;
            BOOST_TEST_REQUIRE(in_a_row < 10, "the engine wants to be woken again and again");
        }
        f_.now = until;
        if (f_.core->active() && f_.core->next_wake() <= f_.now)
            tick();
        replace_dead();
    }

    void tick()
    {
        f_.core->tick();
        f_.core->decide();
        note_ends();
        check_unwanted();
    }

    void note_ends()
    {
        for (auto& s : operations_)
            if (s.op->completed && s.ended == time_point::max())
                s.ended = f_.now;
    }

    /// Whether the tasks of an operation that is over were stopped as by terminal.
    static bool ended_by_force(const simulated_operation& s)
    {
        if (s.ends_by_force ||
            s.op->error_text() == error_category().message(static_cast<int>(errc::deadline_exceeded)))
            return true;
        const bool failed =
            s.op->error &&
            s.op->error_text() != boost::asio::error::make_error_code(boost::asio::error::operation_aborted).message();
        return failed && s.op->traits().options.fail_fast;
    }

    /// A worker that holds a task nobody waits for is free again, or is being made so, within timeout and grace; unless the caller asked
    /// for no bound.
    void check_unwanted()
    {
        if (!f_.workers.able.can_kill)
            return;
        constexpr duration grace = 200ms;
        for (const worker_id id : alive_) {
            if (std::ranges::find(f_.workers.replaced, id) != f_.workers.replaced.end())
                continue;
            for (const auto& h : f_.workers.workers[id]) {
                if (h.begun == h.finished)
                    continue;
                const auto s = std::ranges::find(operations_, h.work->op.get(), [](auto& o) { return o.op.get(); });
                time_point bound = time_point::max();
                if (s->op->completed && ended_by_force(*s))
                    // A worker that answers a recall late may begin what it was asked for.
                    bound = (f_.workers.late ? std::max(s->ended, h.begun_at) : s->ended) + grace;
                if (s->op->traits().options.timeout != duration::zero())
                    bound = std::min(bound, h.begun_at + h.work->timeout + grace);
                if (late_ ? f_.now > bound && f_.now - bound > 1s : f_.now > bound)
                    BOOST_FAIL("worker " << id << " is still busy with a task "
                                         << (s->op->completed ? "that nobody waits for, " : "out of time, ")
                                         << (f_.now - bound).count() / 1000000 << " ms after it should have been free");
            }
        }
    }

    /// After every event.
    void check()
    {
        note_ends();
        check_unwanted();
        for (auto& s : operations_) {
            if (s.op->completed == f_.core->knows(*s.op))
                BOOST_FAIL("an operation is over and still outstanding, or neither");
            if (s.op->completed && s.op->error_text() == make_error_code(errc::queue_timed_out).message())
                for (std::uint64_t i = 0; i < s.op->pulled; ++i)
                    if (ledger_.contains({s.op.get(), i}))
                        BOOST_FAIL("task " << i << " of an operation that timed out in the queue has run");
            if (s.stream && s.op->pulled > s.op->consumed + s.op->window)
                BOOST_FAIL("a stream of window " << s.op->window << " was pulled " << s.op->pulled << " elements, with "
                                                 << s.op->consumed << " read");
        }
        std::map<const operation*, std::size_t> at_once;
        for (worker_id id : alive_)
            for (const auto& h : f_.workers.workers[id])
                at_once[h.work->op.get()] += h.begun > h.finished;
        for (auto& s : operations_)
            if (const std::size_t bound = s.op->traits().options.max_concurrency;
                bound != 0 && at_once[s.op.get()] > bound)
                BOOST_FAIL(at_once[s.op.get()] << " tasks of an operation run at once, of which " << bound << " may");
        std::size_t running = 0, busy = 0;
        for (worker_id id : alive_) {
            const auto& held = f_.workers.workers[id];
            busy += std::any_of(held.begin(), held.end(), [](const auto& h) { return h.keep > h.finished; });
            const bool coroutines = !held.empty() && held.front().work->coroutine;
            if (held.size() > (coroutines ? concurrency : 32u))
                BOOST_FAIL("worker " << id << " holds " << held.size() << " chunks");
            for (const auto& h : held) {
                running += h.keep - h.finished;
                if (h.work->coroutine != coroutines)
                    BOOST_FAIL("worker " << id << " holds coroutines and plain tasks");
            }
        }
        const pool_stats stats = f_.core->stats();
        const auto refused = static_cast<std::size_t>(std::ranges::count_if(operations_, [](auto& s) {
            return s.op->completed && s.op->error_text() == make_error_code(errc::queue_full).message();
        }));
        if (stats.refused != refused)
            BOOST_FAIL("the engine counts " << stats.refused << " refused operations; there are " << refused);
        check_tenants();
        if (f_.core->ready_workers() != alive_.size() || stats.ready > alive_.size() || stats.busy != busy ||
            stats.running != running)
            BOOST_FAIL("the engine counts " << stats.ready << " ready, " << stats.busy << " busy, " << stats.running
                                            << " running; there are " << alive_.size() << ", " << busy << ", "
                                            << running);
    }

    /// Nobody has more than it may, and what is counted of the tenants is what there is.
    void check_tenants()
    {
        std::size_t of_first = 0;
        for (worker_id id : alive_)
            for (const auto& h : f_.workers.workers[id])
                of_first += h.begun > h.finished && h.work->op->traits().options.tenant.value == 1;
        if (tenants_ && of_first > 2)
            BOOST_FAIL(of_first << " tasks of a tenant run at once, of which 2 may");
        pool_stats stats;
        f_.core->measured()->tenants.add_to(stats);
        std::size_t running = stats.other_tenants.running, pending = stats.other_tenants.pending;
        for (const tenant_stats& tenant : stats.tenants) {
            running += tenant.running;
            pending += tenant.pending;
        }
        std::size_t held = 0, outstanding = 0;
        for (worker_id id : alive_)
            for (const auto& h : f_.workers.workers[id])
                held += h.keep > h.finished && h.work->op->traits().options.tenant.value != 0;
        for (auto& s : operations_)
            outstanding += !s.op->completed && s.op->traits().options.tenant.value != 0;
        if (running != held || pending > outstanding)
            BOOST_FAIL("tenants have " << held << " chunks in workers and " << outstanding
                                       << " operations; counted are " << running << " and, of those that wait, "
                                       << pending);
    }

    /// One task in twenty may have a copy, and one at least; nobody has two at once.
    void note_copy(const chunk& work)
    {
        const bool may = !work.op->traits().options.hedge_after.never();
        if (!work.copy) {
            hedged_tasks_ += may ? work.tasks->size() : 0;
            return;
        }
        ++copies_[{work.op.get(), work.first}];
        ++all_copies_;
        std::size_t runs = 0;
        for (const auto& [id, held] : f_.workers.workers)
            for (const auto& h : held)
                runs += h.work->op == work.op && h.work->first <= work.first && work.first < h.work->first + h.keep &&
                        h.finished <= work.first - h.work->first;
        BOOST_TEST_REQUIRE(may);
        BOOST_TEST_REQUIRE(runs == 1);
        BOOST_TEST_REQUIRE(all_copies_ <= std::max<std::size_t>(1, hedged_tasks_ / 20));
    }

    /// A worker gets nothing of a lower priority while there is something of a higher one for it. (With coroutines about, one may
    /// run empty for those.)
    void check_turn(const chunk& work)
    {
        if (coroutines_ || f_.core->stats().waiting != 0) // one that waits for room has no turn
            return;
        for (auto& s : operations_)
            if (s.op->traits().options.max_concurrency == 0 && s.op->traits().options.tenant.value != 1 &&
                s.op->traits().options.prio > work.op->traits().options.prio && s.tries && !s.stream &&
                !s.asked_to_end && !s.op->completed && s.op->pulled < s.total)
                BOOST_FAIL("a task of a lower priority went before an operation of "
                           << s.total << " tasks, of which " << s.op->pulled << " were handed out");
    }

    /// No more disturbances: everything must come to its end.
    void finish()
    {
        const auto all_over = [this] {
            return std::ranges::all_of(operations_, [](auto& s) { return s.op->completed; });
        };
        let_go_of_the_unbounded();
        for (int rounds = 0; rounds < 100'000 && (f_.core->active() || !all_over()); ++rounds) {
            read();
            retire();
            if (rounds % 100 == 99)
                pass(300ms);
            work();
        }
        read();
        BOOST_TEST_REQUIRE(!f_.core->active(), "something is outstanding for ever: " << describe());
        while (!f_.workers.replaced.empty())
            replace_dead();
        for (const worker_id id : alive_)
            for (const auto& h : f_.workers.workers[id])
                BOOST_TEST_REQUIRE(!hangs(h),
                                   "worker " << id << " is lost to a task that nobody waits for: " << describe());
        for (auto& s : operations_) {
            const auto& op = *s.op;
            BOOST_TEST_REQUIRE(op.completed);
            std::set<std::uint64_t> values(op.stored.begin(), op.stored.end());
            BOOST_TEST_REQUIRE(values.size() == op.stored.size()); // no task has two values
            for (auto& [index, error] : op.failures)
                BOOST_TEST_REQUIRE(!values.contains(index), "task " << index << " has a value and " << error);
            if (!op.error && !abandoned_.contains(&op)) {
                BOOST_TEST_REQUIRE(values.size() + op.failures.size() == s.total); // nothing is lost
            }
            if (op.error && !s.asked_to_end && op.traits().stops_at_failure)
                BOOST_TEST_REQUIRE(values.size() <= s.total);
            if (op.error && !s.asked_to_end)
                BOOST_TEST_REQUIRE(op.traits().stops_at_failure);
        }
    }

    /// Tasks that hang come to an end where their operations are bounded: by a timeout, or as the caller ends them now. Where the caller
    /// wants no bound they return after all.
    void let_go_of_the_unbounded()
    {
        const auto bounded = [](const simulated_operation& s) {
            const call_options& options = s.op->traits().options;
            return options.timeout != duration::zero() ||
                   (s.op->completed ? ended_by_force(s) : options.cancel_limit == asio::cancellation_type::terminal);
        };
        std::set<chunk_id> unbounded;
        for (const worker_id id : alive_)
            for (const auto& h : f_.workers.workers[id])
                if (!bounded(*std::ranges::find(operations_, h.work->op.get(), [](auto& o) { return o.op.get(); })))
                    unbounded.insert(h.work->id);
        std::erase_if(hung_, [&](auto& task) { return unbounded.contains(task.first); });
        for (auto& s : operations_)
            if (!s.op->completed && s.op->traits().options.timeout == duration::zero()) {
                const bool hangs_somewhere = std::ranges::any_of(alive_, [&](worker_id id) {
                    return std::ranges::any_of(f_.workers.workers[id],
                                               [&](auto& h) { return h.work->op == s.op && hangs(h); });
                });
                if (!hangs_somewhere)
                    continue;
                s.asked_to_end = true;
                if (s.stream)
                    abandon(s);
                else
                    cancel(s, asio::cancellation_type::terminal);
            }
        no_more_hang_ = true;
    }

    std::string describe()
    {
        std::string text;
        for (auto& s : operations_)
            if (!s.op->completed)
                text += "an operation of " + std::to_string(s.total) + " tasks, " + std::to_string(s.op->pulled) +
                        " pulled, " + std::to_string(s.op->stored.size() + s.op->failures.size()) + " have an outcome" +
                        (s.stream ? ", a stream" : "") + (s.op->traits().coroutine ? ", coroutines" : "") + "; ";
        for (worker_id id : alive_)
            text += "worker " + std::to_string(id) + " holds " + std::to_string(f_.workers.workers[id].size()) + "; ";
        const pool_stats stats = f_.core->stats();
        return text + std::to_string(stats.ready) + " ready, " + std::to_string(f_.workers.replaced.size()) +
               " to kill, " + std::to_string(f_.workers.retired.size()) + " to retire";
    }

    const unsigned seed_;
    std::mt19937 random_;
    const int steps_; ///< Mostly few, which makes failures easy to follow.
    const bool coroutines_;
    const bool late_; ///< The loop wakes up late.
    engine_fixture f_;
    std::vector<simulated_operation> operations_;
    std::vector<worker_id> alive_;
    std::set<std::pair<chunk_id, std::size_t>> hung_; ///< Tasks that do not return by themselves.
    bool no_more_hang_ = false;
    std::map<std::pair<const operation*, std::uint64_t>, std::size_t> ledger_;
    std::set<const operation*> abandoned_;
    std::map<std::pair<const operation*, std::uint64_t>, std::size_t> copies_;
    std::size_t hedged_tasks_ = 0, all_copies_ = 0;
    const bool tenants_;
    const bool refuses_; ///< `overflow::fail`, or calls that have waited for too long.
};

unsigned from_environment(const char* name, unsigned otherwise)
{
    const char* text = std::getenv(name);
    return text ? static_cast<unsigned>(std::strtoul(text, nullptr, 10)) : otherwise;
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_engine_simulation)

BOOST_AUTO_TEST_CASE(promises_hold_whatever_the_order_of_events)
{
    const unsigned first = from_environment("TWAT_MP_SEED", 1);
    const unsigned usual = TWAT_MP_TEST_ASAN ? 2'000 : 10'000; // these run a tenth as fast; .ci/full runs all
    const unsigned count = from_environment("TWAT_MP_SEEDS", std::getenv("TWAT_MP_SEED") ? 1 : usual);
    for (unsigned seed = first; seed < first + count; ++seed) {
        BOOST_TEST_CONTEXT("again: TWAT_MP_SEED=" << seed << " test_unit --run_test=test_engine_simulation")
        simulation(seed).run();
    }
}

BOOST_AUTO_TEST_SUITE_END()
