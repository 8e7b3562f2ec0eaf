// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_EXCEPTION_EXCEPTION_TYPE_HPP
#define TWAT_MP_DETAIL_EXCEPTION_EXCEPTION_TYPE_HPP

#include <concepts>
#include <cstring>
#include <exception>
#include <string>
#include <type_traits>
#include <typeinfo>

#include <twat/mp/codec.hpp>
#include <twat/mp/config.hpp>
#include <twat/mp/decoder.hpp>
#include <twat/mp/detail/exception/carrier.hpp>
#include <twat/mp/encoder.hpp>

namespace twat::mp::detail {

/// What the library does with a registered type of exception, without knowing the type.
struct exception_type
{
    const std::type_info& (*id)() noexcept;
    /// Its type when thrown by `std::throw_with_nested`, or `id()` if the standard library at hand does not tell.
    const std::type_info& (*nested_id)() noexcept;
    /// Whether `error` is one, or of a type derived from it.
    bool (*matches)(const std::exception_ptr& error);
    /// Appends `error`, which matches.
    void (*encode)(const std::exception_ptr& error, encoder& out);
    std::exception_ptr (*decode)(decoder& in, const exception_facts& facts);
    /// A copy of `error`, which matches, that carries the facts.
    std::exception_ptr (*annotate)(const std::exception_ptr& error, const exception_facts& facts);
    // Thrown and caught as pointers, types tell whether one derives from another.
    void (*throw_pointer)();
    bool (*catches_pointer)(void (*throw_pointer)());
};

/// `type` must live as long as the program.
TWAT_MP_DECL bool register_exception_type(const exception_type& type);

/// Writes and reads text of bounded length.
TWAT_MP_DECL void encode_text(encoder& out, const char* text);
TWAT_MP_DECL std::string decode_text(decoder& in);

template <class E>
concept exception_from_text = std::derived_from<E, std::exception> && std::constructible_from<E, const std::string&>;

template <class E>
concept transportable_exception = encodable<E> || exception_from_text<E>;

/// Makes an `E` that says `what`, also if its constructor puts words of its own before or behind.
template <exception_from_text E>
E exception_saying(const std::string& what)
{
    E whole(what);
    if (whole.what() == what)
        return whole;
    const std::string around = E(std::string("\x01")).what();
    const std::size_t middle = around.find('\x01');
    if (middle == std::string::npos || what.size() < around.size() - 1 ||
        what.compare(0, middle, around, 0, middle) != 0)
        return whole;
    E inner(what.substr(middle, what.size() - (around.size() - 1)));
    return inner.what() == what ? inner : whole;
}

template <class E>
struct exception_type_functions
{
    static const std::type_info& id() noexcept { return typeid(E); }

    static const std::type_info& nested_id() noexcept
    {
#ifdef __GLIBCXX__
        if constexpr (can_carry<E> && !std::is_base_of_v<std::nested_exception, E>)
            return typeid(std::_Nested_exception<E>);
#endif
        return id();
    }

    static bool matches(const std::exception_ptr& error)
    {
        try {
            std::rethrow_exception(error);
        }
        catch (const E&) {
            return true;
        }
        catch (...) {
            return false;
        }
    }

    static void encode(const std::exception_ptr& error, encoder& out)
    {
        try {
            std::rethrow_exception(error);
        }
        catch (const E& e) {
            if constexpr (encodable<E>)
                out.write(e);
            else
                encode_text(out, e.what());
        }
    }

    static std::exception_ptr decode(decoder& in, const exception_facts& facts)
    {
        if constexpr (encodable<E>)
            return carry<E>([&] { return in.read<E>(); }, facts);
        else {
            const std::string what = decode_text(in);
            return carry<E>([&] { return exception_saying<E>(what); }, facts);
        }
    }

    static std::exception_ptr annotate(const std::exception_ptr& error, const exception_facts& facts)
    {
        try {
            std::rethrow_exception(error);
        }
        catch (const E& e) {
            return carry<E>([&]() -> const E& { return e; }, facts);
        }
    }

    static void throw_pointer() { throw static_cast<const E*>(nullptr); }

    static bool catches_pointer(void (*throw_pointer)())
    {
        try {
            throw_pointer();
        }
        catch (const E*) {
            return true;
        }
        catch (...) {
        }
        return false;
    }
};

template <class E>
inline constexpr exception_type exception_type_of{&exception_type_functions<E>::id,
                                                  &exception_type_functions<E>::nested_id,
                                                  &exception_type_functions<E>::matches,
                                                  &exception_type_functions<E>::encode,
                                                  &exception_type_functions<E>::decode,
                                                  &exception_type_functions<E>::annotate,
                                                  &exception_type_functions<E>::throw_pointer,
                                                  &exception_type_functions<E>::catches_pointer};

} // namespace twat::mp::detail

#endif
