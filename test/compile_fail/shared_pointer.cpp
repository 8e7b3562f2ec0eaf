// SPDX-License-Identifier: BSL-1.0
// expect: ownership cannot be shared with another process: pass the value or a std::unique_ptr
#include <twat/mp/codec.hpp>

#include <memory>

void test(twat::mp::encoder& out)
{
#ifndef TWAT_MP_CONTROL
    out.write(std::make_shared<int>(1));
#else
    out.write(std::make_unique<int>(1));
#endif
}
