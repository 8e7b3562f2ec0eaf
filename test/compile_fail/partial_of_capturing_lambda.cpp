// SPDX-License-Identifier: BSL-1.0
// Binding arguments does not make a lambda portable.
// expect: because it captures or holds something
#include <twat/mp/portable.hpp>

int main()
{
#ifdef TWAT_MP_CONTROL
    auto f = twat::mp::partial([](int a, int b) { return a + b; }, 1);
#else
    int y = 1;
    auto f = twat::mp::partial([y](int a, int b) { return a + b + y; }, 1);
#endif
    return twat::mp::detail::check_portable<decltype(f)>() ? 0 : 1;
}
