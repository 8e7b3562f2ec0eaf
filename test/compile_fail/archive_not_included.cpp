// SPDX-License-Identifier: BSL-1.0
// expect: this class has a serialize function: include <twat/mp/serialization.hpp>
#include <twat/mp/codec.hpp>
#ifdef TWAT_MP_CONTROL
#include <twat/mp/serialization.hpp>
#endif

class session
{
public:
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& id_;
    }

private:
    int id_ = 0;
};

void test(twat::mp::encoder& out) { out.write(session{}); }
