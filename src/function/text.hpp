// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_FUNCTION_TEXT_HPP
#define TWAT_MP_SRC_FUNCTION_TEXT_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include <twat/mp/decoder.hpp>
#include <twat/mp/encoder.hpp>
#include <twat/mp/error.hpp>

// The few shapes that references to functions are made of.
namespace twat::mp::detail {

/// Of a name or of types, in bytes. What is longer is cut: it is shown, not compared.
inline constexpr std::size_t max_text = 1000;

inline void write_byte(encoder& out, std::uint8_t value) { out.write_bytes(&value, sizeof value); }
inline void write_number(encoder& out, std::uint64_t value) { out.write_bytes(&value, sizeof value); }

inline void write_text(encoder& out, std::string_view text)
{
    write_number(out, text.size());
    out.write_bytes(text.data(), text.size());
}

inline std::uint8_t read_byte(decoder& in) { return static_cast<std::uint8_t>(*in.read_bytes(1)); }

inline std::uint64_t read_number(decoder& in)
{
    std::uint64_t value;
    std::memcpy(&value, in.read_bytes(sizeof value), sizeof value);
    return value;
}

/// Refers to the decoder's bytes.
inline std::string_view read_text(decoder& in, std::size_t max)
{
    const std::size_t size = in.read_length();
    if (size > max)
        throw error(errc::decode_failed, "a name of " + std::to_string(size) + " bytes is too long");
    return {reinterpret_cast<const char*>(in.read_bytes(size)), size};
}

/// The types inside what `types_text` returns: "int (*)(int), int".
std::string readable_types(std::string_view text);

} // namespace twat::mp::detail

#endif
