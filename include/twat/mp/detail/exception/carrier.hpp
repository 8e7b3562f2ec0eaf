// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_EXCEPTION_CARRIER_HPP
#define TWAT_MP_DETAIL_EXCEPTION_CARRIER_HPP

#include <boost/exception/exception.hpp>

#include <concepts>
#include <cstddef>
#include <exception>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <twat/mp/config.hpp>
#include <twat/mp/life_phase.hpp>
#include <twat/mp/parcel.hpp>
#include <twat/mp/stacktrace.hpp>

namespace twat::mp::detail {

/// What is told about an exception besides what it says itself.
struct exception_facts
{
    std::optional<std::size_t> task_index{};
    std::optional<int> worker_pid{};
    std::string type_name{}; ///< This and the next two: empty if there is none.
    std::string input{};
    std::string details{};
    std::exception_ptr cause{}; ///< The nested exception; may be null.
    std::optional<life_phase> phase{};
    std::size_t resident_size = 0; ///< 0: not known.
    std::optional<memory_verdict> out_of_memory{};
    std::string stderr_tail{};
    stacktrace stack{}; ///< Empty if there is none.
    parcel call{};      ///< The same.
};

/// Attaches the facts by Boost.Exception, over those that are attached already.
TWAT_MP_DECL void attach(const boost::exception& to, const exception_facts& facts);

/// Makes `task_index` know an exception that cannot carry its index itself.
TWAT_MP_DECL void remember_task_index(const std::exception_ptr& error, std::size_t index) noexcept;

/// `clone_base` under names of its own: an exception class may have a `clone` that returns something else.
class BOOST_SYMBOL_VISIBLE cloneable : public boost::exception_detail::clone_base
{
public:
    const boost::exception_detail::clone_base* clone() const final { return clone_carrier(); }
    void rethrow() const final { rethrow_carrier(); }

private:
    virtual const boost::exception_detail::clone_base* clone_carrier() const = 0;
    virtual void rethrow_carrier() const = 0;
};

template <class T>
const boost::exception_detail::clone_base* clone_carrier_of(const T& from)
{
    T* copy = new T(from);
    // The copy gets error_infos of its own: their count of references is not for several threads.
    boost::exception_detail::copy_boost_exception(copy, &from);
    return copy;
}

template <int>
struct BOOST_SYMBOL_VISIBLE no_base
{};

/// `Base`, unless `E` has `Known` already. Numbered, because one class cannot have the same base twice.
template <class E, class Known, int N, class Base = Known>
using base_unless = std::conditional_t<std::is_base_of_v<Known, E>, no_base<N>, Base>;

/** An `E` that is a `boost::exception` too, and that `boost::current_exception` copies whole. */
template <class E>
class BOOST_SYMBOL_VISIBLE carrier : public E,
                                     public base_unless<E, boost::exception, 0>,
                                     public base_unless<E, boost::exception_detail::clone_base, 1, cloneable>
{
public:
    carrier(E e, const exception_facts& facts) : E(std::move(e))
    {
        // What a copy of an E shares with it would get this one's facts too.
        if constexpr (std::derived_from<E, boost::exception>)
            boost::exception_detail::copy_boost_exception(this, this);
        attach(*this, facts);
    }

private:
    // Without `override`: an E that is a clone_base already has no such functions.
    virtual const boost::exception_detail::clone_base* clone_carrier() const // NOLINT(modernize-use-override)
    {
        if constexpr (std::derived_from<carrier, cloneable>)
            return clone_carrier_of(*this);
        else
            return nullptr;
    }
    virtual void rethrow_carrier() const { throw *this; } // NOLINT(modernize-use-override)
};

/// The same, with a nested exception: the one that is being handled where it is made.
template <class E>
class BOOST_SYMBOL_VISIBLE nesting_carrier : public carrier<E>, public base_unless<E, std::nested_exception, 2>
{
public:
    using carrier<E>::carrier;

private:
    const boost::exception_detail::clone_base* clone_carrier() const override
    {
        if constexpr (std::derived_from<nesting_carrier, cloneable>)
            return clone_carrier_of(*this);
        else
            return nullptr;
    }
    void rethrow_carrier() const override { throw *this; }
};

template <class E, class Base>
inline constexpr bool has_usable_base = !std::is_base_of_v<Base, E> || std::convertible_to<E*, Base*>;

template <class E, bool = std::is_class_v<E>>
inline constexpr bool can_carry = false;
template <class E>
inline constexpr bool can_carry<E, true> =
    !std::is_final_v<E> && std::copy_constructible<E> && has_usable_base<E, boost::exception> &&
    has_usable_base<E, boost::exception_detail::clone_base> && has_usable_base<E, std::nested_exception>;

/** Makes an exception that is caught as an `E` and carries the facts, as far as the type allows.

    @param make Called once for the `E`, while the cause is being handled. What it throws passes.
*/
template <class E, std::invocable Make>
std::exception_ptr carry(Make make, const exception_facts& facts)
{
    // They are thrown, not given to make_exception_ptr, which would copy them once more.
    if constexpr (can_carry<E>) {
        try {
            if (!facts.cause)
                throw carrier<E>(make(), facts);
            try {
                std::rethrow_exception(facts.cause);
            }
            catch (...) {
                throw nesting_carrier<E>(make(), facts);
            }
        }
        catch (const carrier<E>&) {
            return std::current_exception();
        }
    } else {
        std::exception_ptr error = std::make_exception_ptr<E>(make());
        if (facts.task_index)
            remember_task_index(error, *facts.task_index);
        return error;
    }
}

} // namespace twat::mp::detail

#endif
