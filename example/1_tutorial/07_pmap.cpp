// SPDX-License-Identifier: BSL-1.0
// pmap: turns a function into one for whole ranges, run in worker processes of a pool that the program need not make.
#include <twat/mp.hpp>

#include <exception>
#include <iostream>
#include <ranges>

namespace mp = twat::mp;

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);
    try {
        // Python: @pmap
        //         def square(x):
        //             return x * x
        auto square = mp::pmap([](int x) { return x * x; });

        // Python: results = list(square(range(10)))
        for (int x : square(std::views::iota(0, 10)))
            std::cout << x << ' ';
        std::cout << '\n';
    } catch (const std::exception& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
