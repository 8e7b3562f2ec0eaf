// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_REGISTER_EXCEPTION_HPP
#define TWAT_MP_REGISTER_EXCEPTION_HPP

#include <concepts>
#include <exception>
#include <string>
#include <type_traits>

#include <twat/mp/config.hpp>
#include <twat/mp/detail/exception/exception_type.hpp>

namespace twat::mp {

/** Makes a type of exception known, so that it arrives from worker processes as what it is, and carries its task's index
    also from threads.

    `E` is encodable, and arrives with all that it holds; or it derives from `std::exception` and is constructible from a
    `std::string`, which then becomes its `what()`. An unregistered type that derives from `E` arrives as `E`. Types are told apart by name: of two different
    types with one name (in unnamed namespaces, say) neither travels.

    @par Thread Safety
    May be called from any thread, and before `main`.

    @par Example
    @code
    struct out_of_paper : std::runtime_error { using std::runtime_error::runtime_error; };
    const bool known = twat::mp::register_exception<out_of_paper>(); // at namespace scope
    @endcode
    In a static library, put it into a file of which the program uses something else too; the linker drops all others.

    @return Whether the type is known now; false if another one with the same name was registered.
*/
template <class E>
bool register_exception()
{
    static_assert(std::same_as<E, std::remove_cvref_t<E>>, "register the type that is thrown, without const or &");
    static_assert(std::copy_constructible<E>, "an exception must be copyable to be attached to");
    static_assert(detail::transportable_exception<E>,
                  "a registered exception must be encodable (see codec.hpp), or derive from std::exception and be "
                  "constructible from a std::string");
    if constexpr (detail::transportable_exception<E>)
        return detail::register_exception_type(detail::exception_type_of<E>);
    else
        return false;
}

} // namespace twat::mp

#endif
