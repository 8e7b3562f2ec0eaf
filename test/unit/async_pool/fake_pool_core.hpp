// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_UNIT_ASYNC_POOL_FAKE_POOL_CORE_HPP
#define TWAT_MP_TEST_UNIT_ASYNC_POOL_FAKE_POOL_CORE_HPP

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <utility>
#include <vector>

#include <twat/mp/error.hpp>
#include <twat/mp/workers.hpp>

#include <twat/mp/detail/exception/aborted.hpp>
#include <twat/mp/detail/exception/annotate.hpp>
#include <twat/mp/detail/exception/make_error.hpp>
#include <twat/mp/detail/operation/pool_core.hpp>
#include <twat/mp/detail/function/worker_function.hpp>

#include "function/function.hpp"

namespace twat::mp::test {

/** A pool without workers: runs tasks one after the other on its strand, when and in the order that a test asks for.

    Says nothing of how a pool decides; it shows what the operations do when they are driven. The tasks of processes go through their
    bytes, in this process.
*/
class fake_pool_core final : public detail::pool_core, public std::enable_shared_from_this<fake_pool_core>
{
public:
    /// @param encodes Tasks are made as for processes.
    fake_pool_core(bool encodes, asio::any_io_executor executor)
        : encodes_(encodes), strand_(executor), executor_(executor), factory_(thread_workers::make({}))
    {}

    // What a test may change before it submits anything.
    std::size_t chunk_size = 2;
    bool hold = false;          ///< Tasks are pulled and do not run until `run_held`.
    bool newest_first = false;  ///< Chunks are run last in, first out.
    std::exception_ptr refusal; ///< `submit` throws this.

    // What a test may read on the context's thread.
    std::vector<asio::cancellation_type> cancellations;
    std::size_t abandoned = 0;
    std::size_t completed = 0;

    /// Runs what `hold` held back, and holds nothing from now on.
    void run_held()
    {
        asio::post(strand_, [self = shared_from_this()] {
            self->hold = false;
            self->step();
        });
    }

    /// Completes the drains that `hold` held back.
    void end_drains()
    {
        for (auto& handler : std::exchange(draining_, {}))
            std::move (*handler)(nullptr, drain_report());
    }

    asio::any_io_executor get_executor() const noexcept override { return executor_; }
    const std::shared_ptr<const detail::backend_factory>& factory() const noexcept override { return factory_; }
    std::size_t nodes() const noexcept override { return nodes_; }
    void resize(std::size_t nodes) override { nodes_ = nodes; }
    pool_stats stats() const override
    {
        pool_stats stats;
        stats.nodes = nodes_;
        return stats;
    }

    void submit(std::shared_ptr<detail::operation> op) override
    {
        if (refusal)
            std::rethrow_exception(refusal);
        asio::post(strand_, [self = shared_from_this(), op = std::move(op)] {
            if (self->closed_) {
                op->complete(detail::make_error(errc::pool_closed));
                return;
            }
            state& added = self->running_.emplace_back(op);
            if (self->encodes_) {
                const auto encoded = op->encode_function(false);
                decoder in(encoded.bytes.bytes());
                added.function = detail::decode_function(in);
            }
            self->step();
        });
    }

    void cancel(std::shared_ptr<detail::operation> op, asio::cancellation_type type) override
    {
        asio::post(strand_, [self = shared_from_this(), op = std::move(op), type] {
            self->cancellations.push_back(type);
            self->end(op.get(), detail::make_aborted());
        });
    }

    void feed(std::shared_ptr<detail::operation>) override
    {
        asio::post(strand_, [self = shared_from_this()] { self->step(); });
    }

    void abandon(std::shared_ptr<detail::operation> op) override
    {
        asio::post(strand_, [self = shared_from_this(), op = std::move(op)] {
            ++self->abandoned;
            self->end(op.get(), detail::make_aborted());
        });
    }

    void prepare() override {}

    void start(start_handler handler) override
    {
        if (hold) {
            waiting_.push_back(std::make_shared<start_handler>(std::move(handler)));
            return;
        }
        call(std::move(handler));
    }

