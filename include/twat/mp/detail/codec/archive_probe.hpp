// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_CODEC_ARCHIVE_PROBE_HPP
#define TWAT_MP_DETAIL_CODEC_ARCHIVE_PROBE_HPP

#include <type_traits>
#include <utility>

namespace boost::serialization {
class access;
}

// Whether a class has a `serialize` for Boost.Serialization. Needs none of its headers.

namespace twat::mp::detail::archive_probe {

/// Stands for an archive. Its template argument makes argument-dependent lookup see namespace boost::serialization.
template <class>
struct basic_archive
{
    using is_saving = std::true_type;
    using is_loading = std::false_type;

    template <class T>
    basic_archive& operator&(T&&);
    template <class T>
    basic_archive& operator<<(T&&);
    template <class T>
    basic_archive& operator>>(T&&);
};

using archive = basic_archive<boost::serialization::access>;

struct none
{};

// As general as the default that <boost/serialization/serialization.hpp> has for types without a function of their own:
// alone it is chosen, beside that default the call is ambiguous, and anything for one type is better than both.
template <class Archive, class T>
none serialize(Archive&, T&, unsigned int);

template <class T>
concept has_function = requires(archive& ar, T& value)
{
    serialize(ar, value, 0u);
    requires !std::is_same_v<decltype(serialize(ar, value, 0u)), none>;
};

template <class T>
concept has_public_member = requires(archive& ar, T& value)
{
    value.serialize(ar, 0u);
};

struct named
{
    int serialize;
};

template <class T>
struct ambiguous : T, named
{};

/// Whether there is a member `serialize` at all, private or not: then the name is ambiguous in a class that inherits two.
template <class T>
constexpr bool has_name()
{
    if constexpr (std::is_class_v<T> && !std::is_final_v<T>)
        return !requires { &ambiguous<T>::serialize; };
    else
        return false;
}

/// Whether anybody may call it, in one of the ways that other libraries have for a function of this name.
template <class T>
concept has_other_public_member = requires
{
    &T::serialize;
}
|| requires(T& value) { value.serialize(); }
|| requires(T& value, archive& ar) { value.serialize(ar); };

/// A private one cannot be called from here. It is taken for Boost's, as nobody else could call it; one that is public and
/// cannot be called with an archive is something else.
template <class T>
constexpr bool has_member()
{
    if constexpr (has_public_member<T>)
        return true;
    else if constexpr (has_name<T>())
        return !has_other_public_member<T>;
    else
        return false;
}

} // namespace twat::mp::detail::archive_probe

namespace twat::mp::detail {

/// Whether a `T` is written by way of a Boost archive; see `serialization.hpp`.
template <class T>
constexpr bool find_archived()
{
    if constexpr (std::is_class_v<T> || std::is_union_v<T>)
        return archive_probe::has_member<T>() || archive_probe::has_function<T>;
    else
        return std::is_enum_v<T> && archive_probe::has_function<T>;
}

template <class T>
inline constexpr bool archived = find_archived<T>();

/// Writes and reads a `T` through a Boost archive. Defined in `serialization.hpp`.
template <class T>
struct archive_codec;

} // namespace twat::mp::detail

#endif
