// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_CALLS_HPP
#define TWAT_MP_DETAIL_OPERATION_CALLS_HPP

#include <cstddef>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include <twat/mp/config.hpp>
#include <twat/mp/result_stream.hpp>

#include <twat/mp/detail/operation/argument_source.hpp>
#include <twat/mp/detail/operation/chosen_call.hpp>
#include <twat/mp/detail/operation/collect_operation.hpp>
#include <twat/mp/detail/operation/initiate.hpp>
#include <twat/mp/detail/operation/range_source.hpp>
#include <twat/mp/detail/operation/stream_operation.hpp>
#include <twat/mp/detail/operation/token_split.hpp>
#include <twat/mp/detail/function/stateful.hpp>
#include <twat/mp/detail/function/task_traits.hpp>

namespace twat::mp::detail {

// From the arguments of a verb to its call, for pools with tokens and for blocking ones. Misuse is refused here.

/// Refuses a coroutine that could not be awaited. (It would be dropped where nobody looks at the result.)
template <class F, class Parameters>
constexpr bool check_awaitable()
{
    using traits = task_traits<F, Parameters>;
    constexpr bool fits = traits::coroutine || !gives_awaitable<typename traits::result>;
    static_assert(fits, "twat::mp: a task that is a coroutine returns asio::awaitable<T>, with its default executor");
    return fits;
}

template <class Workers, class F, class Parameters>
constexpr void check_task()
{
    check_awaitable<F, Parameters>();
    using result = task_result_t<F, Parameters>;
    static_assert(std::is_void_v<result> || std::is_move_constructible_v<result>,
                  "twat::mp: the result of a task must be movable; return a std::unique_ptr to it instead");
    if constexpr (Workers::encodes)
        check_sendable<F>(Parameters());
}

/// Whether the function itself looks into the journal: where nothing is sent.
template <class Workers, class Progress, class F>
inline constexpr bool journals_in_place =
    is_journaling<Progress> && !Workers::encodes && !is_journaled_function<std::decay_t<F>>;

/// `apply`.
template <class Workers, class Progress, class F, class... As>
auto make_apply_call(call_settings<Progress> settings, F&& f, As&&... arguments)
{
    using source = argument_source<Workers, As...>;
    using parameters = typename source::parameters;
    using function = task_function_t<F, parameters>;
    static_assert(
        is_task<function, parameters>,
        "twat::mp: apply(f, args...) cannot call f with these arguments. It is called as const, with rvalues of the "
        "decayed arguments");
    static_assert((... && std::is_constructible_v<parameter_t<Workers, As>, As>),
                  "twat::mp: an argument of apply cannot be copied; hand it over with std::move, or refer to it with "
                  "std::ref (threads)");
    if constexpr (is_task<function, parameters> && journals_in_place<Workers, Progress, F>) {
        const auto journal = settings.callback().use();
        return make_apply_call<Workers>(std::move(settings),
                                        journaled_function<function>(function(std::forward<F>(f)), journal),
                                        std::forward<As>(arguments)...);
    } else if constexpr (is_task<function, parameters> &&
                         (... && std::is_constructible_v<parameter_t<Workers, As>, As>)) {
        check_task<Workers, function, parameters>();
        using results = single_result_of<task_result_t<function, parameters>>;
        return collect_call<Workers, function, source, results, Progress>(
            true, std::move(settings), std::forward<F>(f), source(std::in_place, std::forward<As>(arguments)...));
    } else {
        return refused_call();
    }
}

struct map_verb
{
    template <class Workers, class... Ranges>
    using source = zip_source<Workers, Ranges...>;
    template <class R>
    using results = ordered_results_of<R>;
    static constexpr bool stops_at_failure = true;
};

struct starmap_verb : map_verb
{
    template <class Workers, class... Ranges>
    using source = row_source<Workers, Ranges...>;
};

struct try_map_verb : map_verb
{
    template <class R>
    using results = tried_results<R>;
    static constexpr bool stops_at_failure = false;
};

template <class Range>
inline constexpr bool has_rows = tuple_like<std::remove_cv_t<std::ranges::range_value_t<held_range_t<Range>>>>;

/// Whether a verb can take these; if not, a message says why.
template <class Verb, class... Ranges>
constexpr bool check_ranges()
{
    if constexpr (sizeof...(Ranges) == 0) {
        static_assert(sizeof...(Ranges) != 0, "twat::mp: this verb needs a range behind the function");
        return false;
    } else if constexpr (!(... && is_range_argument<Ranges>)) {
        static_assert((... && is_range_argument<Ranges>), "twat::mp: an argument behind the function is not a range (a "
                                                          "completion token or std::stop_token comes last)");
        return false;
    } else if constexpr (std::is_same_v<Verb, starmap_verb>) {
        static_assert(sizeof...(Ranges) == 1, "twat::mp: starmap(f, rows) takes one range; map takes several");
        static_assert((... && has_rows<Ranges>),
                      "twat::mp: the elements of starmap's range are no tuples (std::tuple, std::pair, std::array or "
                      "boost::tuple); for one argument a task use map");
        return sizeof...(Ranges) == 1 && (... && has_rows<Ranges>);
    } else {
        return true;
    }
}

/// Whether `F` can be called with what the ranges give; if not, a message says how it is called.
template <class F, class Parameters>
constexpr bool check_callable()
{
    static_assert(is_task<F, Parameters>,
                  "twat::mp: f cannot be called with an element of each range. It is called as const, with rvalues of "
                  "the ranges' "
                  "value types, or, on threads, with const& to elements that stay where they are");
    return is_task<F, Parameters>;
}

/// `map`, `starmap`, `try_map`.
template <class Verb, class Workers, class Progress, class F, class... Rs>
auto make_range_call(call_settings<Progress> settings, F&& f, Rs&&... ranges)
{
    if constexpr (check_ranges<Verb, Rs...>()) {
        using source = typename Verb::template source<Workers, Rs...>;
        using parameters = typename source::parameters;
        using function = task_function_t<F, parameters>;
        if constexpr (check_callable<function, parameters>() && journals_in_place<Workers, Progress, F>) {
            const auto journal = settings.callback().use();
            return make_range_call<Verb, Workers>(std::move(settings),
                                                  journaled_function<function>(function(std::forward<F>(f)), journal),
                                                  std::forward<Rs>(ranges)...);
        } else if constexpr (check_callable<function, parameters>()) {
            check_task<Workers, function, parameters>();
            using results = typename Verb::template results<task_result_t<function, parameters>>;
            return collect_call<Workers, function, source, results, Progress>(
                Verb::stops_at_failure, std::move(settings), std::forward<F>(f),
                source(std::in_place, std::forward<Rs>(ranges)...));
        } else {
            return refused_call();
        }
    } else {
        return refused_call();
    }
}

/// `imap`, `uimap`, before anybody reads: the tasks start at once.
/// @param hand_over Called with the operation: gives it to the pool.
template <class Workers, class Progress, class HandOver, class F, class... Rs>
auto start_stream_state(const std::shared_ptr<pool_core>& core, stream_order order, call_settings<Progress> settings,
                        HandOver hand_over, F&& f, Rs&&... ranges)
{
    using source = zip_source<Workers, Rs...>;
    using parameters = typename source::parameters;
    using function = task_function_t<F, parameters>;
    if constexpr (journals_in_place<Workers, Progress, F>) {
        const auto journal = settings.callback().use();
        return start_stream_state<Workers>(core, order, std::move(settings), std::move(hand_over),
                                           journaled_function<function>(function(std::forward<F>(f)), journal),
                                           std::forward<Rs>(ranges)...);
    } else {
        check_task<Workers, function, parameters>();
        using operation_type = stream_operation<Workers, function, source, Progress>;
        using value = task_value_t<function, parameters>;

        const std::size_t window = settings.options().window;
        auto state = std::make_shared<stream_state<value>>(core, order, window != 0 ? window : 2 * core->nodes());
        const function& known = f;
        const std::shared_ptr<operation> op =
            with_journal<Workers::encodes, parameters>(settings.callback(), known, [&] {
                return std::make_shared<operation_type>(state, std::move(settings), std::forward<F>(f),
                                                        source(std::in_place, std::forward<Rs>(ranges)...));
            });
        state->attach(op);
        hand_over(op);
        return state;
    }
}

/// Whether `imap` and `uimap` can take these; if not, a message says why.
template <class Workers, class F, class... Rs>
constexpr bool check_stream()
{
    if constexpr (check_ranges<map_verb, Rs...>())
        return check_callable<task_function_t<F, typename zip_source<Workers, Rs...>::parameters>,
                              typename zip_source<Workers, Rs...>::parameters>();
    else
        return false;
}

/// `imap`, `uimap`.
template <class Workers, class Progress, class F, class... Rs>
auto start_stream(const std::shared_ptr<pool_core>& core, stream_order order, call_settings<Progress> settings, F&& f,
                  Rs&&... ranges)
{
    if constexpr (check_stream<Workers, F, Rs...>()) {
        auto state = make_stream_for<Workers>(*core, [&]<class W>() {
            return start_stream_state<W>(
                core, order, std::move(settings), [&](const auto& op) { submit(*core, op); }, std::forward<F>(f),
                std::forward<Rs>(ranges)...);
        });
        return result_stream<typename decltype(state)::element_type::value_type>(std::move(state));
    }
}

} // namespace twat::mp::detail

#endif
