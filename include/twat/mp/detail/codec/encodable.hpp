// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_CODEC_ENCODABLE_HPP
#define TWAT_MP_DETAIL_CODEC_ENCODABLE_HPP

#include <twat/mp/detail/codec/aggregate.hpp>
#include <twat/mp/detail/codec/archive_probe.hpp>
#include <twat/mp/detail/codec/codec_base.hpp>

#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>

namespace twat::mp::detail {

/// How a type is encoded, or why it is not.
enum class type_kind {
    custom,    ///< `codec<T>` is specialised.
    builtin,   ///< `builtin_codec<T>`.
    archived,  ///< A Boost.Serialization `serialize`.
    aggregate, ///< Member by member.
    // What follows is refused.
    reference,
    pointer,
    array,
    string_view,
    view,
    shared_pointer,
    unique_pointer,
    not_an_object,
    broken_codec,
    immovable,
    polymorphic,
    union_,
    aggregate_with_base,
    aggregate_with_array,
    aggregate_too_large,
    opaque_aggregate,
    opaque_class,
};

constexpr bool is_refused(type_kind kind) { return kind >= type_kind::reference; }

template <class T>
inline constexpr bool is_string_view = false;
template <class C, class Traits>
inline constexpr bool is_string_view<std::basic_string_view<C, Traits>> = true;

template <class T>
inline constexpr bool is_view = false;
template <class T, std::size_t N>
inline constexpr bool is_view<std::span<T, N>> = true;
template <class T>
inline constexpr bool is_view<std::initializer_list<T>> = true;

template <class T>
inline constexpr bool is_shared_pointer = false;
template <class T>
inline constexpr bool is_shared_pointer<std::shared_ptr<T>> = true;
template <class T>
inline constexpr bool is_shared_pointer<std::weak_ptr<T>> = true;

template <class T>
inline constexpr bool is_unique_pointer = false;
template <class T, class Deleter>
inline constexpr bool is_unique_pointer<std::unique_ptr<T, Deleter>> = true;

template <class T>
inline constexpr bool is_reference_wrapper = false;
template <class T>
inline constexpr bool is_reference_wrapper<std::reference_wrapper<T>> = true;

template <class T>
concept has_usable_codec = requires(encoder& out, decoder& in, const T& value)
{
    codec<T>::encode(out, value);
    requires std::is_same_v<decltype(codec<T>::decode(in)), T>;
};

template <class T>
constexpr type_kind find_aggregate_kind()
{
    constexpr aggregate_shape shape = shape_of<T>;
    switch (shape.fault) {
    case aggregate_fault::none: return type_kind::aggregate;
    case aggregate_fault::has_base: return type_kind::aggregate_with_base;
    case aggregate_fault::has_array: return type_kind::aggregate_with_array;
    case aggregate_fault::too_many_members: return type_kind::aggregate_too_large;
    case aggregate_fault::unknown: break;
    }
    return type_kind::opaque_aggregate;
}

template <class T>
constexpr type_kind find_kind()
{
    if constexpr (std::is_reference_v<T> || is_reference_wrapper<T>)
        return type_kind::reference;
    else if constexpr (std::is_pointer_v<T> || std::is_member_pointer_v<T> || std::is_null_pointer_v<T>)
        return type_kind::pointer;
    else if constexpr (std::is_array_v<T>)
        return type_kind::array;
    else if constexpr (!std::is_object_v<T> || std::is_volatile_v<T>)
        return type_kind::not_an_object;
    else if constexpr (custom_coded<T>)
        return has_usable_codec<T> ? type_kind::custom : type_kind::broken_codec;
    else if constexpr (std::is_enum_v<T> && archived<T>)
        return type_kind::archived;
    else if constexpr (builtin<T>)
        return type_kind::builtin;
    else if constexpr (is_string_view<T>)
        return type_kind::string_view;
    else if constexpr (is_view<T>)
        return type_kind::view;
    else if constexpr (is_shared_pointer<T>)
        return type_kind::shared_pointer;
    else if constexpr (is_unique_pointer<T>)
        return type_kind::unique_pointer;
    else if constexpr (archived<T>)
        return std::is_move_constructible_v<T> ? type_kind::archived : type_kind::immovable;
    else if constexpr (std::is_union_v<T>)
        return type_kind::union_;
    else if constexpr (std::is_polymorphic_v<T>)
        return type_kind::polymorphic;
    // Structured bindings of a class with tuple_size are not its members.
    else if constexpr (std::is_aggregate_v<T> && !requires { sizeof(std::tuple_size<T>); })
        return find_aggregate_kind<T>();
    else
        return type_kind::opaque_class;
}

template <class T>
inline constexpr type_kind kind_of = find_kind<std::remove_const_t<T>>();

/// The types that must be encodable for `T` to be.
template <class T>
constexpr auto list_parts()
{
    if constexpr (kind_of<T> == type_kind::builtin)
        return typename builtin_codec<T>::parts();
    else if constexpr (kind_of<T> == type_kind::aggregate)
        return member_types<T>();
    else
        return type_list<>();
}

template <class T, class... Ts>
inline constexpr bool is_one_of = (std::is_same_v<T, Ts> || ...);

/// A type that holds itself, by way of a container, is encodable if everything else in it is: `Outer` are taken for granted.
template <class T, class... Outer>
constexpr bool is_encodable()
{
    if constexpr (is_one_of<T, Outer...>)
        return true;
    else if constexpr (is_refused(kind_of<T>))
        return false;
    else
        return []<class... Parts>(type_list<Parts...>) {
            if constexpr (kind_of<T> == type_kind::aggregate)
                return (is_encodable<std::remove_const_t<Parts>, T, Outer...>() && ...);
            else
                return (is_encodable<std::remove_const_t<Parts>, Outer...>() && ...);
        }(list_parts<T>());
}

template <class... Ts>
constexpr std::index_sequence_for<Ts...> make_positions(type_list<Ts...>)
{
    return {};
}

/// Names the member in the compiler's message.
template <class Type, std::size_t Position, class Part, class... Outer>
constexpr bool check_part();

/** Refuses a `T` that is not encodable, with the reason. The compiler's notes on the way here name the type, and for a member
    of an aggregate or an element of a container its `Type` and its `Position`, from 0. */
template <class T, class... Outer>
constexpr bool check_type()
{
    constexpr type_kind kind = kind_of<T>;
    static_assert(kind != type_kind::reference,
                  "twat-mp: a reference cannot be sent to another process: pass the value itself");
    static_assert(kind != type_kind::pointer,
                  "twat-mp: a raw pointer means nothing in another process: pass the value, a std::optional, a "
                  "std::unique_ptr or a container");
    static_assert(kind != type_kind::array, "twat-mp: a C array cannot be sent: use std::array or std::vector");
    static_assert(kind != type_kind::string_view,
                  "twat-mp: a string_view refers to characters of this process: use std::string");
    static_assert(kind != type_kind::view,
                  "twat-mp: a view refers to elements of this process: use a container such as std::vector");
    static_assert(kind != type_kind::shared_pointer,
                  "twat-mp: ownership cannot be shared with another process: pass the value or a std::unique_ptr");
    static_assert(
        kind != type_kind::unique_pointer,
        "twat-mp: a std::unique_ptr can be sent unless it is to an array, has a deleter of its own, or points to a "
        "polymorphic class: use a std::vector, a std::variant, or specialise mp::codec");
    static_assert(kind != type_kind::not_an_object, "twat-mp: void, functions and volatile objects cannot be sent");
    static_assert(
        kind != type_kind::broken_codec,
        "twat-mp: mp::codec<T> needs static void encode(mp::encoder&, const T&) and static T decode(mp::decoder&)");
    static_assert(kind != type_kind::immovable, "twat-mp: a type with serialize must be movable to be sent");
    static_assert(kind != type_kind::polymorphic,
                  "twat-mp: a polymorphic class has no codec: specialise mp::codec<T> or give it a serialize function");
    static_assert(kind != type_kind::union_, "twat-mp: a union cannot be sent: use std::variant");
    static_assert(
        kind != type_kind::aggregate_with_base,
        "twat-mp: an aggregate with a base class cannot be taken apart: specialise mp::codec<T>, give it a serialize "
        "function, or make the base a member");
    static_assert(kind != type_kind::aggregate_with_array,
                  "twat-mp: an aggregate with a C array as member cannot be taken apart: use std::array");
    static_assert(kind != type_kind::aggregate_too_large,
                  "twat-mp: an aggregate of more than 100 members cannot be taken apart: specialise mp::codec<T>");
    static_assert(
        kind != type_kind::opaque_aggregate,
        "twat-mp: this aggregate cannot be taken apart: specialise mp::codec<T> or give it a serialize function");
    static_assert(
        kind != type_kind::opaque_class,
        "twat-mp: this class has no codec: specialise mp::codec<T>, give it a serialize function, or make it an "
        "aggregate; a view or an iterator must be copied into a container");
    if constexpr (!is_refused(kind)) {
        []<class... Parts, std::size_t... I>(type_list<Parts...>, std::index_sequence<I...>) {
            (check_part<T, I, std::remove_const_t<Parts>, Outer...>(), ...);
        }(list_parts<T>(), make_positions(list_parts<T>()));
    }
    return true;
}

template <class Type, std::size_t Position, class Part, class... Outer>
constexpr bool check_part()
{
    if constexpr (!is_encodable<Part, Type, Outer...>())
        return check_type<Part, Type, Outer...>();
    else
        return true;
}

/// Stops the compiler with a message that says why a `T` cannot be sent and what to use instead.
template <class T>
constexpr void check_encodable()
{
    if constexpr (!is_encodable<std::remove_const_t<T>>())
        check_type<std::remove_const_t<T>>();
}

} // namespace twat::mp::detail

#endif
