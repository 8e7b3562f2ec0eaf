// SPDX-License-Identifier: BSL-1.0
// A registered function's parameters must be encodable.
// expect: a parameter of the function has a type that is not encodable
#include <twat/mp/register_function.hpp>

#ifdef TWAT_MP_CONTROL
int first(int value) { return value; }
#else
int first(int* values) { return values[0]; }
#endif
TWAT_MP_REGISTER(first)
