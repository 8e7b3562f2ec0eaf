// SPDX-License-Identifier: BSL-1.0
// expect: a reference cannot be sent to another process: pass the value itself
#include <twat/mp/codec.hpp>

struct job
{
#ifndef TWAT_MP_CONTROL
    int& counter;
#else
    int counter;
#endif
};

void test(twat::mp::encoder& out, const job& value) { out.write(value); }
