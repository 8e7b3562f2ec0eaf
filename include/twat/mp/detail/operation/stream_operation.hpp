// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_STREAM_OPERATION_HPP
#define TWAT_MP_DETAIL_OPERATION_STREAM_OPERATION_HPP

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

#include <twat/mp/config.hpp>

#include <twat/mp/detail/exception/annotate.hpp>
#include <twat/mp/detail/operation/range_operation.hpp>
#include <twat/mp/detail/operation/stream_state.hpp>

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
        : base(make_traits(), std::move(settings), std::forward<G>(f), std::move(source)), state_(std::move(state))
    {}

    ~stream_operation() override
    {
        if (!over_)
            state_->drop();
    }

    pull_result pull(payload& into, std::size_t max, std::size_t limit) override
    {
        // The pool hears of it later than the user, whose range may be gone by now.
        if (state_->dropped())
            return {.ended = true};
        return base::pull(into, max, limit);
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
            return nullptr;
        }
        catch (...) {
            return annotate(std::current_exception(), task.index);
        }
    }

    std::size_t store_all(const finished_tasks& tasks, std::exception_ptr& error) noexcept override
    {
        using value_type = typename base::value_type;
        using place = typename stream_run<value_type>::place;
        if (tasks.count < least_run)
            return base::store_all(tasks, error);
        try {
            auto run = state_->make_run(tasks.first);
            auto& values = run.mapped().values;
            values.reserve(tasks.count);
            const auto keep = [&](const finished_task& task) {
                this->take(task, [&](auto&& value) { values.push_back(place{value_type(std::move(value))}); });
            };
            try {
                while (values.size() != tasks.count)
                    if constexpr (Workers::encodes)
                        tasks.read_encoded(values.size(), keep);
                    else
                        tasks.read_left(values.size(), keep);
            }
            catch (...) {
                error = annotate(std::current_exception(), tasks.first + values.size());
            }
            const std::size_t kept = values.size();
            if (kept != 0)
                state_->keep_run(std::move(run));
            return kept;
        }
        catch (...) { // no memory for the run
            error = annotate(std::current_exception(), tasks.first);
            return 0;
        }
    }

    void store_failure(std::uint64_t index, std::exception_ptr error) noexcept override
    {
        state_->keep_failure(index, std::move(error));
    }

    void complete(std::exception_ptr error) noexcept override
    {
        over_ = true;
        this->let_go_of_source();
        state_->finish(std::move(error));
    }

private:
    static constexpr std::size_t least_run = 4; ///< Fewer rather continue the run before.

    static operation_traits make_traits()
    {
        operation_traits traits;
        traits.stream = true;
        traits.stops_at_failure = false;
        return traits;
    }

    std::shared_ptr<state_type> state_;
    bool over_ = false;
};

} // namespace twat::mp::detail

#endif
