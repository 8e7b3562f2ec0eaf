// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_FOLD_OPERATION_HPP
#define TWAT_MP_DETAIL_OPERATION_FOLD_OPERATION_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include <twat/mp/config.hpp>
#include <twat/mp/exceptions.hpp>

#include <twat/mp/detail/exception/annotate.hpp>
#include <twat/mp/detail/operation/block_source.hpp>
#include <twat/mp/detail/operation/calls.hpp>
#include <twat/mp/detail/operation/fold.hpp>
#include <twat/mp/detail/operation/journaled_fold.hpp>
#include <twat/mp/detail/operation/pool_core.hpp>
#include <twat/mp/detail/operation/range_operation.hpp>

namespace twat::mp::detail {

/** The operation of `reduce`, `filter` and `for_each`: its tasks are blocks, whose values are put together in the order of the input.

    Outside, tasks are elements: indexes and progress count these.
*/
template <class Workers, class Function, class Source, class Progress, class Completion>
class fold_operation final : public range_operation<Workers, Function, Source, Progress>
{
    using base = range_operation<Workers, Function, Source, Progress>;
    using inner = journaled_inner<Function>;
    using kernel = typename inner::type::kernel_type;
    using value = typename kernel::value;
    using completed = typename kernel::completed;

public:
    template <class C>
    fold_operation(call_settings<Progress> settings, Function f, value init, Source source, C&& completion)
        : base(operation_traits(), std::move(settings), f, std::move(source)), kernel_(inner::of(f).kernel()),
          sizes_(this->source().sizes()), elements_(this->source().elements()), sum_(std::move(init)),
          completion_(std::forward<C>(completion))
    {}

    pull_result pull(payload& into, std::size_t max, std::size_t limit) override
    {
        if constexpr (is_journaling<Progress>)
            if (!this->traits().options.deterministic)
                return {.broken = std::make_exception_ptr(std::invalid_argument(
                            "twat::mp: a journal keeps parts of the range of reduce, filter and for_each, and without "
                            "call_options::deterministic these are cut by the number of workers; set it"))};
        return base::pull(into, max, limit);
    }

    std::exception_ptr store(const finished_task& task) noexcept override
    {
        const std::uint64_t first = sizes_.first(task.index);
        try {
            std::exception_ptr failure;
            this->take(task, [&](folded<value>&& part) {
                if (part.error) {
                    failure = annotate(part.error, first + part.offset, part.input);
                    located_.push_back(failure);
                    return;
                }
                done_ += sizes_.size(task.index);
                keep(task.index, std::move(*part.value));
            });
            return failure;
        }
        catch (...) {
            std::exception_ptr failure = annotate(std::current_exception(), first);
            located_.push_back(failure);
            return failure;
        }
    }

    void report_progress(const progress& now) override
    {
        progress in_elements = now;
        in_elements.total = elements_;
        in_elements.done = done_ + now.failed;
        if (elements_)
            in_elements.done = std::min(in_elements.done, *elements_);
        base::report_progress(in_elements);
    }

    void complete(std::exception_ptr error) noexcept override
    {
        if (error)
            error = locate(std::move(error));
        ahead_.clear();
        this->let_go_of_source();
        if constexpr (std::is_void_v<completed>)
            completion_(std::move(error));
        else if (!error)
            completion_(std::move(error), std::move(sum_));
        else if constexpr (requires { completion_.fail(error); })
            completion_.fail(std::move(error));
        else
            completion_(std::move(error), completed());
    }

private:
    void keep(std::uint64_t index, value&& part)
    {
        if (index != next_) {
            ahead_.emplace(index, std::move(part));
            return;
        }
        ++next_;
        kernel_.add(sum_, std::move(part));
        for (auto it = ahead_.begin(); it != ahead_.end() && it->first == next_; it = ahead_.erase(it), ++next_)
            kernel_.add(sum_, std::move(it->second));
    }

