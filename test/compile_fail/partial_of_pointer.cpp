// SPDX-License-Identifier: BSL-1.0
// A bound value that is not encodable cannot be sent.
// expect: a value bound with mp::partial is not encodable
#include <twat/mp/portable.hpp>

int main()
{
#ifdef TWAT_MP_CONTROL
    auto f = twat::mp::partial([](int a, int b) { return a + b; }, 1);
#else
    int bound = 1;
    auto f = twat::mp::partial([](const int* a, int b) { return *a + b; }, &bound);
#endif
    return twat::mp::detail::check_portable<decltype(f)>() ? 0 : 1;
}
