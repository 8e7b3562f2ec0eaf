// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_FUNCTION_STATEFUL_HPP
#define TWAT_MP_DETAIL_FUNCTION_STATEFUL_HPP

#include <functional>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include <twat/mp/config.hpp>

#include <twat/mp/detail/function/function_state.hpp>
#include <twat/mp/detail/function/partial.hpp>
#include <twat/mp/detail/function/portable_traits.hpp>
#include <twat/mp/detail/function/task_traits.hpp>

namespace twat::mp::detail {

// Functions whose first parameter is a `T&`: they get the state of the worker that runs them, see `pool_options::state`.

/// The calling worker's state. Throws `std::logic_error` if it has none of this type.
TWAT_MP_DECL void* current_state(const std::type_info& type);

template <class F>
struct first_parameter
{
    using type = void;
};
template <class R, class P, class... Ps>
struct first_parameter<R (*)(P, Ps...)>
{
    using type = P;
};
template <class R, class P, class... Ps>
struct first_parameter<R (*)(P, Ps...) noexcept>
{
    using type = P;
};
template <class R, class C, class P, class... Ps>
struct first_parameter<R (C::*)(P, Ps...) const>
{
    using type = P;
};
template <class R, class C, class P, class... Ps>
struct first_parameter<R (C::*)(P, Ps...) const noexcept>
{
    using type = P;
};
/// Of a function object with one `operator()` that is no template.
template <class F>
requires(std::is_class_v<F>&& requires { &F::operator(); }) struct first_parameter<F>
    : first_parameter<decltype(&F::operator())>
{};
template <class F, class... Bound>
struct first_parameter<partial_function<F, Bound...>> : first_parameter<F>
{};

template <class P>
struct referred_state
{
    using type = void;
};
template <class T>
requires(std::is_object_v<T> && !std::is_const_v<T> && !std::is_volatile_v<T>) struct referred_state<T&>
{
    using type = T;
};

/// The `T` if the first parameter of `F` is a `T&`; `void` if it is not, or if that is not known.
template <class F>
using state_t = typename referred_state<typename first_parameter<F>::type>::type;

/// Calls a function with the state in front. `partial` has bound what comes behind it.
template <class F>
struct state_caller
{
    template <class T, class... Args>
    static constexpr bool callable = std::is_invocable_v<const F&, T&, Args...>;

    template <class T, class... Args>
    static decltype(auto) call(const F& f, T& state, Args&&... args)
    {
        return std::invoke(f, state, std::forward<Args>(args)...);
    }
};

template <class F, class... Bound>
struct state_caller<partial_function<F, Bound...>>
{
    template <class T, class... Args>
    static constexpr bool callable = state_caller<F>::template callable<T, const Bound&..., Args...>;

    template <class T, class... Args>
    static decltype(auto) call(const partial_function<F, Bound...>& f, T& state, Args&&... args)
    {
        return std::apply(
            [&](const Bound&... bound) -> decltype(auto) {
                return state_caller<F>::call(f.function(), state, bound..., std::forward<Args>(args)...);
            },
            f.bound());
    }
};

/** A function whose first parameter is a `T&`, called without it. */
template <class F>
class stateful_function
{
public:
    using state = state_t<F>;

    template <class G>
    requires(std::is_constructible_v<F, G> && !std::is_same_v<std::remove_cvref_t<G>, stateful_function>)
        stateful_function(G&& f)
        : f_(std::forward<G>(f))
    {}

    const F& function() const noexcept { return f_; }

    template <class... Args>
    requires(state_caller<F>::template callable<state, Args...>) decltype(auto) operator()(Args&&... args) const
    {
        return state_caller<F>::call(f_, *static_cast<state*>(current_state(typeid(state))),
                                     std::forward<Args>(args)...);
    }

private:
    F f_;
};

template <class F>
inline constexpr bool is_portable<stateful_function<F>> = is_portable<F>;

template <class F>
struct portable_check<stateful_function<F>> : portable_check<F>
{};

template <class F>
struct function_state<stateful_function<F>>
{
    static void write(encoder& out, const stateful_function<F>& f) { function_state<F>::write(out, f.function()); }
    static stateful_function<F> read(decoder& in) { return stateful_function<F>(function_state<F>::read(in)); }
};

template <class F, class Parameters>
struct task_function
{
    using type = F;
};

template <class F, class... Ps>
requires(!std::is_invocable_v<const F&, Ps...> && !std::is_void_v<state_t<F>> &&
         state_caller<F>::template callable<state_t<F>, Ps...>) struct task_function<F, parameter_list<Ps...>>
{
    using type = stateful_function<F>;
};

/// What a worker calls for a task of `F` with these parameters: `F`, or if that wants the worker's state, too, `stateful_function`.
template <class F, class Parameters>
using task_function_t = typename task_function<std::decay_t<F>, Parameters>::type;

/// The type of the state that tasks of this function get; null: none.
template <class F>
struct wanted_state
{
    static const std::type_info* type() noexcept { return nullptr; }
};

template <class F>
struct wanted_state<stateful_function<F>>
{
    static const std::type_info* type() noexcept { return &typeid(state_t<F>); }
};

} // namespace twat::mp::detail

#endif
