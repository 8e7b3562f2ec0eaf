// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_BLOCKING_READ_HPP
#define TWAT_MP_DETAIL_OPERATION_BLOCKING_READ_HPP

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

#include <twat/mp/config.hpp>
#include <twat/mp/options.hpp>

#include <twat/mp/detail/operation/blocking_core.hpp>
#include <twat/mp/detail/operation/stop_request.hpp>
#include <twat/mp/detail/operation/stream_state.hpp>

namespace twat::mp::detail {

/// A read of a stream for which a thread waits.
class blocking_read final : public stream_read
{
public:
    void post() override { wait_.finish(); }
    blocking_wait& wait() noexcept { return wait_; }

private:
    blocking_wait wait_;
};

/** The reading end of a stream, for one thread at a time that waits. */
template <class R>
class stream_reader
{
public:
    stream_reader(std::shared_ptr<blocking_core> core, std::shared_ptr<stream_state<R>> state)
        : core_(std::move(core)), state_(std::move(state))
    {}
    stream_reader(const stream_reader&) = delete;
    stream_reader& operator=(const stream_reader&) = delete;
    /// Waits until nothing uses what is the caller's: the range that another thread may be pulling from, and what tasks on threads use.
    ~stream_reader()
    {
        state_->abandon();
        const auto op = state_->source();
        if (state_->is_over() || (op && !core_->pool()->may_await_tasks_here(*op)))
            return;
        try {
            core_->check_may_wait();
            wait([this] { state_->await_end(read_); });
        }
        catch (const std::exception&) {
            // In a callback of the pool nobody can wait.
        }
    }

    /// A request to stop cancels the call.
    void watch(const std::stop_token& stop)
    {
        if (const auto op = state_->source())
            watch_.start(stop, cancel_request(core_->pool(), op));
    }

    /// Waits for the next element; there is no value at the end. Throws if the element failed.
    void read()
    {
        core_->check_may_wait();
        if (state_->take_fetched_value(value_))
            return;
        value_.reset();
        auto outcome = state_->take();
        if (!outcome) {
            wait([this] { state_->start(read_); });
            outcome.emplace(state_->take(*read_));
        }
        if (outcome->error)
            std::rethrow_exception(outcome->error);
        if (outcome->value)
            value_.emplace(std::move(*outcome->value));
    }

    /// The same, for a limited time. There is no value either if it passed.
    void read_for(duration limit)
    {
        core_->check_may_wait();
        value_.reset();
        auto outcome = state_->try_take();
        if (!outcome && limit > duration::zero()) {
            wait([this] { state_->start(read_); }, limit);
            state_->release(*read_);
            read_->wait().wait(); // it was released, or is about to finish
            outcome.emplace(state_->take(*read_));
        }
        if (!outcome)
            return;
        if (outcome->error)
            std::rethrow_exception(outcome->error);
        if (outcome->value)
            value_.emplace(std::move(*outcome->value));
    }

    bool at_end() const { return state_->at_end(); }
    std::optional<R>& value() noexcept { return value_; }
    std::uint64_t index() const { return state_->index(); }

private:
    template <class Begin>
    void wait(Begin begin, duration limit = duration::max())
    {
        blocking_wait& until = read_->wait();
        until.reset();
        if (core_->pool()->runs_task_here())
            until.let_help(core_->pool(), state_->source());
        core_->wait(until, begin, limit);
    }

    const std::shared_ptr<blocking_core> core_;
    const std::shared_ptr<stream_state<R>> state_;
    const std::shared_ptr<blocking_read> read_ = std::make_shared<blocking_read>();
    std::optional<R> value_;
    stop_watch watch_;
};

} // namespace twat::mp::detail

#endif
