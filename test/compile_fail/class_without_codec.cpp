// SPDX-License-Identifier: BSL-1.0
// expect: this class has no codec: specialise mp::codec<T>, give it a serialize function, or make it an aggregate
// expect: session
#include <twat/mp/codec.hpp>

class session
{
public:
    explicit session(int id) : id_(id) {}

private:
    int id_;
};

#ifdef TWAT_MP_CONTROL
template <>
struct twat::mp::codec<session>
{
    static void encode(encoder&, const session&) {}
    static session decode(decoder&) { return session(0); }
};
#endif

void test(twat::mp::decoder& in) { in.read<session>(); }
