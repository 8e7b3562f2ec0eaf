// SPDX-License-Identifier: BSL-1.0
// expect: an aggregate with a C array as member cannot be taken apart: use std::array
// expect: packet
#include <twat/mp/codec.hpp>

struct packet
{
    int length;
#ifndef TWAT_MP_CONTROL
    char bytes[16];
#else
    std::array<char, 16> bytes;
#endif
};

void test(twat::mp::encoder& out) { out.write(packet{}); }
