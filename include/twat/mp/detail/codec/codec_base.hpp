// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_CODEC_CODEC_BASE_HPP
#define TWAT_MP_DETAIL_CODEC_CODEC_BASE_HPP

#include <twat/mp/config.hpp>
#include <twat/mp/decoder.hpp>
#include <twat/mp/encoder.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

namespace twat::mp {

template <class T>
struct codec;

namespace detail {

template <class... Ts>
struct type_list
{};

/** How values of one built-in kind become bytes. Not defined for other types.

    Members: `parts`, a `type_list` of the types that must be encodable in turn; `min_size`, the least number of bytes
    that a value takes; `encode(encoder&, const T&)`; `T decode(decoder&)`.
*/
template <class T>
struct builtin_codec;

template <class T>
concept builtin = requires
{
    sizeof(builtin_codec<T>);
};

template <class T>
concept custom_coded = requires
{
    sizeof(codec<T>);
};

/** Whether the bytes of a `T` in memory are its encoding: no pointers, no padding, and every pattern is a value.

    Specialised beside the kinds. Not so: `bool`, which has but two values.
*/
template <class T>
inline constexpr bool bytewise = false;

template <class T>
inline constexpr bool bytewise<const T> = bytewise<T>;

/// The least number of bytes that the encoding of a `T` takes; 0 if not known.
template <class T>
constexpr std::size_t min_size();

[[noreturn]] TWAT_MP_DECL void throw_bad_bytes(const char* what);
[[noreturn]] TWAT_MP_DECL void throw_bad_value(const char* what);
[[noreturn]] TWAT_MP_DECL void throw_too_deep(const encoder&);
[[noreturn]] TWAT_MP_DECL void throw_too_deep(const decoder&);

/// Values inside values, deeper than this, are refused: bytes from elsewhere must not exhaust the stack.
inline constexpr std::size_t max_nesting = 1000;

/// Counts one level of nesting while it lives.
template <class Coder>
class nesting
{
public:
    explicit nesting(Coder& coder) : coder_(coder)
    {
        if (coder_.depth_ >= max_nesting)
            throw_too_deep(coder_);
        ++coder_.depth_;
    }
    nesting(const nesting&) = delete;
    nesting& operator=(const nesting&) = delete;
    ~nesting() { --coder_.depth_; }

private:
    Coder& coder_;
};

/// Writes what lies in memory. @pre `bytewise<T>`
template <class T>
void write_raw(encoder& out, const T& value)
{
    std::memcpy(out.extend(sizeof(T)), std::addressof(value), sizeof(T));
}

/// @pre `bytewise<T>`
template <class T>
T read_raw(decoder& in)
{
    // bit_cast, as T need not have a default constructor.
    std::array<std::byte, sizeof(T)> bytes;
    std::memcpy(bytes.data(), in.read_bytes(sizeof(T)), sizeof(T));
    return std::bit_cast<T>(bytes);
}

inline void write_length(encoder& out, std::size_t length) { write_raw(out, static_cast<std::uint64_t>(length)); }

} // namespace detail
} // namespace twat::mp

#endif
