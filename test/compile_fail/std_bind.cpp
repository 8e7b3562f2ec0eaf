// SPDX-License-Identifier: BSL-1.0
// What std::bind returns cannot be sent.
// expect: Use mp::partial(f, bound...)
#include <twat/mp/portable.hpp>

#include <functional>

int add(int a, int b) { return a + b; }

int main()
{
#ifdef TWAT_MP_CONTROL
    auto f = twat::mp::partial(add, 1);
#else
    auto f = std::bind(add, 1, std::placeholders::_1);
#endif
    return twat::mp::detail::check_portable<decltype(f)>() ? 0 : 1;
}
