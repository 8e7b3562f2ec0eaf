// SPDX-License-Identifier: BSL-1.0
// A lambda that captures something cannot be sent.
// expect: because it captures or holds something
#include <twat/mp/portable.hpp>

int main()
{
#ifdef TWAT_MP_CONTROL
    auto f = [](int y, int x) { return x + y; };
#else
    int y = 1;
    auto f = [y](int x) { return x + y; };
#endif
    return twat::mp::detail::check_portable<decltype(f)>() ? 0 : 1;
}
