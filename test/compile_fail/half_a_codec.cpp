// SPDX-License-Identifier: BSL-1.0
// expect: mp::codec<T> needs static void encode(mp::encoder&, const T&) and static T decode(mp::decoder&)
#include <twat/mp/codec.hpp>

class session
{};

template <>
struct twat::mp::codec<session>
{
#ifndef TWAT_MP_CONTROL
    static void encode(encoder&, const session&) {}
#else
    static void encode(encoder&, const session&) {}
    static session decode(decoder&) { return {}; }
#endif
};

void test(twat::mp::encoder& out) { out.write(session{}); }