    void join(start_handler handler) override
    {
        close();
        call(std::move(handler));
    }

    void drain(duration limit, drain_handler handler) override
    {
        close();
        auto shared = std::make_shared<drain_handler>(std::move(handler));
        if (hold)
            draining_.push_back(shared);
        else
            asio::post(strand_, [shared, limit] {
                std::move (*shared)(nullptr, drain_report{.in_time = limit != duration::zero(), .took = limit});
            });
    }

    void dump(dump_handler handler) override
    {
        asio::post(strand_, [shared = std::make_shared<dump_handler>(std::move(handler))] {
            std::move (*shared)(nullptr, pool_dump());
        });
    }

    void close() override
    {
        asio::post(strand_, [self = shared_from_this()] { self->closed_ = true; });
    }
    void terminate() override { end_all(detail::make_error(errc::pool_terminated)); }
    void release() noexcept override { end_all(detail::make_aborted()); }

    bool runs_task_here() const noexcept override { return false; }
    bool may_await_tasks_here(const detail::operation&) const noexcept override { return true; }
    void help(const std::shared_ptr<detail::operation>&, const std::function<bool()>&) override {}
    void wake_helpers(const std::shared_ptr<detail::operation>&) noexcept override {}

private:
    struct chunk
    {
        std::uint64_t first;
        std::shared_ptr<detail::payload> tasks;
    };

    struct state
    {
        explicit state(std::shared_ptr<detail::operation> o) : op(std::move(o)) {}

        std::shared_ptr<detail::operation> op;
        std::shared_ptr<detail::worker_function> function; // processes
        std::uint64_t next = 0;
        std::deque<chunk> chunks;
        std::size_t in_flight = 0; // coroutines
        bool ended = false;
        bool over = false;
        progress now;
        std::exception_ptr failure;
        std::uint64_t failed_index = 0;
    };

    void call(start_handler handler)
    {
        auto shared = std::make_shared<start_handler>(std::move(handler));
        asio::post(strand_, [shared] { std::move (*shared)(nullptr); });
    }

    void end_all(std::exception_ptr error)
    {
        asio::post(strand_, [self = shared_from_this(), error] {
            self->closed_ = true;
            auto running = std::move(self->running_);
            for (auto& each : running)
                self->complete(each, error);
        });
    }

    void end(const detail::operation* op, std::exception_ptr error)
    {
        for (auto each = running_.begin(); each != running_.end(); ++each)
            if (each->op.get() == op && !each->over) {
                complete(*each, error);
                running_.erase(each);
                return;
            }
    }

    void complete(state& each, std::exception_ptr error)
    {
        if (std::exchange(each.over, true))
            return;
        ++completed;
        each.op->complete(std::move(error));
    }

    /// One round: gives each operation a chunk, then runs one chunk of each.
    void step()
    {
        bool more = false;
        for (auto each = running_.begin(); each != running_.end();) {
            fill(*each);
            if (!hold)
                drain(*each);
            const bool done = each->chunks.empty() && each->in_flight == 0 && (each->ended || each->failure);
            if (done)
                complete(*each, each->failure);
            else
                more = more || (!hold && (!each->chunks.empty() || can_pull(*each)));
            each = each->over && each->in_flight == 0 ? running_.erase(each) : std::next(each);
        }
        if (more)
            asio::post(strand_, [self = shared_from_this()] { self->step(); });
    }

    static bool can_pull(const state& each) { return !each.ended && !each.failure && each.op->demand() != 0; }

    void fill(state& each)
    {
        while (can_pull(each) && each.chunks.size() < 2) {
            const std::size_t size = each.op->traits().options.chunk_size;
            const std::size_t max = std::min(size != 0 ? size : chunk_size, each.op->demand());
            std::shared_ptr<detail::payload> tasks = each.op->make_payload();
            auto pulled = each.op->pull(*tasks, max, factory_->options().max_message_size);
            if (pulled.count != 0)
                each.chunks.push_back({each.next, tasks});
            each.next += pulled.count;
            each.ended = pulled.ended;
            if (pulled.refused)
                fail(each, each.next++, pulled.refused);
            if (pulled.broken) {
                each.failure = pulled.broken;
                each.ended = true;
            }
        }
    }

