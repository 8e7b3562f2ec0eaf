// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_UNIT_ENGINE_FAKES_HPP
#define TWAT_MP_TEST_UNIT_ENGINE_FAKES_HPP

#include <boost/test/unit_test.hpp>

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <twat/mp/detail/exception/make_error.hpp>

#include "engine/engine.hpp"

namespace twat::mp::test::engines {

using namespace twat::mp::detail;
using namespace std::chrono_literals;

/// Arguments that are nothing but the indices of their tasks.
class index_payload final : public payload
{
public:
    std::vector<std::uint64_t> indices;
    std::size_t size() const noexcept override { return indices.size(); }
    std::size_t size_in_bytes() const noexcept override { return indices.size() * bytes_of_each; }
    std::size_t bytes_of_each = 0;
    std::unique_ptr<payload> split(std::size_t position) override
    {
        auto tail = std::make_unique<index_payload>();
        tail->bytes_of_each = bytes_of_each;
        tail->indices.assign(indices.begin() + static_cast<std::ptrdiff_t>(position), indices.end());
        indices.resize(position);
        return tail;
    }
    std::unique_ptr<payload> extract(std::size_t position) override
    {
        auto made = std::make_unique<index_payload>();
        made->bytes_of_each = bytes_of_each;
        made->indices.push_back(indices[position]);
        return made;
    }
    std::unique_ptr<payload> copy(std::size_t position) override { return extract(position); }
};

/// An operation over the numbers from 0 to `total`, which writes down what it is told.
class fake_operation final : public operation
{
public:
    fake_operation(std::size_t total, operation_traits traits) : operation(traits), total(total) {}

    std::size_t total;
    std::size_t pulled = 0;
    std::size_t window = no_position;    // what demand() leaves
    std::size_t throws_at = no_position; // the range throws instead of this element
    std::set<std::size_t> refuses;       // these cannot be sent
    std::set<std::uint64_t> unreadable;  // the results of these
    bool progress_throws = false;
    std::vector<std::uint64_t> stored;
    std::map<std::uint64_t, std::string> failures; // with what
    std::size_t reports = 0;
    bool completed = false;
    std::exception_ptr error;
    std::vector<const fake_operation*>* finish_line = nullptr; // notes who completes, if there is one

    std::size_t bytes_of_each = 0;

    std::unique_ptr<payload> make_payload() const override
    {
        auto made = std::make_unique<index_payload>();
        made->bytes_of_each = bytes_of_each;
        return made;
    }

    pull_result pull(payload& into, std::size_t max, std::size_t) override
    {
        BOOST_TEST(!completed);
        pull_result r;
        while (r.count < max && pulled < total) {
            if (pulled == throws_at) {
                r.broken = std::make_exception_ptr(std::runtime_error("range"));
                return r;
            }
            if (refuses.contains(pulled)) {
                ++pulled;
                r.refused = std::make_exception_ptr(std::runtime_error("refused"));
                return r;
            }
            static_cast<index_payload&>(into).indices.push_back(pulled++);
            ++r.count;
        }
        r.ended = pulled == total;
        return r;
    }
    std::size_t demand() const override
    {
        return window == no_position ? no_position : window - std::min(window, pulled - consumed);
    }
    std::size_t consumed = 0;

    std::exception_ptr store(const finished_task& task) noexcept override
    {
        BOOST_TEST(!completed);
        if (unreadable.contains(task.index))
            return std::make_exception_ptr(std::runtime_error("unreadable"));
        stored.push_back(task.index);
        return nullptr;
    }
    void store_failure(std::uint64_t index, std::exception_ptr e) noexcept override { failures[index] = text(e); }
    void report_progress(const progress&) override
    {
        ++reports;
        if (progress_throws)
            throw std::runtime_error("progress");
    }
    void complete(std::exception_ptr e) noexcept override
    {
        BOOST_TEST(!completed);
        completed = true;
        error = e;
        if (finish_line)
            finish_line->push_back(this);
    }

