// SPDX-License-Identifier: BSL-1.0
// An overloaded name does not say which function is meant.
// expect: OneFunctionThatIsNotOverloaded
#include <twat/mp/register_function.hpp>

int twice(int x) { return 2 * x; }
double twice(double x) { return 2 * x; }

#ifdef TWAT_MP_CONTROL
TWAT_MP_REGISTER_AS("twice", static_cast<int (*)(int)>(twice))
#else
TWAT_MP_REGISTER(twice)
#endif
