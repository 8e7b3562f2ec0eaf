// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_PORTABLE_HPP
#define TWAT_MP_PORTABLE_HPP

#include <type_traits>
#include <utility>

#include <twat/mp/codec.hpp>
#include <twat/mp/config.hpp>
#include <twat/mp/detail/function/partial.hpp>
#include <twat/mp/detail/function/portable_traits.hpp>

namespace twat::mp {

/** A function that can be sent to a process worker.

    One of
    @li a pointer to a function;
    @li a captureless lambda or another empty function object that is default-constructible;
    @li what `partial` makes of a portable function and encodable values;
    @li a function object that is encodable: it has a `codec`, a `serialize`, or is an aggregate of encodable members.

    Nothing has to be registered. A lambda that captures something, `std::function`, `std::bind` and pointers to members
    are not portable: pass as arguments what they would hold, or bind it with `partial`. Thread workers take any callable.
*/
template <class F>
concept portable_callable = detail::is_portable<std::decay_t<F>>;

/** Binds the first arguments of a function, for process workers and for threads.

    The object that is returned calls `f(bound..., args...)` and passes the bound values as const&. It is portable if `f`
    is and the bound values are encodable; they are then sent once per worker and operation, not once per task. A string
    literal is kept as `std::string`.

    @par Example
    `scale` is a function `int(const std::vector<int>& factors, int x)`.
    @code
    auto scaled = co_await pool.map(mp::partial(scale, factors), xs);
    @endcode

    @param f Any callable; copied or moved.
    @param bound Its first arguments; copied or moved.
*/
template <class F, class... Bound>
auto partial(F&& f, Bound&&... bound)
{
    using result = detail::partial_function<std::decay_t<F>, detail::sent_type_t<Bound>...>;
    return result(std::in_place, std::forward<F>(f), detail::as_sent(std::forward<Bound>(bound))...);
}

} // namespace twat::mp

#endif
