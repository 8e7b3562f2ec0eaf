// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_STREAM_OPERATION_HPP
#define TWAT_MP_DETAIL_STREAM_OPERATION_HPP

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include <twat/mp/config.hpp>

#include <twat/mp/detail/annotate.hpp>
#include <twat/mp/detail/range_operation.hpp>
#include <twat/mp/detail/stream_state.hpp>

namespace twat::mp::detail {

/** The operation behind `imap` and `uimap`: pulls while the reader's window has room, and hands the elements to the stream. */
template <class Workers, class F, class Source, class Progress>
class stream_operation final : public range_operation<Workers, F, Source, Progress>
{
    using base = range_operation<Workers, F, Source, Progress>;

public:
    using state_type = stream_state<typename base::value_type>;

    template <class G>
    stream_operation(std::shared_ptr<state_type> state, call_settings<Progress> settings, G&& f, Source source)
        : base(make_traits(), std::move(settings), std::forward<G>(f), std::move(source)),
          state_(std::move(state)),
          work_(std::in_place, state_->get_executor())
    {}

    ~stream_operation() override
    {
        if (!over_)
            state_->drop();
    }

    pull_result pull(payload& into, std::size_t max, std::size_t limit) override
    {
        auto done = base::pull(into, max, limit);
        update_work();
        return done;
    }

    std::size_t demand() const override { return state_->demand(this->pulled()); }

    void set_chunk_size(std::size_t nodes, std::size_t chunk_size) override
    {
        if (this->traits().options.window == 0)
            state_->set_window(2 * nodes * chunk_size);
    }

    std::exception_ptr store(const finished_task& task) noexcept override
    {
        try {
            this->take(task, [&](auto&& value) { state_->keep(task.index, std::move(value)); });
        } catch (...) {
            return annotate(std::current_exception(), task.index);
        }
        ++stored_;
        update_work();
        return nullptr;
    }

    void store_failure(std::uint64_t index, std::exception_ptr error) noexcept override
    {
        state_->keep_failure(index, std::move(error));
        ++stored_;
        update_work();
    }

    void complete(std::exception_ptr error) noexcept override
    {
        over_ = true;
        work_.reset();
        state_->finish(std::move(error));
    }

private:
    static operation_traits make_traits()
    {
        operation_traits traits;
        traits.stream = true;
        traits.stops_at_failure = false;
        return traits;
    }

    /// The stream is work for the context while tasks are in flight or could be, not while it waits to be read.
    void update_work()
    {
        const bool busy = stored_ < this->pulled() || (!this->ended() && demand() != 0);
        if (busy && !work_)
            work_.emplace(state_->get_executor());
        else if (!busy && work_)
            work_.reset();
    }

    std::shared_ptr<state_type> state_;
    std::optional<asio::executor_work_guard<asio::any_io_executor>> work_;
    std::uint64_t stored_ = 0;
    bool over_ = false;
};

} // namespace twat::mp::detail

#endif
