// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_FUNCTION_PORTABLE_TRAITS_HPP
#define TWAT_MP_DETAIL_FUNCTION_PORTABLE_TRAITS_HPP

#include <functional>
#include <type_traits>

#include <twat/mp/codec.hpp>
#include <twat/mp/detail/function/partial.hpp>

namespace twat::mp::detail {

template <class F>
inline constexpr bool is_function_pointer = std::is_pointer_v<F>&& std::is_function_v<std::remove_pointer_t<F>>;

struct call_operator
{
    void operator()();
};

template <class F>
struct with_call_operator : F, call_operator
{};

/// Whether a class has any `operator()`, templates and overloads included: then naming it in a class that inherits another one,
/// too, is ambiguous. Final classes are believed to have one.
template <class F>
constexpr bool has_call_operator()
{
    if constexpr (!std::is_class_v<F>)
        return false;
    else if constexpr (std::is_final_v<F>)
        return true;
    else
        return !requires { &with_call_operator<F>::operator(); };
}

/// Nothing has to be sent of it but its type.
template <class F>
inline constexpr bool is_stateless =
    std::is_empty_v<F>&& std::is_default_constructible_v<F> && !is_partial<F> && has_call_operator<F>();

template <class F>
inline constexpr bool is_std_function = false;
template <class Signature>
inline constexpr bool is_std_function<std::function<Signature>> = true;

template <class F>
constexpr bool portable()
{
    if constexpr (is_function_pointer<F> || is_stateless<F>)
        return true;
    else if constexpr (has_call_operator<F>() && !is_std_function<F> && !is_reference_wrapper<F>)
        return encodable<F>;
    else
        return false;
}

template <class F>
inline constexpr bool is_portable = portable<F>();
template <class F, class... Bound>
inline constexpr bool is_portable<partial_function<F, Bound...>> = is_portable<F> && (encodable<Bound> && ...);

template <class F>
struct portable_check
{
    template <bool>
    static constexpr bool never = false;

    static constexpr bool passed()
    {
        if constexpr (is_portable<F>)
            return true;
        else if constexpr (std::is_member_pointer_v<F>)
            static_assert(
                never<is_portable<F>>,
                "twat::mp: a pointer to a member cannot be sent to a process worker. Use a lambda without captures: "
                "[](const T& x) { return x.member(); }");
        else if constexpr (is_std_function<F>)
            static_assert(
                never<is_portable<F>>,
                "twat::mp: a std::function cannot be sent to a process worker, for nobody knows what it holds. Use a "
                "pointer to a function, a lambda without captures or mp::partial, or a pool of threads");
        else if constexpr (std::is_bind_expression_v<F>)
            static_assert(
                never<is_portable<F>>,
                "twat::mp: what std::bind returns cannot be sent to a process worker. Use mp::partial(f, bound...) "
                "or a lambda without captures");
        else if constexpr (is_reference_wrapper<F>)
            static_assert(
                never<is_portable<F>>,
                "twat::mp: a reference cannot be sent to a process worker. Pass the function object itself, or use a "
                "pool of threads");
        else if constexpr (!has_call_operator<F>())
            static_assert(never<is_portable<F>>, "twat::mp: this is no function that can be called");
        else
            static_assert(
                never<is_portable<F>>,
                "twat::mp: this function object cannot be sent to a process worker, because it captures or holds "
                "something. Pass that as arguments instead, or bind it with mp::partial(f, values...); or give its "
                "class a codec (mp::codec<T>); or use a pool of threads");
        return is_portable<F>;
    }
};

template <class F, class... Bound>
struct portable_check<partial_function<F, Bound...>>
{
    static constexpr bool passed()
    {
        static_assert(
            (encodable<Bound> && ...),
            "twat::mp: a value bound with mp::partial is not encodable, so it cannot be sent to a process worker. See "
            "mp::encodable for what is; pointers, references and views are not");
        return portable_check<F>::passed() && (encodable<Bound> && ...);
    }
};

/// Refuses, by a message that says why and what to use instead, what is not a `portable_callable`.
template <class F>
constexpr bool check_portable()
{
    return portable_check<std::decay_t<F>>::passed();
}

} // namespace twat::mp::detail

#endif
