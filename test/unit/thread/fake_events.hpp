// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_UNIT_THREAD_FAKE_EVENTS_HPP
#define TWAT_MP_TEST_UNIT_THREAD_FAKE_EVENTS_HPP

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "backend/worker_set.hpp"

namespace twat::mp::test {

using namespace twat::mp::detail;

/// Numbers; each task doubles one of them unless told otherwise.
class int_payload : public payload
{
public:
    explicit int_payload(std::size_t count) : values(count) {}
    std::size_t size() const noexcept override { return values.size(); }
    std::unique_ptr<payload> split(std::size_t) override { return nullptr; }

    std::vector<int> values;
};

class int_operation : public operation
{
public:
    using body = std::function<void(std::uint64_t index)>;

    explicit int_operation(body f) : operation({}), f_(std::move(f)) {}

    std::unique_ptr<payload> make_payload() const override { return std::make_unique<int_payload>(0); }
    pull_result pull(payload&, std::size_t, std::size_t) override { return {}; }
    std::exception_ptr store(const finished_task&) noexcept override { return nullptr; }
    void complete(std::exception_ptr) noexcept override {}

    std::exception_ptr run(payload& tasks, std::size_t position, std::uint64_t index) noexcept override
    {
        try {
            f_(index);
            static_cast<int_payload&>(tasks).values[position] = static_cast<int>(index) * 2;
            return nullptr;
        }
        catch (...) {
            return std::current_exception();
        }
    }

private:
    body f_;
};

class coroutine_operation : public int_operation
{
public:
    using coroutine = std::function<asio::awaitable<void>(std::uint64_t index)>;

    explicit coroutine_operation(coroutine f) : int_operation({}), f_(std::move(f)) {}

    asio::awaitable<std::exception_ptr> run_async(payload&, std::size_t, std::uint64_t index) override
    {
        std::exception_ptr error;
        try {
            co_await f_(index);
        }
        catch (...) {
            error = std::current_exception();
        }
        co_return error;
    }

private:
    coroutine f_;
};

/// Keeps what it is told.
struct fake_events : backend_events
{
    void worker_ready(worker_id worker) override { ready.push_back(worker); }
    void worker_gone(worker_id worker, const worker_loss& loss) override
    {
        if (loss.expected) {
            gone.push_back(worker);
            return;
        }
        lost.push_back(worker);
        causes.push_back(loss.cause());
        stuck += loss.stuck;
    }
    void task_finished(worker_id, chunk_id id, std::size_t position, decoder* value) override
    {
        BOOST_TEST(!value);
        BOOST_TEST(!ended.contains(id));
        finished[id].push_back(position);
    }
    void task_failed(worker_id, chunk_id id, std::size_t position, std::exception_ptr error) override
    {
        BOOST_TEST(!ended.contains(id));
        failed[id][position] = error;
    }
    void chunk_ended(worker_id worker, chunk_id id, duration busy) override
    {
        BOOST_TEST(!ended.contains(id));
        BOOST_TEST((busy >= duration::zero()));
        ended[id] = worker;
    }
    void decide() override { ++decided; }

    std::vector<worker_id> ready, gone, lost;
    std::map<chunk_id, std::vector<std::size_t>> finished;
    std::map<chunk_id, std::map<std::size_t, std::exception_ptr>> failed;
    std::map<chunk_id, worker_id> ended;
    std::vector<std::exception_ptr> causes;
    int decided = 0;
    std::size_t stuck = 0;
};

struct thread_workers_fixture
{
    asio::io_context context;
    pool_strand strand{context.get_executor()};
    std::shared_ptr<strand_link> link = std::make_shared<strand_link>(strand);
    fake_events events;
    pool_options options;
    std::unique_ptr<worker_set> workers;
    worker_id last_worker = 0;
    chunk_id last_chunk = 0;
    std::vector<std::shared_ptr<chunk>> chunks;

    // As a pool does when its context goes away: threads that no longer belong to the set may live on.
    ~thread_workers_fixture() { link->cut(); }

    void make(std::size_t nodes)
    {
        workers = make_thread_workers(strand, link, options, events);
        for (std::size_t node = 0; node != nodes; ++node)
            workers->launch(++last_worker, node);
    }
    void make_ready(std::size_t nodes)
    {
        make(nodes);
        run_until([&] { return events.ready.size() == nodes; });
    }

    /// Runs the strand's context until `done()`. The limit is only to end a test that has failed.
    void run_until(const std::function<bool()>& done)
    {
        const auto limit = clock::now() + std::chrono::seconds(30);
        while (!done() && clock::now() < limit) {
            context.restart();
            context.run_one_for(std::chrono::milliseconds(20));
        }
        BOOST_REQUIRE(done());
    }

    chunk& make_chunk(std::shared_ptr<operation> op, std::size_t count = 1, std::uint64_t first = 0)
    {
        auto made = std::make_shared<chunk>();
        made->id = ++last_chunk;
        made->op = std::move(op);
        made->first = first;
        made->tasks = std::make_unique<int_payload>(count);
        made->count = count;
        chunks.push_back(std::move(made));
        return *chunks.back();
    }
    chunk& make_chunk(int_operation::body f, std::size_t count = 1, std::uint64_t first = 0)
    {
        return make_chunk(std::make_shared<int_operation>(std::move(f)), count, first);
    }
    chunk& make_coroutine(coroutine_operation::coroutine f)
    {
        chunk& made = make_chunk(std::make_shared<coroutine_operation>(std::move(f)));
        made.coroutine = true;
        return made;
    }

    bool has_ended(const chunk& work) const { return events.ended.contains(work.id); }
    void run_to_end(const chunk& work)
    {
        run_until([&] { return has_ended(work); });
    }
};

/// Lets threads wait for each other.
class gate
{
public:
    void open()
    {
        std::lock_guard lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }
    void pass()
    {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return open_; });
    }
    bool is_open()
    {
        std::lock_guard lock(mutex_);
        return open_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool open_ = false;
};

} // namespace twat::mp::test

#endif
