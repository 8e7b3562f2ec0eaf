// SPDX-License-Identifier: BSL-1.0
// expect: a string_view refers to characters of this process: use std::string
#include <twat/mp/codec.hpp>

#include <string_view>
#include <vector>

#ifndef TWAT_MP_CONTROL
void test(twat::mp::encoder& out, const std::vector<std::string_view>& names)
#else
void test(twat::mp::encoder& out, const std::vector<std::string>& names)
#endif
{
    out.write(names);
}
