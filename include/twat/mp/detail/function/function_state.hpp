// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_FUNCTION_FUNCTION_STATE_HPP
#define TWAT_MP_DETAIL_FUNCTION_FUNCTION_STATE_HPP

#include <type_traits>
#include <utility>

#include <twat/mp/codec.hpp>
#include <twat/mp/detail/codec/argument_pack.hpp>
#include <twat/mp/detail/function/partial.hpp>
#include <twat/mp/detail/function/portable_traits.hpp>

namespace twat::mp::detail {

/// Any pointer to a function, its type forgotten.
using code_pointer = void (*)();

/// Writes where a function is: its module and its place in it. Throws `errc::unknown_function` if it is in none.
TWAT_MP_DECL void write_code_pointer(encoder& out, code_pointer function);
/// The function in this process. Throws `errc::unknown_function` if its module is not loaded or it cannot be in it.
TWAT_MP_DECL code_pointer read_code_pointer(decoder& in);

/// What has to be sent of a portable `F` beside its type.
template <class F>
struct function_state
{
    static void write(encoder& out, const F& f)
    {
        if constexpr (is_function_pointer<F>)
            write_code_pointer(out, reinterpret_cast<code_pointer>(f));
        else if constexpr (!is_stateless<F>)
            out.write(f);
    }

    static F read(decoder& in)
    {
        if constexpr (is_function_pointer<F>)
            return reinterpret_cast<F>(read_code_pointer(in));
        else if constexpr (is_stateless<F>)
            return F();
        else
            return in.template read<F>();
    }
};

template <class F, class... Bound>
struct function_state<partial_function<F, Bound...>>
{
    using type = partial_function<F, Bound...>;

    static void write(encoder& out, const type& f)
    {
        function_state<F>::write(out, f.function());
        std::apply([&](const Bound&... bound) { (out.write(bound), ...); }, f.bound());
    }

    static type read(decoder& in)
    {
        F f = function_state<F>::read(in);
        return read_bound(std::move(f), in);
    }

    /// Reads what follows the function.
    static type read_bound(F f, decoder& in)
    {
        return argument_pack<Bound...>(in).call(
            [&f](Bound&&... bound) { return type(std::in_place, std::move(f), std::move(bound)...); });
    }
};

} // namespace twat::mp::detail

#endif
