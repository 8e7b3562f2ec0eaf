// SPDX-License-Identifier: BSL-1.0
// amap: as pmap, but returns at once and goes on in the background. Whoever reads the results waits for them.
#include <twat/mp.hpp>

#include <exception>
#include <iostream>
#include <ranges>
#include <vector>

namespace mp = twat::mp;

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);
    try {
        // Python: @amap
        //         def double(x):
        //             return x * 2
        auto twice = mp::amap([](int x) { return x * 2; });

        // Python: results = list(double(range(10)))
        auto later = twice(std::views::iota(0, 10));
        std::cout << "started\n";
        std::vector<int> results = later.get();
        for (int x : results)
            std::cout << x << ' ';
        std::cout << '\n';
    } catch (const std::exception& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
