// SPDX-License-Identifier: BSL-1.0
// A worker of another program must know the types that it is to decode.
// expect: its types are not known
#include <twat/mp/register_function.hpp>

#ifdef TWAT_MP_CONTROL
constexpr auto twice = [](int x) { return 2 * x; };
#else
constexpr auto twice = [](auto x) { return 2 * x; };
#endif
TWAT_MP_REGISTER(twice)