    static std::string text(const std::exception_ptr& e)
    {
        if (!e)
            return "";
        try {
            std::rethrow_exception(e);
        }
        catch (const boost::system::system_error& x) {
            return x.code().message();
        }
        catch (const std::exception& x) {
            return x.what();
        }
    }
    std::string error_text() const { return text(error); }
};

/// Workers that do what the test says. A plain worker begins its first chunk when it gets it.
class fake_backend final : public backend
{
public:
    struct held
    {
        const chunk* work;
        std::size_t begun = 0;    // tasks that it has begun, a prefix
        std::size_t finished = 0; // and reported
        std::size_t keep;         // tasks that were not taken back
        bool cancelled = false;
        time_point begun_at{}; // the last one that it has begun
    };
    std::map<worker_id, std::deque<held>> workers;
    std::vector<worker_id> replaced, retired;                // told to end now, in order
    std::vector<std::pair<worker_id, std::size_t>> launched; // for which node
    std::vector<chunk_id> abandoned;
    std::multiset<std::uint64_t> executed; // indices of tasks that were begun
    capabilities able{.can_kill = true};
    std::optional<running_task> runs; // what running() tells, of the worker `runs_in` if that is set
    worker_id runs_in = 0;
    bool tells_what_runs = false; // running() goes by what was begun, and when
    std::size_t claims = 1;       // tasks that a worker claims at once: what it has claimed cannot be taken back
    std::function<void(const chunk&)> on_submit;
    std::function<void()> on_cancel;

    void submit(worker_id worker, const chunk& work) override
    {
        if (on_submit)
            on_submit(work);
        workers[worker].push_back({.work = &work, .keep = work.tasks->size()});
    }
    bool late = false;                                 // recall() is answered when the test says so
    std::vector<std::pair<worker_id, chunk_id>> asked; // and these were not yet

    std::optional<std::size_t> recall(worker_id worker, chunk_id id) override
    {
        if (!late)
            return keep_begun(worker, id);
        asked.emplace_back(worker, id);
        return std::nullopt;
    }
    /// What the worker keeps of a chunk.
    std::size_t keep_begun(worker_id worker, chunk_id id)
    {
        held& h = get(worker, id);
        h.keep = std::min(h.keep, (h.begun + claims - 1) / claims * claims);
        return h.keep;
    }
    void cancel(worker_id worker, chunk_id id) override
    {
        if (on_cancel)
            on_cancel();
        get(worker, id).cancelled = true;
    }
    std::optional<running_task> running(worker_id worker, chunk_id id) const override
    {
        if (tells_what_runs) {
            if (const auto it = workers.find(worker); it != workers.end())
                for (const held& h : it->second)
                    if (h.work->id == id && h.work->timeout != duration::zero() && h.begun > h.finished)
                        return running_task{h.finished, h.begun_at};
            return std::nullopt;
        }
        if (runs_in == 0)
            return runs;
        const auto it = workers.find(worker);
        const bool first = it != workers.end() && !it->second.empty() && it->second.front().work->id == id;
        return worker == runs_in && first ? runs : std::nullopt;
    }
    std::map<chunk_id, chunk_times> looked; // what times() tells
    std::optional<chunk_times> times(worker_id, chunk_id id) const override
    {
        const auto found = looked.find(id);
        return found == looked.end() ? std::nullopt : std::optional(found->second);
    }
    const capabilities& can() const noexcept override { return able; }
    void abandon(worker_id worker, chunk_id id) override
    {
        abandoned.push_back(id);
        std::erase_if(asked, [&](auto& recall) { return recall.second == id; });
        std::erase_if(workers[worker], [&](held& h) { return h.work->id == id; });
    }
    void launch(worker_id worker, std::size_t node) override { launched.emplace_back(worker, node); }
    void end(worker_id worker, end_mode how) override
    {
        (how == end_mode::in_order ? retired : replaced).push_back(worker);
    }

    held& get(worker_id worker, chunk_id id)
    {
        for (held& h : workers[worker])
            if (h.work->id == id)
                return h;
        throw std::logic_error("the worker does not hold this chunk");
    }
};

/// An engine with its fakes and a clock that the test moves.
struct engine_fixture
{
    fake_backend workers;
    time_point now{std::chrono::hours(1)};
    std::optional<engine> core;

