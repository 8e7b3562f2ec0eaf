// SPDX-License-Identifier: BSL-1.0
// expect: an aggregate with a base class cannot be taken apart
#include <twat/mp/codec.hpp>

struct base
{
    int x;
};

#ifndef TWAT_MP_CONTROL
struct derived : base
{
    int y;
};
#else
struct derived
{
    base b;
    int y;
};
#endif

void test(twat::mp::encoder& out) { out.write(derived{}); }
