// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_FUNCTION_PARTIAL_HPP
#define TWAT_MP_DETAIL_FUNCTION_PARTIAL_HPP

#include <cstddef>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <twat/mp/codec.hpp>

namespace twat::mp::detail {

/** A function with its first arguments; made by `mp::partial`. */
template <class F, class... Bound>
class partial_function
{
public:
    template <class G, class... Values>
    explicit partial_function(std::in_place_t, G&& f, Values&&... bound)
        : f_(std::forward<G>(f)), bound_(std::forward<Values>(bound)...)
    {}

    /// Calls `f(bound..., args...)`; the bound values are passed as const&.
    template <class... Args>
    requires std::is_invocable_v<const F&, const Bound&..., Args...>
    decltype(auto) operator()(Args&&... args) const
    {
        return call(std::index_sequence_for<Bound...>(), std::forward<Args>(args)...);
    }

    const F& function() const noexcept { return f_; }
    const std::tuple<Bound...>& bound() const noexcept { return bound_; }

private:
    template <std::size_t... I, class... Args>
    decltype(auto) call(std::index_sequence<I...>, Args&&... args) const
    {
        return std::invoke(f_, std::get<I>(bound_)..., std::forward<Args>(args)...);
    }

    F f_;
    std::tuple<Bound...> bound_;
};

template <class T>
inline constexpr bool is_partial = false;
template <class F, class... Bound>
inline constexpr bool is_partial<partial_function<F, Bound...>> = true;

} // namespace twat::mp::detail

#endif