    explicit engine_fixture(engine::settings s = {.nodes = 2, .child_concurrency = 4}) { reset(s); }
    void reset(engine::settings s)
    {
        if (s.restarts.count == 0)
            s.restarts.count = 1'000'000; // deaths are what most cases are about
        core.emplace(s, workers, [this] { return now; });
    }
    void with_workers(std::size_t n)
    {
        for (worker_id id = 1; id <= n; ++id)
            core->worker_ready(id);
        core->decide();
    }
    std::shared_ptr<fake_operation> add(std::size_t total, operation_traits traits = {})
    {
        auto op = std::make_shared<fake_operation>(total, traits);
        core->add(op);
        core->decide();
        return op;
    }
    /// A call whose arguments are so many bytes.
    std::shared_ptr<fake_operation> add_call(std::size_t bytes, call_options options = {})
    {
        auto op = std::make_shared<fake_operation>(1, operation_traits{.options = options, .total = 1});
        op->bytes_of_each = bytes;
        core->add(op);
        core->decide();
        return op;
    }
    fake_backend::held& first(worker_id worker) { return workers.workers[worker].front(); }

    /// The worker begins tasks of its first chunk.
    void begin(worker_id worker, std::size_t n = 1)
    {
        auto& h = first(worker);
        for (; n != 0 && h.begun < h.keep; --n)
            workers.executed.insert(h.work->first + h.begun++);
    }
    /// The worker finishes tasks of its first chunk, and the chunk if it was the last.
    void finish(worker_id worker, std::size_t n = no_position, duration each = 1ms)
    {
        auto& h = first(worker);
        for (; n != 0 && h.finished < h.keep; --n) {
            if (h.begun == h.finished)
                begin(worker);
            core->task_finished(worker, h.work->id, h.finished++, nullptr);
        }
        end_if_done(worker, each);
    }
    void fail(worker_id worker, const char* what)
    {
        auto& h = first(worker);
        if (h.begun == h.finished)
            begin(worker);
        core->task_failed(worker, h.work->id, h.finished++, std::make_exception_ptr(std::runtime_error(what)));
        end_if_done(worker, 1ms);
    }
    /// The worker answers what it was asked first. Whether there was something.
    bool answer()
    {
        if (workers.asked.empty())
            return false;
        const auto [worker, id] = workers.asked.front();
        workers.asked.erase(workers.asked.begin());
        const std::size_t kept = workers.keep_begun(worker, id);
        core->recalled(worker, id, kept);
        core->decide();
        return true;
    }
    void end_if_done(worker_id worker, duration each = 1ms)
    {
        auto& h = first(worker);
        if (h.finished >= h.keep) {
            const auto id = h.work->id;
            const auto n = h.keep;
            workers.workers[worker].pop_front();
            core->chunk_ended(worker, id, each * n);
        }
        core->decide();
    }
    /// The same with coroutines, of which the one of task `on_cpu` was on the CPU; none if no chunk begins with it.
    void die_in_coroutine(worker_id worker, std::uint64_t on_cpu)
    {
        die(worker, false, [&](const auto& work) { return work.first == on_cpu; });
    }
    /// The worker dies in the task that it runs, if any.
    void die(worker_id worker, bool expected = false, std::function<bool(const chunk&)> is_culprit = {})
    {
        worker_loss loss;
        for (auto& h : workers.workers[worker])
            if (h.begun > h.finished)
                loss.begun.push_back({h.work->id, h.finished, !is_culprit || is_culprit(*h.work)});
        loss.explain_to_bystander = [](std::uint64_t index) {
            return std::make_exception_ptr(std::runtime_error("died beside " + std::to_string(index)));
        };
        loss.explain = [](std::uint64_t index) {
            return std::make_exception_ptr(std::runtime_error("died in " + std::to_string(index)));
        };
        loss.expected = expected;
        loss.in_task = !loss.begun.empty();
        loss.cause = [] { return std::make_exception_ptr(std::runtime_error("died")); };
        workers.workers.erase(worker);
        std::erase_if(workers.asked, [&](auto& recall) { return recall.first == worker; });
        core->worker_gone(worker, loss);
        core->decide();
    }
    /// Runs everything to its end, in small steps.
    void run()
    {
        for (bool any = true; any;) {
            any = false;
            for (worker_id id = 1; id <= 16; ++id)
                if (auto it = workers.workers.find(id); it != workers.workers.end() && !it->second.empty()) {
                    finish(id, 1);
                    any = true;
                }
        }
    }
    std::size_t held(worker_id worker) { return workers.workers[worker].size(); }
};

} // namespace twat::mp::test::engines

#endif
