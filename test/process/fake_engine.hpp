// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_PROCESS_FAKE_ENGINE_HPP
#define TWAT_MP_TEST_PROCESS_FAKE_ENGINE_HPP

#include <twat/mp/codec.hpp>
#include <twat/mp/detail/function/encode_function.hpp>
#include <twat/mp/options.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "backend/worker_set.hpp"
#include "engine/roster.hpp"

namespace twat::mp::test {

/// One task's outcome: the bytes of its value, or its exception.
struct told_outcome
{
    std::size_t position;
    std::string bytes;
    std::exception_ptr error;

    template <class T>
    T value() const
    {
        if (error)
            std::rethrow_exception(error);
        decoder in(std::as_bytes(std::span(bytes)));
        return in.read<T>();
    }
};

/** Workers that are processes, under a roster as a pool has it, and in the place of the engine the test, which gives them chunks and notes
    what they tell. */
class fake_engine : public detail::backend_events
{
public:
    explicit fake_engine(pool_options options = {}, std::size_t nodes = 1)
        : strand_(asio::make_strand(asio::any_io_executor(context.get_executor()))),
          link_(std::make_shared<detail::strand_link>(strand_)),
          workers(detail::make_process_workers(strand_, link_, options, nodes, *this)),
          roster({.nodes = nodes,
                  .start_timeout = options.start_timeout,
                  .restarts = options.restarts,
                  .starts_at_once = workers->starts_at_once()})
    {}

    ~fake_engine()
    {
        link_->cut();
        workers->halt();
        workers->shut_down();
    }

    /// Runs the context until `done()`.
    template <class Done>
    void run_until(Done done)
    {
        auto guard = asio::make_work_guard(context);
        context.restart();
        for (const auto limit = detail::clock::now() + std::chrono::seconds(60); !done(); tick()) {
            context.run_one_for(std::chrono::milliseconds(50));
            if (detail::clock::now() > limit)
                throw std::runtime_error("what the test waits for does not happen");
        }
    }

