// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_COLLECT_OPERATION_HPP
#define TWAT_MP_DETAIL_OPERATION_COLLECT_OPERATION_HPP

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <twat/mp/config.hpp>

#include <twat/mp/detail/exception/annotate.hpp>
#include <twat/mp/detail/operation/range_operation.hpp>
#include <twat/mp/detail/operation/results.hpp>

namespace twat::mp::detail {

/** An operation that completes once, with everything: `apply`, `map`, `starmap`, `try_map`.

    `Completion` is called once, on the pool's strand, as `void(std::exception_ptr, Results::completed)`, without the second if it
    is `void`. If it has a `fail(std::exception_ptr)`, that is called where there is no value. It is destroyed uncalled if the
    context goes away first.
*/
template <class Workers, class F, class Source, class Results, class Progress, class Completion>
class collect_operation final : public range_operation<Workers, F, Source, Progress>
{
    using base = range_operation<Workers, F, Source, Progress>;
    using completed = typename Results::completed;

public:
    template <class G, class C>
    collect_operation(bool stops_at_failure, call_settings<Progress> settings, G&& f, Source source, C&& completion)
        : base(make_traits(stops_at_failure), std::move(settings), std::forward<G>(f), std::move(source)),
          completion_(std::forward<C>(completion))
    {
        const auto total = this->traits().total;
        // Two runs of one task may end at the same time.
        const bool one_run = this->traits().options.hedge_after.never();
        if constexpr (shares_places) {
            if (auto* places = total && one_run ? results_.share(*total) : nullptr)
                this->share_results(places);
        } else if constexpr (shares_nothing) {
            if (total && one_run)
                this->share_results(nullptr);
        }
        if (total && !shares())
            results_.expect(*total);
    }

    pull_result pull(payload& into, std::size_t max, std::size_t limit) override
    {
        const pull_result done = base::pull(into, max, limit);
        if constexpr (shares_places)
            if (shares())
                results_.grow(static_cast<std::size_t>(this->pulled()));
        return done;
    }

    std::exception_ptr store(const finished_task& task) noexcept override
    {
        if (shares())
            return nullptr;
        try {
            this->take(task, [&](auto&& value) { results_.keep(task.index, std::move(value)); });
            return nullptr;
        }
        catch (...) {
            return annotate(std::current_exception(), task.index);
        }
    }

    std::size_t store_all(const finished_tasks& tasks, std::exception_ptr& error) noexcept override
    {
        if constexpr (Workers::encodes) {
            using value_type = typename base::value_type;
            const std::uint64_t first = tasks.first;
            const encoded_values& values = *tasks.values;
            std::size_t kept = 0;
            try {
                if constexpr (bytewise<value_type>) {
                    const auto read = [&](std::size_t i) {
                        decoder in(values[i]);
                        return read_raw<value_type>(in);
                    };
                    if constexpr (requires { results_.keep_all(first, tasks.count, read); }) {
                        if (values.size >= sizeof(value_type)) { // then none is bad
                            results_.keep_all(first, tasks.count, read);
                            return tasks.count;
                        }
                    }
                }
                for (; kept != tasks.count; ++kept)
                    tasks.read_encoded(kept, [&](const finished_task& task) {
                        this->take(task, [&](auto&& value) { results_.keep(task.index, std::move(value)); });
                    });
            }
            catch (...) {
                error = annotate(std::current_exception(), first + kept);
            }
            return kept;
        } else {
            return shares() ? tasks.count : base::store_all(tasks, error);
        }
    }

    void store_failure(std::uint64_t index, std::exception_ptr error) noexcept override
    {
        results_.keep_failure(index, std::move(error));
    }

    void complete(std::exception_ptr error) noexcept override
    {
        if (error)
            error = this->with_arguments(std::move(error));
        this->let_go_of_source();
        if constexpr (Workers::encodes)
            if (error)
                results_.forget(); // for the same reason
        if constexpr (std::is_void_v<completed>) {
            completion_(std::move(error));
        } else {
            std::optional<completed> values;
            if (!error) {
                try {
                    values.emplace(results_.release());
                }
                catch (...) {
                    error = std::current_exception();
                }
            }
            if (values)
                completion_(std::move(error), std::move(*values));
            else if constexpr (requires { completion_.fail(error); })
                completion_.fail(std::move(error));
            else
                completion_(std::move(error), completed());
        }
    }

private:
    // Threads that end a task leave its result where it belongs, if that can be done by several at once.
    static constexpr bool on_threads = !Workers::encodes;
    static constexpr bool plain = !base::traits_type::coroutine;
    static constexpr bool shares_places = on_threads && plain && Results::shareable;
    static constexpr bool shares_nothing = on_threads && plain && std::is_void_v<completed>;

    bool shares() const noexcept
    {
        if constexpr (shares_places || shares_nothing)
            return this->shares_results();
        else
            return false;
    }

    static operation_traits make_traits(bool stops_at_failure)
    {
        operation_traits traits;
        traits.stops_at_failure = stops_at_failure;
        return traits;
    }

    Results results_;
    Completion completion_;
};

/** A call of a verb before it is an operation: everything but who is told of its end. */
template <class Workers, class F, class Source, class Results, class Progress>
class collect_call
{
public:
    using completed = typename Results::completed;

    template <class G>
    collect_call(bool stops_at_failure, call_settings<Progress> settings, G&& f, Source source)
        : stops_at_failure_(stops_at_failure), settings_(std::move(settings)), f_(std::forward<G>(f)),
          source_(std::move(source))
    {}

    /// Makes the operation; for `completion` see `collect_operation`.
    template <class Completion>
    std::shared_ptr<operation> make(Completion&& completion) &&
    {
        using type = collect_operation<Workers, F, Source, Results, Progress, std::decay_t<Completion>>;
        return with_journal<Workers::encodes, typename Source::parameters>(settings_.callback(), f_, [&] {
            return std::make_shared<type>(stops_at_failure_, std::move(settings_), std::move(f_), std::move(source_),
                                          std::forward<Completion>(completion));
        });
    }

    /// The error of a call that does not become an operation, with its arguments.
    std::exception_ptr with_arguments(std::exception_ptr error)
    {
        if constexpr (requires { source_.give_back(); })
            if (auto arguments = source_.give_back())
                return give_back(std::move(error), std::move(arguments));
        return error;
    }

private:
    bool stops_at_failure_;
    call_settings<Progress> settings_;
    F f_;
    Source source_;
};

} // namespace twat::mp::detail

#endif
