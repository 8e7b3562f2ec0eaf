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

/** Workers that are processes, and in the place of the engine the test, which gives them chunks and notes what they tell. */
class fake_engine : public detail::backend_events
{
public:
    explicit fake_engine(pool_options options = {}, std::size_t nodes = 1)
        : strand_(asio::make_strand(asio::any_io_executor(context.get_executor()))),
          link_(std::make_shared<detail::strand_link>(strand_)),
          workers(detail::make_process_workers(strand_, link_, options, nodes, *this))
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
        while (!done())
            if (context.run_one_for(std::chrono::seconds(60)) == 0)
                throw std::runtime_error("what the test waits for does not happen");
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
        workers->start();
        run_until([&] { return ready.size() >= nodes; });
    }

    detail::worker_id await_ready(std::size_t count)
    {
        run_until([&] { return ready.size() >= count; });
        return ready.back();
    }

    void stop()
    {
        bool stopped = false;
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
        made->function = std::make_shared<const detail::byte_buffer>(detail::encode_function<F, Args...>(f, false));
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

    void worker_ready(detail::worker_id worker) override { ready.push_back(worker); }
    void successor_ready(detail::worker_id worker) override { succeeded.push_back(worker); }
    void worker_grew(detail::worker_id worker) override { grew.push_back(worker); }
    void worker_gone(detail::worker_id worker, const detail::worker_loss& loss) override { gone[worker] = loss; }
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
    void broken(std::function<std::exception_ptr()> cause, bool for_good) override
    {
        cause_of_break = std::move(cause);
        broken_for_good = for_good;
    }
    void mended() override { cause_of_break = nullptr; }
    void decide() override { ++decisions; }

    asio::io_context context{1};
    std::vector<detail::worker_id> ready, succeeded, grew;
    std::map<detail::worker_id, detail::worker_loss> gone;
    std::map<detail::chunk_id, std::vector<told_outcome>> outcomes;
    std::map<detail::chunk_id, duration> ended;
    std::function<std::exception_ptr()> cause_of_break;
    bool broken_for_good = false;
    int decisions = 0;

private:
    detail::pool_strand strand_;
    std::shared_ptr<detail::strand_link> link_;
    std::vector<std::shared_ptr<detail::chunk>> chunks_;
    std::uint64_t last_chunk_ = 0;

public:
    std::unique_ptr<detail::worker_set> workers;
};

} // namespace twat::mp::test

#endif
