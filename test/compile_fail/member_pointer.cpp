// SPDX-License-Identifier: BSL-1.0
// A pointer to a member cannot be sent.
// expect: a pointer to a member cannot be sent to a process worker. Use a lambda without captures
#include <twat/mp/portable.hpp>

struct shape
{
    int side = 1;
    int area() const { return side * side; }
};

int main()
{
#ifdef TWAT_MP_CONTROL
    auto f = [](const shape& s) { return s.area(); };
#else
    auto f = &shape::area;
#endif
    return twat::mp::detail::check_portable<decltype(f)>() ? 0 : 1;
}
