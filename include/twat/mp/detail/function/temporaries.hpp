// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_FUNCTION_TEMPORARIES_HPP
#define TWAT_MP_DETAIL_FUNCTION_TEMPORARIES_HPP

namespace twat::mp::detail {

/// Whether the compiler destroys a temporary closure or aggregate in a `co_await` expression twice if it owns something: g++ before 13 does.
/// What is refused for that reason is refused there only.
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
inline constexpr bool destroys_temporaries_twice = true;
#else
inline constexpr bool destroys_temporaries_twice = false;
#endif

} // namespace twat::mp::detail

#endif
