// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_FUNCTION_NAMED_FUNCTION_HPP
#define TWAT_MP_DETAIL_FUNCTION_NAMED_FUNCTION_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <typeindex>
#include <typeinfo>
#include <utility>

#include <twat/mp/codec.hpp>
#include <twat/mp/detail/function/function_state.hpp>
#include <twat/mp/detail/function/partial.hpp>
#include <twat/mp/detail/function/signature.hpp>
#include <twat/mp/detail/function/typed_function.hpp>
#include <twat/mp/detail/function/worker_function.hpp>

namespace twat::mp::detail {

/// How a function is told from others of one program: by its type, and pointers by their value, too.
struct function_key
{
    std::type_index type;
    code_pointer pointer = nullptr;
    bool operator==(const function_key&) const = default;
};

/// What `TWAT_MP_REGISTER` knows of a function.
struct named_function
{
    using make_type = std::unique_ptr<worker_function> (*)(decoder& bound, code_pointer function);

    std::string name;
    function_key key;
    std::uint64_t hash; ///< Of `text`.
    const char* text;   ///< The types of its result and its parameters.
    /// By the number of arguments that `partial` bound; null where they cannot be bound.
    std::span<const make_type> make;
};

/// Keeps a function registered. The members of two registrations of one name must be the same function.
class TWAT_MP_DECL registration
{
public:
    explicit registration(named_function f);
    ~registration();
    registration(const registration&) = delete;
    registration& operator=(const registration&) = delete;

private:
    named_function f_;
};

/// Writes the name of a registered function that is to be called with these types. Throws `errc::unknown_function`
/// if it was not registered, or for other types.
TWAT_MP_DECL void write_name(encoder& out, const function_key& key, const char* types, std::size_t bound);

/// Throws `errc::unknown_function`, saying why a function cannot have a name.
[[noreturn]] TWAT_MP_DECL void throw_has_no_name(const char* types);

/// What a parameter's argument is sent as.
template <class P>
struct received
{
    using type = sent_type_t<P>;
};
template <class C, class Traits>
struct received<std::basic_string_view<C, Traits>>
{
    using type = std::basic_string<C, Traits>;
};
template <class P>
using received_t = typename received<std::remove_cvref_t<P>>::type;

/// Makes a registered function with any number of its arguments bound.
template <class F, class R, class... Sent>
class registered
{
    template <class>
    struct split;
    template <std::size_t... I>
    struct split<std::index_sequence<I...>>
    {
        using all = std::tuple<Sent...>;
        static constexpr std::size_t bound = sizeof...(I);

        template <class>
        struct rest;
        template <std::size_t... J>
        struct rest<std::index_sequence<J...>>
        {
            using partial = partial_function<F, std::tuple_element_t<I, all>...>;

            static std::unique_ptr<worker_function> make(decoder& in, code_pointer pointer)
            {
                F f = function(pointer);
                using typed = typed_function<partial, std::tuple_element_t<bound + J, all>...>;
                return std::make_unique<typed>(function_state<partial>::read_bound(std::move(f), in));
            }

            static constexpr named_function::make_type get()
            {
                if constexpr (std::is_invocable_v<const partial&, std::tuple_element_t<bound + J, all>...>)
                    return &make;
                else
                    return nullptr;
            }
        };
    };

    static F function([[maybe_unused]] code_pointer pointer)
    {
        if constexpr (is_function_pointer<F>)
            return reinterpret_cast<F>(pointer);
        else
            return F();
    }

    template <std::size_t... Bound>
    static constexpr auto make_all(std::index_sequence<Bound...>)
    {
        return std::array<named_function::make_type, sizeof...(Bound)>{
            split<std::make_index_sequence<Bound>>::template rest<
                std::make_index_sequence<sizeof...(Sent) - Bound>>::get()...};
    }

public:
    static constexpr auto makes = make_all(std::make_index_sequence<sizeof...(Sent) + 1>());
};

template <class F>
struct without_noexcept
{
    using type = F;
};
template <class R, class... Ps>
struct without_noexcept<R (*)(Ps...) noexcept>
{
    using type = R (*)(Ps...);
};

template <class F>
function_key key_of([[maybe_unused]] const F& f)
{
    const std::type_index type = typeid(typename without_noexcept<F>::type);
    if constexpr (is_function_pointer<F>)
        return {type, reinterpret_cast<code_pointer>(f)};
    else
        return {type};
}

template <class F, class R, class... Ps>
named_function describe_registered(const char* name, const F& f)
{
    static_assert(
        (encodable<received_t<Ps>> && ...),
        "TWAT_MP_REGISTER: a parameter of the function has a type that is not encodable, so no worker could get it");
    return {name, key_of(f), hash_text(types_text<std::remove_cvref_t<R>, received_t<Ps>...>()),
            types_text<std::remove_cvref_t<R>, received_t<Ps>...>(),
            registered<F, std::remove_cvref_t<R>, received_t<Ps>...>::makes};
}

template <class F, class R, class C, class... Ps>
named_function describe_registered(const char* name, const F& f, R (C::*)(Ps...) const)
{
    return describe_registered<F, R, Ps...>(name, f);
}
template <class F, class R, class C, class... Ps>
named_function describe_registered(const char* name, const F& f, R (C::*)(Ps...) const noexcept)
{
    return describe_registered<F, R, Ps...>(name, f);
}

/// Of a pointer to a function.
template <class R, class... Ps>
named_function to_register(const char* name, R (*one_function_that_is_not_overloaded)(Ps...))
{
    return describe_registered<R (*)(Ps...), R, Ps...>(name, one_function_that_is_not_overloaded);
}
template <class R, class... Ps>
named_function to_register(const char* name, R (*one_function_that_is_not_overloaded)(Ps...) noexcept)
{
    return describe_registered<R (*)(Ps...) noexcept, R, Ps...>(name, one_function_that_is_not_overloaded);
}

/// Of a function object.
template <class OneFunctionThatIsNotOverloaded>
requires std::is_class_v<OneFunctionThatIsNotOverloaded>
    named_function to_register(const char* name, const OneFunctionThatIsNotOverloaded& f)
{
    using F = OneFunctionThatIsNotOverloaded;
    static_assert(is_stateless<F>,
                  "TWAT_MP_REGISTER: only functions, captureless lambdas and other empty function objects can "
                  "be found by name");
    static_assert(
        requires { &F::operator(); },
        "TWAT_MP_REGISTER: the function object's operator() is a template or overloaded, so its types are not known. "
        "Register a function of exact types that calls it");
    return describe_registered(name, f, &F::operator());
}

/// Writes a function by its name, and what was bound to it. `Types` are those of the arguments that follow.
template <class F>
struct by_name
{
    template <class R, class... Types>
    static void write(encoder& out, const F& f, std::size_t bound)
    {
        if constexpr (is_function_pointer<F> || is_stateless<F>)
            write_name(out, key_of(f), types_text<R, Types...>(), bound);
        else
            throw_has_no_name(types_text<F>());
    }
};

template <class F, class... Bound>
struct by_name<partial_function<F, Bound...>>
{
    template <class R, class... Types>
    static void write(encoder& out, const partial_function<F, Bound...>& f, std::size_t bound)
    {
        by_name<F>::template write<R, Bound..., Types...>(out, f.function(), bound + sizeof...(Bound));
        std::apply([&](const Bound&... values) { (out.write(values), ...); }, f.bound());
    }
};

} // namespace twat::mp::detail

#endif
