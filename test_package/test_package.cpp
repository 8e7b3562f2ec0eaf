// SPDX-License-Identifier: BSL-1.0
// Says "twat-mp 0.1.0: ok" if two worker processes do what they are told. Built a second time for twat::mp_main,
// which enters the worker before main.
#include <twat/mp.hpp>

#include <iostream>
#include <vector>

namespace mp = twat::mp;

int square(int x) { return x * x; }

int main(int argc, char** argv)
{
#ifdef MAIN_IS_WRAPPED
    static_cast<void>(argc), static_cast<void>(argv);
#else
    mp::run_if_worker(argc, argv);
#endif
    mp::process_pool pool(2);
    if (pool.map(square, std::vector<int>{1, 2, 3}) != std::vector<int>{1, 4, 9})
        return 1;
    std::cout << "twat-mp " << TWAT_MP_VERSION_MAJOR << '.' << TWAT_MP_VERSION_MINOR << '.' << TWAT_MP_VERSION_PATCH
              << ": ok\n";
}