    void drain(state& each)
    {
        if (each.chunks.empty())
            return;
        auto work = std::move(newest_first ? each.chunks.back() : each.chunks.front());
        newest_first ? each.chunks.pop_back() : each.chunks.pop_front();
        for (std::size_t i = 0; i < work.tasks->size(); ++i) {
            const auto index = work.first + i;
            if (each.op->traits().coroutine) {
                ++each.in_flight;
                auto done = [self = shared_from_this(), &each, work, i, index](std::exception_ptr failure,
                                                                               outcome result) {
                    --each.in_flight;
                    self->report(each, *work.tasks, i, index,
                                 failure ? outcome{detail::annotate(failure, index), {}} : result);
                    self->step();
                };
                asio::co_spawn(strand_, run_coroutine(each.op, each.function, work, i, index), std::move(done));
            } else if (each.function) {
                report(each, *work.tasks, i, index, call(*each.function, *work.tasks, i, index));
            } else {
                report(each, *work.tasks, i, index, {each.op->run(*work.tasks, i, index), {}});
            }
        }
    }

    /// How a task ended: processes, with the bytes of its result.
    struct outcome
    {
        std::exception_ptr error;
        std::shared_ptr<encoder> value;
    };

    static decoder arguments(detail::payload& tasks, std::size_t position)
    {
        return decoder(static_cast<detail::encoded_payload&>(tasks)[position]);
    }

    static outcome call(const detail::worker_function& function, detail::payload& tasks, std::size_t position,
                        std::uint64_t index)
    {
        auto value = std::make_shared<encoder>();
        try {
            auto in = arguments(tasks, position);
            function.call(in, *value);
            return {nullptr, value};
        }
        catch (...) {
            return {detail::annotate(std::current_exception(), index), nullptr};
        }
    }

    static asio::awaitable<outcome> run_coroutine(std::shared_ptr<detail::operation> op,
                                                  std::shared_ptr<detail::worker_function> function, chunk work,
                                                  std::size_t position, std::uint64_t index)
    {
        outcome ended;
        if (function) {
            ended.value = std::make_shared<encoder>();
            auto running = function->call_async(arguments(*work.tasks, position), *ended.value);
            co_await std::move(running);
        } else {
            auto running = op->run_async(*work.tasks, position, index);
            ended.error = co_await std::move(running);
        }
        co_return ended;
    }

    void report(state& each, detail::payload& tasks, std::size_t position, std::uint64_t index, outcome ended)
    {
        if (each.over)
            return;
        auto error = ended.error;
        if (!error && ended.value) {
            decoder in(ended.value->bytes());
            error = each.op->store({.index = index, .value = &in});
        } else if (!error) {
            error = each.op->store({.index = index, .tasks = &tasks, .position = position});
        }
        ++each.now.done;
        if (error)
            fail(each, index, std::move(error));
        if (each.op->traits().counts_progress) {
            each.now.total = each.op->traits().total;
            try {
                each.op->report_progress(each.now);
            }
            catch (...) {
                each.failure = std::current_exception();
                each.failed_index = 0;
                each.chunks.clear();
            }
        }
    }

    void fail(state& each, std::uint64_t index, std::exception_ptr error)
    {
        ++each.now.failed;
        if (!each.op->traits().stops_at_failure) {
            each.op->store_failure(index, std::move(error));
        } else if (!each.failure || index < each.failed_index) {
            each.failure = std::move(error);
            each.failed_index = index;
        }
    }

    const bool encodes_;
    asio::strand<asio::any_io_executor> strand_;
    asio::any_io_executor executor_;
    std::size_t nodes_ = 2;
    const std::shared_ptr<const detail::backend_factory> factory_;
    std::list<state> running_;
    std::vector<std::shared_ptr<start_handler>> waiting_;
    std::vector<std::shared_ptr<drain_handler>> draining_;
    bool closed_ = false;
};

} // namespace twat::mp::test

#endif
