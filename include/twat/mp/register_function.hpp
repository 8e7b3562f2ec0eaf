// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_REGISTER_FUNCTION_HPP
#define TWAT_MP_REGISTER_FUNCTION_HPP

#include <boost/config.hpp>

#include <twat/mp/detail/function/named_function.hpp>

/** Makes a function known by its name to another program, for pools with `pool_options::executable`.

    Stands at namespace scope, in a source file that both programs compile, or in one of each: the program with the pool and
    the program that is its worker must both register the function, under the same name and with the same types. The name is
    the argument as it is written, so write it alike. Also for templates' specialisations and for captureless function
    objects. A program that is its own worker registers nothing.

    @par Example
    @code
    int square(int x) { return x * x; }
    TWAT_MP_REGISTER(square)
    @endcode
*/
#define TWAT_MP_REGISTER(...) TWAT_MP_REGISTER_AS(#__VA_ARGS__, __VA_ARGS__)

/** The same under a name of its own, a string: `TWAT_MP_REGISTER_AS("square", my::square)`. */
#define TWAT_MP_REGISTER_AS(name, ...)                                                                                 \
    static const ::twat::mp::detail::registration BOOST_JOIN(twat_mp_registration_, __COUNTER__)(                      \
        ::twat::mp::detail::to_register(name, __VA_ARGS__));

#endif