    /// What the engine reports of a block (a death, a timeout) is reported of its first element.
    std::exception_ptr locate(std::exception_ptr error) noexcept
    {
        if (std::find(located_.begin(), located_.end(), error) != located_.end())
            return error;
        const auto block = task_index(error);
        return block ? annotate(error, sizes_.first(*block)) : error;
    }

    const kernel kernel_;
    const block_sizes sizes_;
    const std::optional<std::size_t> elements_;
    value sum_;
    std::uint64_t next_ = 0;
    std::map<std::uint64_t, value> ahead_;
    std::vector<std::exception_ptr> located_; ///< Failures whose index is that of an element.
    std::size_t done_ = 0;                    ///< Elements in blocks that have a value.
    Completion completion_;
};

/** A call of these verbs before it is an operation. */
template <class Workers, class Function, class Source, class Progress>
class fold_call
{
    using kernel = typename journaled_inner<Function>::type::kernel_type;
    using value = typename kernel::value;

public:
    using completed = typename kernel::completed;

    fold_call(call_settings<Progress> settings, Function f, value init, Source source)
        : settings_(std::move(settings)), f_(std::move(f)), init_(std::move(init)), source_(std::move(source))
    {}

    template <class Completion>
    std::shared_ptr<operation> make(Completion&& completion) &&
    {
        using type = fold_operation<Workers, Function, Source, Progress, std::decay_t<Completion>>;
        const auto make_operation = [&]() -> std::shared_ptr<operation> {
            return std::make_shared<type>(std::move(settings_), std::move(f_), std::move(init_), std::move(source_),
                                          std::forward<Completion>(completion));
        };
        if (!settings_.options().deterministic)
            return make_operation(); // which refuses a journal, before that is touched
        return with_journal<Workers::encodes, typename Source::parameters>(settings_.callback(), f_, make_operation);
    }

private:
    call_settings<Progress> settings_;
    Function f_;
    value init_;
    Source source_;
};

/// Blocks of one call: enough to share the work well among the workers, or as many for any number of them. A worker has several at once
/// where they are coroutines.
inline std::size_t most_blocks(const call_options& options, const pool_core& pool, bool coroutines)
{
    constexpr std::size_t fixed = 1024, plain = 32, in_each_place = 8;
    if (options.deterministic)
        return fixed;
    const std::size_t places = coroutines ? pool.factory()->options().child_concurrency : 1;
    return pool.nodes() * (coroutines ? std::max(plain, in_each_place * places) : plain);
}

template <class Workers, class... Parameters>
constexpr void check_elements(parameter_list<Parameters...>)
{
    if constexpr (Workers::encodes)
        (check_encodable<std::remove_cvref_t<Parameters>>(), ...);
}

/// The call of a kernel whose function can take the elements.
template <class Workers, class Kernel, class Progress, class... Rs>
auto make_fold_call(call_settings<Progress> settings, const pool_core& pool, Kernel kernel, typename Kernel::value init,
                    Rs&&... ranges)
{
    using function = fold_function<Kernel>;
    using source = block_source<Workers, Rs...>;
    check_elements<Workers>(typename zip_source<Workers, Rs...>::parameters());
    if constexpr (Workers::encodes) {
        check_portable<function>();
        check_encodable<typename Kernel::value>();
    }
    const call_options& options = settings.options();
    constexpr bool coroutines = Kernel::template awaits<typename source::block_type>;
    source blocks(std::in_place, options.chunk_size, most_blocks(options, pool, coroutines),
                  std::forward<Rs>(ranges)...);
    if constexpr (is_journaling<Progress> && !Workers::encodes) {
        journaled_function<function> f(function(std::move(kernel)), settings.callback().use());
        return fold_call<Workers, journaled_function<function>, source, Progress>(std::move(settings), std::move(f),
                                                                                  std::move(init), std::move(blocks));
    } else {
        return fold_call<Workers, function, source, Progress>(std::move(settings), function(std::move(kernel)),
                                                              std::move(init), std::move(blocks));
    }
}

template <class F, class Op, class T, class Parameters>
constexpr bool check_reduction()
{
    using result = task_result_t<F, Parameters>;
    if constexpr (std::is_void_v<result>) {
        static_assert(!std::is_void_v<result>,
                      "twat::mp: the function of reduce returns nothing that could be reduced; use for_each");
        return false;
    } else {
        static_assert(std::is_convertible_v<result, T>, "twat::mp: reduce(f, op, init, range): what f returns does not "
                                                        "convert to the type of init, in which each part begins");
        static_assert(std::is_invocable_r_v<T, const Op&, T, result> && std::is_invocable_r_v<T, const Op&, T, T>,
                      "twat::mp: reduce(f, op, init, range): op cannot be called with two values of the type of init, "
                      "or its result does "
                      "not convert to that. It is called as const");
        return std::is_convertible_v<result, T> && std::is_invocable_r_v<T, const Op&, T, result> &&
               std::is_invocable_r_v<T, const Op&, T, T>;
    }
}

/// `reduce`.
template <class Workers, class Progress, class F, class Op, class T, class... Rs>
auto make_reduce_call(call_settings<Progress> settings, const pool_core& pool, F&& f, Op&& op, T&& init, Rs&&... ranges)
{
    using operation = std::decay_t<Op>;
    using value = sent_type_t<T>;
    if constexpr (check_stream<Workers, F, Rs...>()) {
        using parameters = typename zip_source<Workers, Rs...>::parameters;
        using function = task_function_t<F, parameters>;
        if constexpr (check_awaitable<function, parameters>() &&
                      check_reduction<function, operation, value, parameters>())
            return make_fold_call<Workers>(
                std::move(settings), pool,
                reduce_kernel<function, operation, value>{std::forward<F>(f), std::forward<Op>(op)},
                value(as_sent(std::forward<T>(init))), std::forward<Rs>(ranges)...);
        else
            return refused_call();
    } else {
        return refused_call();
    }
}

/// `for_each`.
template <class Workers, class Progress, class F, class... Rs>
auto make_each_call(call_settings<Progress> settings, const pool_core& pool, F&& f, Rs&&... ranges)
{
    if constexpr (check_stream<Workers, F, Rs...>()) {
        using parameters = typename zip_source<Workers, Rs...>::parameters;
        using function = task_function_t<F, parameters>;
        if constexpr (check_awaitable<function, parameters>())
            return make_fold_call<Workers>(std::move(settings), pool, each_kernel<function>{std::forward<F>(f)},
                                           std::monostate(), std::forward<Rs>(ranges)...);
        else
            return refused_call();
    } else {
        return refused_call();
    }
}

template <class F, class Parameters>
constexpr bool check_predicate()
{
    constexpr bool fits = [] {
        if constexpr (is_task<F, Parameters>)
            return std::is_convertible_v<task_result_t<F, Parameters>, bool>;
        else
            return false;
    }();
    static_assert(fits, "twat::mp: filter(predicate, range): the predicate cannot be called as const with a const& "
                        "to an element, or its "
                        "result is no bool");
    return fits;
}

/// `filter`.
template <class Workers, class Progress, class Predicate, class... Rs>
auto make_filter_call(call_settings<Progress> settings, const pool_core& pool, Predicate&& predicate, Rs&&... ranges)
{
    static_assert(sizeof...(Rs) == 1, "twat::mp: filter(predicate, range) takes one range");
    if constexpr (sizeof...(Rs) == 1 && check_ranges<map_verb, Rs...>()) {
        using range = held_range_t<std::tuple_element_t<0, std::tuple<Rs...>>>;
        using element = parameter_t<Workers, std::ranges::range_value_t<range>>;
        using function = task_function_t<Predicate, parameter_list<const element&>>;
        if constexpr (check_predicate<function, parameter_list<const element&>>())
            return make_fold_call<Workers>(std::move(settings), pool,
                                           filter_kernel<function, element>{std::forward<Predicate>(predicate)},
                                           std::vector<element>(), std::forward<Rs>(ranges)...);
        else
            return refused_call();
    } else {
        return refused_call();
    }
}

} // namespace twat::mp::detail

#endif
