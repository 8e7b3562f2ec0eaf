// SPDX-License-Identifier: BSL-1.0
// expect: a raw pointer means nothing in another process: pass the value
// expect: check_part
// expect: job
#include <twat/mp/codec.hpp>

#include <string>

struct job
{
    int id;
#ifndef TWAT_MP_CONTROL
    const char* name;
#else
    std::string name;
#endif
};

void test(twat::mp::encoder& out) { out.write(job{}); }
