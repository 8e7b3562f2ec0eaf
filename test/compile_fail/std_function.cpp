// SPDX-License-Identifier: BSL-1.0
// What a std::function holds is not known.
// expect: a std::function cannot be sent to a process worker
#include <twat/mp/portable.hpp>

#include <functional>

int main()
{
#ifdef TWAT_MP_CONTROL
    auto f = [](int x) { return x; };
#else
    std::function<int(int)> f = [](int x) { return x; };
#endif
    return twat::mp::detail::check_portable<decltype(f)>() ? 0 : 1;
}
