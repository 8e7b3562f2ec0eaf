// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_CATEGORIES_HPP
#define TWAT_MP_CATEGORIES_HPP

#include <boost/system/error_category.hpp>

#include <system_error>

#include <twat/mp/config.hpp>

namespace twat::mp {

/** Makes error codes of a category equal to themselves after they came from another process.

    An error category is an object and its address is its identity. The categories of the standard library, Boost.System,
    Boost.Asio and this library are known everywhere, and so is every other one that is initialised before `main` begins,
    as objects of static storage with a `constexpr` constructor are: the processes of one program have it at the same
    place. Others are known by name, once they were registered or this process sent a code of theirs. An unknown one is
    replaced by a category with the same name and, for the codes that arrived, the same messages; codes of it are equal to
    each other but not to an enumerator.

    @par Thread Safety
    Safe.

    @param category Must live as long as the process.
*/
TWAT_MP_DECL void register_error_category(const std::error_category& category);
TWAT_MP_DECL void register_error_category(const boost::system::error_category& category);

} // namespace twat::mp

#endif