    /// Runs the context until a task of the chunk, which has a timeout, is seen to run. The page tells nobody when that is.
    void await_running(detail::worker_id worker, const detail::chunk& work)
    {
        auto guard = asio::make_work_guard(context);
        context.restart();
        for (int i = 0; !workers->running(worker, work.id); ++i) {
            if (i == 60'000)
                throw std::runtime_error("the task does not begin");
            context.run_one_for(std::chrono::milliseconds(1));
        }
    }

    /// Runs the context until it has no work left.
    void run_dry()
    {
        context.restart();
        if (context.run_for(std::chrono::seconds(60)); !context.stopped())
            throw std::runtime_error("the context does not run out of work");
    }

    /// Starts the workers and waits for all of them.
    void start(std::size_t nodes = 1)
    {
        workers->set_active(true);
        begin();
        run_until([&] { return ready.size() >= nodes; });
    }
    /// Begins to start the workers.
    void begin()
    {
        roster.start(detail::clock::now());
        carry_out();
    }

    void prepare_successor(detail::worker_id worker)
    {
        roster.succeed(worker, detail::clock::now());
        carry_out();
    }
    void replace(detail::worker_id worker)
    {
        roster.replace(worker, detail::clock::now());
        carry_out();
    }
    void retire(detail::worker_id worker)
    {
        roster.leave(worker, detail::clock::now());
        carry_out();
    }
    bool try_again()
    {
        const bool trying = roster.try_again(detail::clock::now());
        carry_out();
        return trying;
    }

    detail::worker_id await_ready(std::size_t count)
    {
        run_until([&] { return ready.size() >= count; });
        return ready.back();
    }

    void stop()
    {
        bool stopped = false;
        roster.close();
        workers->stop([&] { stopped = true; });
        run_until([&] { return stopped; });
    }

    template <class F, class... Args>
    std::shared_ptr<detail::chunk> make_chunk(const F& f, const std::vector<std::tuple<Args...>>& arguments)
    {
        auto tasks = std::make_unique<detail::encoded_payload>();
        for (const auto& a : arguments) {
            encoder out;
            std::apply([&](const auto&... one) { (out.write(one), ...); }, a);
            tasks->buffer().append(out.bytes().data(), out.bytes().size());
            tasks->end_task();
        }
        auto made = std::make_shared<detail::chunk>();
        made->id = ++last_chunk_;
        made->op_id = last_chunk_;
        made->function = std::make_shared<const detail::attached_bytes>(detail::encode_function<F, Args...>(f, false));
        made->count = tasks->size();
        made->tasks = std::move(tasks);
        chunks_.push_back(made);
        return made;
    }

    /// A chunk whose tasks have one argument each.
    template <class F, class T>
    std::shared_ptr<detail::chunk> chunk_of(const F& f, const std::vector<T>& inputs)
    {
        std::vector<std::tuple<T>> arguments;
        for (const T& input : inputs)
            arguments.emplace_back(input);
        return make_chunk(f, arguments);
    }

    /// Runs a chunk to its end and returns its outcomes.
    const std::vector<told_outcome>& run(detail::worker_id worker, const detail::chunk& work)
    {
        workers->submit(worker, work);
        run_until([&] { return ended.contains(work.id); });
        return outcomes[work.id];
    }

    void worker_started(detail::worker_id worker) override { roster.started(worker, detail::clock::now()); }
    void worker_ready(detail::worker_id worker) override
    {
        const auto arrived = roster.ready(worker, detail::clock::now());
        if (arrived.mends)
            cause_of_break = nullptr;
        if (arrived.takes_work)
            ready.push_back(worker);
        succeeded.insert(succeeded.end(), arrived.predecessors.begin(), arrived.predecessors.end());
    }
    void worker_grew(detail::worker_id worker) override { grew.push_back(worker); }
    void worker_gone(detail::worker_id worker, const detail::worker_loss& loss) override
    {
        gone[worker] = loss;
        roster.gone(worker, loss, detail::clock::now());
    }
    void task_finished(detail::worker_id, detail::chunk_id id, std::size_t position, decoder* value) override
    {
        const auto bytes = value->rest();
        outcomes[id].push_back({position, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, nullptr});
    }
    void task_failed(detail::worker_id, detail::chunk_id id, std::size_t position, std::exception_ptr error) override
    {
        outcomes[id].push_back({position, {}, std::move(error)});
    }
    void chunk_ended(detail::worker_id, detail::chunk_id id, duration busy) override { ended[id] = busy; }
    void decide() override
    {
        ++decisions;
        carry_out();
    }

    asio::io_context context{1};
    std::vector<detail::worker_id> ready, succeeded, grew;
    std::map<detail::worker_id, detail::worker_loss> gone;
    std::map<detail::chunk_id, std::vector<told_outcome>> outcomes;
    std::map<detail::chunk_id, duration> ended;
    std::function<std::exception_ptr()> cause_of_break;
    bool broken_for_good = false;
    int decisions = 0;

private:
    void carry_out()
    {
        while (roster.has_actions())
            for (const detail::roster::action& todo : roster.take_actions())
                switch (todo.what) {
                case detail::roster::action::launch: workers->launch(todo.worker, todo.node); break;
                case detail::roster::action::end: workers->end(todo.worker, todo.how); break;
                case detail::roster::action::broken:
                    cause_of_break = roster.why_broken().cause;
                    broken_for_good = roster.why_broken().for_good;
                    break;
                }
    }

    void tick()
    {
        if (roster.judges(detail::clock::now()))
            workers->catch_up();
        roster.tick(detail::clock::now(),
                    [this](detail::worker_id worker) { return workers->start_time_used(worker); });
        carry_out();
    }

    detail::pool_strand strand_;
    std::shared_ptr<detail::strand_link> link_;
    std::vector<std::shared_ptr<detail::chunk>> chunks_;
    std::uint64_t last_chunk_ = 0;

public:
    std::unique_ptr<detail::worker_set> workers;
    detail::roster roster;
};

} // namespace twat::mp::test

#endif
