// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_RESULT_HPP
#define TWAT_MP_RESULT_HPP

#include <boost/system/result.hpp>

#include <exception>

#include <twat/mp/config.hpp>

namespace twat::mp {

/** What became of one task of `try_map`: its value, or the exception that it threw.

    `has_value()` tells which; `value()` gives the value or throws the exception; `error()` is the exception. For `void` tasks
    there is no value, and `value()` only throws. To make one, name the case, as `R` and `std::exception_ptr` may convert to each
    other: `result<R>(boost::system::in_place_value, ...)`, `result<R>(boost::system::in_place_error, ...)`.
*/
template <class R>
using result = boost::system::result<R, std::exception_ptr>;

} // namespace twat::mp

#endif
