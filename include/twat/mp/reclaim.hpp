// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_RECLAIM_HPP
#define TWAT_MP_RECLAIM_HPP

#include <boost/exception/get_error_info.hpp>
#include <boost/exception/info.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <typeinfo>
#include <utility>

#include <twat/mp/config.hpp>
#include <twat/mp/detail/operation/refused_arguments.hpp>

namespace twat::mp {

struct BOOST_SYMBOL_VISIBLE errinfo_refused_tag;
/// Of the error of a call that no worker was given: the arguments that cannot be copied. See `reclaim`.
using errinfo_refused = boost::error_info<errinfo_refused_tag, std::shared_ptr<detail::refused_arguments>>;
/// A line of `boost::diagnostic_information`.
TWAT_MP_DECL std::string to_string(const errinfo_refused& info);

/** Takes an argument back from a call that was refused: the first one of this type, decayed, that was not taken yet.

    A call consumes what it is given when a worker is given it. One that fails before that (`queue_full`, `pool_closed`, `pool_broken`, an
    argument that cannot be encoded, a cancellation or a limit of time while it waited) has its arguments in its error: those of types that
    cannot be copied, or that may not be, as descriptors, sockets, `connection`, `shared_vector` and `std::unique_ptr`. They are destroyed, and so closed, with
    the last copy of the error. Holds for `apply` and `submit` on all pools, but not under `pool_options::max_pending_bytes`, where it is encoded first.

    @return Nothing, if the error has none of this type: then the call has consumed it.
    @par Thread Safety
    Copies of one error: not at the same time.
    @par Example
    @code
    back = mp::reclaim<conversation>(e); // no worker had it: here it is again
    @endcode
*/
template <class T>
std::optional<T> reclaim(const std::exception& error)
{
    std::optional<T> found;
    if (const auto* const arguments = boost::get_error_info<errinfo_refused>(error))
        (*arguments)->take(typeid(T), &found);
    return found;
}

/// The same.
template <class T>
std::optional<T> reclaim(const std::exception_ptr& error)
{
    if (error)
        try {
            std::rethrow_exception(error);
        }
        catch (const std::exception& e) {
            return reclaim<T>(e);
        }
        catch (...) { // none of this library's
        }
    return std::nullopt;
}

} // namespace twat::mp

#endif
