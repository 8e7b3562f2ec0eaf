// SPDX-License-Identifier: BSL-1.0
// expect: a view refers to elements of this process: use a container such as std::vector
#include <twat/mp/codec.hpp>

#include <span>

#ifndef TWAT_MP_CONTROL
void test(twat::mp::encoder& out, std::span<int> values)
#else
void test(twat::mp::encoder& out, const std::vector<int>& values)
#endif
{
    out.write(values);
}
