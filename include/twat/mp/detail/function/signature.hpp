// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_FUNCTION_SIGNATURE_HPP
#define TWAT_MP_DETAIL_FUNCTION_SIGNATURE_HPP

#include <cstdint>

namespace twat::mp::detail {

/// FNV-1a.
constexpr std::uint64_t hash_text(const char* text) noexcept
{
    std::uint64_t hash = 0xcbf2'9ce4'8422'2325u;
    for (; *text != '\0'; ++text)
        hash = (hash ^ static_cast<unsigned char>(*text)) * 0x0000'0100'0000'01b3u;
    return hash;
}

/// The types as the compiler writes them, inside its name for this function.
template <class... Types>
constexpr const char* types_text() noexcept
{
    return __PRETTY_FUNCTION__;
}

} // namespace twat::mp::detail

#endif
